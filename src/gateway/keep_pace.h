#pragma once
// When what a candidate has shown is to be written down again: something came since, and at most once in a second. Its owner's lock
// guards it.

#include <cstdint>

#include "base/clock.h"

namespace ajar {

class KeepPace {
 public:
  void add() { ++seen_; }
  // True once for what has come, if it is time. Notes that it is written.
  bool due(TimePoint at) {
    if (seen_ == kept_ || at - kept_at_ < Millis(1'000)) return false;
    kept_ = seen_, kept_at_ = at;
    return true;
  }

 private:
  int64_t seen_ = 0, kept_ = 0;
  TimePoint kept_at_{};
};

}  // namespace ajar
