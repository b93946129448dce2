#pragma once
// The tool calls of a family of models as a grammar: what chat/calls.h reads, written.

#include <span>

#include "chat/reply_parser.h"
#include "core/request.h"
#include "engine/grammar/grammar.h"
#include "engine/grammar/token_trie.h"

namespace ajar {

// A reply that is one call, or several where `request` and the family allow that, of the functions that its tool_choice leaves.
// Arguments fit the function's schema; where that cannot be enforced and is not `strict`, they are any. kInvalid names the field.
Result<engine::Grammar::Node> add_calls(engine::Grammar& grammar, const chat::ReplySyntax& syntax, const Request& request, const engine::TokenTrie& trie,
                                        chat::ReplyStart start);

// A schema or grammar that cannot be followed, as the caller's error.
std::unexpected<Error> cannot_follow(Error error, const std::string& field);

}  // namespace ajar
