#include "learn/bounds.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ajar::learn {
namespace {

double plain_cdf(int k, int n, double p) {
  double sum = 0;
  for (int i = 0; i <= k; ++i)
    sum += std::exp(std::lgamma(n + 1) - std::lgamma(i + 1) - std::lgamma(n - i + 1) + i * std::log(p) + (n - i) * std::log1p(-p));
  return sum;
}

TEST(Bounds, BinomialIsTheSum) {
  for (int k : {0, 1, 7, 29})
    for (double p : {0.01, 0.2, 0.7}) EXPECT_NEAR(binomial_cdf(k, 30, p), plain_cdf(k, 30, p), 1e-12) << k << " " << p;
  EXPECT_EQ(binomial_cdf(30, 30, 0.5), 1);
  EXPECT_EQ(binomial_cdf(3, 30, 1), 0);
}

TEST(Bounds, ClopperPearsonInvertsTheTest) {
  // The rule of three, exactly: 1 - delta^(1/n).
  EXPECT_NEAR(clopper_pearson_upper(0, 59, 0.05), 1 - std::pow(0.05, 1.0 / 59), 1e-12);
  EXPECT_NEAR(clopper_pearson_lower(59, 59, 0.05), std::pow(0.05, 1.0 / 59), 1e-12);
  for (int k : {0, 1, 5, 50, 99}) {
    const double upper = clopper_pearson_upper(k, 100, 0.1);
    EXPECT_NEAR(binomial_cdf(k, 100, upper), 0.1, 1e-9) << k;
    if (k > 0) EXPECT_NEAR(1 - binomial_cdf(k - 1, 100, clopper_pearson_lower(k, 100, 0.1)), 0.1, 1e-9) << k;
  }
  EXPECT_EQ(clopper_pearson_upper(0, 0, 0.05), 1);
  EXPECT_EQ(clopper_pearson_lower(0, 0, 0.05), 0);
}

TEST(Bounds, HoeffdingBentkusHoldsAndIsNoTighterThanExact) {
  for (int k : {0, 3, 20}) {
    const double mean = k / 200.0, upper = hoeffding_bentkus_upper(mean, 200, 0.05);
    EXPECT_LE(hoeffding_bentkus_p(mean, 200, upper), 0.05);
    EXPECT_GE(upper, clopper_pearson_upper(k, 200, 0.05) - 1e-12);
    EXPECT_LE(upper, mean + std::sqrt(std::log(1 / 0.05) / 400)) << "plain Hoeffding is looser";
  }
}

TEST(Bounds, WilsonsOwnNumbers) {
  // 15 of 50 at 95 %, by hand.
  const Interval i = wilson(15, 50, 0.95);
  EXPECT_NEAR(i.low, 0.191036, 2e-6);
  EXPECT_NEAR(i.high, 0.437504, 2e-6);
  EXPECT_EQ(wilson(0, 10, 0.95).low, 0);
  EXPECT_EQ(wilson(0, 0, 0.95), Interval{});
}

TEST(Bounds, PredictionIsTheHypergeometricSum) {
  // 3 errors in 40: 5 of the next 40 would be more than a tenth. All ways to lay 8 errors among 80.
  double ways = 0, all = 0;
  const auto choose = [](int n, int k) { return std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1)); };
  for (int i = 0; i <= 8; ++i) {
    const double w = choose(8, i) * choose(72, 40 - i);
    all += w;
    if (i <= 3) ways += w;
  }
  EXPECT_NEAR(predictive_p(3, 40, 0.1), ways / all, 1e-9);
  for (int k : {0, 2, 4}) EXPECT_GT(predictive_p(k, 200, 0.05), binomial_cdf(k, 200, 0.05)) << "the next answers have their own luck";
  EXPECT_NEAR(predictive_p(0, 80, 0.05), 1.0 / 32, 0.006);
  EXPECT_EQ(predictive_p(0, 10, 1), 0);
  EXPECT_NEAR(predictive_p(10, 10, 0.5), 1, 1e-9);
}

TEST(Bounds, HowManyProve) {
  EXPECT_EQ(samples_to_prove(0, 0.05, 0.05), 59);
  EXPECT_EQ(samples_to_prove(0.05, 0.05, 0.05), -1);
  const int64_t n = samples_to_prove(0.02, 0.05, 0.05);
  EXPECT_LE(binomial_cdf(static_cast<int64_t>(std::ceil(0.02 * static_cast<double>(n))), n, 0.05), 0.05);
  EXPECT_GT(n, 59);
  EXPECT_LT(n, 400);
}

}  // namespace
}  // namespace ajar::learn
