#include "json/members.h"

#include <algorithm>

namespace ajar::json {
namespace {

// Bytes of the string that begins at text[0], its quotes included; 0: it does not end.
size_t string_length(std::string_view text) {
  size_t at = text.find_first_of("\"\\", 1);
  while (at != text.npos && text[at] == '\\') at = text.find_first_of("\"\\", at + 2);
  return at == text.npos ? 0 : at + 1;
}

// Bytes up to the comma behind the value that begins at text[0], or all; 0: it does not end.
size_t value_length(std::string_view text) {
  size_t depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '"': {
        const size_t length = string_length(text.substr(i));
        if (length == 0) return 0;
        i += length - 1;
        break;
      }
      case '{':
      case '[': ++depth; break;
      case '}':
      case ']':
        if (depth-- == 0) return 0;
        break;
      case ',':
        if (depth == 0) return i;
        break;
      default: break;
    }
  }
  return depth == 0 ? text.size() : 0;
}

}  // namespace

std::optional<Member> next_member(std::string_view& rest) {
  if (!rest.starts_with('"')) return std::nullopt;
  const size_t key = string_length(rest);
  if (key == 0 || key >= rest.size() || rest[key] != ':') return std::nullopt;
  const size_t value = value_length(rest.substr(key + 1));
  if (value == 0) return std::nullopt;
  const Member member{.key = rest.substr(0, key), .value = rest.substr(key + 1, value)};
  rest.remove_prefix(std::min(rest.size(), key + 1 + value + 1));
  return member;
}

}  // namespace ajar::json
