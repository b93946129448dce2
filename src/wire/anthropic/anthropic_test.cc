// What cases cannot say: requests of Anthropic's own dialect, and the tables and transformations by
// themselves.
#include "wire/anthropic/anthropic.h"

#include <gmock/gmock.h>

#include "json/read.h"
#include "wire/anthropic/models.h"
#include "wire/anthropic/reply.h"
#include "wire/anthropic/schema.h"

namespace ajar::wire::anthropic {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Request ask(std::string text = "hi") {
  Request request;
  request.messages.push_back({.role = Role::kUser, .parts = {Part{.text = std::move(text)}}});
  return request;
}

WireRequest written(const Request& request, std::string model = "claude-sonnet-4-5") {
  auto out = write_request(request, TargetInfo{.model = std::move(model)});
  EXPECT_TRUE(out) << out.error().message;
  if (!out) return {};
  EXPECT_EQ(json::explain(out->body), "") << out->body;
  return std::move(*out);
}

TEST(AnthropicModels, NamesSayWhatTheyTake) {
  EXPECT_EQ(model_traits("claude-3-haiku-20240307").max_output, 4096);
  EXPECT_EQ(model_traits("claude-3-5-sonnet-20241022").max_output, 8192);
  EXPECT_FALSE(model_traits("claude-3-5-sonnet-20241022").thinking);
  EXPECT_TRUE(model_traits("claude-3-7-sonnet@20250219").thinking);
  EXPECT_EQ(model_traits("claude-opus-4-20250514").max_output, 32000);
  EXPECT_EQ(model_traits("claude-sonnet-4-20250514").max_output, 64000);
  EXPECT_TRUE(model_traits("claude-sonnet-4-5-20250929").budget);
  EXPECT_FALSE(model_traits("claude-sonnet-4-5-20250929").adaptive);
  EXPECT_TRUE(model_traits("claude-opus-4-6").adaptive);
  EXPECT_TRUE(model_traits("claude-opus-4-6").budget);
  EXPECT_FALSE(model_traits("claude-opus-4-7").budget);
  EXPECT_FALSE(model_traits("us.anthropic.claude-sonnet-5-v1:0").sampling);
  EXPECT_TRUE(model_traits("claude-fable-5").always_thinks);
  EXPECT_FALSE(model_traits("gpt-4o").known);
  EXPECT_FALSE(model_traits("").known);
}

TEST(AnthropicSchema, StrictClosesObjectsAndTellsWhatItCannotHold) {
  EXPECT_EQ(
      strict_schema(
          R"({"type":"object","properties":{"n":{"type":"integer","minimum":1,"description":"count"}},)"
          R"("additionalProperties":true,"$schema":"x"})"),
      R"({"type":"object","properties":{"n":{"type":"integer","description":"count {minimum: 1}"}},)"
      R"("additionalProperties":false})");
  EXPECT_EQ(
      strict_schema(
          R"({"type":"array","minItems":1,"maxItems":3,"items":{"oneOf":[{"type":"string","format":"odd"}]}})"),
      R"({"type":"array","minItems":1,"items":{"anyOf":[{"type":"string","description":"{format: \"odd\"}"}]},)"
      R"("description":"{maxItems: 3}"})");
  // A property may bear the name of a keyword.
  EXPECT_EQ(
      strict_schema(R"({"type":["object","null"],"properties":{"minimum":{"type":"number"}}})"),
      R"({"type":["object","null"],"properties":{"minimum":{"type":"number"}},"additionalProperties":false})");
}

TEST(AnthropicSchema, ToolsTakeObjectsWithoutAlternativesOnTop) {
  bool lossy = false;
  EXPECT_EQ(tool_schema("", lossy), R"({"type":"object"})");
  EXPECT_EQ(tool_schema("{}", lossy), R"({"type":"object"})");
  EXPECT_FALSE(lossy);
  EXPECT_EQ(tool_schema(R"({"anyOf":[{"type":"object"}],"properties":{}})", lossy),
            R"({"type":"object","properties":{}})");
  EXPECT_TRUE(lossy);
}

TEST(AnthropicRequest, ThoughtsGoBackOnlyWithTheirProof) {
  Request request = ask();
  Message answer{.role = Role::kAssistant};
  answer.parts.push_back({.kind = Part::Kind::kThought,
                          .origin = DialectId::kAnthropic,
                          .text = "hm",
                          .signature = "S"});
  answer.parts.push_back({.kind = Part::Kind::kThought,
                          .redacted = true,
                          .origin = DialectId::kAnthropic,
                          .data = "R"});
  answer.parts.push_back(
      {.kind = Part::Kind::kThought, .origin = DialectId::kGemini, .text = "no", .signature = "G"});
  answer.parts.push_back({.kind = Part::Kind::kThought, .text = "unsigned"});
  answer.parts.push_back(Part{.text = "yes"});
  request.messages.push_back(std::move(answer));
  request.messages.push_back(ask("more").messages[0]);
  const WireRequest out = written(request);
  EXPECT_THAT(
      out.body,
      HasSubstr(
          R"({"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"S"},)"
          R"({"type":"redacted_thinking","data":"R"},{"type":"text","text":"yes"}]})"));
  EXPECT_THAT(out.dropped, ElementsAre("messages[1].content[2]", "messages[1].content[3]"));
}

TEST(AnthropicRequest, OwnDialectKeepsItsOwn) {
  Request request = ask();
  request.dialect = DialectId::kAnthropic;
  request.messages[0].parts.push_back({.kind = Part::Kind::kOpaque,
                                       .origin = DialectId::kAnthropic,
                                       .raw = R"({"type":"search_result","source":"s"})"});
  request.messages[0].parts.push_back({.kind = Part::Kind::kFile,
                                       .name = "a.pdf",
                                       .file_id = "file_1",
                                       .cache_control = R"({"type":"ephemeral","ttl":"1h"})",
                                       .citations = R"({"enabled":true})",
                                       .extra = R"("context":"c")"});
  request.tools.push_back({.raw = R"({"type":"web_search_20250305","name":"web_search"})",
                           .origin = DialectId::kAnthropic});
  request.extra = R"("container":"c1")";
  request.metadata = R"({"tier":"x"})";
  request.user = "u";
  const WireRequest out = written(request);
  EXPECT_THAT(
      out.body,
      HasSubstr(
          R"({"type":"search_result","source":"s"},{"type":"document","source":{"type":"file",)"
          R"("file_id":"file_1"},"title":"a.pdf","cache_control":{"type":"ephemeral","ttl":"1h"},)"
          R"("citations":{"enabled":true},"context":"c"})"));
  EXPECT_THAT(out.body,
              HasSubstr(R"("tools":[{"type":"web_search_20250305","name":"web_search"}])"));
  EXPECT_THAT(out.body, HasSubstr(R"("metadata":{"user_id":"u","tier":"x"})"));
  EXPECT_THAT(out.body, HasSubstr(R"("container":"c1")"));
  EXPECT_THAT(out.headers,
              testing::Contains(testing::Pair("anthropic-beta", "files-api-2025-04-14")));
  const auto strict =
      write_request(request, TargetInfo{.model = "claude-opus-4-5", .keep_unknown = false});
  ASSERT_TRUE(strict);
  EXPECT_THAT(strict->body, Not(HasSubstr("container")));
  EXPECT_THAT(strict->dropped, ElementsAre("container"));
}

TEST(AnthropicRequest, ForeignFileIdsAreRefused) {
  Request request = ask();
  request.messages[0].parts.push_back(
      {.kind = Part::Kind::kFile, .origin = DialectId::kOpenAiChat, .file_id = "file-1"});
  const auto out = write_request(request, TargetInfo{.model = "claude-opus-4-5"});
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, Code::kUnsupported);
  EXPECT_EQ(out.error().field, "messages[0].content[1]");
}

TEST(AnthropicRequest, BudgetAndMaxTokensMakeRoomForEachOther) {
  Request request = ask();
  request.reasoning = {.mode = Reasoning::Mode::kBudget, .budget_tokens = 2000};
  request.max_tokens = 1500;
  EXPECT_THAT(written(request).body, HasSubstr(R"("max_tokens":1500,)"));
  EXPECT_THAT(written(request).body,
              HasSubstr(R"("thinking":{"type":"enabled","budget_tokens":1499})"));
  request.max_tokens = 900;
  EXPECT_THAT(written(request).dropped, ElementsAre("reasoning"));
  request.max_tokens.reset();
  request.reasoning.budget_tokens = 10;  // less than the API's least
  EXPECT_THAT(written(request).body, HasSubstr(R"("budget_tokens":1024)"));
  request.reasoning.budget_tokens = 70000;  // more than the model's whole output
  EXPECT_THAT(written(request).body, HasSubstr(R"("max_tokens":64000)"));
  EXPECT_THAT(written(request).body, HasSubstr(R"("budget_tokens":32000)"));
  EXPECT_THAT(written(request, "claude-opus-4-7").body,
              HasSubstr(R"("output_config":{"effort":"xhigh"})"));
  request.reasoning.mode = Reasoning::Mode::kAdaptive;
  EXPECT_THAT(written(request, "claude-opus-4-6").body,
              HasSubstr(R"("thinking":{"type":"adaptive"})"));
  EXPECT_THAT(written(request, "claude-3-haiku-20240307").dropped, ElementsAre("reasoning"));
}

TEST(AnthropicRequest, IdsAreCleanedAlikeInCallsAndResults) {
  Request request = ask();
  Message call{.role = Role::kAssistant};
  call.parts.push_back({.kind = Part::Kind::kToolCall, .id = "functions.get:0", .name = "get"});
  call.parts.push_back({.kind = Part::Kind::kToolCall, .name = "nameless"});
  request.messages.push_back(std::move(call));
  Message results{.role = Role::kTool};
  results.parts.push_back({.kind = Part::Kind::kToolResult, .name = "nameless"});
  results.parts.push_back({.kind = Part::Kind::kToolResult, .id = "functions.get:0"});
  request.messages.push_back(std::move(results));
  const std::string body = written(request).body;
  EXPECT_THAT(body, HasSubstr(R"("id":"functions_get_0")"));
  EXPECT_THAT(
      body,
      HasSubstr(
          R"({"type":"tool_result","tool_use_id":"call_1"},{"type":"tool_result","tool_use_id":"functions_get_0"})"));
}

TEST(AnthropicRequest, NothingToSayIsTheClientsFault) {
  const auto out = write_request(Request{}, TargetInfo{.model = "claude-opus-4-5"});
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, Code::kInvalid);
  EXPECT_EQ(out.error().field, "messages");
}

TEST(AnthropicUsage, CountsNeverGoDownAndCompactionsAreAdded) {
  UsageMeter meter;
  json::Document document;
  const auto add = [&](std::string_view text) { return meter.add(*document.parse_object(text)); };
  EXPECT_TRUE(add(
      R"({"input_tokens":5,"cache_read_input_tokens":7,"cache_creation_input_tokens":9,)"
      R"("cache_creation":{"ephemeral_1h_input_tokens":4,"ephemeral_5m_input_tokens":5},"output_tokens":1})"));
  EXPECT_TRUE(add(
      R"({"input_tokens":0,"output_tokens":30,"output_tokens_details":{"thinking_tokens":12}})"));
  EXPECT_FALSE(add(R"({"output_tokens":2})"));
  const Usage usage = meter.usage();
  EXPECT_EQ(usage.input, 21);
  EXPECT_EQ(usage.output, 30);
  EXPECT_EQ(usage.cached_read, 7);
  EXPECT_EQ(usage.cached_write, 9);
  EXPECT_EQ(usage.cached_write_1h, 4);
  EXPECT_EQ(usage.reasoning, 12);
  EXPECT_TRUE(add(
      R"({"output_tokens":30,"iterations":[{"type":"compaction","input_tokens":100,"output_tokens":10},)"
      R"({"type":"message","input_tokens":5,"output_tokens":30}]})"));
  EXPECT_EQ(meter.usage().input, 121);
  EXPECT_EQ(meter.usage().output, 40);
}

TEST(AnthropicDecoder, HostileShapesAreErrorsOrNothing) {
  for (const char* data :
       {"", "[]", "nonsense", "{\"type\":3}", "{\"type\":\"message_start\",\"message\":[]}",
        "{\"type\":\"content_block_delta\",\"index\":9,\"delta\":{\"type\":\"input_json_delta\"}}",
        "{\"type\":\"content_block_start\",\"content_block\":{\"type\":7}}",
        "{\"type\":\"message_delta\",\"usage\":{\"output_tokens\":-5}}", "{\"type\":\"error\"}"}) {
    auto decoder = new_decoder();
    EventBatch out;
    (void)decoder->on_event("", data, out);
    EXPECT_FALSE(decoder->on_end(out)) << data;
    EXPECT_FALSE(decoder->done());
  }
}

}  // namespace
}  // namespace ajar::wire::anthropic
