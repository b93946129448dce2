#pragma once
// The one pass over every byte: which class it is of, as bitmaps of 64 bytes each. All detectors start from set bits,
// so what a text costs is this pass plus what in it looks like something.

#include <bit>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ajar::guard {

constexpr bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }
constexpr bool is_upper(char c) { return static_cast<unsigned char>(c - 'A') < 26; }
constexpr bool is_lower(char c) { return static_cast<unsigned char>(c - 'a') < 26; }
constexpr bool is_letter(char c) { return static_cast<unsigned char>((c | 0x20) - 'a') < 26; }
constexpr bool is_alnum(char c) { return is_digit(c) || is_letter(c); }
constexpr bool is_high(char c) { return static_cast<unsigned char>(c) >= 0x80; }
// What words are made of: ASCII letters, digits, '_' and every byte of a character beyond ASCII.
constexpr bool is_word(char c) { return is_alnum(c) || c == '_' || is_high(c); }
constexpr bool is_hex(char c) { return is_digit(c) || static_cast<unsigned char>((c | 0x20) - 'a') < 6; }

class Masks {
 public:
  void build(std::string_view text);

  // A digit, '@', "//", "www", "-----", or within a run of 20 or more characters of [A-Za-z0-9_-].
  size_t next_anchor(size_t from) const { return next(anchor_, from); }
  // The first byte of a word that begins with a capital or with a character beyond ASCII.
  size_t next_name(size_t from) const { return next(name_, from); }
  static constexpr size_t kNone = SIZE_MAX;

 private:
  static size_t next(const std::vector<uint64_t>& bits, size_t from) {
    size_t block = from / 64;
    if (block >= bits.size()) return kNone;
    uint64_t word = bits[block] & ~uint64_t{0} << from % 64;
    while (word == 0) {
      if (++block == bits.size()) return kNone;
      word = bits[block];
    }
    return block * 64 + static_cast<size_t>(std::countr_zero(word));
  }
  std::vector<uint64_t> anchor_, name_;
};

}  // namespace ajar::guard
