#pragma once
// The inside of Client and ClientResponse. Inside http only.

#include <optional>
#include <unordered_map>

#include "http/client.h"
#include "http/parser.h"
#include "http/pool.h"
#include "net/stream.h"

namespace ajar {

struct Client::Impl {
  Impl(Loop& loop, ClientOptions options, std::unique_ptr<Connector> connector)
      : loop(loop), options(std::move(options)), connector(std::move(connector)) {}

  ConnectionPool& pool_for(const Url& url, const TlsOptions& tls);

  // Read buffers are shared among the responses of a loop: only those that are being read have one.
  static constexpr size_t kBuffer = 16 * 1024;
  std::unique_ptr<char[]> take_buffer();
  void put_buffer(std::unique_ptr<char[]> buffer);

  Loop& loop;
  ClientOptions options;
  std::unique_ptr<Connector> connector;
  std::unordered_map<std::string, std::unique_ptr<ConnectionPool>> pools;
  std::vector<std::unique_ptr<char[]>> buffers;
};

struct ClientResponse::State {
  State(Client::Impl& client, ConnectionPool& pool, CancelToken& token)
      : client(client), pool(pool), token(token), parser(client.options.max_head_bytes) {}
  ~State() { client.put_buffer(std::move(buffer)); }

  struct CloseStream {
    Stream* stream;
    void operator()() { stream->close(); }
  };

  Io fill();  // reads into the buffer, which must be empty
  Task<Status> read_head(TimePoint deadline);
  void begin_body();
  Result<std::string_view> decode();  // what the buffer holds of the body
  void end_body();
  Error connection_error(const Io& io) const;

  Client::Impl& client;
  ConnectionPool& pool;
  CancelToken& token;
  Stream stream;
  std::optional<OnCancel<CloseStream>> hook;  // from the connection until the end of the body
  ResponseParser parser;
  ChunkDecoder chunks;
  std::unique_ptr<char[]> buffer;
  size_t begin = 0, end = 0;  // bytes of the buffer not yet decoded
  uint64_t left = 0;          // of a body with a length
  bool maybe_more = true;     // the socket may have bytes: try before waiting
  bool reusable = true;
  bool reused = false;
  bool done = false;
};

}  // namespace ajar
