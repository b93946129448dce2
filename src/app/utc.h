#pragma once
// The time, as files that people read write it.

#include <ctime>
#include <string>

namespace ajar::app {

inline std::string utc_now() {  // RFC 3339, to the second
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace ajar::app
