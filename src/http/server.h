#pragma once
// Server: HTTP/1.1 on every loop of a group. One coroutine per connection: head, body, handler, again.
// Every wait has a deadline. Errors of the HTTP layer itself are answered here and never reach the handler.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "http/headers.h"
#include "http/request.h"
#include "net/cancel.h"
#include "net/loop.h"
#include "net/task.h"

namespace ajar {

struct ErrorBody {
  std::string content_type = "application/json";
  std::string body;
};

class HttpConnection;
struct ServerState;

// One request and its answer. Lives on the connection's loop for as long as the handler runs. Exactly one of
// send() or start()...finish() answers it; a handler that answers nothing is answered with 500.
// All tasks must be awaited before the handler returns. Status errors are kCancelled (the client has gone, or it
// took nothing for the write-stall time): the handler should return soon.
class Exchange {
 public:
  explicit Exchange(HttpConnection& connection) : connection_(connection) {}

  HttpRequest& request();
  const std::string& id();    // "req_...", made on first use
  std::string peer_address();  // the client's IP address

  // Cancelled as soon as the client's socket reports its end or an error.
  CancelToken& cancel();

  // A whole answer in one write. `body` must live until the task is done. content-length, date and connection are
  // added here; `headers` must not have them, nor transfer-encoding.
  Task<Status> send(int status, Headers headers, std::string_view body);

  // An answer in pieces (chunked; to an HTTP/1.0 client until close). start() only keeps the head, which goes out
  // with the first write. Each write is one system call when the kernel takes it, else it suspends. A write of
  // nothing sends the head alone.
  Task<Status> start(int status, Headers headers);
  Task<Status> write(std::string_view bytes);
  Task<Status> finish(std::string_view last = {});  // `last` goes out with the end, in one call

  // Bytes as they are, head and all, then the end of the connection. For simulators of broken servers.
  Task<Status> send_raw(std::string_view bytes);

  // Closes without a proper end, so that the client sees a cut and not a complete answer.
  void abort();

  bool started() const;            // send() or start() was called
  uint64_t bytes_written() const;  // of the answer's body
  int status() const;              // what was answered, 0 before

 private:
  HttpConnection& connection_;
};

using HttpHandler = std::function<Task<>(Exchange&)>;

struct ServerOptions {
  std::vector<std::string> listen = {"127.0.0.1:8080"};  // "host:port", "[::]:port", ":port"; port 0: any
  size_t max_head_bytes = 32 * 1024;
  size_t max_body_bytes = 32 * 1024 * 1024;
  size_t max_connections = 10'000;  // in the whole server; one more is answered 503 and closed
  Millis header_timeout{10'000};    // from the first byte (or accept) to the whole head
  Millis body_gap_timeout{15'000};  // without any byte of the body
  size_t body_min_rate = 1024;      // bytes per second, after body_gap_timeout of grace
  Millis idle_timeout{75'000};      // between requests
  Millis write_timeout{30'000};     // without the client taking any byte
  // The body of an answer that the HTTP layer itself gives; the status is already decided. From any loop.
  std::function<ErrorBody(const Error&, std::string_view path)> error_body;
};

class Server {
 public:
  // `loops` must outlive the server. The handler is called on every loop.
  Server(LoopGroup& loops, ServerOptions options, HttpHandler handler);
  ~Server();  // drains with no patience
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Status listen();                    // binds every address on every loop, then accepts
  uint16_t port(size_t i = 0) const;  // the bound port of options.listen[i]
  size_t connections() const;         // open now; from any thread

  // Stops accepting, closes idle connections, lets running exchanges finish (their answers say connection: close),
  // and after `patience` closes what is left. Blocks: not from a loop's thread. True if nothing had to be cut.
  bool drain(Millis patience);

 private:
  std::shared_ptr<ServerState> state_;
};

}  // namespace ajar
