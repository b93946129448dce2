// Recorded traffic of Bedrock and Cohere: every answer must decode, at every split, to what it says. Skipped where the
// recordings are absent.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "base/text.h"
#include "core/reply.h"
#include "json/read.h"
#include "replay.h"
#include "wire/bedrock/bedrock.h"
#include "wire/cohere/cohere.h"
#include "wire/gemini/gemini.h"

namespace ajar::wiretest {
namespace {

namespace fs = std::filesystem;
using wire::Framing;

fs::path recordings() {
  const char* shared = std::getenv("AJAR_SHARED");
  return (shared ? fs::path(shared) : fs::path(AJAR_SOURCE_DIR).parent_path() / "shared" / "data") / "wire";
}

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> out;
  if (!fs::exists(folder)) return out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) out.push_back(entry.path());
  }
  std::ranges::sort(out);
  return out;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  for (const std::string_view line : split(text, '\n')) {
    if (!trim(line).empty()) out.emplace_back(trim(line));
  }
  return out;
}

// Well-formed, and fold(unfold(reply)) == reply. Returns the text.
std::string check(const Replay& replay, bool measured) {
  EXPECT_TRUE(replay.end) << describe(replay.end);
  EXPECT_TRUE(replay.done);
  Fold fold;
  fold.add(replay.events);
  const Reply reply = fold.take();
  EXPECT_EQ(std::ranges::count(replay.events, Event::Kind::kStart, &Event::kind), 1);
  EXPECT_EQ(reply.usage.reported, measured);
  for (const Event& event : replay.events) {
    EXPECT_TRUE(valid_utf8(event.text));
    if (!event.raw.empty() && !event.redacted) {
      EXPECT_EQ(json::explain(event.raw), "");
    }
  }
  std::string text;
  for (const Choice& choice : reply.choices) {
    EXPECT_NE(choice.finish, Finish::kNone);
    text += choice.text();
    for (const Part& part : choice.parts) {
      if (part.kind != Part::Kind::kToolCall) continue;
      EXPECT_FALSE(part.id.empty());
      EXPECT_FALSE(part.name.empty());
      EXPECT_EQ(json::explain(part.arguments), "") << part.arguments;
    }
  }
  Fold again;
  again.add(unfold(reply));
  EXPECT_EQ(describe(unfold(again.take())), describe(unfold(reply)));
  return text;
}

std::string check_stream(const NewDecoder& new_decoder, std::string_view bytes, Framing framing, bool measured = true) {
  const Replay replay = replay_stream(new_decoder, bytes, 0, 0, framing);
  EXPECT_EQ(check_splits(new_decoder, bytes, replay, framing), "");
  return check(replay, measured);
}

TEST(Recorded, BedrockFixtures) {
  const fs::path folder = recordings() / "vercel-ai/amazon-bedrock/src/__fixtures__";
  if (!fs::exists(folder)) GTEST_SKIP() << "no recordings at " << folder;
  int streams = 0, bodies = 0;
  for (const fs::path& path : files_below(folder)) {
    SCOPED_TRACE(path.filename());
    const std::string text = slurp(path);
    if (path.string().ends_with(".chunks.txt")) {
      ++streams;
      const bool measured = text.find("\"usage\"") != text.npos;
      check_stream(wire::bedrock::new_decoder, framed(lines_of(text), Framing::kAwsEvents, false), Framing::kAwsEvents, measured);
    } else {
      ++bodies;
      check(replay_body(wire::bedrock::new_decoder, text), true);
    }
  }
  EXPECT_GE(streams, 10);
  EXPECT_GE(bodies, 10);
}

TEST(Recorded, CohereFixtures) {
  const fs::path folder = recordings() / "vercel-ai/cohere/src/__fixtures__";
  if (!fs::exists(folder)) GTEST_SKIP() << "no recordings at " << folder;
  int streams = 0, bodies = 0, embeddings = 0;
  for (const fs::path& path : files_below(folder)) {
    SCOPED_TRACE(path.filename());
    const std::string text = slurp(path);
    if (path.string().ends_with(".chunks.txt")) {
      ++streams;
      check_stream(wire::cohere::new_decoder, framed(lines_of(text), Framing::kSse, true), Framing::kSse);
    } else if (text.find("\"embeddings\"") != text.npos) {
      ++embeddings;
      const auto reply = wire::cohere::read_embedding_reply(text);
      ASSERT_TRUE(reply) << reply.error().message;
      EXPECT_EQ(reply->rows(), 2u);
      EXPECT_GT(reply->usage.input, 0);
    } else {
      ++bodies;
      check(replay_body(wire::cohere::new_decoder, text), true);
    }
  }
  EXPECT_GE(streams, 4);
  EXPECT_GE(bodies, 5);
  EXPECT_EQ(embeddings, 1);
}

TEST(Recorded, VertexEmbeddings) {
  const fs::path file = recordings() / "vercel-ai/google-vertex/src/__fixtures__/google-vertex-embedding.json";
  if (!fs::exists(file)) GTEST_SKIP() << "no recording at " << file;
  const auto reply = wire::gemini::read_embedding_reply(slurp(file));
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_GT(reply->rows(), 0u);
  EXPECT_GT(reply->usage.input, 0);
}

// Gemini's streams as the array that the API sends without alt=sse.
TEST(Recorded, GeminiArrays) {
  const fs::path folder = recordings() / "vercel-ai/google/src/__fixtures__";
  if (!fs::exists(folder)) GTEST_SKIP() << "no recordings at " << folder;
  int streams = 0;
  for (const fs::path& path : files_below(folder)) {
    if (!path.string().ends_with(".chunks.txt")) continue;
    SCOPED_TRACE(path.filename());
    ++streams;
    const auto lines = lines_of(slurp(path));
    const std::string array = framed(lines, Framing::kJsonArray, false), events = framed(lines, Framing::kSse, false);
    const Replay replay = replay_stream(wire::gemini::new_decoder, array, 0, 0, Framing::kJsonArray);
    EXPECT_EQ(describe(replay.events), describe(replay_stream(wire::gemini::new_decoder, events).events));
    if (array.size() < 20'000) EXPECT_EQ(check_splits(wire::gemini::new_decoder, array, replay, Framing::kJsonArray), "");
  }
  EXPECT_GE(streams, 8);
}

struct Exchange {
  std::string uri, request, type, response;
  int status = 0;
};

std::string scalar(const YAML::Node& body) {
  const YAML::Node node = body["string"];
  if (!node || !node.IsScalar()) return {};
  const std::string text = node.as<std::string>();
  if (node.Tag() != "!binary" && node.Tag() != "tag:yaml.org,2002:binary") return text;
  std::string packed;
  std::ranges::copy_if(text, std::back_inserter(packed), [](char c) { return c != '\n' && c != ' '; });
  return base64_decode(packed).value_or("");
}

void for_each_exchange(const fs::path& folder, const std::function<void(const Exchange&)>& use) {
  for (const fs::path& path : files_below(folder)) {
    if (path.extension() != ".yml") continue;
    const std::string text = slurp(path);
    if (text.find("bedrock-runtime") == text.npos) continue;
    SCOPED_TRACE(path.filename());
    for (const YAML::Node& item : YAML::Load(text)["http_interactions"]) {
      Exchange exchange;
      exchange.uri = item["request"]["uri"].as<std::string>();
      exchange.request = scalar(item["request"]["body"]);
      exchange.status = item["response"]["status"]["code"].as<int>();
      exchange.response = scalar(item["response"]["body"]);
      if (const YAML::Node type = item["response"]["headers"]["Content-Type"]; type && type.IsSequence()) {
        exchange.type = type[0].as<std::string>();
      }
      use(exchange);
    }
  }
}

// The streams are the wire's own bytes, checksums and all.
TEST(Recorded, BedrockCassettes) {
  const fs::path folder = recordings() / "ruby_llm";
  if (!fs::exists(folder)) GTEST_SKIP() << "no recordings at " << folder;
  int streams = 0, bodies = 0, errors = 0, embeddings = 0;
  for_each_exchange(folder, [&](const Exchange& exchange) {
    if (exchange.uri.ends_with("/invoke")) {
      ++embeddings;
      const auto reply = wire::bedrock::read_embedding_reply(exchange.response);
      ASSERT_TRUE(reply) << reply.error().message;
      EXPECT_GT(reply->dim, 100u);
      return;
    }
    const bool stream = exchange.uri.ends_with("/converse-stream");
    if (!stream && !exchange.uri.ends_with("/converse")) return;
    if (exchange.status >= 400) {
      ++errors;
      const Error error = wire::bedrock::read_error(exchange.status, exchange.type, exchange.response);
      EXPECT_FALSE(error.message.empty());
      EXPECT_EQ(error.code, exchange.status == 403 ? Code::kUpstream : Code::kInvalid);
      if (exchange.status == 400) EXPECT_EQ(error.type, "context_length_exceeded");
    } else if (stream) {
      ++streams;
      EXPECT_EQ(wire::framing_of(exchange.type, Framing::kNone, true), Framing::kAwsEvents);
      EXPECT_FALSE(check_stream(wire::bedrock::new_decoder, exchange.response, Framing::kAwsEvents).empty() &&
                   exchange.response.find("toolUse") == std::string::npos);
    } else {
      ++bodies;
      check(replay_body(wire::bedrock::new_decoder, exchange.response), true);
    }
  });
  std::printf("  %d streams, %d whole replies, %d errors\n", streams, bodies, errors);
  EXPECT_GE(streams, 7);
  EXPECT_GE(bodies, 40);
  EXPECT_EQ(errors, 2);
  EXPECT_GE(embeddings, 4);
}

}  // namespace
}  // namespace ajar::wiretest
