#include "gateway/health.h"

#include <algorithm>
#include <cmath>

namespace ajar {
namespace {
constexpr double kDecaySeconds = 10;
}

bool Health::try_acquire(TimePoint now) {
  std::lock_guard lock(lock_);
  if (now < cool_until_ || now < open_until_) return false;
  if (open_until_ != TimePoint{}) {  // half open: one probe at a time
    if (probing_) return false;
    probing_ = true;
  }
  ++in_flight_;
  return true;
}

void Health::succeeded(double first_token_seconds, TimePoint now) {
  std::lock_guard lock(lock_);
  --in_flight_;
  probing_ = false;
  failures_ = trips_ = 0;
  open_until_ = {};
  if (first_token_seconds >= ewma_) {
    ewma_ = first_token_seconds;
  } else {
    const double keep = std::exp(-seconds_between(ewma_at_, now) / kDecaySeconds);
    ewma_ = ewma_ * keep + first_token_seconds * (1 - keep);
  }
  ewma_at_ = now;
}

void Health::failed(TimePoint now) {
  std::lock_guard lock(lock_);
  --in_flight_;
  ++failures_;
  const bool was_probe = probing_;
  probing_ = false;
  if (options_.failures == 0) return;
  if (was_probe || failures_ >= options_.failures) {
    open_until_ = now + options_.open * (int64_t{1} << std::min<int64_t>(trips_, 3));
    ++trips_;
    failures_ = 0;
  }
}

void Health::abandoned() {
  std::lock_guard lock(lock_);
  --in_flight_;
  probing_ = false;
}

void Health::cool_down(TimePoint until) {
  std::lock_guard lock(lock_);
  cool_until_ = std::max(cool_until_, until);
}

Health::State Health::state(TimePoint now) const {
  std::lock_guard lock(lock_);
  if (open_until_ == TimePoint{}) return State::kClosed;
  return now < open_until_ ? State::kOpen : State::kHalfOpen;
}

Millis Health::retry_in(TimePoint now) const {
  std::lock_guard lock(lock_);
  const TimePoint until = std::max(open_until_, cool_until_);
  return until <= now ? Millis(0) : std::chrono::ceil<Millis>(until - now);
}

double Health::load(TimePoint now) const {
  std::lock_guard lock(lock_);
  const double decayed = ewma_ * std::exp(-seconds_between(ewma_at_, now) / kDecaySeconds);
  return decayed * double(in_flight_ + 1);
}

}  // namespace ajar
