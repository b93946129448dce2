#include "engine/grammar/compile.h"

#include "engine/grammar/gbnf.h"
#include "engine/grammar/json_schema.h"
#include "engine/grammar/regex.h"

namespace ajar::engine {

Compiled compile_json_schema(std::string_view schema, std::shared_ptr<const TokenTrie> trie, bool leading_space) {
  Grammar grammar;
  AJAR_ASSIGN(const Grammar::Node whole, add_json_schema(grammar, schema));
  return CompiledGrammar::make(std::move(grammar), whole, std::move(trie), leading_space);
}

Compiled compile_json_object(std::shared_ptr<const TokenTrie> trie, bool leading_space) {
  Grammar grammar;
  const Grammar::Node whole = add_json_object(grammar);
  return CompiledGrammar::make(std::move(grammar), whole, std::move(trie), leading_space);
}

Compiled compile_regex(std::string_view pattern, std::shared_ptr<const TokenTrie> trie, bool leading_space) {
  Grammar grammar;
  AJAR_ASSIGN(const RegexGrammar whole, add_regex(grammar, pattern));
  return CompiledGrammar::make(std::move(grammar), whole.node, std::move(trie), leading_space);
}

Compiled compile_gbnf(std::string_view text, std::shared_ptr<const TokenTrie> trie, bool leading_space) {
  Grammar grammar;
  AJAR_ASSIGN(const Grammar::Node whole, add_gbnf(grammar, text));
  return CompiledGrammar::make(std::move(grammar), whole, std::move(trie), leading_space);
}

}  // namespace ajar::engine
