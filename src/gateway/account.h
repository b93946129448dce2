#pragma once
// The running limits and budgets of one key or one team.
//
// Budgets are reserved before a call from an estimate and settled after it with the truth, under one lock, so that
// spent + reserved never exceeds the budget whatever the concurrency. Rates are exact over any 60 s, to the second.
// Safe from any thread; every call is a few dozen nanoseconds under a mutex that guards all of it.

#include <array>
#include <cstdint>
#include <mutex>
#include <string>

#include "base/error.h"
#include "store/rows.h"

namespace ajar {

// A sum over the last 60 seconds in one-second buckets.
class SlidingMinute {
 public:
  // Forgets what is older than 60 s before `second`.
  void advance(int64_t second);
  void add(int64_t amount) { buckets_[size_t(second_ % 60)] += amount, sum_ += amount; }
  int64_t sum() const { return sum_; }
  // Seconds until the sum has fallen to `limit` or less, 1..60.
  int64_t seconds_until(int64_t limit) const;

 private:
  std::array<int64_t, 60> buckets_{};
  int64_t second_ = 0;
  int64_t sum_ = 0;
};

// What a call may cost at most, by estimate.
struct Estimate {
  int64_t usd = 0;     // nano-dollars
  int64_t tokens = 0;  // input + output
};

class Account {
 public:
  Account(std::string what, store::Limits limits) : what_(std::move(what)), limits_(limits) {}

  // Admits one call and reserves for it, or says why not: kRateLimit with retry_after_ms (RPM, TPM,
  // concurrency), kBudget (money or tokens per day or month). Nothing is held when it fails.
  Status reserve(const Estimate& estimate, int64_t now_ms);
  // Reserves more for a running call (a reply longer than estimated). kBudget when it does not fit.
  Status extend(const Estimate& more, int64_t now_ms);
  // Ends a call: returns what was reserved and books what it really took.
  void settle(const Estimate& reserved, const Estimate& spent, int64_t now_ms);

  // How much could still be reserved now. INT64_MAX where there is no budget.
  Estimate available(int64_t now_ms);

  void set_limits(const store::Limits& limits);
  store::Limits limits() const;
  // Start-up: books what the store remembers for a day.
  void restore(int64_t day, int64_t usd, int64_t tokens, int64_t now_ms);

  struct Snapshot {
    int64_t usd_day = 0, usd_month = 0, tokens_day = 0, tokens_month = 0;
    int64_t usd_reserved = 0, tokens_reserved = 0, active = 0;
  };
  Snapshot snapshot(int64_t now_ms);

 private:
  void roll(int64_t now_ms);
  Status check_budget(const Estimate& more) const;

  const std::string what_;  // "key 'app'", "team 'red'": for messages
  mutable std::mutex lock_;
  store::Limits limits_;
  SlidingMinute requests_, tokens_;
  int64_t active_ = 0;
  int64_t day_ = 0, month_ = 0;
  int64_t usd_day_ = 0, usd_month_ = 0, tokens_day_ = 0, tokens_month_ = 0;
  int64_t usd_reserved_ = 0, tokens_reserved_ = 0;
};

}  // namespace ajar
