#include "engine/grammar/json_text.h"

#include <algorithm>

#include "engine/grammar/next_character.h"
#include "json/write.h"

namespace ajar::engine {
namespace {

using Node = Grammar::Node;

// What a string may hold unescaped.
CharClass plain() { return CharClass{{0x20, CharClass::kLast}}.without({{'"', '"'}, {'\\', '\\'}}); }

}  // namespace

Node JsonText::comma() {
  if (!comma_) comma_ = g_.sequence({g_.literal(","), g_.optional(g_.literal(" "))});
  return *comma_;
}
Node JsonText::colon() {
  if (!colon_) colon_ = g_.sequence({g_.literal(":"), g_.optional(g_.literal(" "))});
  return *colon_;
}

Node JsonText::character() {
  if (character_) return *character_;
  const CharClass hex{{'0', '9'}, {'a', 'f'}, {'A', 'F'}};
  Node h = g_.chars(hex), d = g_.chars({{'d', 'd'}, {'D', 'D'}});
  Node low = g_.sequence({d, g_.chars({{'0', '7'}}), h, h});
  Node other = g_.sequence({g_.chars(hex.without({{'d', 'd'}, {'D', 'D'}})), h, h, h});
  // A half of a surrogate pair alone is no character.
  Node high_half = g_.sequence({d, g_.chars({{'8', '9'}, {'a', 'b'}, {'A', 'B'}}), h, h});
  Node low_half = g_.sequence({d, g_.chars({{'c', 'f'}, {'C', 'F'}}), h, h});
  Node unicode = g_.sequence({g_.literal("u"), g_.choice({low, other, g_.sequence({high_half, g_.literal("\\u"), low_half})})});
  Node simple = g_.chars({{'"', '"'}, {'\\', '\\'}, {'/', '/'}, {'b', 'b'}, {'f', 'f'}, {'n', 'n'}, {'r', 'r'}, {'t', 't'}});
  character_ = g_.choice({g_.chars(plain()), g_.sequence({g_.literal("\\"), g_.choice({simple, unicode})})});
  return *character_;
}

Node JsonText::character(const CharClass& chars) {
  std::vector<std::string> escaped;
  for (uint32_t c = 0; c < 0x80; ++c) {
    if (!chars.contains(c) || plain().contains(c)) continue;
    std::string text;
    json::append_string(text, std::string(1, static_cast<char>(c)));
    escaped.push_back(text.substr(1, text.size() - 2));
  }
  return g_.choice({g_.chars(chars.both(plain())), g_.literals(std::move(escaped))});
}

Node JsonText::quoted(Node inside) { return g_.sequence({g_.literal("\""), inside, g_.literal("\"")}); }
Node JsonText::string(Node character, int32_t least, int32_t most) { return quoted(g_.repeat(character, least, most)); }

Node JsonText::any_string() {
  if (!string_) string_ = g_.rule("string", string(character(), 0, Grammar::kNoMaximum));
  return *string_;
}

Node JsonText::shared(Node node) {
  const auto kind = g_.item(node).kind;
  return kind == Grammar::Kind::kSequence || kind == Grammar::Kind::kChoice || kind == Grammar::Kind::kRepeat ? g_.rule("item", node) : node;
}

Node JsonText::list(Node item, int32_t least, int32_t most) {
  if (most == 0) return g_.empty();
  item = shared(item);
  Node more = g_.repeat(g_.sequence({comma(), item}), std::max(0, least - 1), most < 0 ? most : most - 1);
  Node some = g_.sequence({item, more});
  return least > 0 ? some : g_.optional(some);
}

// Sorted names, equal up to `from`: what may follow so that the whole is none of them, the closing quote included.
Node JsonText::other_tail(std::span<const std::string> names, size_t from) {
  std::vector<Node> choices;
  CharClass taken;
  if (names[0].size() == from) names = names.subspan(1);
  else choices.push_back(g_.literal("\""));
  by_next_character(names, from, [&](uint32_t c, size_t at, std::span<const std::string> these) {
    taken.add(c, c);
    choices.push_back(g_.sequence({g_.chars({{c, c}}), other_tail(these, at)}));
  });
  Node rest = g_.sequence({g_.repeat(g_.chars(plain()), 0, Grammar::kNoMaximum), g_.literal("\"")});
  choices.push_back(g_.sequence({g_.chars(plain().without(taken)), rest}));
  return g_.choice(std::move(choices));
}

Node JsonText::other_key(std::vector<std::string> names) {
  // A name with a character that wants escaping cannot be spelled without escapes anyway.
  std::erase_if(names, [](const std::string& name) {
    size_t at = 0;
    for (uint32_t c; at < name.size();)
      if (!read_utf8(name, at, c) || !plain().contains(c)) return true;
    return false;
  });
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (names.empty()) return string(g_.chars(plain()), 0, Grammar::kNoMaximum);
  return g_.sequence({g_.literal("\""), other_tail(names, 0)});
}

Node JsonText::number() {
  if (number_) return *number_;
  Node digit = g_.chars({{'0', '9'}});
  Node whole = g_.choice({g_.literal("0"), g_.sequence({g_.chars({{'1', '9'}}), g_.repeat(digit, 0, 16)})});
  Node fraction = g_.optional(g_.sequence({g_.literal("."), g_.repeat(digit, 1, 17)}));
  Node exponent = g_.optional(g_.sequence({g_.chars({{'e', 'e'}, {'E', 'E'}}), g_.optional(g_.chars({{'+', '+'}, {'-', '-'}})), g_.repeat(digit, 1, 2)}));
  number_ = g_.rule("number", g_.sequence({g_.optional(g_.literal("-")), whole, fraction, exponent}));
  return *number_;
}

Node JsonText::any_object() {
  any();
  return *object_;
}

Node JsonText::any() {
  if (any_) return *any_;
  Grammar::Rule rule = g_.declare("value");
  any_ = g_.call(rule);
  Node member = g_.sequence({any_string(), colon(), *any_});
  object_ = g_.sequence({g_.literal("{"), list(member, 0, Grammar::kNoMaximum), g_.literal("}")});
  Node array = g_.sequence({g_.literal("["), list(*any_, 0, Grammar::kNoMaximum), g_.literal("]")});
  g_.define(rule, g_.choice({*object_, array, any_string(), number(), g_.literals({"true", "false", "null"})}));
  return *any_;
}

}  // namespace ajar::engine
