#pragma once
// Regular expressions as grammars. What all dialects agree on: literals, classes, groups, alternation, quantifiers, . \d \w \s,
// escapes, anchors at the ends. What no context-free grammar can say is refused: back references, look-around, \b.

#include <functional>
#include <string_view>

#include "base/error.h"
#include "engine/grammar/grammar.h"

namespace ajar::engine {

struct RegexForm {
  // How one character of a class is written; empty: in UTF-8.
  std::function<Grammar::Node(const CharClass&)> write;
  bool search = false;  // without anchors, anything may stand around it (JSON Schema's `pattern`)
};

struct RegexGrammar {
  Grammar::Node node;
  int64_t least = 0, most = 0;  // length in characters; most is -1 where there is no end
  bool one_character = false;   // a repetition of single characters, or one of them
};

inline constexpr size_t kMaxRegexBytes = 16 << 10;
// kInvalid, kUnsupported and kTooLarge say where, in bytes from the start.
Result<RegexGrammar> add_regex(Grammar& grammar, std::string_view pattern, const RegexForm& form = {});

}  // namespace ajar::engine
