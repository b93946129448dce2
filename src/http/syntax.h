#pragma once
// Character classes and field values of HTTP (RFC 9110 section 5, RFC 9112 section 2).

#include <array>
#include <optional>
#include <string_view>

#include "base/text.h"

namespace ajar {

namespace syntax_detail {
constexpr std::array<bool, 256> make_token() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[size_t(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[size_t(c)] = table[size_t(c - 32)] = true;
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> make_field() {
  std::array<bool, 256> table{};
  for (int c = 0x20; c < 256; ++c) table[size_t(c)] = c != 0x7f;
  table['\t'] = true;
  return table;
}
inline constexpr auto kToken = make_token();
inline constexpr auto kField = make_field();
}  // namespace syntax_detail

inline bool is_token_char(char c) { return syntax_detail::kToken[static_cast<unsigned char>(c)]; }
inline bool is_field_char(char c) { return syntax_detail::kField[static_cast<unsigned char>(c)]; }

// Optional white space: spaces and tabs only.
inline std::string_view trim_ows(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Is `token` an element of the comma-separated list?
inline bool list_has(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    size_t comma = list.find(',');
    if (iequals(trim_ows(list.substr(0, comma)), token)) return true;
    if (comma == list.npos) return false;
    list.remove_prefix(comma + 1);
  }
  return false;
}

// 1*DIGIT that fits.
inline std::optional<uint64_t> parse_length(std::string_view text) {
  if (text.empty() || text.size() > 18) return std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + uint64_t(c - '0');
  }
  return value;
}

}  // namespace ajar
