#include "learn/vcache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace ajar::learn {
namespace {

struct Outcome {
  double wrong = 0, served = 0;  // shares of all requests
};

// One entry and its requests, whose answers are the entry's by a logistic law of similarity with this midpoint and slope.
Outcome simulate(std::mt19937_64& random, double midpoint, double slope, const VCacheOptions& options, int requests) {
  std::uniform_real_distribution<double> uniform, similarity(0.7, 1);
  VCacheEntry entry;
  Outcome out;
  for (int i = 0; i < requests; ++i) {
    const double s = similarity(random);
    const bool same = uniform(random) < 1 / (1 + std::exp(-slope * (s - midpoint)));
    if (entry.serves(s, uniform(random), options)) ++out.served, out.wrong += !same;
    else entry.observe(s, same, options);
  }
  out.wrong /= requests, out.served /= requests;
  return out;
}

TEST(VCache, WrongAnswersStayBelowDelta) {
  std::mt19937_64 random(1);
  for (const double delta : {0.02, 0.05}) {
    for (const double midpoint : {0.75, 0.85, 0.95}) {
      for (const double slope : {20.0, 60.0, 200.0}) {
        Outcome mean;
        constexpr int kSeeds = 40;
        for (int seed = 0; seed < kSeeds; ++seed) {
          const Outcome one = simulate(random, midpoint, slope, {.delta = delta}, 150);
          mean.wrong += one.wrong / kSeeds, mean.served += one.served / kSeeds;
        }
        // 6,000 requests: 3.1 standard errors of delta itself.
        EXPECT_LE(mean.wrong, delta + 3.1 * std::sqrt(delta * (1 - delta) / (150 * kSeeds))) << "delta " << delta << ", midpoint " << midpoint << ", slope " << slope;
        if (std::getenv("AJAR_VERBOSE")) std::printf("delta %.2f midpoint %.2f slope %3.0f: wrong %.4f served %.3f\n", delta, midpoint, slope, mean.wrong, mean.served);
        if (midpoint < 0.8 && slope > 50) EXPECT_GT(mean.served, 0.2) << "an entry that is nearly always right must serve";
      }
    }
  }
}

TEST(VCache, ExploresUntilItKnows) {
  const VCacheOptions options{.delta = 0.05};
  VCacheEntry entry;
  EXPECT_EQ(entry.explore_probability(0.99, options), 1);
  for (int i = 0; i < 5; ++i) entry.observe(0.9, true, options);
  EXPECT_EQ(entry.explore_probability(1, options), 1);
  for (int i = 0; i < 60; ++i) entry.observe(0.75 + 0.25 * (i % 10) / 10, i % 10 >= 4, options);
  EXPECT_LT(entry.explore_probability(0.999, options), 0.9);
  EXPECT_GT(entry.explore_probability(0.8, options), entry.explore_probability(0.999, options));
}

TEST(VCache, NeverServesWhatWasNeverRight) {
  const VCacheOptions options;
  VCacheEntry wrong, inverse;
  for (int i = 0; i < 50; ++i) wrong.observe(0.9, false, options);
  EXPECT_EQ(wrong.explore_probability(1, options), 1);
  for (int i = 0; i < 50; ++i) inverse.observe(0.7 + i * 0.005, i < 25, options);
  EXPECT_EQ(inverse.explore_probability(1, options), 1) << "the nearer, the wronger";
}

TEST(VCache, KeepsABoundedMemory) {
  const VCacheOptions options{.most = 10};
  VCacheEntry entry;
  for (int i = 0; i < 100; ++i) entry.observe(0.9, true, options);
  EXPECT_EQ(entry.observations(), 10);
}

}  // namespace
}  // namespace ajar::learn
