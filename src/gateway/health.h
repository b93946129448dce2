#pragma once
// What a target has shown of itself lately: a circuit breaker and a peak-sensitive latency average. Both are updated
// inline, at the end of each attempt, never by a timer. One per target, shared by all threads.

#include <cstdint>
#include <mutex>

#include "base/clock.h"

namespace ajar {

struct BreakerOptions {
  int64_t failures = 5;   // in a row; 0: the breaker never opens
  Millis open{10'000};    // doubled each time a probe fails, at most 8 times this
};

class Health {
 public:
  explicit Health(BreakerOptions options = {}) : options_(options) {}

  enum class State : uint8_t { kClosed, kOpen, kHalfOpen };

  // True when an attempt may be made. In half-open state one caller gets the probe; it must report back through
  // succeeded, failed or abandoned.
  bool try_acquire(TimePoint now);
  void succeeded(double first_token_seconds, TimePoint now);
  void failed(TimePoint now);
  void abandoned();                          // says nothing about the target (the client left, …)
  void cool_down(TimePoint until);           // Retry-After: not before then

  State state(TimePoint now) const;
  Millis retry_in(TimePoint now) const;      // until an attempt may be made; 0: now

  // Peak EWMA (Finagle): rises at once with a slow reply, decays over ~10 s; times the work in flight. Lower is
  // better; an unknown target is tried first.
  double load(TimePoint now) const;

 private:
  BreakerOptions options_;
  mutable std::mutex lock_;  // guards all below
  int64_t failures_ = 0;
  int64_t trips_ = 0;        // openings without a success between
  int64_t in_flight_ = 0;
  bool probing_ = false;
  TimePoint open_until_{};   // epoch: closed
  TimePoint cool_until_{};
  double ewma_ = 0;
  TimePoint ewma_at_{};
};

}  // namespace ajar
