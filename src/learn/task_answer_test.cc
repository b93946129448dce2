#include "learn/task_answer.h"

#include <gtest/gtest.h>

namespace ajar::learn {
namespace {

const std::vector<std::string> kLabels = {"card", "pin"};

std::string said(std::string_view schema, const std::vector<std::string>& labels = kLabels) {
  const auto answer = TaskAnswer::of_schema(schema, labels);
  return answer ? answer->say(labels[0], 0.75) : "error: " + answer.error().message;
}

TEST(TaskAnswer, TakesTheShapeThatIsAsked) {
  EXPECT_EQ(TaskAnswer().say("card", 0.5), "card");
  EXPECT_EQ(said(R"({"type":"string"})"), R"("card")");
  EXPECT_EQ(said(R"({"type":"object","properties":{"intent":{"type":"string"}}})"), R"({"intent":"card"})");
  EXPECT_EQ(said(R"({"type":"object","properties":{"topic":{"enum":["pin","card"]},"confidence":{"type":"number"}},"required":["topic","confidence"]})"),
            R"({"topic":"card","confidence":0.75})");
  EXPECT_EQ(said(R"({"type":"object","properties":{"label":{"type":["string","null"]},"note":{"type":"string"}},"required":["label"]})"), R"({"label":"card"})");
  EXPECT_EQ(said(R"({"type":"object"})", {R"({"urgent":true})", R"({"urgent":false})"}), R"({"urgent":true})");
}

TEST(TaskAnswer, RefusesWhatItCannotSay) {
  EXPECT_EQ(said(R"({"type":"integer"})"), "error: the task's answers are texts, and the schema wants something else");
  EXPECT_EQ(said(R"({"type":"string","enum":["card"]})"), "error: the schema does not allow the label 'pin'");
  EXPECT_EQ(said(R"({"type":"object","properties":{"label":{"type":"string"},"reason":{"type":"string"}},"required":["reason"]})"),
            "error: the schema requires 'reason', which a task model cannot say");
  EXPECT_EQ(said(R"({"type":"object","properties":{"summary":{"type":"string"}}})"),
            "error: no property of the schema takes the label: call it 'label' or list the labels in its enum");
  EXPECT_EQ(said(R"({"type":"object","properties":{"label":{"type":"string","enum":["card"]}}})"), "error: 'label' does not allow the label 'pin'");
  EXPECT_NE(said("[").find("error"), std::string::npos);
}

}  // namespace
}  // namespace ajar::learn
