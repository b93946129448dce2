#include "net/connect.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <map>
#include <optional>

#include "base/text.h"
#include "net/loop.h"
#include "net/resolve.h"
#include "net/tls.h"

namespace ajar {
namespace {

// An address that does not answer costs at most this, unless it is the last one.
constexpr auto kAttempt = std::chrono::milliseconds(1000);

std::string name_of(const Endpoint& to) {
  bool v6 = to.host.find(':') != std::string::npos;
  return (v6 ? '[' + to.host + ']' : to.host) + ':' + std::to_string(to.port);
}

// Starts a non-blocking connect. The errno of a failure at once, else 0.
int start_connect(Loop& loop, const IpAddress& address, uint16_t port, Stream& stream) {
  boost::asio::ip::tcp::endpoint endpoint(address, port);
  int fd = ::socket(address.is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // Before the reactor knows the socket: a fresh one reports a hang-up.
  int error = ::connect(fd, endpoint.data(), socklen_t(endpoint.size())) == 0 ? 0 : errno;
  if (error != 0 && error != EINPROGRESS) return ::close(fd), error;
  stream = Stream(loop, fd);
  return stream.is_open() ? 0 : EMFILE;
}

}  // namespace

struct Connector::Impl {
  explicit Impl(Loop& loop) : loop(loop), resolver(loop) {}

  Result<TlsContext*> context(const TlsOptions& options);
  Task<Result<Stream>> connect_tcp(std::string host, uint16_t port, TimePoint deadline,
                                   CancelToken& token);
  Task<Status> tunnel(Stream& stream, const Endpoint& to, const ProxyServer& proxy, TimePoint deadline);

  Loop& loop;
  Resolver resolver;
  std::optional<ProxyServer> http_proxy, https_proxy;
  std::string no_proxy;
  std::map<std::pair<std::string, bool>, std::unique_ptr<TlsContext>> contexts;
};

Result<TlsContext*> Connector::Impl::context(const TlsOptions& options) {
  auto& slot = contexts[{options.ca_file, options.insecure}];
  if (!slot) {
    AJAR_ASSIGN(slot, TlsContext::create(options));
  }
  return slot.get();
}

Task<Result<Stream>> Connector::Impl::connect_tcp(std::string host, uint16_t port, TimePoint deadline,
                                                  CancelToken& token) {
  std::string name = name_of({.host = host, .port = port});
  auto addresses = co_await resolver.resolve(host, deadline);
  if (!addresses) co_return std::unexpected(std::move(addresses.error()).in(name));
  std::string last_error = "no address";
  for (size_t i = 0; i < addresses->size(); ++i) {
    if (token.cancelled()) co_return fail(Code::kCancelled, "cancelled");
    bool last = i + 1 == addresses->size();
    TimePoint attempt_deadline = last ? deadline : std::min(deadline, now() + kAttempt);
    Stream stream;
    int error = start_connect(loop, (*addresses)[i], port, stream);
    if (error == 0) {
      OnCancel hook(token, [&stream] { stream.close(); });
      Wake wake = co_await stream.writable(attempt_deadline);
      if (wake == Wake::kClosed) co_return fail(Code::kCancelled, "cancelled");
      socklen_t size = sizeof error;
      if (wake == Wake::kTimeout) {
        error = ETIMEDOUT;
      } else if (getsockopt(stream.fd(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        error = errno;
      }
    }
    if (error == 0) co_return std::move(stream);
    if (deadline <= now())
      co_return fail(Code::kTimeout, "timed out connecting to " + name);
    last_error = errno_text(error);
  }
  co_return fail(Code::kUnavailable, "cannot connect to " + name + ": " + last_error);
}

// RFC 9110 section 9.3.6.
Task<Status> Connector::Impl::tunnel(Stream& stream, const Endpoint& to, const ProxyServer& proxy,
                                     TimePoint deadline) {
  std::string request = "CONNECT " + name_of(to) + " HTTP/1.1\r\nHost: " + name_of(to) + "\r\n";
  if (!proxy.authorization.empty()) request += "Proxy-Authorization: " + proxy.authorization + "\r\n";
  request += "\r\n";
  AJAR_CO_TRY(co_await stream.write(request, Millis(10'000)));
  // Byte by byte at the end would be slow, but the proxy says nothing after its head until we do.
  std::string answer;
  char buffer[1024];
  while (answer.find("\r\n\r\n") == std::string::npos) {
    auto n = co_await stream.read_some(buffer, deadline);
    if (!n) co_return std::unexpected(n.error());
    if (*n == 0) co_return fail(Code::kUnavailable, "the proxy closed the connection");
    answer.append(buffer, *n);
    if (answer.size() > 16 * 1024) co_return fail(Code::kUnavailable, "the proxy's answer is too long");
  }
  std::string_view line = std::string_view(answer).substr(0, answer.find("\r\n"));
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[8] != ' ' || line[9] != '2')
    co_return fail(Code::kUnavailable, "the proxy refused: " + std::string(line.substr(0, 100)));
  if (answer.find("\r\n\r\n") + 4 != answer.size())
    co_return fail(Code::kUnavailable, "the proxy sent bytes before the tunnel was used");
  co_return Status{};
}

Connector::Connector(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connector::~Connector() = default;

Result<std::unique_ptr<Connector>> Connector::create(Loop& loop, ProxyConfig proxy) {
  auto impl = std::make_unique<Impl>(loop);
  if (!proxy.http_proxy.empty()) {
    auto server = parse_proxy(proxy.http_proxy);
    if (!server) return std::unexpected(std::move(server.error()).in("http_proxy"));
    impl->http_proxy = *std::move(server);
  }
  if (!proxy.https_proxy.empty()) {
    auto server = parse_proxy(proxy.https_proxy);
    if (!server) return std::unexpected(std::move(server.error()).in("https_proxy"));
    impl->https_proxy = *std::move(server);
  }
  impl->no_proxy = std::move(proxy.no_proxy);
  return std::unique_ptr<Connector>(new Connector(std::move(impl)));
}

const ProxyServer* Connector::proxy_for(const Endpoint& to) const {
  const auto& proxy = to.tls ? impl_->https_proxy : impl_->http_proxy;
  return proxy && !bypasses_proxy(impl_->no_proxy, to.host, to.port) ? &*proxy : nullptr;
}

Task<Result<Stream>> Connector::connect(const Endpoint& to, const TlsOptions& tls, TimePoint deadline,
                                        CancelToken& token) {
  const ProxyServer* proxy = proxy_for(to);
  TlsContext* context = nullptr;
  if (to.tls) {
    AJAR_CO_ASSIGN(context, impl_->context(tls));
  }
  auto connected = co_await impl_->connect_tcp(proxy ? proxy->host : to.host,
                                               proxy ? proxy->port : to.port, deadline, token);
  if (!connected) {
    if (proxy) co_return std::unexpected(std::move(connected.error()).in("proxy"));
    co_return std::move(connected);
  }
  Stream stream = *std::move(connected);
  if (!to.tls) co_return std::move(stream);

  OnCancel hook(token, [&stream] { stream.close(); });
  Status status;
  if (proxy) status = co_await impl_->tunnel(stream, to, *proxy, deadline);
  if (status) {
    SSL* ssl = context->new_client(to.host, to.port);
    if (!ssl) co_return fail(Code::kInternal, "cannot set up TLS for " + name_of(to));
    status = co_await stream.handshake(ssl, deadline);
  }
  if (!status) {
    Error error = std::move(status.error());
    if (token.cancelled()) error.code = Code::kCancelled;
    if (error.code != Code::kTimeout && error.code != Code::kCancelled) error.code = Code::kUnavailable;
    co_return std::unexpected(std::move(error).in(name_of(to)));
  }
  co_return std::move(stream);
}

}  // namespace ajar
