#include "learn/answer_check.h"

#include <gtest/gtest.h>

namespace ajar::learn {
namespace {

TEST(Arithmetic, RecomputesEverySum) {
  struct Case {
    const char* text;
    int checks, wrong;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"She has 16 - 3 = 13 eggs left.", 1, 0},
           {"She has 16 - 3 = 12 eggs left.", 1, 1},
           {"9 * $2 = $<<9*2=18>>18.", 2, 0},
           {"9 * $2 = $<<9*2=19>>19.", 2, 2},
           {"3 x 60 = 180 meters, and 180 × 3 = 540", 2, 0},
           {"So 3 eggs + 4 eggs = 7 eggs", 1, 0},
           {"In 2 weeks he earns 5 * 10 = 50 dollars", 1, 0},
           {"2 + 3 = 5 = 10 / 2", 2, 0},
           {"(2 + 3) * 4 = 20", 1, 0},
           {"10% of it: 40 * 10% = 4", 1, 0},
           {"$1,000.50 + $9.50 = $1,010", 1, 0},
           {"10 / 3 = 3.33", 1, 0},
           {"10 / 3 = 3.43", 1, 1},
           {"-3 + 5 = 2", 1, 0},
           {"5 ÷ 0 = 7", 0, 0},
           {"x = 5, y = 7", 0, 0},
           {"He uses 4 for baking, so he has 13 - 4 = 9", 1, 0},
           {"no sums at all", 0, 0}}) {
    const Arithmetic a = check_arithmetic(c.text);
    EXPECT_EQ(a.checks, c.checks) << c.text;
    EXPECT_EQ(a.wrong, c.wrong) << c.text << ": " << a.first_wrong;
  }
  EXPECT_EQ(check_arithmetic("15 + 2 = 25").first_wrong, "15+2=25");
  EXPECT_EQ(check_arithmetic("10 / 3 = 3").rounded, 1);
  EXPECT_EQ(check_arithmetic("4 * 5 = 20. 20 + 1 = 21").last_result, 21);
}

TEST(Answer, FinalNumbers) {
  EXPECT_EQ(final_number("It is 5.\n#### 1,080"), "1080");
  EXPECT_EQ(final_number("The answer is $12.50, of 90"), "12.5");
  EXPECT_EQ(final_number("thus \\boxed{-7}"), "-7");
  EXPECT_EQ(final_number("first 3, then 004.00"), "4");
  EXPECT_EQ(final_number("none"), std::nullopt);
  EXPECT_EQ(normalised_answer(" **Paris**. "), "paris");
}

TEST(Answer, SamplesVote) {
  const std::vector<std::string> samples = {"It is 18.", "#### 18.0", "so 20"};
  const Agreement a = agreement(samples);
  EXPECT_EQ(a.answer, "18");
  EXPECT_NEAR(a.share, 2.0 / 3, 1e-12);
  EXPECT_GT(a.entropy, 0);
  EXPECT_LT(a.entropy, 1);
  EXPECT_EQ(agreement(std::vector<std::string>{"a", "a "}).entropy, 0);
  EXPECT_EQ(agreement({}).share, 0);
}

TEST(Answer, UsesOfNumbers) {
  const NumberUse use = number_use("Two trains of 30 and 50 cars", "30 + 50 = 80, and 7 more");
  EXPECT_EQ(use.in_prompt, 3);
  EXPECT_EQ(use.used, 2);
  EXPECT_EQ(use.unexplained, 1);  // 7
}

TEST(Answer, RefusalsHedgesAndCuts) {
  EXPECT_TRUE(refuses("I'm sorry, but I cannot help with that."));
  EXPECT_FALSE(refuses("The answer is 5."));
  EXPECT_EQ(count_hedges("Perhaps it is 5; I think it may be, perhaps."), 3);
  EXPECT_TRUE(is_cut("There are 15 cups and 25 cu"));
  EXPECT_TRUE(is_cut("a total of 15 + 25 = <<15+2"));
  EXPECT_TRUE(is_cut(""));
  EXPECT_FALSE(is_cut("Done."));
  EXPECT_FALSE(is_cut("so\n#### 18"));
}

TEST(Answer, Citations) {
  const std::vector<std::string> sources = {"The warranty lasts two years.", "Returns are free within 30 days."};
  const Citations good = check_citations("The warranty is two years [1]. Returns are free [2].", sources);
  EXPECT_EQ(good.count, 2);
  EXPECT_EQ(good.unknown + good.unsupported, 0);
  const Citations bad = check_citations("Shipping takes weeks [1]. Returns are free [7].", sources);
  EXPECT_EQ(bad.unknown, 1);
  EXPECT_EQ(bad.unsupported, 1);
  EXPECT_EQ(check_citations("an array a[i] and [link]", sources).count, 0);
}

TEST(Answer, BearsAnyBytes) {
  for (const char* text : {"=", "<<", ">><<", "1=", "=1", "((((((1+1=2", "\xff=\xfe", "[1", "1e999 = 2", "9999999999999999999999999999 * 9 = 1"}) {
    check_arithmetic(text);
    number_use(text, text);
    normalised_answer(text);
    check_citations(text, {});
    EXPECT_GE(count_hedges(text), 0) << text;
  }
  EXPECT_EQ(check_arithmetic(std::string(5000, '(') + "1+1=2").wrong, 0);
}

}  // namespace
}  // namespace ajar::learn
