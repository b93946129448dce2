#include <algorithm>

#include "base/text.h"
#include "http/client.h"

namespace ajar {

// RFC 3986, the subset that names an http resource.
Result<Url> parse_url(std::string_view text) {
  auto bad = [&](std::string what) { return invalid("", "not a URL, " + what + ": " + std::string(text)); };
  for (char c : text)
    if (c <= ' ' || c >= 0x7f) return bad("it has a space or a character that is not ASCII");
  size_t scheme_end = text.find("://");
  if (scheme_end == text.npos) return bad("'http://' or 'https://' is missing");
  std::string_view scheme = text.substr(0, scheme_end);
  Url url;
  url.tls = iequals(scheme, "https");
  if (!url.tls && !iequals(scheme, "http")) return bad("the scheme must be http or https");
  std::string_view rest = text.substr(scheme_end + 3);
  if (rest.find('#') != rest.npos) return bad("it has a fragment");
  size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, authority_end);
  if (authority.find('@') != authority.npos)
    return invalid("", "user and password do not belong in a URL; use a header");  // not repeated here
  auto to = parse_host_port(authority, url.tls ? 443 : 80);
  if (!to) return bad(to.error().message);
  if (to->host.empty()) return bad("the host is missing");
  if (to->port == 0) return bad("port 0");
  bool bracketed = authority.starts_with('[');
  for (char c : to->host) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    if (!plain && !(bracketed && (c == ':' || c == '%'))) return bad("a forbidden character in the host");
  }
  url.host = std::move(to->host);
  url.port = to->port;
  url.target = rest.substr(authority_end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

std::string Url::origin() const {
  std::string text = tls ? "https://" : "http://";
  bool v6 = host.find(':') != std::string::npos;
  text += v6 ? '[' + host + ']' : host;
  if (port != (tls ? 443 : 80)) text += ':' + std::to_string(port);
  return text;
}

}  // namespace ajar
