#include "engine/lookup.h"

#include <gtest/gtest.h>

namespace ajar::engine {
namespace {

std::vector<int32_t> guesses(std::vector<int32_t> tokens, int count) {
  std::vector<int32_t> out;
  look_up(tokens, count, out);
  return out;
}
using Tokens = std::vector<int32_t>;

TEST(Lookup, FindsWhatFollowed) {
  EXPECT_EQ(guesses({1, 2, 3, 4, 5, 6, 9, 1, 2, 3}, 3), (Tokens{4, 5, 6}));
  EXPECT_EQ(guesses({2, 3, 7, 8, 1, 2, 3}, 2), (Tokens{7, 8}));                        // two will do
  EXPECT_EQ(guesses({1, 2, 3, 4, 0, 5, 2, 3, 6, 0, 1, 2, 3}, 1), (Tokens{4}));         // three are better
  EXPECT_EQ(guesses({1, 2, 3, 4, 0, 1, 2, 3, 5, 0, 1, 2, 3}, 1), (Tokens{5}));         // the latest
  EXPECT_EQ(guesses({1, 2, 3}, 4), Tokens{});
  EXPECT_EQ(guesses({}, 4), Tokens{});
  EXPECT_EQ(guesses({5, 5}, 4), Tokens{});
  EXPECT_EQ(guesses({1, 2, 1, 2}, 0), Tokens{});
}

TEST(Lookup, GoesOnInCircles) {
  EXPECT_EQ(guesses({9, 1, 2, 3, 1, 2, 3, 1, 2, 3}, 7), (Tokens{1, 2, 3, 1, 2, 3, 1}));
  EXPECT_EQ(guesses({7, 7, 7, 7}, 3), (Tokens{7, 7, 7}));
}

TEST(Lookup, ReachesBackSoFarOnly) {
  Tokens tokens{1, 2, 3, 4};
  for (int i = 0; i < 20000; ++i) tokens.push_back(100 + i);
  tokens.insert(tokens.end(), {1, 2, 3});
  EXPECT_EQ(guesses(tokens, 4), Tokens{});
}

TEST(Guessing, RestsWhenItDoesNotPayAndTriesAgain) {
  GuessRecord record;
  EXPECT_TRUE(record.trying());
  for (int i = 0; i < 4; ++i) record.tell(4, 0);
  EXPECT_FALSE(record.trying());
  EXPECT_LT(record.rate(), 0.2);
  int last = 0;
  for (int round = 0; round < 8; ++round) {
    record.rest();
    int rested = 0;
    while (!record.awake()) ++rested;
    EXPECT_GE(rested, last);
    last = rested;
    EXPECT_TRUE(record.trying());
    record.tell(4, 0), record.tell(4, 0);
  }
  EXPECT_EQ(last, 512);
}

TEST(Guessing, PaysByMeasuredTime) {
  StepCosts costs;
  EXPECT_TRUE(costs.plain_due(1));
  costs.tell(1, 0.010);
  EXPECT_FALSE(costs.plain_due(1));
  EXPECT_TRUE(costs.pays(1, 1, 4, 0.1));  // nobody knows yet
  costs.tell(5, 0.015);
  EXPECT_TRUE(costs.pays(1, 1, 4, 0.6));
  EXPECT_FALSE(costs.pays(1, 1, 4, 0.4));
  EXPECT_FALSE(costs.pays(1, 1, 7, 0.4));  // no cheaper than 5 rows
  int due = 0;
  for (int i = 0; i < 1000; ++i)
    if (costs.plain_due(1)) ++due, costs.tell(1, 0.010);
  EXPECT_GE(due, 2);
  costs.tell(100, 1);  // too many to count
  EXPECT_FALSE(costs.plain_due(100));
}

}  // namespace
}  // namespace ajar::engine
