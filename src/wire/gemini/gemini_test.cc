// What cases cannot say: requests of Gemini's own dialect, and the tables and transformations by
// themselves.
#include "wire/gemini/gemini.h"

#include <gmock/gmock.h>

#include "json/read.h"
#include "wire/gemini/models.h"
#include "wire/gemini/partial_args.h"
#include "wire/gemini/reply.h"
#include "wire/gemini/schema.h"

namespace ajar::wire::gemini {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Thinking = ModelTraits::Thinking;

Request ask(std::string text = "hi") {
  Request request;
  request.messages.push_back({.role = Role::kUser, .parts = {Part{.text = std::move(text)}}});
  return request;
}

WireRequest written(const Request& request, std::string model = "gemini-2.5-flash") {
  auto out = write_request(request, TargetInfo{.model = std::move(model), .base_path = "/v1beta"});
  EXPECT_TRUE(out) << out.error().message;
  if (!out) return {};
  EXPECT_EQ(json::explain(out->body), "") << out->body;
  return std::move(*out);
}

TEST(GeminiModels, NamesSayWhatTheyTake) {
  EXPECT_EQ(model_traits("gemini-2.5-flash").thinking, Thinking::kBudget);
  EXPECT_EQ(model_traits("models/gemini-2.5-pro").min_budget, 128);
  EXPECT_EQ(model_traits("gemini-3-pro-preview").thinking, Thinking::kLevel);
  EXPECT_FALSE(model_traits("gemini-3-pro-preview").medium_level);
  EXPECT_TRUE(model_traits("gemini-3.1-pro-preview").medium_level);
  EXPECT_EQ(model_traits("gemini-2.0-flash").thinking, Thinking::kNone);
  EXPECT_FALSE(model_traits("gemini-1.5-pro").json_schema);
  EXPECT_FALSE(model_traits("gemini-2.5-flash").needs_signature);
  EXPECT_TRUE(model_traits("gemini-3-flash-preview").needs_signature);
  EXPECT_EQ(model_traits("gemini-flash-latest").thinking, Thinking::kLevel);
  EXPECT_EQ(model_traits("gemma-3-27b-it").thinking, Thinking::kNone);
  EXPECT_EQ(model_traits("gemini-").thinking, Thinking::kLevel);
}

TEST(GeminiSchema, OpenApiResolvesWhatItLacks) {
  EXPECT_EQ(
      openapi_schema(R"({"$schema":"x","type":"object","properties":{"a":{"$ref":"#/$defs/A"},)"
                     R"("b":{"type":["string","null"],"const":"k"}},"required":["a","zz"],)"
                     R"("additionalProperties":false,"$defs":{"A":{"enum":["","x",2]}}})"),
      R"({"type":"object","properties":{"a":{"type":"string","enum":["x","2"]},)"
      R"("b":{"type":"string","enum":["k"],"nullable":true}},"required":["a"]})");
  EXPECT_EQ(
      openapi_schema(R"({"type":["integer","string"],"description":"d"})"),
      R"({"description":"d","anyOf":[{"type":"integer","description":"d"},{"type":"string","description":"d"}]})");
  EXPECT_EQ(openapi_schema(R"({"oneOf":[{"type":"null"},{"type":"array"}]})"),
            R"({"anyOf":[{"type":"array","items":{"type":"string"}}],"nullable":true})");
  EXPECT_EQ(
      openapi_schema(
          R"({"allOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{"type":"integer"}}}]})"),
      R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}},"required":["a"]})");
}

TEST(GeminiSchema, RecursionEnds) {
  const std::string tree =
      R"({"$ref":"#/$defs/T","$defs":{"T":{"type":"object","properties":{"l":{"$ref":"#/$defs/T"},"r":{"$ref":"#/$defs/T"}}}}})";
  EXPECT_EQ(openapi_schema(tree),
            R"({"type":"object","properties":{"l":{"type":"object"},"r":{"type":"object"}}})");
  EXPECT_THAT(openapi_schema(R"({"$ref":"#"})"), HasSubstr("object"));
  std::string wide = R"({"$ref":"#/$defs/x0","$defs":{)";  // doubles at each of 40 levels
  for (int i = 0; i < 40; ++i) {
    const std::string next = std::to_string(i + 1);
    wide += "\"x" + std::to_string(i) + R"(":{"properties":{"a":{"$ref":"#/$defs/x)" + next +
            R"("},"b":{"$ref":"#/$defs/x)" + next + R"("}}},)";
  }
  wide += R"("x40":{}}})";
  EXPECT_LT(openapi_schema(wide).size(), 500'000u);
}

TEST(GeminiSchema, JsonSchemaStaysItself) {
  EXPECT_EQ(
      json_schema(
          R"({"$schema":"x","type":"object","properties":{"enum":{"const":1},"e":{"enum":["",""]}},)"
          R"("$defs":{"A":{"type":["string","null"]}},"additionalProperties":false})"),
      R"({"type":"object","properties":{"enum":{"enum":[1]},"e":{}},)"
      R"("$defs":{"A":{"type":["string","null"]}},"additionalProperties":false})");
  EXPECT_TRUE(takes_nothing(R"({"type":"object","properties":{}})"));
  EXPECT_TRUE(takes_nothing(R"({"type":"object","additionalProperties":false})"));
  EXPECT_FALSE(takes_nothing(R"({"$ref":"#/$defs/A"})"));
}

TEST(GeminiPartialArgs, BuildsTheTree) {
  json::Document document;
  PartialArgs args;
  const auto add = [&](std::string_view text) { return args.add(*document.parse_object(text)); };
  EXPECT_TRUE(add(R"({"jsonPath":"$.a.b[1]['c d']","stringValue":"x\"","willContinue":true})"));
  EXPECT_TRUE(add(R"({"jsonPath":"$.a.b[1]['c d']","stringValue":"y"})"));
  EXPECT_TRUE(add(R"({"jsonPath":"$.n","numberValue":0.5})"));
  EXPECT_TRUE(add(R"({"jsonPath":"$.t","boolValue":true})"));
  EXPECT_TRUE(add(R"({"jsonPath":"$.z","nullValue":"NULL_VALUE"})"));
  EXPECT_EQ(args.json(), R"({"a":{"b":[null,{"c d":"x\"y"}]},"n":0.5,"t":true,"z":null})");
  for (const char* bad :
       {R"({"jsonPath":"$"})", R"({"jsonPath":"$[0]"})", R"({"jsonPath":"a"})",
        R"({"jsonPath":"$.x[99999999]"})", R"({"jsonPath":"$.x["})", R"({"jsonPath":"$..x"})",
        R"({"jsonPath":"$.a[0]"})", R"({})", R"({"jsonPath":"$['x"})"}) {
    EXPECT_FALSE(add(bad)) << bad;
  }
}

TEST(GeminiRequest, SignaturesGoBackWhereTheyCameFrom) {
  Request request = ask();
  Message answer{.role = Role::kAssistant};
  answer.parts.push_back(
      {.kind = Part::Kind::kThought, .origin = DialectId::kGemini, .text = "hm", .signature = "T"});
  answer.parts.push_back(Part{.text = "calling"});
  answer.parts.push_back({.kind = Part::Kind::kToolCall,
                          .origin = DialectId::kGemini,
                          .id = "abc",
                          .name = "f",
                          .arguments = "{}",
                          .signature = "S"});
  answer.parts.push_back(
      {.kind = Part::Kind::kToolCall, .id = "call_2", .name = "g", .arguments = "[1]"});
  answer.parts.push_back(
      {.kind = Part::Kind::kThought, .origin = DialectId::kGemini, .signature = "E"});
  answer.parts.push_back({.kind = Part::Kind::kThought,
                          .origin = DialectId::kAnthropic,
                          .text = "x",
                          .signature = "A"});
  request.messages.push_back(std::move(answer));
  Message results{.role = Role::kTool};
  results.parts.push_back(
      {.kind = Part::Kind::kToolResult, .id = "abc", .content = {Part{.text = "7"}}});
  results.parts.push_back({.kind = Part::Kind::kToolResult,
                           .is_error = true,
                           .id = "call_2",
                           .content = {Part{.text = "bad"}}});
  request.messages.push_back(std::move(results));
  const WireRequest out = written(request, "gemini-3-pro-preview");
  EXPECT_THAT(
      out.body,
      HasSubstr(
          R"({"text":"hm","thought":true,"thoughtSignature":"T"},{"text":"calling"},)"
          R"({"functionCall":{"name":"f","args":{},"id":"abc"},"thoughtSignature":"S"},)"
          R"({"functionCall":{"name":"g","args":{"value":[1]}}},{"text":"","thoughtSignature":"E"})"));
  EXPECT_THAT(out.body,
              HasSubstr(R"({"functionResponse":{"name":"f","response":{"result":7},"id":"abc"}},)"
                        R"({"functionResponse":{"name":"g","response":{"error":"bad"}}})"));
  EXPECT_THAT(out.dropped, ElementsAre("messages[1].content[5]"));
}

TEST(GeminiRequest, OwnDialectKeepsItsOwn) {
  Request request = ask();
  request.dialect = DialectId::kGemini;
  request.messages[0].parts.push_back(
      {.kind = Part::Kind::kFile, .media_type = "video/mp4", .file_id = "files/x"});
  request.tools.push_back({.raw = R"({"google_search":{}})", .origin = DialectId::kGemini});
  request.tools.push_back({.name = "f", .parameters = R"({"type":"object","properties":{}})"});
  request.extra = R"("safetySettings":[],"cachedContent":"c")";
  const WireRequest out = written(request);
  EXPECT_EQ(out.path, "/v1beta/models/gemini-2.5-flash:generateContent");
  EXPECT_THAT(out.body, HasSubstr(R"({"fileData":{"mimeType":"video/mp4","fileUri":"files/x"}})"));
  EXPECT_THAT(
      out.body,
      HasSubstr(R"("tools":[{"functionDeclarations":[{"name":"f"}]},{"google_search":{}}])"));
  EXPECT_THAT(out.body, HasSubstr(R"("safetySettings":[],"cachedContent":"c")"));
  const auto other = write_request(
      request, TargetInfo{.model = "publishers/google/models/gemini 3", .base_path = "/v1/"});
  ASSERT_TRUE(other);
  EXPECT_EQ(other->path, "/v1/publishers/google/models/gemini%203:generateContent");
}

TEST(GeminiRequest, ThinkingInTheModelsWords) {
  Request request = ask();
  request.reasoning = {.mode = Reasoning::Mode::kEffort, .effort = "none"};
  EXPECT_THAT(written(request).body, HasSubstr(R"("thinkingConfig":{"thinkingBudget":0})"));
  EXPECT_THAT(written(request, "gemini-2.5-pro").body,
              HasSubstr(R"("thinkingConfig":{"thinkingBudget":128})"));
  EXPECT_THAT(written(request, "gemini-3-pro").body,
              HasSubstr(R"("thinkingConfig":{"thinkingLevel":"low"})"));
  EXPECT_THAT(written(request, "gemini-2.0-flash").dropped, ElementsAre("reasoning"));
  request.reasoning.effort = "medium";
  EXPECT_THAT(written(request).body,
              HasSubstr(R"({"thinkingBudget":8192,"includeThoughts":true})"));
  EXPECT_THAT(written(request, "gemini-3-pro").body,
              HasSubstr(R"({"thinkingLevel":"high","includeThoughts":true})"));
  request.reasoning = {.mode = Reasoning::Mode::kAdaptive, .include_thoughts = false};
  EXPECT_THAT(written(request).body, HasSubstr(R"({"thinkingBudget":-1,"includeThoughts":false})"));
  request.reasoning = {.mode = Reasoning::Mode::kBudget, .budget_tokens = 99999};
  EXPECT_THAT(written(request).body, HasSubstr(R"("thinkingBudget":24576)"));
}

TEST(GeminiDecoder, AListOfRepliesIsAStream) {
  auto decoder = new_decoder();
  EventBatch out;
  ASSERT_TRUE(decoder->on_body(
      R"([{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"responseId":"r"},)"
      R"({"candidates":[{"content":{"parts":[{"text":"b"}]},"finishReason":"STOP"}]}])",
      out));
  Fold fold;
  fold.add(out);
  EXPECT_EQ(fold.take().choices[0].text(), "ab");
  EXPECT_TRUE(decoder->done());
}

TEST(GeminiDecoder, HostileShapesAreErrorsOrNothing) {
  for (const char* data :
       {"", "[]", "nonsense", "3", "{\"candidates\":[3]}", "{\"candidates\":[{\"index\":-1}]}",
        "{\"candidates\":[{\"index\":999999999}]}", "{\"candidates\":{\"content\":1}}",
        "{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"args\":[]}}]}}]}",
        "{\"usageMetadata\":{\"promptTokenCount\":-4}}", "{\"error\":\"x\"}", "[{\"error\":{}}]"}) {
    auto decoder = new_decoder();
    EventBatch out;
    (void)decoder->on_event("", data, out);
    EXPECT_FALSE(decoder->on_end(out)) << data;
    EXPECT_FALSE(decoder->done());
  }
}

}  // namespace
}  // namespace ajar::wire::gemini
