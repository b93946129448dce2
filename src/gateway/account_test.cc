#include "gateway/account.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "gateway/prices.h"

namespace ajar {
namespace {

constexpr int64_t kNow = 1'800'000'000'000;  // 2027-01-15

TEST(SlidingMinute, ForgetsAfterSixtySeconds) {
  SlidingMinute minute;
  minute.advance(1000);
  minute.add(5);
  minute.advance(1030);
  minute.add(2);
  EXPECT_EQ(minute.sum(), 7);
  minute.advance(1059);
  EXPECT_EQ(minute.sum(), 7);
  EXPECT_EQ(minute.seconds_until(2), 1);
  EXPECT_EQ(minute.seconds_until(0), 31);
  minute.advance(1060);
  EXPECT_EQ(minute.sum(), 2);
  minute.advance(5000);
  EXPECT_EQ(minute.sum(), 0);
}

TEST(Account, RequestsPerMinuteAreExact) {
  Account account("key 'a'", {.rpm = 3});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(account.reserve({}, kNow + i * 10'000));
  const auto refused = account.reserve({}, kNow + 30'000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kRateLimit);
  EXPECT_EQ(refused.error().retry_after_ms, 30'000);  // when the first of the three is a minute old
  EXPECT_TRUE(account.reserve({}, kNow + 60'000));
}

TEST(Account, TokensPerMinuteCountWhatWasUsed) {
  Account account("key 'a'", {.tpm = 1000});
  EXPECT_TRUE(account.reserve({.tokens = 900}, kNow));
  EXPECT_EQ(account.reserve({.tokens = 200}, kNow).error().code, Code::kRateLimit);
  account.settle({.tokens = 900}, {.tokens = 100}, kNow);
  EXPECT_TRUE(account.reserve({.tokens = 200}, kNow));
  EXPECT_EQ(account.reserve({.tokens = 1001}, kNow).error().code, Code::kTooLarge);  // would never fit
}

TEST(Account, ConcurrencyIsReturned) {
  Account account("key 'a'", {.concurrency = 1});
  EXPECT_TRUE(account.reserve({}, kNow));
  EXPECT_EQ(account.reserve({}, kNow).error().code, Code::kRateLimit);
  account.settle({}, {}, kNow);
  EXPECT_TRUE(account.reserve({}, kNow));
}

TEST(Account, BudgetsRollWithDayAndMonth) {
  Account account("key 'a'", {.usd_day = 100, .usd_month = 150});
  EXPECT_TRUE(account.reserve({.usd = 100}, kNow));
  account.settle({.usd = 100}, {.usd = 100}, kNow);
  EXPECT_EQ(account.reserve({.usd = 1}, kNow).error().code, Code::kBudget);
  const int64_t tomorrow = kNow + 86'400'000;
  EXPECT_TRUE(account.reserve({.usd = 50}, tomorrow));
  EXPECT_EQ(account.reserve({.usd = 1}, tomorrow).error().code, Code::kBudget);  // the month
  account.settle({.usd = 50}, {.usd = 0}, tomorrow);
  EXPECT_TRUE(account.reserve({.usd = 100}, kNow + 31LL * 86'400'000));
}

TEST(Account, AnExhaustedBudgetAlsoStopsFreeCalls) {
  Account account("key 'a'", {.usd_day = 100});
  account.restore(utc_day(kNow), 100, 0, kNow);
  EXPECT_EQ(account.reserve({.usd = 0}, kNow).error().code, Code::kBudget);
}

// litellm#26672 and its like: check-then-record lets concurrent calls through. Reserve-then-settle must not.
TEST(Account, SpentPlusReservedNeverExceedsTheBudgetUnderConcurrency) {
  constexpr int64_t kBudget = 1'000'000;
  Account account("key 'a'", {.usd_month = kBudget});
  std::atomic<int64_t> admitted{0}, refused{0};
  std::atomic<bool> broken{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        const Estimate estimate{.usd = int64_t(100 + fast_random() % 900)};
        if (!account.reserve(estimate, kNow)) {
          ++refused;
          continue;
        }
        ++admitted;
        const auto seen = account.snapshot(kNow);
        if (seen.usd_month + seen.usd_reserved > kBudget) broken = true;
        account.settle(estimate, {.usd = int64_t(fast_random() % uint64_t(estimate.usd + 1))}, kNow);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(broken);
  EXPECT_GT(admitted, 0);
  EXPECT_GT(refused, 0);  // the budget was reached
  const auto end = account.snapshot(kNow);
  EXPECT_LE(end.usd_month, kBudget);
  EXPECT_EQ(end.usd_reserved, 0);
  EXPECT_EQ(end.active, 0);
}

TEST(Prices, TheBuiltInCatalogueReads) {
  const Prices& prices = Prices::builtin();
  EXPECT_GT(prices.size(), 300u);
  EXPECT_FALSE(prices.version().empty());
  const auto mini = prices.find("openai", "gpt-4o-mini-2024-07-18");
  ASSERT_TRUE(mini);
  EXPECT_DOUBLE_EQ(mini->base.input, 0.15);
  EXPECT_FALSE(prices.find("openai", "gpt-4o-mini-but-another"));
  EXPECT_FALSE(prices.find("nobody", "gpt-4o"));
}

// litellm#9812, #11789: cached tokens are part of the input and must not be paid twice.
TEST(Prices, NothingIsCountedTwice) {
  const Price price{.base = {.input = 10, .output = 20, .cached_read = 1, .cached_write = 12.5}};
  const Usage usage{.input = 1000, .output = 100, .cached_read = 600, .cached_write = 200,
                    .cached_write_1h = 100, .reasoning = 40};
  // 200 plain at 10, 600 read at 1, 100 written at 12.5 and 100 at 20 (an hour), 100 out at 20 (40 of them reasoning).
  EXPECT_EQ(price.cost(usage), (200 * 10 + 600 * 1 + 100 * 12.5 + 100 * 20 + 100 * 20) * 1000);
}

TEST(Prices, TheTierHoldsForTheWholeRequest) {
  const Price price{.base = {.input = 1, .output = 2}, .above = 1000, .tier = {.input = 2, .output = 4}};
  EXPECT_EQ(price.cost({.input = 1000, .output = 10}), (1000 * 1 + 10 * 2) * 1000);
  EXPECT_EQ(price.cost({.input = 1001, .output = 10}), (1001 * 2 + 10 * 4) * 1000);
}

TEST(Prices, FaultsCarryTheirPlace) {
  const auto bad = Prices::read("[a]\n\"m\" = { input = -1 }", "p.toml");
  ASSERT_FALSE(bad);
  EXPECT_TRUE(bad.error().message.starts_with("p.toml:2:")) << bad.error().message;
  EXPECT_FALSE(Prices::read("[a]\n\"m\" = { inptu = 1 }", "p.toml"));
  EXPECT_FALSE(Prices::read("[a", "p.toml"));
}

}  // namespace
}  // namespace ajar
