#include "learn/threshold.h"

#include <gtest/gtest.h>

#include <random>

#include "learn/bounds.h"

namespace ajar::learn {
namespace {

// Answers of a model whose confidence is what it seems, or too high by `boast`.
std::vector<Judged> simulate(std::mt19937_64& random, int n, double boast) {
  std::uniform_real_distribution<double> uniform;
  std::vector<Judged> out;
  for (int i = 0; i < n; ++i) {
    const double p = 1 - std::pow(uniform(random), 2) * 0.8;
    out.push_back({p, uniform(random) < p - boast ? 0.0 : 1.0});
  }
  return out;
}

// The true error of what is accepted, by a sample so large that its own error does not matter.
double true_error(double threshold, double boast) {
  double wrong = 0, count = 0;
  for (int i = 0; i < 20'000; ++i) {
    const double u = (i + 0.5) / 20'000, p = 1 - u * u * 0.8;
    if (p < threshold) continue;
    ++count, wrong += 1 - std::max(0.0, p - boast);
  }
  return count == 0 ? 0 : wrong / count;
}

// What a right procedure does in at most `delta` of the cases is seen more often than this with probability 1/1000.
int allowed(int trials, double delta) {
  int k = 0;
  while (1 - binomial_cdf(k, trials, delta) > 0.001) ++k;
  return k;
}

TEST(Threshold, TheGuaranteeHoldsOverManyCalibrationSets) {
  constexpr int kTrials = 400;
  std::mt19937_64 random(1);
  for (const Promise promise : {Promise::kRate, Promise::kRealised}) {
    for (double boast : {0.0, 0.03}) {
      for (int n : {150, 600}) {
        int broken = 0, unlucky = 0, found = 0;
        double share = 0;
        for (int trial = 0; trial < kTrials; ++trial) {
          const auto calibration = choose_threshold(simulate(random, n, boast), {.alpha = 0.1, .delta = 0.1, .promise = promise});
          ASSERT_TRUE(calibration);
          if (!calibration->found) continue;
          ++found, share += calibration->found->share();
          broken += true_error(calibration->found->threshold, boast) > 0.1;
          unlucky += apply_threshold(simulate(random, n, boast), calibration->found->threshold, 0.1).loss > 0.1;
        }
        EXPECT_LE(broken, allowed(kTrials, 0.1)) << "boast " << boast << ", n " << n;
        if (promise == Promise::kRealised) EXPECT_LE(unlucky, allowed(kTrials, 0.1)) << "boast " << boast << ", n " << n;
        if (boast == 0 && n == 600) EXPECT_GT(found, kTrials * 9 / 10);
        if (boast == 0 && n == 600) EXPECT_GT(share / found, 0.4);
      }
    }
  }
}

TEST(Threshold, GradedLossesHaveTheirOwnBound) {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> uniform;
  int broken = 0;
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<Judged> judged;
    for (int i = 0; i < 2000; ++i) {
      const double c = uniform(random);
      judged.push_back({c, std::min(1.0, (1 - c) * uniform(random))});  // mean loss (1 - c) / 2
    }
    const auto calibration = choose_threshold(judged, {.alpha = 0.1, .delta = 0.1});
    ASSERT_TRUE(calibration) << calibration.error().message;
    ASSERT_TRUE(calibration->found) << calibration->refusal.reason;
    broken += (1 - calibration->found->threshold) / 4 > 0.1;  // the mean loss above a threshold t is (1 - t) / 4
    EXPECT_GE(calibration->found->bound, calibration->found->loss);
  }
  EXPECT_LE(broken, allowed(200, 0.1));
}

TEST(Threshold, SaysHowManyMoreAreNeeded) {
  std::mt19937_64 random(3);
  const auto few = choose_threshold(simulate(random, 40, 0), {.alpha = 0.02, .delta = 0.05});
  ASSERT_TRUE(few);
  ASSERT_FALSE(few->found);
  EXPECT_GT(few->refusal.more, 0);
  EXPECT_NE(few->refusal.reason.find("more judged answers are needed"), std::string::npos) << few->refusal.reason;

  const auto none = choose_threshold({}, {.alpha = 0.05, .delta = 0.05});
  ASSERT_TRUE(none);
  EXPECT_EQ(none->refusal.more, 80);
  EXPECT_EQ(choose_threshold({}, {.alpha = 0.05, .delta = 0.05, .promise = Promise::kRate})->refusal.more, 59);
}

TEST(Threshold, SaysWhenMoreWouldNotHelp) {
  std::mt19937_64 random(4);
  std::uniform_real_distribution<double> uniform;
  std::vector<Judged> noise;
  for (int i = 0; i < 3000; ++i) noise.push_back({uniform(random), uniform(random) < 0.5 ? 1.0 : 0.0});
  const auto calibration = choose_threshold(noise, {.alpha = 0.05, .delta = 0.05});
  ASSERT_TRUE(calibration);
  EXPECT_FALSE(calibration->found);
  EXPECT_EQ(calibration->refusal.more, -1) << calibration->refusal.reason;
}

TEST(Threshold, OneSidedLabelsAreAnError) {
  for (double loss : {0.0, 1.0}) {
    const std::vector<Judged> judged(500, Judged{0.9, loss});
    const auto calibration = choose_threshold(judged);
    ASSERT_FALSE(calibration);
    EXPECT_NE(calibration.error().message.find("labels of one kind"), std::string::npos);
  }
  EXPECT_FALSE(choose_threshold(std::vector<Judged>{{1.5, 0}, {0.5, 1}}));
  EXPECT_FALSE(choose_threshold({}, {.alpha = 0, .delta = 0.1}));
  EXPECT_FALSE(choose_threshold({}, {.alpha = 0.1, .delta = 1}));
}

}  // namespace
}  // namespace ajar::learn
