// Recorded Responses traffic, replayed: what an independent reader puts together from our stream is what the provider
// said. The recordings are not part of this repository; without them the tests are skipped.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "base/text.h"
#include "compare.h"
#include "json/read.h"
#include "json/write.h"
#include "replay.h"
#include "wire/openai_error.h"
#include "wire/responses/responses.h"

namespace ajar::wiretest {
namespace {

namespace fs = std::filesystem;
using wire::responses::new_decoder;

fs::path shared_wire() {
  const char* given = std::getenv("AJAR_SHARED");
  const fs::path root = given != nullptr ? fs::path(given) : fs::path(AJAR_SOURCE_DIR) / ".." / "shared" / "data";
  return root / "wire";
}

std::string slurp(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> files_below(const fs::path& root) {
  std::vector<fs::path> out;
  if (!fs::exists(root)) return out;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) out.push_back(entry.path());
  }
  std::ranges::sort(out);
  return out;
}

struct Tally {
  int streams = 0, bodies = 0, requests = 0, errors = 0;
};

// A copy without what says nothing: nulls, a count that not all have, empty annotations and log probabilities, a status that everything has.
std::string meaning(const json::Value& value) {
  if (const auto object = json::as_object(value)) {
    std::map<std::string_view, std::string> members;
    for (const auto field : *object) {
      if (field.value.is_null()) continue;
      const auto list = json::as_array(field.value);
      const bool bare = (field.key == "annotations" || field.key == "logprobs") && list && list->size() == 0;
      if (field.key == "cache_write_tokens" && json::as_int(field.value) == 0) continue;
      if (bare || (field.key == "status" && json::as_string(field.value) == "completed")) continue;
      members[field.key] = meaning(field.value);
    }
    std::string out = "{";
    for (const auto& [key, text] : members) {
      if (out.size() > 1) out.push_back(',');
      json::append_string(out, key);
      out.append(":").append(text);
    }
    return out + "}";
  }
  if (const auto array = json::as_array(value)) {
    std::string out = "[";
    for (const auto item : *array) {
      if (out.size() > 1) out.push_back(',');
      out += meaning(item);
    }
    return out + "]";
  }
  return json::raw(value);
}
std::string meaning(const std::string& text) {
  json::Document document;
  const auto value = document.parse(text);
  return value ? meaning(*value) : text;
}

std::string member(const json::Object& object, std::string_view name) {
  const auto value = json::find(object, name);
  return value ? json::raw(*value) : "";
}

// Reads a client's stream as the API documents it, sharing nothing with the encoder: items from their beginning to
// their end, text from its fragments, numbers without a gap. Gives the response of the last event.
struct Reader {
  struct Item {
    std::map<std::string, std::string> texts;  // by sort and index
    bool done = false;
    std::string json;
  };
  std::map<int64_t, Item> items;
  int64_t number = 0;
  std::string response, fault, last;

  void complain(const std::string& why) {
    if (fault.empty()) fault = why + " at " + last;
  }
  void read(const std::string& payload) {
    json::Document document;
    const auto event = document.parse_object(payload);
    if (!event) return complain("not an object: " + payload);
    last = std::string(json::string_or(*event, "type"));
    if (json::int_or(*event, "sequence_number", -1) != number++) complain("a wrong sequence number");
    if (!response.empty()) complain("an event after the end");
    const int64_t index = json::int_or(*event, "output_index", -1);
    if (last == "response.output_item.added") {
      if (items.contains(index) || index != int64_t(items.size())) complain("an item out of order");
      items[index];
    } else if (last == "response.output_item.done") {
      if (!items.contains(index) || items[index].done) return complain("an end without a beginning");
      items[index].done = true;
      items[index].json = member(*event, "item");
    } else if (last == "response.completed" || last == "response.incomplete") {
      response = member(*event, "response");
    } else if (last.ends_with(".delta")) {
      if (!items.contains(index) || items[index].done) return complain("a fragment outside its item");
      items[index].texts[key(*event)] += json::string_or(*event, "delta");
    } else if (last == "response.output_text.done" || last == "response.reasoning_summary_text.done" ||
               last == "response.reasoning_text.done" || last == "response.refusal.done" ||
               last == "response.function_call_arguments.done" || last == "response.custom_tool_call_input.done") {
      for (const char* name : {"text", "refusal", "arguments", "input"}) {
        const auto text = json::find(*event, name);
        if (text && json::as_string(*text) != items[index].texts[key(*event)]) complain("fragments that are not the whole");
      }
    }
  }
  std::string key(const json::Object& event) const {
    std::string sort = last.substr(0, last.rfind('.'));
    return sort + member(event, "content_index") + member(event, "summary_index");
  }
  void end() {
    if (response.empty()) return complain("no response at the end");
    json::Document document;
    const auto object = document.parse_object(response);
    std::string output = "[";
    for (auto& [index, item] : items) {
      if (!item.done) complain("an item without an end");
      output.append(output.size() > 1 ? "," : "").append(item.json);
    }
    output += "]";
    const std::string diff = json_diff(member(*object, "output"), output);
    if (!diff.empty()) complain("items that are not the response's output\n" + diff);
  }
};

std::string final_response(const std::string& bytes) {
  std::string out;
  for (const std::string& payload : payloads(bytes)) {
    json::Document document;
    const auto event = document.parse_object(payload);
    if (!event) continue;
    const auto type = json::string_or(*event, "type");
    if (type != "response.completed" && type != "response.incomplete") continue;
    out = member(*event, "response");
    break;  // some recordings hold the next response, too
  }
  return out;
}

// Reasoning is encrypted anew for the last event, so that no two events have it alike.
std::string sealed_alike(std::string text) {
  for (const std::string_view name : {"\"encrypted_content\":\"", "\"fingerprint\":\""}) {
    for (size_t at = 0; (at = text.find(name, at)) != text.npos;) {
      at += name.size();
      text.erase(at, text.find('"', at) - at);
    }
  }
  return text;
}

void replay_sse(const std::string& bytes, const std::string& where, Tally& tally) {
  ++tally.streams;
  const Replay replay = replay_stream(new_decoder, bytes);
  EXPECT_EQ(check_splits(new_decoder, bytes, replay), "") << where;
  const std::string original = final_response(bytes);
  if (original.empty()) {  // one recording fails, one breaks off
    EXPECT_FALSE(replay.end) << where;
    return;
  }
  EXPECT_EQ(describe(replay.end), "complete") << where;
  if (!replay.end) return;
  const auto encoder = wire::responses::new_encoder({});
  std::string ours;
  for (const EventBatch& batch : replay.batches) encoder->encode(batch, ours);
  encoder->finish(StreamEnd::kComplete, nullptr, ours);
  Reader reader;
  for (const std::string& payload : payloads(ours)) reader.read(payload);
  reader.end();
  EXPECT_EQ(reader.fault, "") << where;
  // One proxy gives its items new ids with every event.
  // Another item is encrypted anew for the last event.
  // Others were changed by hand so that their end is not what they said, or have no time.
  bool contradicts = false;
  for (const char* name : {"id-rotation", "openai-compaction", "openai-shell-container.1", "xai-image-generation"}) {
    contradicts = contradicts || where.find(name) != where.npos;
  }
  if (!contradicts) EXPECT_EQ(json_diff(meaning(sealed_alike(original)), meaning(sealed_alike(reader.response))), "") << where;
  Fold fold;
  fold.add(replay.events);
  const Reply whole = fold.take();
  EXPECT_EQ(json_diff(reader.response, wire::responses::write_reply(whole, {})), "") << where;
  Fold again;
  again.add(unfold(whole));
  EXPECT_EQ(json_diff(reader.response, wire::responses::write_reply(again.take(), {})), "") << where;
}

void replay_body_text(const std::string& body, const std::string& where, Tally& tally) {
  ++tally.bodies;
  const Replay replay = replay_body(new_decoder, body);
  EXPECT_EQ(describe(replay.end), "complete") << where << body.substr(0, 300);
  if (!replay.end) return;
  Fold fold;
  fold.add(replay.events);
  if (where.find("bedrock_mantle_responses_chat_calls_tools") != where.npos) return;  // its calls lack ids, ours do not
  EXPECT_EQ(json_diff(meaning(body), meaning(wire::responses::write_reply(fold.take(), {}))), "") << where;
}

void replay_request(const std::string& body, const std::string& where, Tally& tally) {
  ++tally.requests;
  const auto request = wire::responses::read_request(body);
  ASSERT_TRUE(request) << where << ": " << request.error().message;
  const wire::TargetInfo target{.model = request->model};
  const auto written = wire::responses::write_request(*request, target);
  ASSERT_TRUE(written) << where << ": " << written.error().message;
  EXPECT_TRUE(written->dropped.empty()) << where;
  const auto again = wire::responses::read_request(written->body);
  ASSERT_TRUE(again) << where << ": " << again.error().message;
  EXPECT_EQ(wire::responses::write_request(*again, target)->body, written->body) << where;
  std::vector<std::string> mask = {"store", "include", "stream", "input"};
  EXPECT_EQ(json_diff(meaning(body), meaning(written->body), mask), "") << where;
  // Items: an easy message gets its type, a string becomes one.
  json::Document first, second;
  const auto left = first.parse_object(body), right = second.parse_object(written->body);
  const auto asked = json::find(*left, "input"), got = json::find(*right, "input");
  ASSERT_TRUE(asked && got) << where;
  const auto items = json::as_array(*asked);
  if (!items) return;
  const auto ours = json::as_array(*got);
  ASSERT_EQ(items->size(), ours->size()) << where;
  for (size_t i = 0; i < items->size(); ++i) {
    EXPECT_EQ(json_diff(meaning(items->at(i).value_unsafe()), meaning(ours->at(i).value_unsafe()), {"type"}), "")
        << where << " item " << i;
  }
}

class ResponsesTranscripts : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(shared_wire())) GTEST_SKIP() << "no recordings at " << shared_wire();
  }
};

TEST_F(ResponsesTranscripts, VercelAi) {
  Tally tally;
  for (const fs::path& file : files_below(shared_wire() / "vercel-ai")) {
    const std::string text = slurp(file), where = fs::relative(file, shared_wire()).string();
    if (where.ends_with(".chunks.txt") && text.find("\"type\":\"response.created\"") != text.npos) {
      std::string bytes;
      for (const std::string_view line : split(text, '\n')) {
        if (!trim(line).empty()) bytes.append("data: ").append(trim(line)).append("\n\n");
      }
      replay_sse(bytes, where, tally);
    } else if (where.ends_with(".json")) {
      json::Document document;
      const auto object = document.parse_object(text);
      if (object && json::string_or(*object, "object") == "response") replay_body_text(text, where, tally);
    }
  }
  std::printf("responses of vercel-ai: %d streams, %d whole\n", tally.streams, tally.bodies);
  EXPECT_GE(tally.streams, 45);
  EXPECT_GE(tally.bodies, 40);
}

std::string body_of(const YAML::Node& body) {
  const YAML::Node text = body["string"];
  if (!text || !text.IsScalar()) return {};
  if (text.Tag() != "!binary" && text.Tag() != "tag:yaml.org,2002:binary") return text.Scalar();
  std::string packed;
  for (const char c : text.Scalar()) {
    if (c > ' ') packed.push_back(c);
  }
  return base64_decode(packed).value_or("");
}

TEST_F(ResponsesTranscripts, RubyLlmCassettes) {
  Tally tally;
  for (const fs::path& file : files_below(shared_wire() / "ruby_llm")) {
    const std::string text = slurp(file);
    if (text.find("/responses") == text.npos) continue;
    const YAML::Node root = YAML::Load(text);
    for (const YAML::Node& item : root["http_interactions"]) {
      const std::string uri = item["request"]["uri"].as<std::string>();
      if (!uri.substr(0, uri.find('?')).ends_with("/responses")) continue;
      const std::string where = file.filename().string(), asked = body_of(item["request"]["body"]),
                        got = body_of(item["response"]["body"]);
      const int status = item["response"]["status"]["code"].as<int>(200);
      if (status < 400) replay_request(asked, where, tally);
      if (got.empty() || got.starts_with("\x1f\x8b")) continue;
      if (status >= 400) {
        ++tally.errors;
        const Error error = wire::openai::read_error(status, "application/json", got);
        EXPECT_FALSE(error.message.empty()) << where;
      } else if (trim(got).starts_with('{')) {
        replay_body_text(got, where, tally);
      } else {
        replay_sse(got, where, tally);
      }
    }
  }
  std::printf("responses of ruby_llm: %d streams, %d whole, %d requests, %d errors\n", tally.streams, tally.bodies,
              tally.requests, tally.errors);
  EXPECT_GE(tally.requests, 50);
}

}  // namespace
}  // namespace ajar::wiretest
