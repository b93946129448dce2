#include "learn/rate_comparison.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace ajar::learn {
namespace {

TEST(RateComparison, SaysNothingWithoutOutcomes) {
  EXPECT_EQ(log_evidence_worse({}, {10, 10}, 0.02), 0);
  EXPECT_EQ(log_evidence_not_worse({1000, 900}, {}, 0.02), 0);
}

TEST(RateComparison, ProvesWhatIsPlainAndNothingElse) {
  const double proof = std::log(1 / 0.05);
  EXPECT_GT(log_evidence_worse({400, 4}, {20, 10}, 0.02), proof);
  EXPECT_LT(log_evidence_not_worse({400, 4}, {20, 10}, 0.02), 0);
  EXPECT_GT(log_evidence_not_worse({4000, 40}, {1000, 8}, 0.02), proof);
  EXPECT_LT(log_evidence_worse({4000, 40}, {1000, 8}, 0.02), 0);
  EXPECT_LT(log_evidence_worse({4000, 40}, {100, 2}, 0.02), proof) << "two in a hundred are no proof against one in a hundred";
  EXPECT_LT(log_evidence_not_worse({400, 4}, {20, 0}, 0.02), proof) << "twenty good ones are too few";
  EXPECT_GT(log_evidence_worse({100, 0}, {30, 30}, 0), proof);
  EXPECT_LT(log_evidence_worse({100, 100}, {100, 100}, 0.02), 0) << "what fails as often as the others is not worse";
}

TEST(RateComparison, TheEdgeOfTheHypothesisIsItsLargestLikelihood) {
  // By brute force over a grid of both rates, at most the search's.
  const RateCount usual{300, 9}, candidate{60, 12};
  double most = -1e300;
  for (int i = 0; i <= 1000; ++i) {
    for (int j = 0; j <= i + 20 && j <= 1000; ++j) {
      const double p = i / 1000.0, q = j / 1000.0;
      const auto part = [](double k, double n, double rate) { return (k == 0 ? 0 : k * std::log(rate)) + (k == n ? 0 : (n - k) * std::log(1 - rate)); };
      most = std::max(most, part(9, 300, p) + part(12, 60, q));
    }
  }
  const auto mixture = [](double k, double n) { return std::lgamma(0.1 + k) + std::lgamma(1.9 + n - k) - std::lgamma(2 + n) - std::lgamma(0.1) - std::lgamma(1.9) + std::lgamma(2.0); };
  EXPECT_NEAR(log_evidence_worse(usual, candidate, 0.02), mixture(9, 300) + mixture(12, 60) - most, 0.01);
}

// Looked at after every outcome, a candidate that is just not worse is refuted in at most alpha of all runs, and one that is clearly worse
// nearly always.
TEST(RateComparison, HoldsAtEveryMoment) {
  std::mt19937_64 random(7);
  const auto ever = [&](double usual_rate, double candidate_rate, int steps, auto&& evidence) {
    RateCount usual, candidate;
    for (int i = 0; i < steps; ++i) {
      const bool tried = random() % 5 == 0;
      RateCount& arm = tried ? candidate : usual;
      ++arm.count;
      arm.errors += std::uniform_real_distribution<>()(random) < (tried ? candidate_rate : usual_rate);
      if (i % 10 == 0 && evidence(usual, candidate) >= std::log(1 / 0.05)) return true;
    }
    return false;
  };
  const auto worse = [](const RateCount& u, const RateCount& c) { return log_evidence_worse(u, c, 0.02); };
  const auto fine = [](const RateCount& u, const RateCount& c) { return log_evidence_not_worse(u, c, 0.02); };
  int wrongly_worse = 0, rightly_worse = 0, wrongly_fine = 0;
  constexpr int kRuns = 100;
  for (int run = 0; run < kRuns; ++run) {
    wrongly_worse += ever(0.03, 0.05, 1000, worse);
    rightly_worse += ever(0.03, 0.25, 1000, worse);
    wrongly_fine += ever(0.03, 0.05, 1000, fine);
  }
  EXPECT_LE(wrongly_worse, 5);
  EXPECT_LE(wrongly_fine, 5);
  EXPECT_GE(rightly_worse, 95);
}

}  // namespace
}  // namespace ajar::learn
