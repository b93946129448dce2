// Recorded streams and answers of Anthropic and Gemini, decoded and written again for clients of the same dialect: what a
// client puts together must be what the provider said. The reader here is its own, so that no mistake of ours hides
// another. Skipped where the recordings are absent.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "core/reply.h"
#include "json/read.h"
#include "json/write.h"
#include "recorded.h"
#include "replay.h"
#include "wire/anthropic/anthropic.h"
#include "wire/gemini/gemini.h"

namespace ajar::wiretest {
namespace {

using Members = std::map<std::string, std::string>;  // name -> raw JSON

std::string json_text(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}
std::string unquoted(const std::string& raw) {
  json::Document document;
  const auto value = document.parse(raw);
  return std::string(value ? json::as_string(*value).value_or("") : "");
}

Members members_of(const json::Object& object) {
  Members out;
  for (const auto field : object) {
    if (!field.value.is_null()) out[std::string(field.key)] = json::raw(field.value);
  }
  return out;
}
std::optional<json::Object> object_at(const json::Object& object, std::string_view key) {
  const auto value = json::find(object, key);
  return value ? json::as_object(*value) : std::nullopt;
}
std::optional<json::Array> array_at(const json::Object& object, std::string_view key) {
  const auto value = json::find(object, key);
  return value ? json::as_array(*value) : std::nullopt;
}
std::string list_of(const Members& members) {
  std::string out;
  for (const auto& [name, raw] : members) out.append(" ").append(name).append("=").append(raw);
  return out + "\n";
}

// ---- Anthropic, as its SDKs put a stream together

struct Message {
  Members head;
  std::vector<Members> blocks;
  std::vector<std::string> input;  // per block: the fragments of its input
  std::vector<std::vector<std::string>> citations;
  std::map<std::string, int64_t> counts;
  Members usage;  // the rest of it
  std::string fault;

  void add_usage(const json::Object& object) {
    for (const auto field : object) {
      const std::string name(field.key);
      if (name == "cache_creation") {
        if (const auto split = json::as_object(field.value)) {
          for (const auto part : *split)
            counts[std::string(part.key)] = std::max(counts[std::string(part.key)], json::as_int(part.value).value_or(0));
        }
      } else if (field.value.is_int64()) {
        counts[name] = std::max(counts[name], *json::as_int(field.value));
      } else if (!field.value.is_null()) {
        usage[name] = json::raw(field.value);
      }
    }
  }

  void add_block(const json::Object& block) {
    blocks.push_back(members_of(block));
    input.emplace_back();
    citations.emplace_back();
    if (const auto list = array_at(block, "citations")) {
      for (const json::Value citation : *list) citations.back().push_back(json::raw(citation));
    }
    blocks.back().erase("citations");
  }

  void add_delta(const json::Object& delta) {
    Members& block = blocks.back();
    const std::string_view type = json::string_or(delta, "type");
    const auto grow = [&](const std::string& name) {
      block[name] = json_text(unquoted(block[name]) + std::string(json::string_or(delta, name)));
    };
    if (type == "text_delta") return grow("text");
    if (type == "thinking_delta") return grow("thinking");
    if (type == "signature_delta") return grow("signature");
    if (type == "input_json_delta") {
      input.back() += json::string_or(delta, "partial_json");
    } else if (type == "citations_delta") {
      citations.back().push_back(json::raw(*json::find(delta, "citation")));
    } else {
      for (const auto& [name, raw] : members_of(delta)) {
        if (name != "type") block[name] = raw;
      }
    }
  }

  void add_end(const json::Object& delta) {
    for (const auto& [name, raw] : members_of(delta)) head[name] = raw;
  }

  std::string text() {
    std::string out = list_of(head);
    for (size_t i = 0; i < blocks.size(); ++i) {
      Members block = blocks[i];
      if (!input[i].empty()) {
        json::Document document;
        const auto value = document.parse(input[i]);
        // A whole answer can hold no arguments that broke off; there they stand as text in an object.
        block["input"] = value ? json::raw(*value) : "{\"arguments\":" + json_text(input[i]) + "}";
      }
      if (block["type"] == "\"thinking\"" && !block.contains("signature")) block["signature"] = "\"\"";
      const bool empty = (block["type"] == "\"text\"" && block["text"] == "\"\"" && citations[i].empty());
      if (empty) continue;
      for (const std::string& citation : citations[i]) block["citations"] += citation;
      out += "block" + list_of(block);
    }
    // The end of a stream counts what was written to the cache without saying for how long.
    int64_t& short_lived = counts["ephemeral_5m_input_tokens"];
    short_lived = std::max(short_lived, counts["cache_creation_input_tokens"] - counts["ephemeral_1h_input_tokens"]);
    for (const auto& [name, count] : counts) {
      if (count != 0) out += "count " + name + "=" + std::to_string(count) + "\n";
    }
    return out + "usage" + list_of(usage);
  }
};

Message read_message(const json::Object& body) {
  Message out;
  for (const auto& [name, raw] : members_of(body)) {
    if (name != "content" && name != "usage") out.head[name] = raw;
  }
  if (const auto usage = object_at(body, "usage")) out.add_usage(*usage);
  if (const auto list = array_at(body, "content")) {
    for (const json::Value item : *list) out.add_block(*json::as_object(item));
  }
  return out;
}

// `strict`: our own stream, whose blocks must be opened, filled and closed one after the other.
std::string read_messages_stream(const std::vector<std::string>& events, bool strict) {
  Message out;
  int64_t open = -1, next = 0;
  bool stopped = false;
  const auto need = [&](bool right, const std::string& what) {
    if (strict && !right) out.fault += "FAULT " + what + "\n";
  };
  for (const std::string& data : events) {
    json::Document document;
    const auto event = document.parse_object(data);
    if (!event || (stopped && !strict)) continue;  // some recordings hold the next answer, too
    const std::string_view type = json::string_or(*event, "type");
    const int64_t index = json::int_or(*event, "index");
    need(!stopped, "an event after message_stop");
    if (type == "message_start") {
      out = read_message(*object_at(*event, "message"));
    } else if (type == "content_block_start") {
      need(open < 0 && index == next, "content_block_start " + std::to_string(index));
      open = index;
      ++next;
      out.add_block(*object_at(*event, "content_block"));
    } else if (type == "content_block_delta") {
      need(open == index, "content_block_delta of a block that is not open");
      out.add_delta(*object_at(*event, "delta"));
    } else if (type == "content_block_stop") {
      need(open == index, "content_block_stop of a block that is not open");
      open = -1;
    } else if (type == "message_delta") {
      need(open < 0, "message_delta while a block is open");
      out.add_end(*object_at(*event, "delta"));
      if (const auto usage = object_at(*event, "usage")) out.add_usage(*usage);
      if (const auto management = json::find(*event, "context_management"))
        out.head["context_management"] = json::raw(*management);
    } else if (type == "message_stop") {
      stopped = true;
    }
  }
  need(stopped, "no message_stop");
  return out.text() + out.fault;
}

// The stream and the whole answer that a client gets of these events.
void check_anthropic(const Replay& replay, const std::string& expected) {
  ASSERT_TRUE(replay.end) << describe(replay.end);
  const auto encoder = wire::anthropic::new_encoder({.dialect = DialectId::kAnthropic});
  std::string bytes;
  for (const EventBatch& batch : replay.batches) encoder->encode(batch, bytes);
  encoder->finish(StreamEnd::kComplete, nullptr, bytes);
  EXPECT_EQ(read_messages_stream(payloads(bytes), true), expected);

  Fold fold;
  fold.add(replay.events);
  json::Document document;
  const std::string whole = wire::anthropic::write_reply(fold.take(), {.dialect = DialectId::kAnthropic});
  const auto body = document.parse_object(whole);
  ASSERT_TRUE(body);
  EXPECT_EQ(read_message(*body).text(), expected);
}

void check_anthropic_stream(const std::string& bytes) {
  check_anthropic(replay_stream(wire::anthropic::new_decoder, bytes), read_messages_stream(payloads(bytes), false));
}

void check_anthropic_body(const std::string& text) {
  json::Document document;
  const auto body = document.parse_object(text);
  ASSERT_TRUE(body);
  check_anthropic(replay_body(wire::anthropic::new_decoder, text), read_message(*body).text());
}

TEST(RoundTrip, Anthropic) {
  const fs::path root = recordings();
  if (!fs::exists(root / "vercel-ai/anthropic")) GTEST_SKIP() << "no recordings at " << root;
  int streams = 0, bodies = 0;
  for (const fs::path& path : files_below(root / "vercel-ai/anthropic")) {
    SCOPED_TRACE(path.filename());
    const std::string text = slurp(path);
    // These two begin a second message in the same stream, which no client can be told.
    if (path.filename().string().find("message-start") != std::string::npos) continue;
    if (path.string().ends_with(".chunks.txt")) {
      ++streams;
      check_anthropic_stream(frames(text, true));
    } else if (text.find("\"role\"") != std::string::npos) {
      ++bodies;
      check_anthropic_body(text);
    }
  }
  for (const fs::path& path : files_below(root / "anthropic-sdk-python")) {
    SCOPED_TRACE(path.filename());
    const std::string text = slurp(path);
    if (!text.starts_with("event:")) continue;
    ++streams;
    check_anthropic_stream(text + "\n\n");
  }
  for_each_exchange(root / "ruby_llm", [&](const Exchange& exchange) {
    if (!exchange.uri.ends_with("api.anthropic.com/v1/messages") || exchange.status >= 400) return;
    if (exchange.type.starts_with("text/event-stream")) {
      ++streams;
      check_anthropic_stream(exchange.response);
    } else {
      ++bodies;
      check_anthropic_body(exchange.response);
    }
  });
  std::printf("  %d streams, %d whole replies\n", streams, bodies);
  EXPECT_GE(streams, 50);
  EXPECT_GE(bodies, 65);
}

// ---- Gemini

struct GeminiReply {
  struct Candidate {
    std::vector<Members> parts;
    Members rest;
  };
  std::map<int64_t, Candidate> candidates;
  Members head;
  std::map<std::string, int64_t> counts;
  Members usage;
  bool partial = false;  // calls in pieces, which a client gets whole

  // Text is one as long as it is of one kind; a signature ends it.
  void add_part(Candidate& candidate, const json::Object& part) {
    Members members = members_of(part);
    if (members["thought"] == "false") members.erase("thought");
    if (members["thought"].empty()) members.erase("thought");
    if (members.contains("functionCall")) {
      partial = partial || members["functionCall"].find("\"partialArgs\"") != std::string::npos ||
                members["functionCall"].find("\"willContinue\"") != std::string::npos;
      json::Document document;
      Members call = members_of(*document.parse_object(members["functionCall"]));
      if (!call.contains("args")) call["args"] = "{}";
      members["functionCall"] = list_of(call);
    }
    if (!members.contains("text")) return candidate.parts.push_back(std::move(members));
    const std::string text = unquoted(members["text"]);
    if (!candidate.parts.empty() && candidate.parts.back().contains("text")) {
      Members& last = candidate.parts.back();
      const bool same = last.contains("thought") == members.contains("thought");
      const bool open = !last.contains("thoughtSignature");
      if (open && (same || text.empty())) {
        last["text"] = json_text(unquoted(last["text"]) + text);
        if (members.contains("thoughtSignature")) last["thoughtSignature"] = members["thoughtSignature"];
        return;
      }
    }
    if (text.empty() && !members.contains("thoughtSignature")) return;
    candidate.parts.push_back(std::move(members));
  }

  void add(const json::Object& response) {
    for (const auto field : response) {
      if (field.value.is_null() || field.key == "candidates" || field.key == "usageMetadata") continue;
      head[std::string(field.key)] = json::raw(field.value);
    }
    if (const auto metadata = object_at(response, "usageMetadata")) {
      usage.clear();
      for (const auto field : *metadata) {
        if (field.value.is_int64()) {
          counts[std::string(field.key)] = *json::as_int(field.value);
        } else {
          usage[std::string(field.key)] = json::raw(field.value);
        }
      }
    }
    const auto list = array_at(response, "candidates");
    if (!list) return;
    int64_t position = 0;
    for (const json::Value item : *list) {
      const json::Object object = *json::as_object(item);
      Candidate& candidate = candidates[json::int_or(object, "index", position++)];
      if (const auto content = object_at(object, "content")) {
        if (const auto parts = array_at(*content, "parts")) {
          for (const json::Value part : *parts) add_part(candidate, *json::as_object(part));
        }
      }
      for (const auto& [name, raw] : members_of(object)) {
        if (name != "content" && name != "index") candidate.rest[name] = raw;
      }
    }
  }

  std::string text() {
    // The total is Google's own sum, with the tokens of tools or without; ours is the sum of what stands there.
    counts.erase("totalTokenCount");
    std::string out = list_of(head);
    for (auto& [index, candidate] : candidates) {
      out += "candidate " + std::to_string(index) + list_of(candidate.rest);
      for (const Members& part : candidate.parts) out += "part" + list_of(part);
    }
    for (const auto& [name, count] : counts) {
      if (count != 0) out += "count " + name + "=" + std::to_string(count) + "\n";
    }
    return out + "usage" + list_of(usage);
  }
};

GeminiReply read_gemini(const std::vector<std::string>& chunks) {
  GeminiReply out;
  for (const std::string& chunk : chunks) {
    json::Document document;
    const auto value = document.parse(chunk);
    if (!value) continue;
    if (const auto list = json::as_array(*value)) {
      for (const json::Value item : *list) out.add(*json::as_object(item));
    } else {
      out.add(*json::as_object(*value));
    }
  }
  return out;
}

// False when the reply cannot be compared.
bool check_gemini(const Replay& replay, const std::vector<std::string>& chunks) {
  EXPECT_TRUE(replay.end) << describe(replay.end);
  GeminiReply original = read_gemini(chunks);
  const std::string expected = original.text();
  if (original.partial) return false;
  for (const wire::Front* front : {&wire::gemini::front(), &wire::gemini::array_front()}) {
    const auto encoder = front->new_encoder({.dialect = DialectId::kGemini});
    std::string bytes;
    for (const EventBatch& batch : replay.batches) encoder->encode(batch, bytes);
    encoder->finish(StreamEnd::kComplete, nullptr, bytes);
    const bool array = front == &wire::gemini::array_front();
    EXPECT_EQ(read_gemini(array ? std::vector{bytes} : payloads(bytes)).text(), expected);
  }
  Fold fold;
  fold.add(replay.events);
  EXPECT_EQ(read_gemini({wire::gemini::write_reply(fold.take(), {.dialect = DialectId::kGemini})}).text(), expected);
  return true;
}

TEST(RoundTrip, Gemini) {
  const fs::path root = recordings();
  if (!fs::exists(root / "vercel-ai/google")) GTEST_SKIP() << "no recordings at " << root;
  int streams = 0, bodies = 0, left_out = 0;
  for (const fs::path& path : files_below(root / "vercel-ai/google/src/__fixtures__")) {
    SCOPED_TRACE(path.filename());
    const std::string text = slurp(path);
    if (path.string().ends_with(".chunks.txt")) {
      const std::string bytes = frames(text, false);
      const bool compared = check_gemini(replay_stream(wire::gemini::new_decoder, bytes), payloads(bytes));
      ++(compared ? streams : left_out);
    } else if (text.find("\"candidates\"") != std::string::npos) {
      ++bodies;
      EXPECT_TRUE(check_gemini(replay_body(wire::gemini::new_decoder, text), {text}));
    }
  }
  for_each_exchange(root / "ruby_llm", [&](const Exchange& exchange) {
    if (exchange.uri.find("googleapis.com") == std::string::npos || exchange.status >= 400) return;
    SCOPED_TRACE(exchange.uri);
    if (exchange.uri.find(":streamGenerateContent") != std::string::npos) {
      ++streams;
      EXPECT_TRUE(check_gemini(replay_stream(wire::gemini::new_decoder, exchange.response), payloads(exchange.response)));
    } else if (exchange.uri.ends_with(":generateContent")) {
      ++bodies;
      EXPECT_TRUE(check_gemini(replay_body(wire::gemini::new_decoder, exchange.response), {exchange.response}));
    }
  });
  std::printf("  %d streams, %d whole replies, %d streams with calls in pieces left out\n", streams, bodies, left_out);
  EXPECT_GE(streams, 20);
  EXPECT_GE(bodies, 100);
}

}  // namespace
}  // namespace ajar::wiretest
