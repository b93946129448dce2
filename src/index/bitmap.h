#pragma once
// A set of rows as bits: what a reader may see, what is still there. A value: copy it, change the copy, publish it.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ajar::index {

class Bitmap {
 public:
  Bitmap() = default;
  explicit Bitmap(size_t bits) : words_((bits + 63) / 64) {}

  size_t bits() const { return words_.size() * 64; }  // rows beyond are not in the set
  bool test(uint32_t row) const { return row / 64 < words_.size() && (words_[row / 64] >> (row % 64) & 1) != 0; }
  void set(uint32_t row) { grow(size_t{row} + 1), words_[row / 64] |= uint64_t{1} << (row % 64); }
  void clear(uint32_t row) {
    if (row / 64 < words_.size()) words_[row / 64] &= ~(uint64_t{1} << (row % 64));
  }
  // Rows first..first+count-1.
  void set_range(uint32_t first, uint32_t count) {
    if (count == 0) return;
    const uint64_t end = uint64_t{first} + count;
    grow(end);
    for (uint64_t at = first; at < end;) {
      const uint64_t word = at / 64, from = at % 64, n = std::min<uint64_t>(64 - from, end - at);
      words_[word] |= (n == 64 ? ~uint64_t{0} : ((uint64_t{1} << n) - 1) << from);
      at += n;
    }
  }
  void clear_range(uint32_t first, uint32_t count) {
    const uint64_t end = std::min<uint64_t>(uint64_t{first} + count, bits());
    for (uint64_t at = first; at < end;) {
      const uint64_t from = at % 64, n = std::min<uint64_t>(64 - from, end - at);
      words_[at / 64] &= ~((n == 64 ? ~uint64_t{0} : (uint64_t{1} << n) - 1) << from);
      at += n;
    }
  }
  void set_word(size_t i, uint64_t bits) { words_[i] = bits; }  // i < words()
  uint64_t word(size_t i) const { return i < words_.size() ? words_[i] : 0; }
  size_t words() const { return words_.size(); }

  size_t count() const {
    size_t n = 0;
    for (const uint64_t w : words_) n += static_cast<size_t>(std::popcount(w));
    return n;
  }
  Bitmap& operator&=(const Bitmap& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] &= other.word(i);
    return *this;
  }
  Bitmap& operator|=(const Bitmap& other) {
    if (other.words_.size() > words_.size()) words_.resize(other.words_.size());
    for (size_t i = 0; i < other.words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
  }
  Bitmap& subtract(const Bitmap& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.word(i);
    return *this;
  }
  // Rows first..first+count-1, counted from 0.
  Bitmap slice(uint32_t first, uint32_t count) const {
    Bitmap out(count);
    const uint32_t shift = first % 64;
    for (size_t i = 0; i < out.words_.size(); ++i) {
      out.words_[i] = word(first / 64 + i) >> shift;
      if (shift != 0) out.words_[i] |= word(first / 64 + i + 1) << (64 - shift);
    }
    if (count % 64 != 0) out.words_.back() &= (uint64_t{1} << (count % 64)) - 1;
    return out;
  }
  // f(row) for every row of the set, in order.
  template <class F>
  void each(F f) const {
    for (size_t i = 0; i < words_.size(); ++i)
      for (uint64_t w = words_[i]; w != 0; w &= w - 1) f(static_cast<uint32_t>(i * 64 + static_cast<size_t>(std::countr_zero(w))));
  }

 private:
  void grow(uint64_t bits) {
    if (bits > words_.size() * 64) words_.resize(std::max<size_t>((bits + 63) / 64, words_.size() + words_.size() / 8));
  }
  std::vector<uint64_t> words_;
};

}  // namespace ajar::index
