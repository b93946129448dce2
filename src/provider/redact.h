#pragma once
// Some servers quote the credential that they refuse. It is ours, and goes to nobody.

#include <string>

namespace ajar {

// Takes every occurrence of `secret` out of `text`. An empty secret is none.
inline void redact(std::string& text, const std::string& secret) {
  if (secret.empty()) return;
  for (size_t at = 0; (at = text.find(secret, at)) != text.npos;) text.replace(at, secret.size(), "***");
}

}  // namespace ajar
