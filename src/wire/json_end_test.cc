#include "wire/json_end.h"

#include <gtest/gtest.h>

namespace ajar::wire {
namespace {

TEST(JsonEnd, ReachedWithTheLastBracketWhateverTheSplit) {
  constexpr std::string_view kText = R"( {"a":"}]\"{","b":[{"c":"\\"},[]]})";
  for (size_t cut = 0; cut < kText.size(); ++cut) {
    JsonEnd end;
    end.feed(kText.substr(0, cut));
    EXPECT_FALSE(end.reached()) << cut;
    end.feed(kText.substr(cut));
    EXPECT_TRUE(end.reached()) << cut;
  }
}

TEST(JsonEnd, NotReachedByNothingAndByWhatIsNoObject) {
  JsonEnd end;
  end.feed("");
  EXPECT_FALSE(end.reached());
  end.feed("null");
  EXPECT_FALSE(end.reached());
}

}  // namespace
}  // namespace ajar::wire
