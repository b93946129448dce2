#include "learn/routed.h"

#include <gtest/gtest.h>

namespace ajar::learn {
namespace {

TEST(Routed, ReadsRecordedAnswers) {
  const auto file = parse_routed("prompt,small,large,small_response,large_response\n\"a, b?\",True,0.5,yes,no\nc?,False,True,x,y\n", "f");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->weak, "small");
  EXPECT_EQ(file->strong, "large");
  EXPECT_TRUE(file->answers);
  ASSERT_EQ(file->rows.size(), 2u);
  EXPECT_EQ(file->rows[0].prompt, "a, b?");
  EXPECT_EQ(file->rows[0].answer, "yes");
  EXPECT_EQ(file->rows[0].weak, 1);
  EXPECT_EQ(file->rows[0].strong, 0.5);
  const auto turned = parse_routed("prompt,small,large\nq,True,False\n", "f", "large", "small");
  ASSERT_TRUE(turned);
  EXPECT_EQ(turned->rows[0].weak, 0);
  EXPECT_FALSE(turned->answers);
}

TEST(Routed, SaysWhatIsWrong) {
  const auto error = [](std::string_view bytes, std::string_view weak = {}) {
    const auto file = parse_routed(bytes, "f", weak);
    return file ? std::string() : file.error().message;
  };
  EXPECT_EQ(error(""), "f: no rows");
  EXPECT_EQ(error("a,b,c\n1,2,3\n"), "f:1: no header with prompt and two models");
  EXPECT_EQ(error("prompt,a,b\nq,True,maybe\n"), "f:2: an answer's worth must be True, False or a number");
  EXPECT_EQ(error("prompt,a,b\nq,True\n"), "f:2: 2 columns, expected 3");
  EXPECT_EQ(error("prompt,a,b\nq,True,False\n", "c"), "f:1: there is no column 'c'");
  EXPECT_NE(error("prompt,a,b\nq,nan,1\n"), "");
}

}  // namespace
}  // namespace ajar::learn
