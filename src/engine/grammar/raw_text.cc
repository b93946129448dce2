#include "engine/grammar/raw_text.h"

#include <algorithm>
#include <cassert>

#include "engine/grammar/next_character.h"

namespace ajar::engine {
namespace {

constexpr char kFirst = '<';

CharClass writable() { return {{'\t', '\t'}, {'\n', '\n'}, {'\r', '\r'}, {0x20, CharClass::kLast}}; }
CharClass starting_no_mark() { return writable().without({{kFirst, kFirst}}); }

}  // namespace

RawText::RawText(Grammar& grammar, std::span<const std::string> never) : g_(grammar), never_(never.begin(), never.end()) {
  for (const std::string& mark : never_) assert(mark.rfind(kFirst) == 0 && mark.size() > 1), (void)mark;
  std::ranges::sort(never_);
  plain_ = g_.rule("plain", g_.repeat(g_.chars(starting_no_mark()), 0, Grammar::kNoMaximum));
  const Grammar::Node begun = g_.sequence({g_.literal(std::string(1, kFirst)), after(never_, 1)});
  any_ = g_.rule("text", g_.sequence({plain_, g_.repeat(begun, 0, Grammar::kNoMaximum)}));
}

Grammar::Node RawText::after(std::span<const std::string> marks, size_t from) const {
  std::vector<Grammar::Node> ways;
  CharClass taken;
  by_next_character(marks, from, [&](uint32_t c, size_t at, std::span<const std::string> these) {
    taken.add(c, c);
    if (std::ranges::none_of(these, [&](const std::string& mark) { return mark.size() == at; })) ways.push_back(g_.sequence({g_.chars({{c, c}}), after(these, at)}));
  });
  ways.push_back(g_.sequence({g_.chars(starting_no_mark().without(taken)), plain_}));
  return g_.optional(g_.choice(std::move(ways)));
}

Grammar::Node RawText::character(const CharClass& chars) const { return g_.chars(chars.both(starting_no_mark())); }

Grammar::Node RawText::literal(std::string_view text) const {
  for (const std::string& mark : never_)
    if (text.find(mark) != text.npos) return g_.nothing();
  for (size_t at = 0; at < text.size();)
    if (uint32_t c = 0; !read_utf8(text, at, c) || !writable().contains(c)) return g_.nothing();
  return g_.literal(text);
}

}  // namespace ajar::engine
