#pragma once
// A small hash table from lower-case ASCII or UTF-8 words to bits, filled once. Lookups take any ASCII case and do not
// allocate.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace ajar::guard {

class WordTable {
 public:
  void add(std::string_view word, uint64_t bits) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    Slot& slot = find(hash(word), word);
    if (slot.word.empty()) slot.hash = hash(word), slot.word = fold(word), ++size_;
    slot.bits |= bits;
  }
  // Words parted by spaces or line ends; '_' within a word stands for a space.
  void add_all(std::string_view words, uint64_t bits) {
    size_t at = 0;
    while ((at = words.find_first_not_of(" \n", at)) != std::string_view::npos) {
      const size_t end = std::min(words.find_first_of(" \n", at), words.size());
      std::string word(words.substr(at, end - at));
      for (char& c : word) {
        if (c == '_') c = ' ';
      }
      add(word, bits);
      at = end;
    }
  }
  uint64_t of(std::string_view word) const {
    if (slots_.empty() || word.empty()) return 0;
    return const_cast<WordTable*>(this)->find(hash(word), word).bits;
  }
  size_t size() const { return size_; }

 private:
  struct Slot {
    uint32_t hash = 0;
    uint64_t bits = 0;
    std::string word;
  };
  static char folded(char c) { return static_cast<unsigned char>(c - 'A') < 26 ? static_cast<char>(c | 0x20) : c; }
  // Eight bytes at once: what lies between 'A' and 'Z' gets its bit 0x20.
  static uint64_t folded(uint64_t x) {
    const uint64_t low7 = x & 0x7f7f7f7f7f7f7f7f;
    const uint64_t upper = (low7 + 0x3f3f3f3f3f3f3f3f) & ~(low7 + 0x2525252525252525) & ~x & 0x8080808080808080;
    return x | upper >> 2;
  }
  static uint64_t load(const char* p, size_t n) {
    uint64_t x = 0;
    if (n >= 8)
      std::memcpy(&x, p, 8);
    else
      for (size_t i = 0; i < n; ++i) x |= uint64_t{static_cast<unsigned char>(p[i])} << 8 * i;
    return folded(x);
  }
  static std::string fold(std::string_view word) {
    std::string out(word);
    for (char& c : out) c = folded(c);
    return out;
  }
  static uint32_t hash(std::string_view word) {
    uint64_t h = word.size();
    for (size_t i = 0; i < word.size(); i += 8) {
      h = (h ^ load(word.data() + i, word.size() - i)) * 0x9E3779B97F4A7C15;
      h ^= h >> 29;
    }
    return static_cast<uint32_t>(h ^ h >> 32);
  }
  static bool same(std::string_view kept, std::string_view word) {
    if (kept.size() != word.size()) return false;
    for (size_t i = 0; i < word.size(); i += 8) {
      if (load(kept.data() + i, word.size() - i) != load(word.data() + i, word.size() - i)) return false;
    }
    return true;
  }
  Slot& find(uint32_t h, std::string_view word) {
    size_t at = h & (slots_.size() - 1);
    while (!slots_[at].word.empty() && (slots_[at].hash != h || !same(slots_[at].word, word)))
      at = (at + 1) & (slots_.size() - 1);
    return slots_[at];
  }
  void grow() {
    std::vector<Slot> old(slots_.empty() ? 64 : slots_.size() * 2);
    old.swap(slots_);
    for (Slot& slot : old) {
      if (!slot.word.empty()) find(slot.hash, slot.word) = std::move(slot);
    }
  }
  std::vector<Slot> slots_;
  size_t size_ = 0;
};

}  // namespace ajar::guard
