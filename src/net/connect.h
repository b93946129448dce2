#pragma once
// Connector: from a host and a port to a connected Stream: resolve, connect, proxy, TLS. One per loop.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "net/cancel.h"
#include "net/stream.h"
#include "net/task.h"

namespace ajar {

class Loop;

// One HTTP proxy, http://[user[:password]@]host[:port].
struct ProxyServer {
  std::string host;
  uint16_t port = 80;
  std::string authorization;  // "Basic ..." from the userinfo, or empty
};

// The proxies of https_proxy, http_proxy and no_proxy. Reads no environment: the caller passes their values.
// no_proxy: comma-separated names; "example.com" and ".example.com" mean the domain and all below it, an IP
// address means itself, "host:port" only that port, "*" everything.
struct ProxyConfig {
  std::string http_proxy;
  std::string https_proxy;
  std::string no_proxy;
};
Result<ProxyServer> parse_proxy(std::string_view url);
bool bypasses_proxy(std::string_view no_proxy, std::string_view host, uint16_t port);

struct TlsOptions {
  std::string ca_file;    // PEM; empty: the system's
  bool insecure = false;  // accept any certificate: only when a person has configured exactly that
  bool operator==(const TlsOptions&) const = default;
};

struct Endpoint {
  std::string host;  // a name, an IPv4 address, or an IPv6 address without brackets
  uint16_t port = 0;
  bool tls = false;
};

// Splits "host:port", "[::1]:port", ":port" or "port"; `fallback_port` where there is none (-1: an error).
Result<Endpoint> parse_host_port(std::string_view text, int fallback_port);

class Connector {
 public:
  // Loop-confined after construction. A malformed proxy URL is an error of create().
  static Result<std::unique_ptr<Connector>> create(Loop& loop, ProxyConfig proxy);
  ~Connector();

  // Resolves (answers are kept for 30 s), tries the addresses in alternating families (RFC 8305 section 4), asks
  // a proxy for a tunnel when the endpoint is TLS, and shakes hands. Only `deadline` limits the whole.
  // kUnavailable: unresolved, refused, proxy said no, TLS failed, the message says which, with host:port.
  // kTimeout: the deadline passed. kCancelled: the token fired. The references must outlive the task.
  Task<Result<Stream>> connect(const Endpoint& to, const TlsOptions& tls, TimePoint deadline,
                               CancelToken& token);

  // The proxy that a request to `to` goes through, or nullptr. For a plain http endpoint the caller must then use
  // the absolute-form of the target (RFC 9112 section 3.2.2) and send `authorization`.
  const ProxyServer* proxy_for(const Endpoint& to) const;

 private:
  struct Impl;
  explicit Connector(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ajar
