#pragma once
// Client: HTTP/1.1 requests to upstreams over kept connections. One per loop, confined to it.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "http/headers.h"
#include "net/cancel.h"
#include "net/connect.h"
#include "net/loop.h"
#include "net/task.h"

namespace ajar {

struct Url {
  bool tls = false;    // scheme https
  std::string host;    // lower case, IPv6 without brackets
  uint16_t port = 80;  // 443 for https, unless given
  std::string target;  // path and query, starts with '/'

  std::string origin() const;  // "https://host:port", a default port left out
};
// An absolute http or https URL; userinfo and fragments are refused (kInvalid; the message says what is wrong).
Result<Url> parse_url(std::string_view text);

struct ClientOptions {
  ProxyConfig proxy;
  TlsOptions tls;  // for requests that name none
  size_t max_idle_per_origin = 64;
  Millis idle_timeout{30'000};
  size_t max_head_bytes = 64 * 1024;
  Millis write_timeout{30'000};  // without the upstream taking any byte of the request
};

// What to send. All views and references must outlive the send() task.
struct ClientRequest {
  const Url& url;
  std::string_view method = "POST";
  const Headers& headers;  // without host, content-length and connection
  std::string_view body;
  TimePoint connect_deadline = kNever;     // resolve, connect, proxy, TLS
  TimePoint first_byte_deadline = kNever;  // the whole head of the answer
  const TlsOptions* tls = nullptr;         // nullptr: the client's
  bool* written = nullptr;                 // set while the other side has all of it
};

// The head of an answer and the way to its body. Confined to the loop; must not outlive the Client, nor the
// CancelToken of its request. Destroying it before the end closes the connection at once.
class ClientResponse {
 public:
  ClientResponse(ClientResponse&&) noexcept;
  ClientResponse& operator=(ClientResponse&&) noexcept;
  ~ClientResponse();

  int status() const;
  const Headers& headers() const;
  bool reused() const;  // the connection had carried a request before

  // The next bytes of the body, decoded; valid until the next read. Empty: the proper end.
  // kCut: the connection ended before the body did. kTimeout, kCancelled, kUpstream (malformed).
  Task<Result<std::string_view>> read(TimePoint deadline);
  // The same without suspending; nothing when it would have to.
  std::optional<Result<std::string_view>> try_read();
  // The whole body; kUpstream when it exceeds `limit`.
  Task<Result<std::string>> read_all(TimePoint deadline, size_t limit);

 private:
  friend class Client;
  struct State;
  explicit ClientResponse(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Client {
 public:
  // A malformed proxy URL is an error. The loop must outlive the client.
  static Result<std::unique_ptr<Client>> create(Loop& loop, ClientOptions options);
  ~Client();

  // Sends and waits for the head; 1xx answers are skipped. When a kept connection fails before any byte of an
  // answer, the request is sent once more on a fresh one. Any final status, also 4xx and 5xx, is a value.
  // kUnavailable: no connection. kTimeout, kCancelled, kCut (closed before an answer), kUpstream (malformed).
  Task<Result<ClientResponse>> send(const ClientRequest& request, CancelToken& token);

  size_t idle_connections() const;

 private:
  friend class ClientResponse;
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ajar
