// SentencePiece's precompiled_charsmap: the size of a trie, the trie, and texts that end with a zero byte, to which its
// values point. The trie is a double array as Darts-clone lays it out: 32-bit little-endian units.

#include <cstring>

#include "engine/normalizer.h"
#include "engine/unicode.h"

namespace ajar::engine {
namespace {

class Charsmap final : public Normalizer {
 public:
  static Result<NormalizerPtr> make(std::string_view bytes) {
    auto map = std::make_unique<Charsmap>();
    uint32_t size = 0;
    if (bytes.size() < 4) return invalid("precompiled_charsmap", "it is shorter than its header");
    std::memcpy(&size, bytes.data(), 4);
    if (size % 4 != 0 || size > bytes.size() - 4 || size == 0) {
      return invalid("precompiled_charsmap", "its trie of " + std::to_string(size) + " bytes is longer than all of it");
    }
    map->units_.resize(size / 4);
    std::memcpy(map->units_.data(), bytes.data() + 4, size);
    map->texts_.assign(bytes.substr(4 + size));
    return map;
  }

  std::string apply(std::string text) const override {
    std::string out;
    out.reserve(text.size());
    for (size_t at = 0; at < text.size();) {
      size_t length = 0;
      const std::string_view by = longest(std::string_view(text).substr(at), length);
      if (length > 0) {
        out.append(by);
        at += length;
      } else {
        const size_t begin = at;
        unicode::next(text, at);
        out.append(text, begin, at - begin);
      }
    }
    return out;
  }

 private:
  // The longest key that `text` starts with; `length` stays 0 where there is none.
  std::string_view longest(std::string_view text, size_t& length) const {
    std::string_view best;
    size_t node = 0;
    const auto offset = [](uint32_t unit) { return size_t(unit >> 10) << ((unit & (1u << 9)) >> 6); };
    node ^= offset(units_[0]);
    for (size_t i = 0; i < text.size(); ++i) {
      const auto byte = uint8_t(text[i]);
      if (byte == 0) break;
      node ^= byte;
      if (node >= units_.size()) break;
      const uint32_t unit = units_[node];
      if ((unit & (1u << 31 | 0xff)) != byte) break;
      node ^= offset(unit);
      if ((unit >> 8 & 1) == 0 || node >= units_.size()) continue;
      const size_t at = units_[node] & ((1u << 31) - 1);
      if (at >= texts_.size()) continue;
      best = std::string_view(texts_).substr(at);
      best = best.substr(0, best.find('\0'));
      length = i + 1;
    }
    return best;
  }

  std::vector<uint32_t> units_;
  std::string texts_;
};

}  // namespace

Result<NormalizerPtr> make_charsmap(std::string bytes) { return Charsmap::make(bytes); }

}  // namespace ajar::engine
