#include "learn/answer_score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "learn/metrics.h"

namespace ajar::learn {
namespace {

struct Made {
  std::string prompt, answer;
  std::vector<float> margins;
  bool right;
};

// Wrong answers have more often a wrong sum, and less sure tokens.
std::vector<Made> made(int n, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<float> uniform;
  std::vector<Made> out;
  for (int i = 0; i < n; ++i) {
    const bool right = uniform(random) < 0.6F, slip = uniform(random) < (right ? 0.1F : 0.6F);
    Made m{.prompt = "Add 3 and 4 to box " + std::to_string(i), .answer = "3 + 4 = " + std::string(slip ? "8" : "7") + "\n#### 7", .right = right};
    for (int t = 0; t < 5; ++t) m.margins.push_back(std::min(1.0F, uniform(random) + (right ? 0.3F : 0.0F)));
    out.push_back(std::move(m));
  }
  return out;
}

std::vector<AnswerScore::Row> rows(const std::vector<Made>& made) {
  std::vector<AnswerScore::Row> out;
  for (const Made& m : made) out.push_back({{.prompt = m.prompt, .answer = m.answer, .margins = m.margins}, m.right});
  return out;
}

TEST(AnswerScore, TellsRightFromWrongAndIsCalibrated) {
  const auto taught = made(600, 1), fresh = made(600, 2);
  const auto score = AnswerScore::fit(rows(taught));
  ASSERT_TRUE(score) << score.error().message;
  std::vector<Claim> claims;
  for (const auto& row : rows(fresh)) claims.push_back({(*score)(row.evidence), row.right});
  EXPECT_GT(*auroc(claims), 0.85);
  EXPECT_LT(expected_calibration_error(claims, 10), 0.08);
}

TEST(AnswerScore, BearsWhatIsNotKnown) {
  const auto taught = made(100, 3);
  const auto score = AnswerScore::fit(rows(taught));
  ASSERT_TRUE(score);
  const double p = (*score)({.prompt = "Add 3 and 4", .answer = "3 + 4 = 7"});
  EXPECT_GT(p, 0);
  EXPECT_LT(p, 1);
  EXPECT_TRUE(std::isfinite((*score)({})));
}

TEST(AnswerScore, SurvivesItsText) {
  const auto taught = made(100, 4);
  const auto score = AnswerScore::fit(rows(taught));
  ASSERT_TRUE(score);
  const auto again = AnswerScore::parse(score->json());
  ASSERT_TRUE(again) << again.error().message;
  for (const auto& row : rows(taught)) EXPECT_EQ((*again)(row.evidence), (*score)(row.evidence));
  for (const char* bad : {"", "[]", "{}", "{\"version\":1}", "{\"version\":2}", "{\"version\":1,\"bits\":99,\"words\":1}"}) EXPECT_FALSE(AnswerScore::parse(bad)) << bad;
}

TEST(AnswerScore, LabelsOfOneKindTeachNothing) {
  auto taught = made(100, 5);
  for (Made& m : taught) m.right = true;
  const auto score = AnswerScore::fit(rows(taught));
  ASSERT_FALSE(score);
  EXPECT_NE(score.error().message.find("labels of one kind"), std::string::npos);
  EXPECT_FALSE(AnswerScore::fit({}));
}

}  // namespace
}  // namespace ajar::learn
