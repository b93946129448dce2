#pragma once
// From what a caller writes to a compiled grammar.

#include <memory>
#include <string_view>

#include "base/error.h"
#include "engine/grammar/compiled.h"

namespace ajar::engine {

using Compiled = Result<std::shared_ptr<const CompiledGrammar>>;

// kInvalid: it is none, or nothing fits it; kUnsupported: what it says cannot be enforced; kTooLarge names the limit.
Compiled compile_json_schema(std::string_view schema, std::shared_ptr<const TokenTrie> trie, bool leading_space = false);
Compiled compile_json_object(std::shared_ptr<const TokenTrie> trie, bool leading_space = false);
Compiled compile_regex(std::string_view pattern, std::shared_ptr<const TokenTrie> trie, bool leading_space = false);  // the whole text
Compiled compile_gbnf(std::string_view text, std::shared_ptr<const TokenTrie> trie, bool leading_space = false);

}  // namespace ajar::engine
