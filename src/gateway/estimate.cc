#include "gateway/estimate.h"

#include <bit>
#include <cstring>

namespace ajar {
namespace {

constexpr int64_t kPerMessage = 4;     // role and separators
constexpr int64_t kPerRequest = 3;
constexpr int64_t kPerImage = 1'600;   // a full-size tile grid; what the large APIs charge at most by default
constexpr int64_t kPerFile = 3'000;

int64_t part_tokens(const Part& part) {
  switch (part.kind) {
    case Part::Kind::kImage: return kPerImage;
    case Part::Kind::kAudio: return 100 + int64_t(part.data.size()) / 1'000;  // ~10 tokens per second
    case Part::Kind::kFile:
      return part.text.empty() ? kPerFile + int64_t(part.data.size()) / 40
                               : estimate_text_tokens(part.text);
    default: break;
  }
  int64_t tokens = estimate_text_tokens(part.text) + estimate_text_tokens(part.name) +
                   estimate_text_tokens(part.arguments) + estimate_text_tokens(part.raw);
  for (const Part& inner : part.content) tokens += part_tokens(inner);
  return tokens;
}

}  // namespace

int64_t count_wide_bytes(std::string_view text) {
  int64_t wide = 0;
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    wide += std::popcount(word & 0x8080808080808080);
  }
  for (; at < text.size(); ++at) wide += (text[at] & 0x80) != 0;
  return wide;
}

int64_t estimate_text_tokens(std::string_view text) {
  // Three and a half ASCII bytes make a token in English and code, two and a half bytes in other scripts.
  const int64_t wide = count_wide_bytes(text);
  const int64_t ascii = int64_t(text.size()) - wide;
  return (ascii * 2 + 6) / 7 + (wide * 2 + 4) / 5;
}

int64_t estimate_input_tokens(const Request& request) {
  int64_t tokens = kPerRequest;
  for (const Message& message : request.messages) {
    tokens += kPerMessage + estimate_text_tokens(message.name);
    for (const Part& part : message.parts) tokens += part_tokens(part);
  }
  for (const Tool& tool : request.tools) {
    tokens += 8 + estimate_text_tokens(tool.name) + estimate_text_tokens(tool.description) +
              estimate_text_tokens(tool.parameters) + estimate_text_tokens(tool.raw);
  }
  return tokens + estimate_text_tokens(request.response_format.schema);
}

int64_t estimate_input_tokens(const EmbeddingRequest& request) {
  int64_t tokens = 1;
  for (const auto& text : request.texts) tokens += estimate_text_tokens(text);
  for (const auto& row : request.tokens) tokens += int64_t(row.size());
  return tokens;
}

}  // namespace ajar
