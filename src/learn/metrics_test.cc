#include "learn/metrics.h"

#include <gtest/gtest.h>

namespace ajar::learn {
namespace {

TEST(Metrics, CalibrationAndRank) {
  const std::vector<Claim> claims = {{0.9, true}, {0.8, true}, {0.7, false}, {0.2, false}};
  EXPECT_DOUBLE_EQ(*auroc(claims), 1);
  EXPECT_NEAR(brier_score(claims), (0.01 + 0.04 + 0.49 + 0.04) / 4, 1e-12);
  EXPECT_NEAR(expected_calibration_error(claims, 1), 0.15, 1e-12);
  EXPECT_DOUBLE_EQ(*auroc(std::vector<Claim>{{0.5, true}, {0.5, false}}), 0.5);
  EXPECT_FALSE(auroc(std::vector<Claim>{{0.5, true}}));
}

TEST(Metrics, RoutingCurveOfFourPrompts) {
  // The weak model fails on two, the strong one on none.
  const std::vector<RoutedOutcome> oracle = {{1, 0, 1}, {1, 0, 1}, {0, 1, 1}, {0, 1, 1}};
  const RoutingCurve curve(oracle);
  EXPECT_DOUBLE_EQ(curve.weak(), 0.5);
  EXPECT_DOUBLE_EQ(curve.strong(), 1);
  EXPECT_DOUBLE_EQ(*curve.cpt(0.5), 0.25);
  EXPECT_DOUBLE_EQ(*curve.cpt(1), 0.5);
  EXPECT_DOUBLE_EQ(*curve.apgr(), 0.75);
  EXPECT_DOUBLE_EQ(curve.quality(0.125), 0.625);

  // One score for all is a random mix.
  std::vector<RoutedOutcome> same = oracle;
  for (auto& o : same) o.score = 0;
  EXPECT_DOUBLE_EQ(*RoutingCurve(same).apgr(), 0.5);
  EXPECT_DOUBLE_EQ(*RoutingCurve(same).cpt(0.5), 0.5);
  EXPECT_FALSE(RoutingCurve(std::vector<RoutedOutcome>{{0, 1, 1}}).apgr());
}

}  // namespace
}  // namespace ajar::learn
