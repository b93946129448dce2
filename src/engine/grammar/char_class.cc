#include "engine/grammar/char_class.h"

#include <algorithm>

namespace ajar::engine {
namespace {

int spelling(uint32_t c, uint8_t* out) {
  if (c < 0x80) return out[0] = static_cast<uint8_t>(c), 1;
  const int length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (int i = length - 1; i > 0; --i, c >>= 6) out[i] = static_cast<uint8_t>(0x80 | (c & 0x3F));
  out[0] = static_cast<uint8_t>((0xF00 >> length & 0xFF) | c);
  return length;
}

// Both ends have the same length. Splits until every byte but the first differing one runs through all continuations.
void split(uint32_t from, uint32_t to, int length, std::vector<Utf8Piece>& out) {
  for (int i = 1; i < length; ++i) {
    const uint32_t low = (1u << 6 * i) - 1;
    if ((from & ~low) == (to & ~low)) continue;
    if (from & low) {
      split(from, from | low, length, out);
      return split((from | low) + 1, to, length, out);
    }
    if ((to & low) != low) {
      split(from, (to & ~low) - 1, length, out);
      return split(to & ~low, to, length, out);
    }
  }
  uint8_t a[4], b[4];
  spelling(from, a), spelling(to, b);
  Utf8Piece& piece = out.emplace_back();
  piece.length = length;
  for (int i = 0; i < length; ++i) piece.bytes[static_cast<size_t>(i)] = {a[i], b[i]};
}

}  // namespace

void CharClass::add(uint32_t from, uint32_t to) {
  to = std::min(to, kLast);
  if (from > to) return;
  if (from <= 0xDFFF && to >= 0xD800) {
    if (from < 0xD800) add(from, 0xD7FF);
    if (to > 0xDFFF) add(0xE000, to);
    return;
  }
  auto first = std::ranges::lower_bound(ranges_, from, {}, [](const Range& r) { return r.second + 1; });
  auto last = first;
  for (; last != ranges_.end() && last->first <= to + 1; ++last) from = std::min(from, last->first), to = std::max(to, last->second);
  // Neighbours on both sides of the surrogates stay apart.
  first = ranges_.erase(first, last);
  ranges_.insert(first, {from, to});
}

CharClass CharClass::complement() const {
  CharClass out;
  uint32_t next = 0;
  for (auto [from, to] : ranges_) {
    if (from > next) out.add(next, from - 1);
    next = to + 1;
  }
  if (next <= kLast) out.add(next, kLast);
  return out;
}

CharClass CharClass::without(const CharClass& other) const {
  CharClass out = complement();
  out.add(other);
  return out.complement();
}

bool CharClass::contains(uint32_t c) const {
  auto at = std::ranges::lower_bound(ranges_, c, {}, &Range::second);
  return at != ranges_.end() && at->first <= c;
}

std::vector<Utf8Piece> utf8_pieces(const CharClass& chars) {
  std::vector<Utf8Piece> out;
  static constexpr CharClass::Range kLengths[] = {{0, 0x7F}, {0x80, 0x7FF}, {0x800, 0xFFFF}, {0x10000, CharClass::kLast}};
  for (auto [from, to] : chars.ranges()) {
    for (int length = 1; length <= 4; ++length) {
      auto [low, high] = kLengths[length - 1];
      if (from <= high && to >= low) split(std::max(from, low), std::min(to, high), length, out);
    }
  }
  return out;
}

void append_utf8(std::string& out, uint32_t c) {
  uint8_t bytes[4];
  const int length = spelling(c, bytes);
  for (int i = 0; i < length; ++i) out.push_back(static_cast<char>(bytes[i]));
}

bool read_utf8(std::string_view text, size_t& at, uint32_t& c) {
  if (at >= text.size()) return false;
  const auto lead = static_cast<uint8_t>(text[at]);
  const size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (length == 0 || at + length > text.size()) return false;
  c = length == 1 ? lead : lead & (0xFFu >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    const auto next = static_cast<uint8_t>(text[at + i]);
    if ((next & 0xC0) != 0x80) return false;
    c = c << 6 | (next & 0x3F);
  }
  static constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (c < kLeast[length] || c > CharClass::kLast || (c >= 0xD800 && c <= 0xDFFF)) return false;
  at += length;
  return true;
}

}  // namespace ajar::engine
