// Recorded traffic of many providers, replayed: nothing may be lost between a provider's bytes, our
// events and the client's bytes. The recordings are not part of this repository; without them the
// tests are skipped.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/text.h"
#include "compare.h"
#include "json/read.h"
#include "json/write.h"
#include "replay.h"
#include "wire/openai/chat.h"
#include "wire/openai/embeddings.h"

namespace ajar::wiretest {
namespace {

namespace fs = std::filesystem;

fs::path shared_wire() {
  const char* given = std::getenv("AJAR_SHARED");
  const fs::path root =
      given != nullptr ? fs::path(given) : fs::path(AJAR_SOURCE_DIR) / ".." / "shared" / "data";
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
  int streams = 0, bodies = 0, requests = 0, errors = 0, others = 0;
  void print(std::string_view what) const {
    std::printf("%.*s: %d streams, %d whole replies, %d requests, %d errors; %d other files\n",
                int(what.size()), what.data(), streams, bodies, requests, errors, others);
  }
};

class Transcripts : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(shared_wire())) GTEST_SKIP() << "no recordings at " << shared_wire();
  }
};

std::string whole(const EventBatch& events) {
  Fold fold;
  fold.add(events);
  return wire::openai::write_reply(fold.take(), {.include_usage = true});
}

// decode → encode → decode gives the same reply.
void check_round_trip(const Replay& replay, const std::string& where) {
  const wire::ReplyOptions options{.include_usage = true};
  const auto encoder = wire::openai::new_encoder(options);
  std::string bytes;
  for (const EventBatch& batch : replay.batches) encoder->encode(batch, bytes);
  encoder->finish(StreamEnd::kComplete, nullptr, bytes);
  for (const std::string& payload : payloads(bytes)) {
    if (payload == "[DONE]") continue;
    json::Document document;
    ASSERT_TRUE(document.parse(payload)) << where << ": " << payload;
  }
  const Replay again = replay_stream(wire::openai::new_decoder, bytes);
  EXPECT_EQ(describe(again.end), "complete") << where;
  EXPECT_EQ(json_diff(whole(replay.events), whole(again.events), {"created"}), "") << where;
}

void replay_sse(const std::string& bytes, const std::string& where, Tally& tally) {
  ++tally.streams;
  const Replay replay = replay_stream(wire::openai::new_decoder, bytes);
  // One recording ends in the middle, with a line that is no server-sent event ("error: {...}").
  if (bytes.find("\nerror: {") != bytes.npos) {
    EXPECT_TRUE(!replay.end && replay.end.error().code == Code::kCut) << where;
  } else {
    EXPECT_EQ(describe(replay.end), "complete") << where;
  }
  EXPECT_EQ(check_splits(wire::openai::new_decoder, bytes, replay), "") << where;
  if (replay.end) check_round_trip(replay, where);
}

// A copy without what means nothing: null members, and what we always or never say.
std::string meaning(const json::Value& value) {
  if (const auto object = json::as_object(value)) {
    std::string out = "{";
    for (const auto field : *object) {
      if (field.value.is_null()) continue;
      if (out.size() > 1) out.push_back(',');
      json::append_string(out, field.key);
      const bool short_image =
          field.key == "image_url" && field.value.is_string();  // Mistral's short form
      out += short_image ? ":{\"url\":" + json::raw(field.value) + "}" : ":" + meaning(field.value);
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

void replay_body_text(const std::string& body, const std::string& where, Tally& tally) {
  ++tally.bodies;
  const Replay replay = replay_body(wire::openai::new_decoder, body);
  EXPECT_EQ(describe(replay.end), "complete") << where << body.substr(0, 300);
  if (!replay.end) return;
  check_round_trip(replay, where);
  if (std::getenv("AJAR_SHOW_LOSS") != nullptr) {
    std::printf("%s\n%s", where.c_str(),
                json_diff(meaning(body), meaning(whole(replay.events))).c_str());
  }
}

void replay_request(const std::string& body, const std::string& where, Tally& tally) {
  ++tally.requests;
  const auto request = wire::openai::read_request(body);
  ASSERT_TRUE(request) << where << ": " << request.error().message;
  wire::TargetInfo target;
  target.model = request->model;
  target.preset = "openai_compatible";
  const auto written = wire::openai::write_request(*request, target);
  ASSERT_TRUE(written) << where;
  EXPECT_TRUE(written->dropped.empty()) << where;
  std::vector<std::string> mask = {"stream_options"};
  if (!request->stream) mask.emplace_back("stream");
  EXPECT_EQ(json_diff(meaning(body), meaning(written->body), mask), "") << where;
  // And what we wrote reads as what we read.
  const auto again = wire::openai::read_request(written->body);
  ASSERT_TRUE(again) << where << ": " << again.error().message;
  EXPECT_EQ(wire::openai::write_request(*again, target)->body, written->body) << where;
}

// One HTTP exchange of a cassette.
void replay_exchange(const std::string& url, const std::string& request, int status,
                     const std::string& type, const std::string& response, const std::string& where,
                     Tally& tally) {
  if (url.find("/chat/completions") == url.npos) {
    ++tally.others;
    return;
  }
  json::Document document;
  const auto asked = document.parse_object(request);
  const bool asks = asked && json::find(*asked, "messages") && json::find(*asked, "model");
  if (asks && status < 400) replay_request(request, where, tally);
  if (response.empty() || response.starts_with("\x1f\x8b")) return;
  if (status >= 400) {
    ++tally.errors;
    const Error error = wire::openai::read_error(status, type, response);
    EXPECT_FALSE(error.message.empty()) << where;
    EXPECT_EQ(error.upstream_status, status) << where;
  } else if (trim(response).starts_with('{')) {
    replay_body_text(response, where, tally);
  } else {
    replay_sse(response, where, tally);
  }
}

TEST_F(Transcripts, VercelAi) {
  Tally tally;
  for (const char* folder : {"openai", "azure", "groq", "mistral", "deepseek", "xai", "moonshotai",
                             "alibaba", "perplexity", "openai-compatible", "togetherai"}) {
    for (const fs::path& file : files_below(shared_wire() / "vercel-ai" / folder)) {
      const std::string text = slurp(file), where = fs::relative(file, shared_wire()).string();
      if (where.ends_with(".chunks.txt") && text.find("\"chat.completion.chunk\"") != text.npos) {
        std::string bytes;
        for (const std::string_view line : split(text, '\n')) {
          if (!trim(line).empty()) bytes.append("data: ").append(trim(line)).append("\n\n");
        }
        if (bytes.find("[DONE]") == bytes.npos) bytes += "data: [DONE]\n\n";
        replay_sse(bytes, where, tally);
      } else if (where.ends_with(".sse")) {
        replay_sse(text, where, tally);
      } else if (where.ends_with(".json") && text.find("\"choices\"") != text.npos &&
                 text.find("\"message\"") != text.npos) {
        replay_body_text(text, where, tally);
      } else if (where.ends_with("error.json")) {
        ++tally.errors;
        EXPECT_NE(wire::openai::read_error(400, "application/json", text).message, "") << where;
      } else {
        ++tally.others;
      }
    }
  }
  tally.print("vercel-ai");
  EXPECT_GE(tally.streams, 15);
  EXPECT_GE(tally.bodies, 15);
}

TEST_F(Transcripts, TensorzeroMockProvider) {
  Tally tally;
  for (const fs::path& file : files_below(shared_wire() / "tensorzero-mock-provider")) {
    const std::string text = slurp(file), where = fs::relative(file, shared_wire()).string();
    if (where.ends_with(".json")) {
      replay_body_text(text, where, tally);
      continue;
    }
    std::string bytes;
    for (const std::string_view line : split(text, '\n')) {
      if (!trim(line).empty()) bytes.append("data: ").append(trim(line)).append("\n\n");
    }
    replay_sse(bytes, where, tally);
  }
  tally.print("tensorzero-mock-provider");
}

TEST_F(Transcripts, EnvoyAiGateway) {
  Tally tally;
  for (const fs::path& file : files_below(shared_wire() / "envoy-ai-gateway")) {
    const YAML::Node root = YAML::LoadFile(file.string());
    for (const YAML::Node& item : root["interactions"]) {
      replay_exchange(
          item["request"]["url"].as<std::string>(), item["request"]["body"].as<std::string>(""),
          item["response"]["code"].as<int>(200), "application/json",
          item["response"]["body"].as<std::string>(""), file.filename().string(), tally);
    }
  }
  tally.print("envoy-ai-gateway");
  EXPECT_GE(tally.requests, 10);
}

std::string body_of(const YAML::Node& body) {
  const YAML::Node text = body["string"];
  if (!text || !text.IsScalar()) return {};
  if (text.Tag() == "!binary" || text.Tag() == "tag:yaml.org,2002:binary") {
    std::string packed;
    for (const char c : text.Scalar()) {
      if (c > ' ') packed.push_back(c);
    }
    return base64_decode(packed).value_or("");
  }
  return text.Scalar();
}

TEST_F(Transcripts, RubyLlmCassettes) {
  Tally tally;
  for (const fs::path& file : files_below(shared_wire() / "ruby_llm")) {
    const std::string text = slurp(file);
    if (text.find("/chat/completions") == text.npos) {
      ++tally.others;
      continue;
    }
    const YAML::Node root = YAML::Load(text);
    for (const YAML::Node& item : root["http_interactions"]) {
      replay_exchange(item["request"]["uri"].as<std::string>(), body_of(item["request"]["body"]),
                      item["response"]["status"]["code"].as<int>(200), "application/json",
                      body_of(item["response"]["body"]), file.filename().string(), tally);
    }
  }
  tally.print("ruby_llm");
  EXPECT_GE(tally.requests, 100);
}

TEST_F(Transcripts, Embeddings) {
  int requests = 0, replies = 0;
  for (const fs::path& file : files_below(shared_wire() / "ruby_llm")) {
    const std::string name = file.filename().string();
    if (!name.starts_with("embedding_")) continue;
    const YAML::Node root = YAML::LoadFile(file.string());
    for (const YAML::Node& item : root["http_interactions"]) {
      if (!item["request"]["uri"].as<std::string>().ends_with("/v1/embeddings")) continue;
      if (name.find("perplexity") != name.npos) continue;  // int8 vectors, not OpenAI's format
      const std::string asked = body_of(item["request"]["body"]),
                        got = body_of(item["response"]["body"]);
      const auto request = wire::openai::read_embedding_request(asked);
      ASSERT_TRUE(request) << name << request.error().message;
      wire::TargetInfo target{.model = request->model};
      EXPECT_EQ(json_diff(asked, wire::openai::write_embedding_request(*request, target)->body), "")
          << name;
      ++requests;
      const auto reply = wire::openai::read_embedding_reply(got);
      ASSERT_TRUE(reply) << name << reply.error().message;
      EXPECT_EQ(reply->rows(), request->rows()) << name;
      EmbeddingRequest as_base64 = *request;
      as_base64.base64 = true;
      for (const EmbeddingRequest& form : {*request, as_base64}) {
        const auto again =
            wire::openai::read_embedding_reply(wire::openai::write_embedding_reply(*reply, form));
        ASSERT_TRUE(again) << name;
        EXPECT_EQ(again->values, reply->values) << name;
      }
      ++replies;
    }
  }
  std::printf("embeddings: %d requests, %d replies\n", requests, replies);
}

}  // namespace
}  // namespace ajar::wiretest
