#include <algorithm>
#include <cstdio>

#include "engine/bpe.h"
#include "engine/gguf.h"
#include "engine/mapped_file.h"
#include "engine/spm.h"

namespace ajar::engine {
namespace {

constexpr size_t kMaxTokens = 4'000'000;
enum TokenType : int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

// GPT-2 writes bytes as printable characters: those that print stand for themselves, the others are U+0100 and on.
class PrintableBytes {
 public:
  PrintableBytes() {
    std::fill_n(of_, kSize, -1);
    int next = 256;
    for (int byte = 0; byte < 256; ++byte) {
      const bool prints = (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
      of_[prints ? byte : next++] = byte;
    }
  }
  // The bytes that `text` stands for. A character outside the table stays what it is: added tokens are plain text.
  std::string decode(std::string_view text) const {
    std::string out;
    for (size_t at = 0; at < text.size();) {
      const auto lead = uint8_t(text[at]);
      if (lead < 0x80) {
        out.push_back(text[at++]);
        continue;
      }
      const int code = lead < 0xe0 && at + 1 < text.size() ? (lead & 0x1f) << 6 | (uint8_t(text[at + 1]) & 0x3f) : -1;
      if (code >= 0 && code < kSize && of_[code] >= 0) {
        out.push_back(char(of_[code]));
        at += 2;
      } else {
        out.push_back(text[at++]);
      }
    }
    return out;
  }

 private:
  static constexpr int kSize = 256 + 68;
  int of_[kSize];  // -1: stands for nothing
};

struct Tokens {
  std::vector<std::string_view> text;
  std::vector<int32_t> types;
  TokenType type(size_t id) const { return id < types.size() ? TokenType(types[id]) : kNormal; }
};

void note_kinds(const Tokens& tokens, std::vector<WholeToken>& whole, std::vector<bool>& control) {
  control.resize(tokens.text.size());
  for (size_t id = 0; id < tokens.text.size(); ++id) {
    const TokenType type = tokens.type(id);
    control[id] = type == kControl || type == kUnused || type == kUnknown;
    if (type == kUserDefined) whole.push_back({std::string(tokens.text[id]), int32_t(id)});
  }
}

Result<std::shared_ptr<const Tokenizer>> load_bpe(const GgufMetadata& metadata, const Tokens& tokens) {
  BpeParts parts;
  const std::string_view family = metadata.string("tokenizer.ggml.pre").value_or("default");
  AJAR_ASSIGN(parts.pretokenizer, Pretokenizer::of_family(family));
  parts.whole_piece_first = family == "llama-bpe" || family == "llama3" || family == "llama-v3" || family == "tekken";
  note_kinds(tokens, parts.whole, parts.control);
  const PrintableBytes printable;
  parts.vocabulary.reserve(tokens.text.size(), tokens.text.size() * 8);
  for (size_t id = 0; id < tokens.text.size(); ++id) {
    const TokenType type = tokens.type(id);
    const bool plain = type == kUserDefined || type == kControl;
    parts.vocabulary.add(int32_t(id), plain ? std::string(tokens.text[id]) : printable.decode(tokens.text[id]));
  }
  const auto merges = metadata.strings("tokenizer.ggml.merges");
  if (merges.empty()) return invalid("tokenizer.ggml.merges", "there are no merges");
  parts.merges.reserve(merges.size());
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const size_t space = merges[rank].find(' ', 1);
    if (space == std::string_view::npos) {
      return invalid("tokenizer.ggml.merges", "merge " + std::to_string(rank) + " is not two tokens");
    }
    const std::string left = printable.decode(merges[rank].substr(0, space));
    const std::string right = printable.decode(merges[rank].substr(space + 1));
    const int32_t a = parts.vocabulary.find(left), b = parts.vocabulary.find(right),
                  both = parts.vocabulary.find(left + right);
    if (a < 0 || b < 0 || both < 0) continue;  // files carry merges of tokens that were cut from the vocabulary
    parts.merges.try_emplace(uint64_t(uint32_t(a)) << 32 | uint32_t(b), BpeParts::Merge{int32_t(rank), both});
  }
  return make_bpe(std::move(parts));
}

Result<std::shared_ptr<const Tokenizer>> load_spm(const GgufMetadata& metadata, const Tokens& tokens) {
  SpmParts parts;
  parts.scores = metadata.floats("tokenizer.ggml.scores");
  if (parts.scores.size() != tokens.text.size()) {
    return invalid("tokenizer.ggml.scores", std::to_string(parts.scores.size()) + " scores for " +
                                                std::to_string(tokens.text.size()) + " tokens");
  }
  note_kinds(tokens, parts.whole, parts.control);
  parts.byte_ids.assign(256, -1);
  parts.vocabulary.reserve(tokens.text.size(), tokens.text.size() * 8);
  for (size_t id = 0; id < tokens.text.size(); ++id) {
    const std::string_view text = tokens.text[id];
    if (tokens.type(id) == kByte && text.size() == 6) {  // "<0xE2>"
      unsigned byte = 0;
      if (std::sscanf(std::string(text).c_str(), "<0x%2X>", &byte) == 1) parts.byte_ids[byte & 0xff] = int32_t(id);
    }
    parts.vocabulary.add(int32_t(id), text);
  }
  parts.add_space_prefix = metadata.boolean("tokenizer.ggml.add_space_prefix").value_or(true);
  parts.unknown = int32_t(metadata.integer("tokenizer.ggml.unknown_token_id").value_or(0));
  return make_spm(std::move(parts));
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> load_gguf_tokenizer(const std::string& path) {
  AJAR_ASSIGN(const auto file, MappedFile::open(path));
  auto metadata = GgufMetadata::read(file->bytes());
  if (!metadata) return std::unexpected(std::move(metadata.error()).in(path));
  const Tokens tokens{.text = metadata->strings("tokenizer.ggml.tokens"),
                      .types = metadata->integers("tokenizer.ggml.token_type")};
  if (tokens.text.empty() || tokens.text.size() > kMaxTokens) {
    return invalid("tokenizer.ggml.tokens", path + ": there is no vocabulary of at most 4,000,000 tokens");
  }
  const std::string_view model = metadata->string("tokenizer.ggml.model").value_or("");
  Result<std::shared_ptr<const Tokenizer>> tokenizer =
      model == "gpt2" ? load_bpe(*metadata, tokens)
      : model == "llama" ? load_spm(*metadata, tokens)
      : fail(Code::kUnsupported, "the tokenizer model '" + std::string(model) + "' is not supported",
             "tokenizer.ggml.model");
  if (!tokenizer) return std::unexpected(std::move(tokenizer.error()).in(path));
  return tokenizer;
}

}  // namespace ajar::engine
