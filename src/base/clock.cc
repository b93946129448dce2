#include "base/clock.h"

namespace ajar {

int64_t utc_day(int64_t unix_ms) {
  return std::chrono::floor<std::chrono::days>(
             std::chrono::sys_time<Millis>(Millis(unix_ms)))
      .time_since_epoch()
      .count();
}

int64_t utc_month(int64_t unix_ms) {
  const std::chrono::year_month_day date(
      std::chrono::sys_days(std::chrono::days(utc_day(unix_ms))));
  return int64_t{int(date.year())} * 12 + (unsigned(date.month()) - 1);
}

}  // namespace ajar
