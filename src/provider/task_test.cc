#include "provider/task.h"

#include <gtest/gtest.h>

namespace ajar {
namespace {

Request request_of(const std::string& text) {
  Request request{.model = "r"};
  request.messages.push_back({.role = Role::kSystem, .parts = {Part{.text = "Classify."}}});
  request.messages.push_back({.parts = {Part{.text = text}}});
  return request;
}

TEST(TaskText, ReadsTheOneUserMessage) {
  EXPECT_EQ(*task_text(request_of("where is my card")), "where is my card");
  Request request = request_of("a");
  request.messages[1].parts.push_back(Part{.text = "b"});
  EXPECT_EQ(*task_text(request), "a\nb");
}

TEST(TaskText, LeavesToOthersWhatItCannotAnswer) {
  const auto refused = [](auto change) {
    Request request = request_of("text");
    change(request);
    const auto text = task_text(request);
    return !text && text.error().code == Code::kUnsupported;
  };
  EXPECT_TRUE(refused([](Request& r) { r.messages.push_back({.role = Role::kAssistant, .parts = {Part{.text = "x"}}}); }));
  EXPECT_TRUE(refused([](Request& r) { r.messages.push_back({.parts = {Part{.text = "and?"}}}); }));
  EXPECT_TRUE(refused([](Request& r) { r.messages[1].parts.push_back({.kind = Part::Kind::kImage, .url = "x"}); }));
  EXPECT_TRUE(refused([](Request& r) { r.messages[1].parts[0].text = "  "; }));
  EXPECT_TRUE(refused([](Request& r) { r.messages.clear(); }));
  EXPECT_TRUE(refused([](Request& r) { r.n = 2; }));
  EXPECT_TRUE(refused([](Request& r) { r.logprobs = true; }));
  EXPECT_TRUE(refused([](Request& r) { r.tools.push_back({.name = "f"}), r.tool_choice.mode = ToolChoice::Mode::kAny; }));
}

TEST(TaskAnswer, TakesTheShapeThatIsDemanded) {
  const auto answer = [](ResponseFormat::Kind kind, const std::string& schema, const std::string& label = "card_lost") {
    Request request = request_of("x");
    request.response_format = {.kind = kind, .schema = schema};
    const auto text = task_answer(request, label, 0.98765);
    return text ? *text : std::string(code_name(text.error().code));
  };
  using Kind = ResponseFormat::Kind;
  EXPECT_EQ(answer(Kind::kUnset, ""), "card_lost");
  EXPECT_EQ(answer(Kind::kJsonObject, ""), R"({"label":"card_lost"})");
  EXPECT_EQ(answer(Kind::kJsonObject, "", R"({"a":1})"), R"({"a":1})");
  EXPECT_EQ(answer(Kind::kJsonSchema, R"({"type":"string","enum":["card_lost","other"]})"), R"("card_lost")");
  EXPECT_EQ(answer(Kind::kJsonSchema, R"({"type":"object","properties":{"intent":{"type":"string"}},"required":["intent"],"additionalProperties":false})"),
            R"({"intent":"card_lost"})");
  EXPECT_EQ(answer(Kind::kJsonSchema, R"({"type":"object","properties":{"intent":{"enum":["card_lost"]},"confidence":{"type":"number"}},)"
                                      R"("required":["intent","confidence"]})"),
            R"({"intent":"card_lost","confidence":0.9877})");
  EXPECT_EQ(answer(Kind::kJsonSchema, R"({"type":"object","properties":{"intent":{"enum":["other"]}},"required":["intent"]})"), "unsupported");
  EXPECT_EQ(answer(Kind::kJsonSchema, R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a","b"]})"), "unsupported");
  EXPECT_EQ(answer(Kind::kJsonSchema, R"({"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]})", R"({"a":3})"), R"({"a":3})");
}

}  // namespace
}  // namespace ajar
