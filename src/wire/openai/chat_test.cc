// What is not a conversation, and so no .case: order of events, presets, helpers.
#include "wire/openai/chat.h"

#include <gtest/gtest.h>

#include "json/read.h"
#include "wire/error_text.h"
#include "wire/fields.h"
#include "wire/media.h"
#include "wire/openai/embeddings.h"
#include "wire/openai/presets.h"

namespace ajar::wire::openai {
namespace {

std::string encode(const EventBatch& events, StreamEnd end = StreamEnd::kComplete) {
  std::string out;
  const auto encoder = new_encoder({.include_usage = true, .model = "route"});
  encoder->encode(events, out);
  encoder->finish(end, nullptr, out);
  return out;
}

TEST(ChatEncoder, NeedsNoStart) {
  const std::string out = encode({Event::of_text("a")});
  EXPECT_NE(out.find("\"id\":\"chatcmpl-"), out.npos);
  EXPECT_NE(out.find("\"model\":\"route\""), out.npos);
  EXPECT_NE(out.find("\"delta\":{\"role\":\"assistant\",\"content\":\"a\"}"), out.npos) << out;
}

TEST(ChatEncoder, ALateStartChangesNothing) {
  Event start;
  start.kind = Event::Kind::kStart;
  start.id = "late";
  const std::string out = encode({Event::of_text("a"), start, Event::of_text("b")});
  EXPECT_EQ(out.find("late"), out.npos);
}

TEST(ChatEncoder, NothingAtAllStillEnds) {
  EXPECT_EQ(encode({}), "data: [DONE]\n\n");
  EXPECT_EQ(encode({}, StreamEnd::kCut).find("[DONE]"), std::string::npos);
}

TEST(ChatEncoder, ForeignExtrasStayOut) {
  Event start;
  start.kind = Event::Kind::kStart;
  start.origin = DialectId::kAnthropic;
  start.top_extra = "\"container\":1";
  Event opaque;
  opaque.kind = Event::Kind::kOpaque;
  opaque.origin = DialectId::kAnthropic;
  opaque.raw = "{\"type\":\"server_tool_use\"}";
  const std::string out = encode({start, opaque});
  EXPECT_EQ(out.find("container"), out.npos);
  EXPECT_EQ(out.find("server_tool_use"), out.npos);
}

TEST(ChatDecoder, RefusesAbsurdChoiceNumbers) {
  EventBatch events;
  const auto status = new_decoder()->on_event(
      "", R"({"choices":[{"index":2000000000,"delta":{"content":"x"}}]})", events);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kUpstream);
}

TEST(ChatDecoder, WholeBodiesEndByThemselves) {
  EventBatch events;
  const auto decoder = new_decoder();
  ASSERT_TRUE(decoder->on_body(R"({"choices":[{"message":{"content":"x"}}]})", events));
  EXPECT_TRUE(decoder->done());
  EXPECT_EQ(events.back().finish, Finish::kStop);
}

TEST(ChatRequest, ForeignConversationBecomesToolMessages) {
  // As an Anthropic client writes it: results and text in one user turn, a picture inside a result.
  Request request;
  request.dialect = DialectId::kAnthropic;
  request.extra = "\"context_management\":1";
  Message& turn = request.messages.emplace_back();
  turn.origin = DialectId::kAnthropic;
  Part& result = turn.parts.emplace_back(Part{.kind = Part::Kind::kToolResult});
  result.id = "t1";
  result.content.push_back(Part{.text = "ok"});
  result.content.push_back(
      Part{.kind = Part::Kind::kImage, .media_type = "image/png", .data = "AAAA"});
  turn.parts.push_back(Part{.text = "and now?"});
  request.max_tokens = 10;
  const TargetInfo target{.model = "m", .preset = "openai", .base_path = "/v1"};
  const auto written = write_request(request, target);
  ASSERT_TRUE(written);
  EXPECT_EQ(
      written->body,
      R"({"model":"m","messages":[{"role":"tool","tool_call_id":"t1","content":"ok"},)"
      R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},)"
      R"({"role":"user","content":"and now?"}],"max_completion_tokens":10})");
  EXPECT_EQ(written->dropped, (std::vector<std::string>{"context_management"}));

  // What an answer may depend on is refused by its name.
  const auto refusal = [&](const Request& asked) {
    const auto result = write_request(asked, target);
    return result ? std::string("written") : result.error().field + ": " + result.error().message;
  };
  Request asked = request;
  asked.messages[0].parts.push_back(
      Part{.kind = Part::Kind::kOpaque, .origin = DialectId::kAnthropic, .raw = R"({"type":"search_result"})"});
  EXPECT_EQ(refusal(asked), "messages[0].content: the target does not know content of type 'search_result'");
  asked = request;
  asked.tools.push_back(Tool{.raw = "{\"type\":\"web_search\"}", .origin = DialectId::kAnthropic});
  EXPECT_EQ(refusal(asked), "tools[0]: the target does not have the built-in tool 'web_search'");
  asked = request;
  asked.extra = "\"container\":1";
  EXPECT_EQ(refusal(asked), "container: the target cannot do what `container` asks");
}

TEST(ChatErrors, BudgetIsNotARateLimit) {
  const std::string body = write_error({.code = Code::kBudget, .message = "spent"}, 402, "");
  EXPECT_EQ(
      body,
      R"({"error":{"message":"spent","type":"insufficient_quota","param":null,"code":"budget_exhausted"}})");
}

TEST(Presets, UnknownNamesAreCompatibleServers) {
  EXPECT_TRUE(find_preset("no such server").developer_role);
  EXPECT_FALSE(find_preset("mistral").stream_options);
  EXPECT_TRUE(is_reasoning_model("o3-mini"));
  EXPECT_TRUE(is_reasoning_model("openai/gpt-5.1"));
  EXPECT_FALSE(is_reasoning_model("gpt-4o"));
  EXPECT_FALSE(is_reasoning_model("olmo"));
}

TEST(Media, DataUris) {
  std::string type, data;
  EXPECT_TRUE(split_data_uri("data:image/png;base64,AAAA", type, data));
  EXPECT_EQ(type + " " + data, "image/png AAAA");
  EXPECT_TRUE(split_data_uri("data:,a%20b", type, data));
  EXPECT_EQ(type + " " + data, "text/plain YSBi");
  EXPECT_FALSE(split_data_uri("https://x.test/", type, data));
  EXPECT_FALSE(split_data_uri("data:image/png", type, data));
}

TEST(ErrorText, ExcerptsAreShortAndValid) {
  EXPECT_EQ(readable_excerpt("<p>a</p>\n\n <b>b"), "a b");
  EXPECT_EQ(readable_excerpt("ääää", 3), "ä...");
  EXPECT_EQ(readable_excerpt("a\xff", 10), "a");
  EXPECT_EQ(readable_excerpt("<script>x"), "");
}

TEST(Models, List) {
  EXPECT_EQ(
      write_models({{.id = "a", .created = 1, .owned_by = "ajar"}}),
      R"({"object":"list","data":[{"id":"a","object":"model","created":1,"owned_by":"ajar"}]})");
}

}  // namespace
}  // namespace ajar::wire::openai
