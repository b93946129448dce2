#include "learn/confidence_sequence.h"

#include <gtest/gtest.h>

#include <random>

namespace ajar::learn {
namespace {

bool flip(std::mt19937_64& random, double p) { return std::uniform_real_distribution<double>()(random) < p; }

TEST(ConfidenceSequence, HoldsAtEveryMomentAtOnce) {
  std::mt19937_64 random(1);
  for (double rate : {0.02, 0.3}) {
    int left = 0;
    for (int trial = 0; trial < 300; ++trial) {
      ConfidenceSequence sequence(0.1, 0.05);
      bool inside = true;
      for (int i = 0; i < 400 && inside; ++i) {
        sequence.add(flip(random, rate));
        const Interval now = sequence.interval();
        inside = now.low <= rate && rate <= now.high;
      }
      left += !inside;
    }
    // 10 % of 300 would be 30; 47 or more come with probability 1/1000.
    EXPECT_LT(left, 47) << rate;
  }
}

TEST(ConfidenceSequence, Narrows) {
  ConfidenceSequence sequence(0.05, 0.05);
  EXPECT_EQ(sequence.interval(), Interval{});
  for (int i = 0; i < 5000; ++i) sequence.add(i % 50 == 0);
  EXPECT_LT(sequence.interval().high, 0.03);
  EXPECT_GT(sequence.interval().low, 0.012);
}

TEST(ErrorWatch, StaysQuietWhereThePromiseHolds) {
  std::mt19937_64 random(2);
  int alarms = 0, fine = 0;
  for (int trial = 0; trial < 100; ++trial) {
    ErrorWatch watch(0.5, {.alpha = 0.05, .delta = 0.05, .false_alarm_every = 20'000});
    WatchVerdict last = WatchVerdict::kOpen;
    for (int i = 0; i < 1000 && !watch.alarmed() && watch.raises() == 0; ++i) last = watch.add(0.9, flip(random, 0.02));
    alarms += watch.alarmed() || watch.raises() > 0;
    fine += last == WatchVerdict::kFine;
  }
  EXPECT_LE(alarms, 8);
  EXPECT_GT(fine, 85);
}

TEST(ErrorWatch, RaisesTheThresholdWhereTheSurerAnswersAreStillGood) {
  std::mt19937_64 random(3);
  ErrorWatch watch(0.5, {.alpha = 0.05, .delta = 0.05});
  WatchVerdict verdict = WatchVerdict::kOpen;
  for (int i = 0; i < 5000 && verdict != WatchVerdict::kRaise; ++i) {
    const bool sure = flip(random, 0.85);
    verdict = watch.add(sure ? 0.95 : 0.6, flip(random, sure ? 0.005 : 0.6));
    ASSERT_NE(verdict, WatchVerdict::kAlarm) << i;
  }
  EXPECT_EQ(verdict, WatchVerdict::kRaise);
  EXPECT_GT(watch.threshold(), 0.6);
  EXPECT_TRUE(watch.accepts(0.95));
  EXPECT_FALSE(watch.accepts(0.6));
  EXPECT_EQ(watch.audits(), 0) << "it begins anew";
}

TEST(ErrorWatch, SeesAChangeAfterALongGoodTime) {
  std::mt19937_64 random(4);
  ErrorWatch watch(0.5, {.alpha = 0.05, .delta = 0.05, .false_alarm_every = 20'000});
  for (int i = 0; i < 3000; ++i) watch.add(0.9, flip(random, 0.01));
  ASSERT_FALSE(watch.alarmed());
  int audits = 0;
  while (!watch.alarmed() && audits < 1000) watch.add(0.9, flip(random, 0.3)), ++audits;
  EXPECT_TRUE(watch.alarmed()) << "all answers are equally sure: no threshold helps";
  EXPECT_LT(audits, 100);
  EXPECT_FALSE(watch.accepts(1));
  watch.reset(0.8);
  EXPECT_TRUE(watch.accepts(0.8));
}

}  // namespace
}  // namespace ajar::learn
