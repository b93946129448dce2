#include "learn/features.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/text.h"

namespace ajar::learn {
namespace {

constexpr size_t kMostBytes = 64 << 10;

bool in_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

// FNV-1a, its bits mixed once more since only the low ones choose the column.
class Hash {
 public:
  explicit Hash(uint64_t kind) { add(static_cast<char>(kind)); }
  Hash& add(char c) {
    state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return *this;
  }
  Hash& add(std::string_view text) {
    for (const char c : text) add(c);
    return *this;
  }
  uint64_t value() const {
    uint64_t h = state_;
    h ^= h >> 33, h *= 0xff51afd7ed558ccd, h ^= h >> 33;
    return h;
  }

 private:
  uint64_t state_ = 0xcbf29ce484222325;
};

bool starts_code_point(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

}  // namespace

std::vector<std::string_view> words_of(std::string_view lower_text) {
  std::vector<std::string_view> out;
  for (size_t at = 0; at < lower_text.size();) {
    if (!in_word(lower_text[at])) {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < lower_text.size() && in_word(lower_text[end])) ++end;
    out.push_back(lower_text.substr(at, end - at));
    at = end;
  }
  return out;
}

SparseVector hashed_features(std::string_view text, const FeatureOptions& options) {
  SparseVector out;
  if (options.bits == 0) return out;
  const std::string lower = to_lower(text.substr(0, kMostBytes));
  const auto words = words_of(lower);
  const uint64_t mask = options.columns() - 1;
  std::vector<uint32_t> hashes;
  const auto add = [&](const Hash& hash) { hashes.push_back(static_cast<uint32_t>(hash.value() & mask)); };

  for (size_t i = 0; i < words.size(); ++i) {
    Hash hash(1);
    for (size_t n = 0; n < options.words && i + n < words.size(); ++n) add(hash.add(' ').add(words[i + n]));
  }
  std::string marked;
  std::vector<size_t> starts;
  for (const std::string_view word : words) {
    marked.assign("<").append(word).append(">");
    starts.clear();
    for (size_t at = 0; at < marked.size(); ++at)
      if (starts_code_point(marked[at])) starts.push_back(at);
    starts.push_back(marked.size());
    const size_t length = starts.size() - 1;
    for (size_t n = options.pieces_from; n <= options.pieces_to && n <= length; ++n)
      for (size_t i = 0; i + n <= length; ++i)
        add(Hash(2).add(std::string_view(marked).substr(starts[i], starts[i + n] - starts[i])));
  }

  std::ranges::sort(hashes);
  double square = 0;
  for (size_t at = 0; at < hashes.size();) {
    size_t end = at;
    while (end < hashes.size() && hashes[end] == hashes[at]) ++end;
    const auto count = static_cast<double>(end - at);
    out.columns.push_back(hashes[at]);
    out.values.push_back(static_cast<float>(std::sqrt(count)));
    square += count;
    at = end;
  }
  const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
  for (float& v : out.values) v = static_cast<float>(v * scale);
  return out;
}

}  // namespace ajar::learn
