#include "json/write.h"

#include <array>
#include <bit>
#include <cstring>

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

}  // namespace

void append_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out.push_back('"');
  size_t start = 0;
  for (size_t i = next_escape(text, 0); i < text.size(); i = next_escape(text, i + 1)) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    const char escape = kEscapes[c];
    out.append(text, start, i - start);
    start = i + 1;
    out.push_back('\\');
    out.push_back(escape);
    if (escape == 'u') {
      out += "00";
      out.push_back(kHex[c >> 4]);
      out.push_back(kHex[c & 15]);
    }
  }
  out.append(text, start, text.size() - start);
  out.push_back('"');
}

void append_key(std::string& out, std::string_view name, bool comma_before) {
  char text[64];  // one append instead of four
  if (name.size() > sizeof text - 4 || next_escape(name, 0) != name.size()) {
    if (comma_before) out.push_back(',');
    append_string(out, name);
    out.push_back(':');
    return;
  }
  char* end = text;
  if (comma_before) *end++ = ',';
  *end++ = '"';
  std::memcpy(end, name.data(), name.size());
  end += name.size();
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
