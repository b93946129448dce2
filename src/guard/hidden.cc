#include "guard/hidden.h"

#include <cstdint>
#include <cstring>

#include "guard/masks.h"

namespace ajar::guard {
namespace {

// One character of UTF-8, as far as it is one; `n`: its bytes. What is no character counts as itself.
uint32_t decode(std::string_view text, size_t at, size_t& n) {
  const auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u; };
  const uint32_t a = byte(0);
  if (a >= 0xF0 && (byte(3) & 0xC0) == 0x80)
    return n = 4, (a & 7) << 18 | (byte(1) & 63) << 12 | (byte(2) & 63) << 6 | (byte(3) & 63);
  if (a >= 0xE0 && a < 0xF0 && (byte(2) & 0xC0) == 0x80)
    return n = 3, (a & 15) << 12 | (byte(1) & 63) << 6 | (byte(2) & 63);
  if (a >= 0xC2 && a < 0xE0 && (byte(1) & 0xC0) == 0x80) return n = 2, (a & 31) << 6 | (byte(1) & 63);
  return n = 1, a;
}

enum class Kind : uint8_t { kNone, kTag, kDirection, kZeroWidth, kJoiner };
Kind kind_of(uint32_t c) {
  if (c < 0xAD) return Kind::kNone;
  if ((c >= 0xE0000 && c <= 0xE007F) || (c >= 0xE0100 && c <= 0xE01EF)) return Kind::kTag;
  if ((c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069)) return Kind::kDirection;
  if (c == 0x200C || c == 0x200D) return Kind::kJoiner;
  if (c == 0x200B || (c >= 0x2060 && c <= 0x2064) || c == 0xFEFF || c == 0xAD || c == 0x180E) return Kind::kZeroWidth;
  return Kind::kNone;
}

// Scripts that join letters with U+200C and 200D, and what emoji are made of.
bool joins(uint32_t c) {
  return (c >= 0x0600 && c < 0x0900) || (c >= 0x0900 && c < 0x1100) || (c >= 0x1F000 && c < 0x20000) ||
         (c >= 0x2190 && c < 0x2C00) || c == 0xFE0F;
}

// Calls `see(begin, length, character, kind)` for every hidden character that nothing needs.
template <class See>
void each_hidden(std::string_view text, See see) {
  uint32_t before = 0;
  bool flag = false;
  for (size_t at = 0; at < text.size();) {
    if (!is_high(text[at])) {
      flag = false;
      uint64_t eight;
      while (at + 8 < text.size() && (std::memcpy(&eight, text.data() + at, 8), (eight & 0x8080808080808080) == 0))
        at += 8;
      while (at < text.size() && !is_high(text[at])) ++at;
      before = static_cast<unsigned char>(text[at - 1]);
      continue;
    }
    size_t n = 1;
    const uint32_t c = decode(text, at, n);
    Kind kind = kind_of(c);
    if (c == 0x1F3F4) flag = true;  // a black flag and tags are the flag of a region
    if (kind == Kind::kTag && flag)
      kind = c == 0xE007F ? (flag = false, Kind::kNone) : Kind::kNone;
    else if (kind != Kind::kTag && c != 0x1F3F4)
      flag = false;
    if (kind == Kind::kJoiner) {
      size_t m = 1;
      const uint32_t next = at + n < text.size() ? decode(text, at + n, m) : 0;
      kind = joins(before) && (joins(next) || c == 0x200C) ? Kind::kNone : Kind::kZeroWidth;
    }
    if (c == 0xFEFF && at == 0) kind = Kind::kNone;  // a byte order mark
    if (kind != Kind::kNone)
      see(at, n, c, kind);
    else
      before = c;
    at += n;
  }
}

}  // namespace

Hidden find_hidden(std::string_view text) {
  Hidden hidden;
  each_hidden(text, [&](size_t, size_t, uint32_t c, Kind kind) {
    if (kind == Kind::kTag) {
      ++hidden.tags;
      if (c >= 0xE0020 && c < 0xE007F) hidden.tag_text.push_back(static_cast<char>(c - 0xE0000));
    } else if (kind == Kind::kDirection) {
      ++hidden.direction;
    } else {
      ++hidden.zero_width;
    }
  });
  return hidden;
}

std::vector<std::pair<size_t, size_t>> hidden_ranges(std::string_view text) {
  std::vector<std::pair<size_t, size_t>> ranges;
  each_hidden(text, [&](size_t at, size_t n, uint32_t, Kind) { ranges.emplace_back(at, at + n); });
  return ranges;
}

std::string strip_hidden(std::string_view text) {
  std::string out;
  size_t copied = 0;
  each_hidden(text, [&](size_t at, size_t n, uint32_t, Kind) {
    out.append(text, copied, at - copied);
    copied = at + n;
  });
  return out.append(text, copied);
}

}  // namespace ajar::guard
