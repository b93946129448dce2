#include "learn/isotonic.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "learn/metrics.h"

namespace ajar::learn {
namespace {

TEST(Isotonic, PoolsViolators) {
  const auto fit = Isotonic::fit(std::vector<double>{1, 2, 3, 4}, std::vector<double>{0, 1, 0, 1});
  ASSERT_TRUE(fit);
  // 1 alone; 2 and 3 pooled to a half; 4 alone. With the correction: 1/4, 1/2, 3/4.
  EXPECT_EQ(fit->knots(), (std::vector<Isotonic::Knot>{{1, 0.25F}, {2.5F, 0.5F}, {4, 0.75F}}));
  EXPECT_DOUBLE_EQ((*fit)(0), 0.25);
  EXPECT_DOUBLE_EQ((*fit)(3.25), 0.625);
  EXPECT_DOUBLE_EQ((*fit)(9), 0.75);
}

TEST(Isotonic, CalibratesABoastfulScore) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform;
  std::vector<double> scores, outcomes;
  std::vector<Claim> before, after;
  const auto draw = [&] {
    const double score = uniform(random);
    return std::pair(score, uniform(random) < score * score);
  };
  for (int i = 0; i < 4000; ++i) {
    const auto [score, right] = draw();
    scores.push_back(score), outcomes.push_back(right);
  }
  const auto fit = Isotonic::fit(scores, outcomes);
  ASSERT_TRUE(fit);
  for (int i = 0; i < 4000; ++i) {
    const auto [score, right] = draw();
    before.push_back({score, right}), after.push_back({(*fit)(score), right});
  }
  EXPECT_GT(expected_calibration_error(before), 0.12);
  EXPECT_LT(expected_calibration_error(after), 0.04);
  EXPECT_LT(brier_score(after), brier_score(before));
  for (double s = 0; s < 1; s += 0.01) EXPECT_LE((*fit)(s), (*fit)(s + 0.01));
}

TEST(Isotonic, SurvivesItsText) {
  const auto fit = Isotonic::fit(std::vector<double>{-3.25, 0.1, 7}, std::vector<double>{0, 0.5, 1});
  ASSERT_TRUE(fit);
  const auto again = Isotonic::parse(fit->json());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->knots(), fit->knots());
  for (const char* bad : {"", "{}", "[1]", "[[1]]", "[[1,2]]", "[[1,0.5],[1,0.6]]", "[[1,0.5],[2,0.4]]", "[[\"a\",0.5]]"})
    EXPECT_FALSE(Isotonic::parse(bad)) << bad;
  EXPECT_FALSE(Isotonic::fit({}, {}));
  EXPECT_FALSE(Isotonic::fit(std::vector<double>{NAN}, std::vector<double>{1}));
}

TEST(Isotonic, NothingFittedIsTheIdentity) {
  EXPECT_EQ(Isotonic()(0.3), 0.3);
  EXPECT_EQ(Isotonic()(2), 1);
}

}  // namespace
}  // namespace ajar::learn
