#include "gateway/account.h"

#include <algorithm>
#include <cstdio>

#include "base/clock.h"

namespace ajar {
namespace {

std::string dollars(int64_t nano) {
  char text[32];
  std::snprintf(text, sizeof text, "$%.6f", double(nano) / 1e9);
  return text;
}

std::unexpected<Error> limited(std::string message, int64_t retry_after_ms) {
  return std::unexpected(Error{.code = Code::kRateLimit, .message = std::move(message),
                               .retry_after_ms = retry_after_ms});
}

// Room left under a limit; everything when there is none.
int64_t room(int64_t limit, int64_t used) {
  return limit == 0 ? INT64_MAX : std::max<int64_t>(0, limit - used);
}

}  // namespace

void SlidingMinute::advance(int64_t second) {
  if (second <= second_) return;
  const int64_t steps = std::min<int64_t>(second - second_, 60);
  for (int64_t i = 1; i <= steps; ++i) {
    int64_t& bucket = buckets_[size_t((second_ + i) % 60)];
    sum_ -= bucket;
    bucket = 0;
  }
  if (second - second_ > 60) {
    buckets_.fill(0);
    sum_ = 0;
  }
  second_ = second;
}

int64_t SlidingMinute::seconds_until(int64_t limit) const {
  int64_t left = sum_;
  for (int64_t age = 59, wait = 1; age >= 0; --age, ++wait) {
    left -= buckets_[size_t((second_ - age + 60 * 2) % 60)];
    if (left <= limit) return wait;
  }
  return 60;
}

void Account::roll(int64_t now_ms) {
  requests_.advance(now_ms / 1000);
  tokens_.advance(now_ms / 1000);
  const int64_t day = utc_day(now_ms);
  if (day == day_) return;
  day_ = day;
  usd_day_ = tokens_day_ = 0;
  if (const int64_t month = utc_month(now_ms); month != month_) {
    month_ = month;
    usd_month_ = tokens_month_ = 0;
  }
}

Status Account::check_budget(const Estimate& more) const {
  const auto refuse = [&](const std::string& budget, const std::string& spent,
                          const std::string& reserved, const std::string& needed) {
    return fail(Code::kBudget, "the budget of " + what_ + " does not allow this call: " + budget +
                                   ", spent " + spent + ", reserved by running calls " + reserved +
                                   ", this call needs up to " + needed);
  };
  const auto money = [&](const char* window, int64_t limit, int64_t spent) -> Status {
    if (more.usd <= room(limit, spent + usd_reserved_) && !(limit != 0 && spent >= limit)) return {};
    return refuse(dollars(limit) + " per " + window, dollars(spent), dollars(usd_reserved_),
                  dollars(more.usd));
  };
  const auto count = [&](const char* window, int64_t limit, int64_t spent) -> Status {
    if (more.tokens <= room(limit, spent + tokens_reserved_)) return {};
    return refuse(std::to_string(limit) + " tokens per " + window, std::to_string(spent),
                  std::to_string(tokens_reserved_), std::to_string(more.tokens));
  };
  AJAR_TRY(money("day", limits_.usd_day, usd_day_));
  AJAR_TRY(money("month", limits_.usd_month, usd_month_));
  AJAR_TRY(count("day", limits_.tokens_day, tokens_day_));
  return count("month", limits_.tokens_month, tokens_month_);
}

Status Account::reserve(const Estimate& estimate, int64_t now_ms) {
  std::lock_guard lock(lock_);
  roll(now_ms);
  if (limits_.concurrency != 0 && active_ >= limits_.concurrency) {
    return limited(what_ + " already has " + std::to_string(active_) + " requests running (limit " +
                       std::to_string(limits_.concurrency) + ")", 1000);
  }
  if (limits_.rpm != 0 && requests_.sum() >= limits_.rpm) {
    return limited(what_ + " has used its " + std::to_string(limits_.rpm) + " requests per minute",
                   1000 * requests_.seconds_until(limits_.rpm - 1));
  }
  if (limits_.tpm != 0 && tokens_.sum() + estimate.tokens > limits_.tpm) {
    if (estimate.tokens > limits_.tpm) {
      return fail(Code::kTooLarge, "this request may take " + std::to_string(estimate.tokens) +
                                       " tokens, more than " + what_ + " is allowed in a minute (" +
                                       std::to_string(limits_.tpm) + "); lower max_tokens");
    }
    return limited(what_ + " has used its " + std::to_string(limits_.tpm) + " tokens per minute",
                   1000 * tokens_.seconds_until(limits_.tpm - estimate.tokens));
  }
  AJAR_TRY(check_budget(estimate));
  ++active_;
  requests_.add(1);
  tokens_.add(estimate.tokens);
  usd_reserved_ += estimate.usd;
  tokens_reserved_ += estimate.tokens;
  return {};
}

Status Account::extend(const Estimate& more, int64_t now_ms) {
  std::lock_guard lock(lock_);
  roll(now_ms);
  AJAR_TRY(check_budget(more));
  tokens_.add(more.tokens);
  usd_reserved_ += more.usd;
  tokens_reserved_ += more.tokens;
  return {};
}

void Account::settle(const Estimate& reserved, const Estimate& spent, int64_t now_ms) {
  std::lock_guard lock(lock_);
  roll(now_ms);
  --active_;
  usd_reserved_ -= reserved.usd;
  tokens_reserved_ -= reserved.tokens;
  usd_day_ += spent.usd;
  usd_month_ += spent.usd;
  tokens_day_ += spent.tokens;
  tokens_month_ += spent.tokens;
  // The minute's sum held the estimate; what was not used is given back.
  tokens_.add(std::max(spent.tokens - reserved.tokens, -tokens_.sum()));
}

Estimate Account::available(int64_t now_ms) {
  std::lock_guard lock(lock_);
  roll(now_ms);
  return {.usd = std::min(room(limits_.usd_day, usd_day_ + usd_reserved_),
                          room(limits_.usd_month, usd_month_ + usd_reserved_)),
          .tokens = std::min({room(limits_.tokens_day, tokens_day_ + tokens_reserved_),
                              room(limits_.tokens_month, tokens_month_ + tokens_reserved_),
                              room(limits_.tpm, 0)})};
}

void Account::set_limits(const store::Limits& limits) {
  std::lock_guard lock(lock_);
  limits_ = limits;
}

store::Limits Account::limits() const {
  std::lock_guard lock(lock_);
  return limits_;
}

void Account::restore(int64_t day, int64_t usd, int64_t tokens, int64_t now_ms) {
  std::lock_guard lock(lock_);
  roll(now_ms);
  if (day == day_) {
    usd_day_ += usd;
    tokens_day_ += tokens;
  }
  if (utc_month(day * 86'400'000) == month_) {
    usd_month_ += usd;
    tokens_month_ += tokens;
  }
}

Account::Snapshot Account::snapshot(int64_t now_ms) {
  std::lock_guard lock(lock_);
  roll(now_ms);
  return {.usd_day = usd_day_, .usd_month = usd_month_, .tokens_day = tokens_day_,
          .tokens_month = tokens_month_, .usd_reserved = usd_reserved_,
          .tokens_reserved = tokens_reserved_, .active = active_};
}

}  // namespace ajar
