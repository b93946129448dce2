#include "learn/features.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>

namespace ajar::learn {
namespace {

TEST(Features, HaveLengthOneAndAscend) {
  const auto f = hashed_features("Where is my new card? My card!");
  ASSERT_FALSE(f.columns.empty());
  EXPECT_NEAR(std::inner_product(f.values.begin(), f.values.end(), f.values.begin(), 0.0), 1, 1e-5);
  for (size_t i = 1; i < f.columns.size(); ++i) EXPECT_LT(f.columns[i - 1], f.columns[i]);
  EXPECT_LT(f.columns.back(), FeatureOptions().columns());
}

TEST(Features, AreTheSameOnEveryMachine) {
  // Recorded once; a change here makes every trained model wrong.
  const auto f = hashed_features("hi", {.bits = 16, .words = 1, .pieces_from = 3, .pieces_to = 4});
  EXPECT_EQ(f.columns, (std::vector<uint32_t>{16378, 45714, 59894, 64300}));
  for (const float v : f.values) EXPECT_FLOAT_EQ(v, 0.5F);
}

TEST(Features, CaseAndMarksDoNotMatter) {
  EXPECT_EQ(hashed_features("Cancel, my ORDER."), hashed_features("cancel my order"));
  EXPECT_NE(hashed_features("cancel my order"), hashed_features("my order cancel")) << "pairs of words know the order";
}

TEST(Features, TextsOfAnyKind) {
  EXPECT_TRUE(hashed_features("").columns.empty());
  EXPECT_TRUE(hashed_features("?! ...").columns.empty());
  EXPECT_TRUE(hashed_features("hello", {.bits = 0}).columns.empty());
  EXPECT_FALSE(hashed_features("カードはどこですか").columns.empty());
  EXPECT_FALSE(hashed_features("\xff\xfe\x80").columns.empty());
  EXPECT_FALSE(hashed_features(std::string(1 << 20, 'a')).columns.empty());
  // Pieces are of code points: two letters and two ends are one piece of four.
  EXPECT_EQ(hashed_features("жы", {.bits = 20, .words = 0, .pieces_from = 4, .pieces_to = 4}).columns.size(), 1);
}

TEST(Features, Words) {
  EXPECT_EQ(words_of("it's 3.5 km, né?"), (std::vector<std::string_view>{"it", "s", "3", "5", "km", "né"}));
}

}  // namespace
}  // namespace ajar::learn
