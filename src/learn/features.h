#pragma once
// A text as numbers without a vocabulary: hashed words, pairs of words and pieces of words (the hashing trick, Weinberger et al.,
// 2009), of length 1. The same on every machine. Pure functions, any thread.

#include <cstdint>
#include <string_view>
#include <vector>

namespace ajar::learn {

struct FeatureOptions {
  uint8_t bits = 15;           // 2^bits columns; 0: none at all
  uint8_t words = 2;           // up to that many neighbouring words
  uint8_t pieces_from = 3;     // pieces of a word, in code points, its ends marked; from > to: none
  uint8_t pieces_to = 5;
  bool operator==(const FeatureOptions&) const = default;

  uint32_t columns() const { return bits == 0 ? 0 : uint32_t{1} << bits; }
};

// Columns ascending, each once.
struct SparseVector {
  std::vector<uint32_t> columns;
  std::vector<float> values;
  bool operator==(const SparseVector&) const = default;
};

// Words are runs of letters, digits and everything beyond ASCII, in lower case. A value grows with the square root of the
// count. Empty for a text without words. Only the first 64 KB are read.
SparseVector hashed_features(std::string_view text, const FeatureOptions& options = {});

// The words themselves, in lower case, in order.
std::vector<std::string_view> words_of(std::string_view lower_text);

}  // namespace ajar::learn
