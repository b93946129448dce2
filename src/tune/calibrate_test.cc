#include "tune/calibrate.h"

#include <gtest/gtest.h>

namespace ajar::tune {
namespace {

TEST(Calibrate, ReadsLinesAndTables) {
  const auto lines = parse_judged("{\"confidence\":0.9,\"right\":true}\n\n{\"confidence\":0.2,\"loss\":0.25}\n", "f");
  ASSERT_TRUE(lines) << lines.error().message;
  ASSERT_EQ(lines->size(), 2);
  EXPECT_EQ(lines->at(0).loss, 0);
  EXPECT_EQ(lines->at(1).loss, 0.25);
  const auto table = parse_judged("id,confidence,right\n1,0.9,yes\n2,0.5,false\n", "f");
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(table->at(1).loss, 1);
  EXPECT_TRUE(parse_judged("", "f")->empty());
}

TEST(Calibrate, ErrorsNameTheLine) {
  const auto error = [](std::string_view bytes) {
    const auto read = parse_judged(bytes, "f");
    return read ? "" : read.error().message;
  };
  EXPECT_EQ(error("{\"confidence\":0.9,\"right\":true}\n{\"confidence\":2,\"right\":true}"), "f:2: no confidence between 0 and 1");
  EXPECT_EQ(error("{\"confidence\":0.9}"), "f:1: neither 'right' nor a 'loss' between 0 and 1");
  EXPECT_EQ(error("a,b\n1,2"), "f:1: no columns 'confidence' and 'right' or 'loss'");
  EXPECT_EQ(error("confidence,right\n0.5\n"), "f:2: 1 columns, expected 2");
  EXPECT_EQ(error("confidence,right\n0.5,maybe\n"), "f:2: neither 'right' nor a 'loss' between 0 and 1");
}

TEST(Calibrate, SaysWhatWasFoundOrWhatIsMissing) {
  std::vector<learn::Judged> judged;
  for (int i = 0; i < 1000; ++i) judged.push_back({i % 10 == 0 ? 0.4 : 0.95, i % 20 == 0 ? 1.0 : 0.0});
  const auto found = calibrate(judged, {.guarantee = {.alpha = 0.05, .delta = 0.05}, .cost_ratio = 0.1});
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_TRUE(found->calibration.found);
  EXPECT_NE(found->text.find("90.0 % of 1000 answers are accepted"), std::string::npos) << found->text;
  EXPECT_NE(found->text.find("saving     80.0 %"), std::string::npos) << found->text;
  judged.resize(40);
  const auto few = calibrate(judged, {.guarantee = {.alpha = 0.01, .delta = 0.05}});
  ASSERT_TRUE(few);
  EXPECT_NE(few->text.find("more judged answers are needed"), std::string::npos) << few->text;
}

}  // namespace
}  // namespace ajar::tune
