// Which proxy, if any: the rules of http_proxy, https_proxy and no_proxy.

#include <algorithm>

#include "base/text.h"
#include "net/connect.h"

namespace ajar {

Result<Endpoint> parse_host_port(std::string_view text, int fallback_port) {
  std::string_view host = text, port;
  bool has_port = false;
  if (text.starts_with('[')) {
    size_t close = text.find(']');
    if (close == text.npos) return invalid("", "missing ']' in " + std::string(text));
    host = text.substr(1, close - 1);
    std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest[0] != ':') return invalid("", "expected ':' after ']' in " + std::string(text));
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
  } else if (size_t colon = text.rfind(':'); colon != text.npos) {
    if (text.find(':') != colon)
      return invalid("", "an IPv6 address needs brackets: " + std::string(text));
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  Endpoint to;
  to.host = to_lower(host);
  if (!has_port) {
    if (fallback_port < 0) return invalid("", "missing port in " + std::string(text));
    to.port = uint16_t(fallback_port);
    return to;
  }
  auto number = parse_int(port);
  if (!number || *number < 0 || *number > 65535 || port.find_first_not_of("0123456789") != port.npos)
    return invalid("", "not a port: '" + std::string(port) + "'");
  to.port = uint16_t(*number);
  return to;
}

Result<ProxyServer> parse_proxy(std::string_view url) {
  if (size_t at = url.find("://"); at != url.npos) {
    if (!iequals(url.substr(0, at), "http"))
      return invalid("", "only http:// proxies are supported, not " + std::string(url.substr(0, at)) + "://");
    url.remove_prefix(at + 3);
  }
  url = url.substr(0, url.find('/'));
  ProxyServer proxy;
  if (size_t at = url.rfind('@'); at != url.npos) {
    auto userinfo = percent_decode(url.substr(0, at));
    if (!userinfo) return invalid("", "bad percent-encoding in the proxy's user or password");
    proxy.authorization = "Basic " + base64_encode(*userinfo);
    url.remove_prefix(at + 1);
  }
  AJAR_ASSIGN(Endpoint to, parse_host_port(url, 80));
  if (to.host.empty()) return invalid("", "a proxy URL needs a host");
  proxy.host = to.host;
  proxy.port = to.port;
  return proxy;
}

bool bypasses_proxy(std::string_view no_proxy, std::string_view host, uint16_t port) {
  for (std::string_view rest = no_proxy; !rest.empty();) {
    size_t comma = rest.find(',');
    std::string_view item = trim(rest.substr(0, comma));
    rest = comma == rest.npos ? "" : rest.substr(comma + 1);
    if (item.empty()) continue;
    if (item == "*") return true;
    // "host:port", but not a bare IPv6 address.
    if (item.starts_with('[') || std::count(item.begin(), item.end(), ':') == 1) {
      auto to = parse_host_port(item, 0);
      if (!to || (to->port != 0 && to->port != port)) continue;
      if (iequals(to->host, host)) return true;
      item = item.substr(0, item.find(':'));
    }
    if (item.starts_with("*.")) item.remove_prefix(1);
    if (item.starts_with('.')) item.remove_prefix(1);
    if (iequals(host, item)) return true;
    if (host.size() > item.size() && host[host.size() - item.size() - 1] == '.' &&
        iequals(host.substr(host.size() - item.size()), item))
      return true;
  }
  return false;
}

}  // namespace ajar
