#pragma once
// GBNF, the grammar form of llama.cpp: rules `name ::= ...` of literals "x", classes [a-z] and [^x], any character `.`, groups,
// alternatives and * + ? {m} {m,n} {m,}. The text starts with the rule `root`.

#include <string_view>

#include "base/error.h"
#include "engine/grammar/grammar.h"

namespace ajar::engine {

inline constexpr size_t kMaxGbnfBytes = 512 << 10;
// kInvalid and kTooLarge name the line.
Result<Grammar::Node> add_gbnf(Grammar& grammar, std::string_view text);

}  // namespace ajar::engine
