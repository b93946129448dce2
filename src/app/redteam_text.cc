// Codes in which orders are hidden, and finding a word in spite of them.
#include <algorithm>
#include <array>
#include <cctype>

#include "app/redteam.h"
#include "base/text.h"

namespace ajar::app {
namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string base64(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t j = 0; j < 3; ++j) bits = bits << 8 | (i + j < text.size() ? uint8_t(text[i + j]) : 0u);
    for (size_t j = 0; j < 4; ++j) out.push_back(i + j > text.size() ? '=' : kBase64[bits >> (18 - 6 * j) & 63]);
  }
  return out;
}

char rot13(char c) {
  if (c >= 'a' && c <= 'z') return char('a' + (c - 'a' + 13) % 26);
  if (c >= 'A' && c <= 'Z') return char('A' + (c - 'A' + 13) % 26);
  return c;
}

std::string utf8(uint32_t code) {
  std::string out;
  if (code < 0x80) out.push_back(char(code));
  else if (code < 0x800) out += {char(0xc0 | code >> 6), char(0x80 | (code & 63))};
  else if (code < 0x10000) out += {char(0xe0 | code >> 12), char(0x80 | (code >> 6 & 63)), char(0x80 | (code & 63))};
  else out += {char(0xf0 | code >> 18), char(0x80 | (code >> 12 & 63)), char(0x80 | (code >> 6 & 63)), char(0x80 | (code & 63))};
  return out;
}

template <class F>
std::string each(std::string_view text, F f) {
  std::string out;
  for (const char c : text) out += f(c);
  return out;
}

std::string leet(char c) {
  constexpr std::array<std::pair<char, char>, 5> kLeet = {{{'e', '3'}, {'o', '0'}, {'i', '1'}, {'a', '4'}, {'t', '7'}}};
  for (const auto& [from, to] : kLeet) {
    if (c == from) return {to};
  }
  return {c};
}

std::string homoglyph(char c) {  // Cyrillic letters that look the same
  constexpr std::array<std::pair<char, uint32_t>, 6> kTwins = {{{'a', 0x430}, {'e', 0x435}, {'o', 0x43e}, {'p', 0x440}, {'c', 0x441}, {'i', 0x456}}};
  for (const auto& [from, to] : kTwins) {
    if (c == from) return utf8(to);
  }
  return {c};
}

// Letters and digits in lower case; what stands between them is left out.
std::string bare(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(uint8_t(c))) out.push_back(char(std::tolower(uint8_t(c))));
  }
  return out;
}

bool stands_in(std::string_view text, const std::vector<std::string>& markers) {
  const std::string plain = bare(text);
  return std::ranges::any_of(markers, [&](const std::string& marker) { return !bare(marker).empty() && plain.find(bare(marker)) != plain.npos; });
}

int digit(char c, std::string_view alphabet) {
  const size_t at = alphabet.find(c);
  return at == alphabet.npos ? -1 : int(at);
}

// Every run of characters of the alphabet, decoded by so many bits a character, from each of its first places: a code rarely begins where a run does.
std::string decode_runs(std::string_view text, std::string_view alphabet, int bits, size_t step) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && digit(text[end], alphabet) >= 0) ++end;
    for (size_t from = i; end - i >= 8 && from < std::min(end, i + step); ++from) {
      uint32_t pool = 0;
      int have = 0;
      for (size_t j = from; j < end; ++j) {
        pool = pool << bits | uint32_t(digit(text[j], alphabet));
        have += bits;
        if (have < 8) continue;
        have -= 8;
        out.push_back(char(pool >> have & 0xff));
      }
      out.push_back('\n');
    }
    i = std::max(end, i + 1);
  }
  return out;
}

}  // namespace

Result<std::string> encode_text(std::string_view text, std::string_view code) {
  if (code.empty()) return std::string(text);
  if (code == "base64") return base64(text);
  if (code == "rot13") return each(text, [](char c) { return std::string(1, rot13(c)); });
  if (code == "reversed") return std::string(text.rbegin(), text.rend());
  if (code == "leet") return each(text, leet);
  if (code == "spaced") return each(text, [](char c) { return std::string{c, ' '}; });
  if (code == "homoglyphs") return each(text, homoglyph);
  if (code == "tags") return each(text, [](char c) { return utf8(0xe0000 + uint8_t(c)); });
  if (code == "zero_width") return each(text, [](char c) { return std::string{c} + utf8(0x200b); });
  if (code == "hex") {
    constexpr std::string_view kHex = "0123456789abcdef";
    return each(text, [&](char c) { return std::string{kHex[uint8_t(c) >> 4], kHex[uint8_t(c) & 15]}; });
  }
  return invalid("encode", "there is no code '" + std::string(code) + "'");
}

bool has_marker(std::string_view text, const std::vector<std::string>& markers, bool decoded) {
  if (stands_in(text, markers)) return true;
  if (!decoded) return false;
  const std::string backwards(text.rbegin(), text.rend());
  const std::string turned = each(text, [](char c) { return std::string(1, rot13(c)); });
  const std::string lower = to_lower(text);
  return stands_in(backwards, markers) || stands_in(turned, markers) || stands_in(decode_runs(text, kBase64, 6, 4), markers) ||
         stands_in(decode_runs(lower, "0123456789abcdef", 4, 2), markers);
}

}  // namespace ajar::app
