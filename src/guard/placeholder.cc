#include "guard/placeholder.h"

#include <array>

#include "guard/masks.h"

namespace ajar::guard {
namespace {

char upper(char c) { return is_lower(c) ? static_cast<char>(c - 32) : c; }

// A separator at the beginning: '_', '-', or '_' behind one or two backslashes. 0: none; npos: the text ends within.
size_t read_separator(std::string_view text) {
  size_t at = 0;
  while (at < text.size() && at < 2 && text[at] == '\\') ++at;
  if (at == text.size()) return std::string_view::npos;
  if (text[at] == '_' || (at == 0 && text[at] == '-')) return at + 1;
  return 0;
}

constexpr std::array<bool, 256> kStarts = [] {
  std::array<bool, 256> starts{};
  for (const char c : std::string_view("ABCDEFIKLMNPSTUZ"))
    starts[static_cast<unsigned char>(c)] = starts[static_cast<unsigned char>(c | 0x20)] = true;
  return starts;
}();

// Which two letters begin a name.
const std::array<std::array<bool, 32>, 32>& beginnings() {
  static const auto kTable = [] {
    std::array<std::array<bool, 32>, 32> table{};
    for (size_t e = 0; e < kEntities; ++e) {
      const auto name = entity_name(static_cast<Entity>(e));
      table[static_cast<size_t>(name[0]) & 31][static_cast<size_t>(name[1]) & 31] = true;
    }
    return table;
  }();
  return kTable;
}

// Reads `name` at the beginning of `text`. 0: no; npos: the text ends within.
size_t read_name(std::string_view text, std::string_view name) {
  size_t at = 0;
  for (const char want : name) {
    if (at == text.size()) return std::string_view::npos;
    if (want == '_') {
      const size_t n = read_separator(text.substr(at));
      if (n == 0 || n == std::string_view::npos) return n;
      at += n;
    } else if (upper(text[at]) == want) {
      ++at;
    } else {
      return 0;
    }
  }
  return at;
}

}  // namespace

PlaceholderMatch match_placeholder(std::string_view text) {
  PlaceholderMatch best;
  if (text.empty() || !kStarts[static_cast<unsigned char>(text[0])]) return best;
  if (text.size() > 1 && !beginnings()[static_cast<size_t>(text[0]) & 31][static_cast<size_t>(text[1]) & 31])
    return best;
  const char first = upper(text[0]);
  for (size_t e = 0; e < kEntities; ++e) {
    const auto name = entity_name(static_cast<Entity>(e));
    if (name[0] != first) continue;
    size_t at = read_name(text, name);
    if (at == 0) continue;
    size_t skip = at == text.npos ? text.npos : read_separator(text.substr(at));
    if (at == text.npos || at == text.size() || skip == text.npos) {
      best.state = PlaceholderMatch::State::kMaybe;
      continue;
    }
    if (skip == 0) continue;
    at += skip;
    const size_t digits = at;
    while (at < text.size() && at - digits < kMaxHex + 1 && is_hex(text[at])) ++at;
    if (at == text.size() && at - digits <= kMaxHex) {
      best.state = PlaceholderMatch::State::kMaybe;
      continue;
    }
    if (at - digits < kMinHex || at - digits > kMaxHex || is_alnum(text[at])) continue;
    best.state = PlaceholderMatch::State::kYes;
    best.length = at;
    best.canonical.assign(name).append(1, '_');
    for (size_t i = digits; i < at; ++i) best.canonical.push_back(upper(text[i]));
    return best;
  }
  return best;
}

size_t find_placeholder_start(std::string_view text, size_t from, char before) {
  for (size_t at = from; at < text.size(); ++at) {
    const char last = at > 0 ? text[at - 1] : before;
    if (kStarts[static_cast<unsigned char>(text[at])] && !is_alnum(last)) return at;
  }
  return std::string_view::npos;
}

}  // namespace ajar::guard
