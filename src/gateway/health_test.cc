#include "gateway/health.h"

#include <gtest/gtest.h>

namespace ajar {
namespace {

using State = Health::State;
const TimePoint kStart = TimePoint(std::chrono::hours(1));

// litellm PR#34836: a breaker that is evaluated by a timer leaves a dead target in rotation. Here it is inline.
TEST(Health, OpensAtOnceAfterFailuresInARow) {
  Health health({.failures = 3, .open = Millis(1000)});
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(health.try_acquire(kStart));
    health.failed(kStart);
  }
  EXPECT_EQ(health.state(kStart), State::kOpen);
  EXPECT_FALSE(health.try_acquire(kStart + Millis(999)));
  EXPECT_EQ(health.retry_in(kStart), Millis(1000));
}

TEST(Health, HalfOpenLetsOneProbeThrough) {
  Health health({.failures = 1, .open = Millis(1000)});
  ASSERT_TRUE(health.try_acquire(kStart));
  health.failed(kStart);
  const TimePoint later = kStart + Millis(1000);
  EXPECT_EQ(health.state(later), State::kHalfOpen);
  EXPECT_TRUE(health.try_acquire(later));
  EXPECT_FALSE(health.try_acquire(later));  // one probe at a time
  health.failed(later);
  EXPECT_EQ(health.retry_in(later), Millis(2000));  // doubled
  const TimePoint again = later + Millis(2000);
  EXPECT_TRUE(health.try_acquire(again));
  health.succeeded(0.1, again);
  EXPECT_EQ(health.state(again), State::kClosed);
  EXPECT_TRUE(health.try_acquire(again));
}

TEST(Health, AnAbandonedProbeDoesNotLockTheTarget) {
  Health health({.failures = 1, .open = Millis(1000)});
  ASSERT_TRUE(health.try_acquire(kStart));
  health.failed(kStart);
  const TimePoint later = kStart + Millis(1000);
  EXPECT_TRUE(health.try_acquire(later));
  health.abandoned();  // the client left
  EXPECT_TRUE(health.try_acquire(later));
}

TEST(Health, SuccessForgetsFailures) {
  Health health({.failures = 2, .open = Millis(1000)});
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(health.try_acquire(kStart));
    health.failed(kStart);
    ASSERT_TRUE(health.try_acquire(kStart));
    health.succeeded(0.1, kStart);
  }
  EXPECT_EQ(health.state(kStart), State::kClosed);
}

TEST(Health, RetryAfterIsKept) {
  Health health;
  health.cool_down(kStart + Millis(5000));
  EXPECT_FALSE(health.try_acquire(kStart + Millis(4999)));
  EXPECT_TRUE(health.try_acquire(kStart + Millis(5000)));
}

TEST(Health, LoadRisesAtOnceAndFallsSlowly) {
  Health slow, fast;
  ASSERT_TRUE(slow.try_acquire(kStart) && fast.try_acquire(kStart));
  slow.succeeded(2.0, kStart);
  fast.succeeded(0.1, kStart);
  EXPECT_GT(slow.load(kStart), fast.load(kStart));
  ASSERT_TRUE(slow.try_acquire(kStart));
  slow.succeeded(0.1, kStart + Millis(100));
  EXPECT_GT(slow.load(kStart + Millis(100)), 1.5);                      // one fast reply does not clear it
  EXPECT_LT(slow.load(kStart + std::chrono::seconds(60)), 0.1);         // a minute does
  ASSERT_TRUE(fast.try_acquire(kStart));                                // work in flight counts
  EXPECT_NEAR(fast.load(kStart), 0.2, 1e-6);
}

}  // namespace
}  // namespace ajar
