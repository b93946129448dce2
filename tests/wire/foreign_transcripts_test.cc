// Recorded traffic of Anthropic and Gemini: every answer must decode, at every split, to what it
// says; every request body that was accepted tells which spellings exist. Skipped where the
// recordings are absent.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "core/reply.h"
#include "json/read.h"
#include "recorded.h"
#include "replay.h"
#include "wire/anthropic/anthropic.h"
#include "wire/gemini/gemini.h"

namespace ajar::wiretest {
namespace {

void check_reply(const Reply& reply, const EventBatch& events, bool abandoned = false) {
  const Usage& u = reply.usage;
  EXPECT_TRUE(u.reported);
  EXPECT_GE(u.input, u.cached_read + u.cached_write);
  EXPECT_GE(u.cached_write, u.cached_write_1h);
  EXPECT_GE(u.output, u.reasoning);
  EXPECT_EQ(u.total(), u.input + u.output);
  EXPECT_FALSE(reply.model.empty());
  int starts = 0;
  for (const Event& event : events) {
    starts += event.kind == Event::Kind::kStart;
    EXPECT_TRUE(valid_utf8(event.text));
    if (!event.raw.empty() && !event.redacted) {
      EXPECT_EQ(
          json::explain(event.kind == Event::Kind::kLogprobs ? "[" + event.raw + "]" : event.raw),
          "");
    }
    for (const std::string& extra : {event.top_extra, event.choice_extra, event.part_extra}) {
      EXPECT_EQ(json::explain("{" + extra + "}"), "");
    }
  }
  EXPECT_EQ(starts, 1);
  for (const Choice& choice : reply.choices) {
    EXPECT_NE(choice.finish, Finish::kNone);
    bool calls = false;
    for (const Part& part : choice.parts) {
      if (part.kind != Part::Kind::kToolCall) continue;
      calls = true;
      EXPECT_FALSE(part.id.empty());
      EXPECT_FALSE(part.name.empty());
      if (choice.finish == Finish::kToolCalls && !abandoned)
        EXPECT_EQ(json::explain(part.arguments), "") << part.arguments;
    }
    if (choice.finish == Finish::kToolCalls) EXPECT_TRUE(calls);
  }
  Fold again;
  again.add(unfold(reply));
  EXPECT_EQ(describe(unfold(again.take())), describe(unfold(reply)));
}

struct Tally {
  int streams = 0, bodies = 0, errors = 0, requests = 0;
  ~Tally() {
    std::printf("  %d streams, %d whole replies, %d errors, %d requests\n", streams, bodies, errors,
                requests);
  }
};

// `abandoned`: the provider gave up in the middle of a call and began again in the same stream.
Reply check_stream(const NewDecoder& new_decoder, std::string_view bytes, bool abandoned = false) {
  const Replay replay = replay_stream(new_decoder, bytes);
  EXPECT_TRUE(replay.end) << describe(replay.end);
  EXPECT_TRUE(replay.done);
  EXPECT_EQ(check_splits(new_decoder, bytes, replay), "");
  Fold fold;
  fold.add(replay.events);
  Reply reply = fold.take();
  check_reply(reply, replay.events, abandoned);
  return reply;
}

Reply check_body(const NewDecoder& new_decoder, std::string_view body) {
  const Replay replay = replay_body(new_decoder, body);
  EXPECT_TRUE(replay.end) << describe(replay.end);
  EXPECT_TRUE(replay.done);
  Fold fold;
  fold.add(replay.events);
  Reply reply = fold.take();
  check_reply(reply, replay.events);
  return reply;
}

// A recorded whole message, told as the stream that would have brought it, folds to the same reply.
std::string as_anthropic_stream(const json::Object& message) {
  std::string start = R"({"type":"message_start","message":{)";
  std::string delta = R"({"type":"message_delta","delta":{)";
  std::string usage = "{}", frames;
  bool first_start = true, first_delta = true;
  const auto add = [](std::string& to, bool& first, std::string_view key,
                      const json::Value& value) {
    if (!std::exchange(first, false)) to += ",";
    to.append("\"").append(key).append("\":");
    json::append_raw(to, value);
  };
  const auto frame = [&](std::string_view data) {
    frames.append("data: ").append(data).append("\n\n");
  };
  std::string blocks;
  for (const auto field : message) {
    if (field.key == "content") continue;
    if (field.key == "usage") {
      usage = json::raw(field.value);
    } else if (field.key.starts_with("stop_") || field.key == "container" ||
               field.key == "context_management") {
      add(delta, first_delta, field.key, field.value);
    } else {
      add(start, first_start, field.key, field.value);
    }
  }
  frame(start + "}}");
  int index = 0;
  const auto content = json::find(message, "content");
  const auto list = content ? json::as_array(*content) : std::nullopt;
  if (list) {
    for (const json::Value block : *list) {
      frame(R"({"type":"content_block_start","index":)" + std::to_string(index) +
            R"(,"content_block":)" + json::raw(block) + "}");
      frame(R"({"type":"content_block_stop","index":)" + std::to_string(index++) + "}");
    }
  }
  frame(delta + "},\"usage\":" + usage + "}");
  frame(R"({"type":"message_stop"})");
  return frames;
}

void check_anthropic_message(const std::string& body, Tally& tally) {
  ++tally.bodies;
  const Reply whole = check_body(wire::anthropic::new_decoder, body);
  json::Document document;
  const Reply streamed =
      check_stream(wire::anthropic::new_decoder, as_anthropic_stream(*document.parse_object(body)));
  EXPECT_EQ(describe(unfold(whole)), describe(unfold(streamed)));
}

TEST(Recorded, AnthropicFixtures) {
  const fs::path root = recordings();
  if (!fs::exists(root / "vercel-ai/anthropic")) GTEST_SKIP() << "no recordings at " << root;
  Tally tally;
  for (const fs::path& path : files_below(root / "vercel-ai/anthropic")) {
    SCOPED_TRACE(path.filename());
    const std::string text = slurp(path);
    if (path.string().ends_with(".chunks.txt")) {
      ++tally.streams;
      check_stream(wire::anthropic::new_decoder, frames(text, true),
                   path.filename() == "spliced-message-start.chunks.txt");
    } else if (text.find("\"role\"") !=
               std::string::npos) {  // the others are answers of other endpoints
      check_anthropic_message(text, tally);
    }
  }
  for (const fs::path& path : files_below(root / "anthropic-sdk-python")) {
    SCOPED_TRACE(path.filename());
    const std::string text = slurp(path);
    if (!text.starts_with("event:")) continue;
    ++tally.streams;
    check_stream(wire::anthropic::new_decoder, text + "\n\n");
  }
  EXPECT_GE(tally.streams, 41);
  EXPECT_GE(tally.bodies, 25);
}

TEST(Recorded, GeminiFixtures) {
  const fs::path root = recordings();
  if (!fs::exists(root / "vercel-ai/google")) GTEST_SKIP() << "no recordings at " << root;
  Tally tally;
  for (const fs::path& path : files_below(root / "vercel-ai/google/src/__fixtures__")) {
    SCOPED_TRACE(path.filename());
    const std::string text = slurp(path);
    if (path.string().ends_with(".chunks.txt")) {
      ++tally.streams;
      check_stream(wire::gemini::new_decoder, frames(text, false));
    } else if (text.find("\"candidates\"") != std::string::npos) {
      ++tally.bodies;
      check_body(wire::gemini::new_decoder, text);
    } else {
      ++tally.errors;
      const Error error = wire::gemini::read_error(429, "application/json", text);
      EXPECT_EQ(error.code, Code::kRateLimit);
      EXPECT_EQ(error.type, "RESOURCE_EXHAUSTED");
      EXPECT_EQ(error.retry_after_ms, 34400);
      const Replay in_band = replay_body(wire::gemini::new_decoder, text);
      ASSERT_FALSE(in_band.end);
      EXPECT_EQ(in_band.end.error().retry_after_ms, 34400);
    }
  }
  EXPECT_GE(tally.streams, 8);
  EXPECT_GE(tally.bodies, 5);
}

// Every path of member names in a JSON value: "messages[].content[].text".
void paths_of(const json::Value& value, const std::string& at, std::set<std::string>& out) {
  if (const auto object = json::as_object(value)) {
    for (const auto field : *object) {
      const std::string below =
          at.empty() ? std::string(field.key) : at + "." + std::string(field.key);
      out.insert(below);
      paths_of(field.value, below, out);
    }
  } else if (const auto array = json::as_array(value)) {
    for (const json::Value item : *array) paths_of(item, at + "[]", out);
  }
}

TEST(Recorded, AnthropicCassettes) {
  const fs::path folder = recordings() / "ruby_llm";
  if (!fs::exists(folder)) GTEST_SKIP() << "no recordings at " << folder;
  Tally tally;
  std::set<std::string> spoken;
  for_each_exchange(folder, [&](const Exchange& exchange) {
    if (!exchange.uri.ends_with("api.anthropic.com/v1/messages")) return;
    if (exchange.status >= 400) {
      ++tally.errors;
      const Error error =
          wire::anthropic::read_error(exchange.status, exchange.type, exchange.response);
      EXPECT_EQ(error.code, exchange.status == 401 ? Code::kUpstream : Code::kInvalid);
      EXPECT_EQ(error.type,
                exchange.status == 401 ? "authentication_error" : "context_length_exceeded");
      EXPECT_FALSE(error.message.empty());
      return;
    }
    ++tally.requests;
    json::Document document;
    if (const auto request = document.parse(exchange.request)) paths_of(*request, "", spoken);
    if (exchange.type.starts_with("text/event-stream")) {
      ++tally.streams;
      check_stream(wire::anthropic::new_decoder, exchange.response);
    } else {
      check_anthropic_message(exchange.response, tally);
    }
  });
  EXPECT_GE(tally.streams, 10);
  EXPECT_GE(tally.bodies, 40);
  // The spellings that we write, as accepted by the API itself.
  for (const char* path :
       {"max_tokens", "system[].cache_control.type", "messages[].content[].tool_use_id",
        "messages[].content[].source.media_type", "messages[].content[].title",
        "output_config.format.schema", "thinking.budget_tokens", "tools[].input_schema",
        "tool_choice.name", "service_tier", "messages[].content[].citations.enabled"}) {
    EXPECT_TRUE(spoken.contains(path)) << path;
  }
}

TEST(Recorded, GeminiCassettes) {
  const fs::path folder = recordings() / "ruby_llm";
  if (!fs::exists(folder)) GTEST_SKIP() << "no recordings at " << folder;
  Tally tally;
  int embeddings = 0;
  std::set<std::string> spoken;
  for_each_exchange(folder, [&](const Exchange& exchange) {
    const bool google = exchange.uri.find("googleapis.com") != std::string::npos;
    if (!google) return;
    const bool generate = exchange.uri.ends_with(":generateContent");
    const bool stream = exchange.uri.find(":streamGenerateContent") != std::string::npos;
    const bool embed = exchange.uri.ends_with(":batchEmbedContents");
    if (!generate && !stream && !embed) return;
    if (exchange.status >= 400) {
      ++tally.errors;
      const Error error =
          wire::gemini::read_error(exchange.status, exchange.type, exchange.response);
      const bool key = error.message.find("API key") != std::string::npos;
      EXPECT_EQ(error.code, exchange.status == 429 ? Code::kRateLimit
                            : key                  ? Code::kUpstream
                                                   : Code::kInvalid);
      EXPECT_FALSE(error.type.empty());
      if (exchange.status == 429) EXPECT_GT(error.retry_after_ms, 0);
      return;
    }
    ++tally.requests;
    json::Document document;
    if (const auto request = document.parse(exchange.request)) paths_of(*request, "", spoken);
    if (embed) {
      ++embeddings;
      const auto reply = wire::gemini::read_embedding_reply(exchange.response);
      ASSERT_TRUE(reply) << reply.error().message;
      EXPECT_GT(reply->dim, 0u);
    } else if (stream) {
      ++tally.streams;
      check_stream(wire::gemini::new_decoder, exchange.response);
    } else {
      ++tally.bodies;
      const Reply whole = check_body(wire::gemini::new_decoder, exchange.response);
      std::string one_line = exchange.response;
      std::ranges::replace(one_line, '\n', ' ');
      EXPECT_EQ(
          describe(unfold(whole)),
          describe(unfold(check_stream(wire::gemini::new_decoder, "data: " + one_line + "\n\n"))));
    }
  });
  EXPECT_GE(tally.streams, 20);
  EXPECT_GE(tally.bodies, 100);
  EXPECT_GE(embeddings, 6);
  for (const char* path :
       {"contents[].parts[].functionCall.args", "contents[].parts[].thoughtSignature",
        "contents[].parts[].functionResponse.response", "contents[].parts[].functionResponse.parts",
        "generationConfig.responseJsonSchema", "generationConfig.responseMimeType",
        "generationConfig.thinkingConfig.thinkingLevel", "systemInstruction.parts[].text",
        "toolConfig.functionCallingConfig.allowedFunctionNames",
        "requests[].outputDimensionality"}) {
    EXPECT_TRUE(spoken.contains(path)) << path;
  }
}

}  // namespace
}  // namespace ajar::wiretest
