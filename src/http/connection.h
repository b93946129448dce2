#pragma once
// HttpConnection: one client's connection, and ServerState: what the connections of a server share. Inside http only.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "http/parser.h"
#include "http/server.h"
#include "http/writer.h"
#include "net/stream.h"

namespace ajar {

class HttpConnection;

// A server on one loop. Its loop's thread only.
struct ServerLoop {
  explicit ServerLoop(Loop& loop) : loop(loop) {}
  Loop& loop;
  HttpConnection* first = nullptr;  // the open connections
  bool draining = false;
  std::vector<std::function<void()>> stop_accepting;
};

struct ServerState : std::enable_shared_from_this<ServerState> {
  ServerState(LoopGroup& loops, ServerOptions options, HttpHandler handler);

  LoopGroup& loops;
  const ServerOptions options;
  const HttpHandler handler;
  std::vector<std::unique_ptr<ServerLoop>> per_loop;
  std::vector<uint16_t> ports;

  std::atomic<size_t> connections{0};
  std::mutex mutex;  // for gone
  std::condition_variable gone;
};

enum class Admission : uint8_t { kServe, kRefuse };  // kRefuse: answer 503 and close

class HttpConnection final : public StreamWatcher {
 public:
  // Serves until the connection ends. Owns everything it needs.
  static Task<> run(std::shared_ptr<ServerState> state, ServerLoop& owner, Stream stream,
                    Admission admission);

  HttpConnection(std::shared_ptr<ServerState> state, ServerLoop& owner, Stream stream);
  ~HttpConnection();

  // The other side of Exchange.
  HttpRequest& request() { return parser_.request; }
  const std::string& id();
  std::string peer_address() const { return peer_.empty() ? stream_.peer_address() : peer_; }
  CancelToken& cancel() { return *token_; }
  Task<Status> send(int status, Headers headers, std::string_view body);
  Task<Status> start(int status, Headers headers);
  Task<Status> write(std::string_view bytes);
  Task<Status> finish(std::string_view last);
  Task<Status> send_raw(std::string_view bytes);
  void abort();
  bool started() const { return answer_ != Answer::kNone; }
  uint64_t bytes_written() const { return bytes_written_; }
  int status() const { return status_; }

  bool idle() const { return idle_; }
  void close_now() { leave(); }  // cancels what runs
  HttpConnection* next() const { return next_; }

 private:
  enum class Answer : uint8_t { kNone, kHeadHeld, kStreaming, kDone, kCut };
  enum class Read : uint8_t { kRequest, kEnd };

  // Notices a client that leaves while its pipelined bytes stop us from reading.
  class Poll final : public Deadline {
   public:
    explicit Poll(HttpConnection& connection) : connection_(connection) {}
    ~Poll() override { disarm(); }
    void expire() override { connection_.poll_hangup(); }

   private:
    HttpConnection& connection_;
  };

  Task<> serve();
  Task<Read> read_request(bool first);
  Task<> answer();  // runs the handler
  Task<> answer_error(int status, Error error);
  Task<> refuse(int status, Error error);  // answer_error, then a lingering close
  Status take(std::string_view bytes);
  TimePoint read_deadline(TimePoint head_deadline, TimePoint body_start) const;
  void on_readable() override;
  void poll_hangup();
  void leave();
  Persist persist() const;
  std::optional<Status> flush(std::span<const iovec> buffers);
  Task<Status> flush_slowly(std::span<iovec> buffers, size_t held);

  std::shared_ptr<ServerState> state_;
  ServerLoop& owner_;
  HttpConnection* prev_ = nullptr;
  HttpConnection* next_ = nullptr;
  Stream stream_;
  RequestParser parser_;
  std::string pending_;    // bytes of the next requests
  std::string held_head_;  // from start() to the first write
  std::string id_;
  std::string peer_;  // kept once the stream is closed
  std::optional<CancelToken> token_;
  Poll poll_{*this};
  uint64_t bytes_written_ = 0;
  size_t body_received_ = 0;
  size_t flushed_ = 0;  // bytes that flush() wrote
  int status_ = 0;
  Answer answer_ = Answer::kNone;
  BodyStyle style_ = BodyStyle::kNone;
  bool keep_alive_ = false;
  bool head_only_ = false;  // the request is HEAD
  bool idle_ = false;
};

}  // namespace ajar
