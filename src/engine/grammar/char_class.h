#pragma once
// Sets of characters (Unicode code points) and the bytes that spell them.

#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ajar::engine {

using ByteSet = std::bitset<256>;

// Sorted, disjoint, without surrogates: those have no UTF-8.
class CharClass {
 public:
  using Range = std::pair<uint32_t, uint32_t>;  // both ends belong to it
  static constexpr uint32_t kLast = 0x10FFFF;

  CharClass() = default;
  CharClass(std::initializer_list<Range> ranges) { for (auto [from, to] : ranges) add(from, to); }
  static CharClass any() { return {{0, kLast}}; }

  void add(uint32_t from, uint32_t to);
  void add(const CharClass& other) { for (auto [from, to] : other.ranges_) add(from, to); }
  CharClass complement() const;
  CharClass without(const CharClass& other) const;
  CharClass both(const CharClass& other) const { return without(other.complement()); }
  bool contains(uint32_t c) const;
  bool empty() const { return ranges_.empty(); }
  const std::vector<Range>& ranges() const { return ranges_; }
  auto operator<=>(const CharClass&) const = default;

 private:
  std::vector<Range> ranges_;
};

// Up to four sets of bytes, one after the other, that together spell exactly the characters of a piece of a class.
struct Utf8Piece {
  std::array<std::pair<uint8_t, uint8_t>, 4> bytes{};
  int length = 0;
};
std::vector<Utf8Piece> utf8_pieces(const CharClass& chars);

void append_utf8(std::string& out, uint32_t c);
// Reads one character at `at` and moves on. False: the bytes there are no character.
bool read_utf8(std::string_view text, size_t& at, uint32_t& c);

}  // namespace ajar::engine
