#include "gateway/estimate.h"

#include <bit>
#include <cstring>

#include "gateway/token_model.h"

namespace ajar {

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
  static const TokenModel kUntaught;
  return kUntaught.estimate(features_of(request));
}

int64_t estimate_input_tokens(const EmbeddingRequest& request) {
  int64_t tokens = 1;
  for (const auto& text : request.texts) tokens += estimate_text_tokens(text);
  for (const auto& row : request.tokens) tokens += int64_t(row.size());
  return tokens;
}

int64_t estimate_input_tokens(const RerankRequest& request) {
  // The query is read beside every document.
  const int64_t query = estimate_text_tokens(request.query);
  int64_t tokens = 1;
  for (const auto& text : request.documents) tokens += query + estimate_text_tokens(text);
  return tokens;
}

}  // namespace ajar
