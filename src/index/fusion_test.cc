#include "index/fusion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ajar::index {
namespace {

std::vector<uint32_t> rows(const std::vector<Scored>& found) {
  std::vector<uint32_t> out;
  for (const Scored& one : found) out.push_back(one.row);
  return out;
}

const std::vector<Scored> kWords = {{1, 9}, {2, 5}, {3, 1}};
const std::vector<Scored> kMeaning = {{3, 0.9f}, {2, 0.8f}, {4, 0.1f}};

TEST(Fuse, RanksAddUp) {
  const auto found = fuse(std::vector<Leg>{{kWords, 1}, {kMeaning, 1}}, Fusion::kRanks, 10);
  EXPECT_THAT(rows(found), ::testing::ElementsAre(3, 2, 1, 4));
  EXPECT_FLOAT_EQ(found[0].score, 1 / 61.0f + 1 / 63.0f);
}

TEST(Fuse, AWeightOfZeroLeavesTheOtherLegAsItIs) {
  for (const Fusion how : {Fusion::kRanks, Fusion::kScores}) {
    EXPECT_THAT(rows(fuse(std::vector<Leg>{{kWords, 1}, {kMeaning, 0}}, how, 10)), ::testing::ElementsAre(1, 2, 3));
    EXPECT_THAT(rows(fuse(std::vector<Leg>{{kWords, 0}, {kMeaning, 1}}, how, 2)), ::testing::ElementsAre(3, 2));
    EXPECT_THAT(rows(fuse(std::vector<Leg>{{kWords, 1}, {{}, 1}}, how, 10)), ::testing::ElementsAre(1, 2, 3));
  }
}

TEST(Fuse, ScoresKeepHowFarApartAnswersAre) {
  const std::vector<Scored> sure = {{7, 10}, {8, 1}, {9, 0.9f}};
  const std::vector<Scored> unsure = {{8, 0.51f}, {7, 0.50f}, {9, 0.1f}};
  EXPECT_EQ(fuse(std::vector<Leg>{{sure, 1}, {unsure, 1}}, Fusion::kScores, 1)[0].row, 7u);
}

TEST(Diversify, PassesOverRepetitions) {
  const std::vector<Scored> found = {{1, 1.0f}, {2, 0.99f}, {3, 0.5f}, {4, 0}};
  const auto same = [&](size_t i, size_t j) { return found[i].row + found[j].row == 3 ? 1.0f : 0.0f; };  // 1 and 2
  EXPECT_THAT(rows(diversify(found, 0.5f, 2, same)), ::testing::ElementsAre(1, 3));
  EXPECT_THAT(rows(diversify(found, 1, 4, same)), ::testing::ElementsAre(1, 2, 3, 4));
  EXPECT_TRUE(diversify({}, 0.5f, 2, same).empty());
}

}  // namespace
}  // namespace ajar::index
