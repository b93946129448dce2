#include "json/write.h"

#include <array>
#include <bit>
#include <cstring>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace ajar::json {
namespace {

// 0: copy as it is. Otherwise the letter after the backslash; 'u' means \u00XX.
constexpr std::array<char, 256> kEscapes = [] {
  std::array<char, 256> table{};
  for (int c = 0; c < 0x20; ++c) table[c] = 'u';
  table['"'] = '"';
  table['\\'] = '\\';
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  table[0x7F] = 0;
  return table;
}();

// Bytes of a word that need an escape have their high bit set in the result: below 0x20, '"' or '\\' (Hacker's
// Delight, 6-1, "find a zero byte", three times). Exact for the lowest such byte, which is all that is asked.
constexpr uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
uint64_t escapes_in(uint64_t word) {
  const auto zero_bytes = [](uint64_t v) { return (v - kOnes) & ~v; };
  const uint64_t control = (word - kOnes * 0x20) & ~word;
  return (control | zero_bytes(word ^ (kOnes * '"')) | zero_bytes(word ^ (kOnes * '\\'))) & kHighs;
}

using Block = unsigned char __attribute__((vector_size(32)));

// True when a whole block of 32 bytes needs no escape.
bool plain_block(const char* bytes) {
  Block block;
  std::memcpy(&block, bytes, sizeof block);
  const auto odd = (block < 0x20) | (block == '"') | (block == '\\');
  uint64_t words[4];
  std::memcpy(words, &odd, sizeof words);
  return (words[0] | words[1] | words[2] | words[3]) == 0;
}

// The first byte at or after `at` that needs an escape, or the end.
size_t next_escape(std::string_view text, size_t at) {
  while (at + sizeof(Block) <= text.size() && plain_block(text.data() + at)) at += sizeof(Block);
  if constexpr (std::endian::native == std::endian::little) {
    for (; at + 8 <= text.size(); at += 8) {
      uint64_t word;
      std::memcpy(&word, text.data() + at, 8);
      if (const uint64_t found = escapes_in(word)) return at + size_t(std::countr_zero(found)) / 8;
    }
  }
  while (at < text.size() && kEscapes[static_cast<unsigned char>(text[at])] == 0) ++at;
  return at;
}

// Copies a group of bytes and says how many of them stand before the first that needs an escape.
#ifdef __SSE2__
constexpr size_t kGroup = 16;
size_t copy_group(char* to, const char* from) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const unsigned found = unsigned(_mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, slash))));
  return size_t(std::countr_zero(found | 0x10000u));
}
#else
constexpr size_t kGroup = 8;
size_t copy_group(char* to, const char* from) {
  std::memcpy(to, from, kGroup);
  size_t plain = 0;
  while (plain < kGroup && kEscapes[static_cast<unsigned char>(from[plain])] == 0) ++plain;
  return plain;
}
#endif

}  // namespace

// Text of people is full of quotes and line ends: a piece is escaped into a buffer of its own and appended at once,
// because an append per run between two escapes costs more than all the rest.
void append_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  constexpr size_t kTurn = kGroup + 8;  // more than one turn writes: a group and an escape, or the quote
  char buffer[1024];
  char* to = buffer;
  *to++ = '"';
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto flush = [&] {
    out.append(buffer, size_t(to - buffer));
    to = buffer;
  };
  const auto escape = [&](unsigned char c) {
    *to++ = '\\';
    *to++ = kEscapes[c];
    if (kEscapes[c] != 'u') return;
    for (const char digit : {'0', '0', kHex[c >> 4], kHex[c & 15]}) *to++ = digit;
  };
  int clean = 2;  // groups since the last escape; after two a long run is worth looking for
  while (size_t(end - at) >= kGroup) {
    if (clean >= 2 && size_t(end - at) >= 2 * sizeof(Block)) {
      clean = 0;
      if (plain_block(at) && plain_block(at + sizeof(Block))) {
        const size_t run = next_escape({at, size_t(end - at)}, 2 * sizeof(Block));
        flush();
        out.append(at, run);
        at += run;
        continue;
      }
    }
    if (to > buffer + sizeof buffer - kTurn) flush();
    const size_t plain = copy_group(to, at);
    to += plain;
    at += plain;
    ++clean;
    if (plain == kGroup) continue;
    clean = 0;
    escape(static_cast<unsigned char>(*at++));
  }
  if (to > buffer + sizeof buffer - kGroup * 6 - 1) flush();
  for (; at < end; ++at) {
    const unsigned char c = static_cast<unsigned char>(*at);
    if (kEscapes[c] == 0) *to++ = char(c);
    else escape(c);
  }
  *to++ = '"';
  out.append(buffer, size_t(to - buffer));
}

void append_key(std::string& out, Name name, bool comma_before) {
  char text[64];  // one append instead of four
  const std::string_view bytes = name.text;
  if (!name.plain && (bytes.size() > sizeof text - 4 || next_escape(bytes, 0) != bytes.size())) {
    if (comma_before) out.push_back(',');
    append_string(out, bytes);
    out.push_back(':');
    return;
  }
  char* end = text;
  *end = ',';
  end += comma_before;
  *end++ = '"';
  std::memcpy(end, bytes.data(), bytes.size());
  end += bytes.size();
  *end++ = '"';
  *end++ = ':';
  out.append(text, size_t(end - text));
}

void append_double(std::string& out, double number) {
  if (!std::isfinite(number)) {  // JSON has no such number
    out += "null";
    return;
  }
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  const std::string_view text(digits, size_t(end - digits));
  out.append(text);
  // Read again as an integer, -0 would lose its sign and a large number its place among 64 bits.
  if (text.find_first_of(".e") == text.npos && (text == "-0" || text.size() > 15)) out += ".0";
}

}  // namespace ajar::json
