#pragma once
// Time. Durations and deadlines use the steady clock; records use wall time.

#include <chrono>
#include <cstdint>

namespace ajar {

using SteadyClock = std::chrono::steady_clock;
using TimePoint = SteadyClock::time_point;
using Millis = std::chrono::milliseconds;

inline constexpr TimePoint kNever = TimePoint::max();

inline TimePoint now() { return SteadyClock::now(); }

// A deadline is a time point that is passed down, never restarted. A zero duration means "none".
inline TimePoint after(Millis duration) {
  return duration.count() <= 0 ? kNever : now() + duration;
}
inline double seconds_between(TimePoint from, TimePoint to) {
  return std::chrono::duration<double>(to - from).count();
}

inline int64_t unix_millis() {
  return std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}
inline int64_t unix_seconds() { return unix_millis() / 1000; }

// UTC day as days since 1970-01-01, and month as year*12 + (month-1): the windows of budgets.
int64_t utc_day(int64_t unix_ms);
int64_t utc_month(int64_t unix_ms);

}  // namespace ajar
