#pragma once
// The server's own log: one line per event on stderr, for people and journald. Safe from any thread, never blocks
// for long. Requests are not logged here but in the access log (gateway/access_log.h). Never log a secret.

#include <string_view>

namespace ajar {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

void log_line(LogLevel level, std::string_view message);

inline void log_info(std::string_view message) { log_line(LogLevel::kInfo, message); }
inline void log_warn(std::string_view message) { log_line(LogLevel::kWarn, message); }
inline void log_error(std::string_view message) { log_line(LogLevel::kError, message); }

}  // namespace ajar
