#include "app/mock_dialects.h"

#include "json/write.h"

namespace ajar::app {

std::span<const MockSpeaker* const> mock_speakers() {
  static const MockSpeaker* const kAll[] = {&bedrock_speaker(), &cohere_speaker(), &ollama_speaker(), &replicate_speaker()};
  return kAll;
}

const MockSpeaker* find_speaker(MockDialect dialect) {
  for (const MockSpeaker* speaker : mock_speakers()) {
    if (speaker->dialect == dialect) return speaker;
  }
  return nullptr;
}

bool mock_gets(std::string_view path) {
  for (const MockSpeaker* speaker : mock_speakers()) {
    if (speaker->gets && speaker->gets(path)) return true;
  }
  return false;
}

std::string mock_text(const MockReply& reply) {
  std::string out;
  for (const auto& token : reply.tokens) out += token;
  return out;
}

std::vector<MockCall> mock_calls(const MockReply& reply) {
  std::vector<MockCall> calls;
  if (!reply.tool.empty()) calls.push_back({reply.tool, reply.arguments});
  calls.insert(calls.end(), reply.more.begin(), reply.more.end());
  return calls;
}

int64_t mock_output_tokens(const MockReply& reply) { return reply.tool.empty() ? int64_t(reply.tokens.size()) : 12; }

std::string mock_quoted(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

std::string mock_embedding_rows(const MockRequest& request) {
  std::string out = "[";
  for (const auto& input : request.inputs) {
    if (out.back() != '[') out += ",";
    out += "[";
    for (const float value : mock_embedding(input, request.dimensions)) {
      if (out.back() != '[') out += ",";
      json::append_double(out, value);
    }
    out += "]";
  }
  return out + "]";
}

}  // namespace ajar::app
