#pragma once
// What a request demands of the form of its reply, as a grammar for a local model: response_format, guided_json,
// guided_regex, guided_choice, guided_grammar (or grammar, GBNF), and a tool_choice that wants a call.

#include <memory>
#include <optional>

#include "core/request.h"
#include "engine/grammar/constraint.h"
#include "provider/model_host.h"

namespace ajar {

struct ReplyForm {
  std::shared_ptr<const engine::CompiledGrammar> grammar;
  engine::ThoughtMarks thought;

  std::unique_ptr<engine::Constraint> constraint() const { return std::make_unique<engine::GrammarConstraint>(grammar, thought); }
};

bool demands_form(const Request& request);
// Takes milliseconds, the first time for a model a tenth of a second: not on a loop. Nothing where the family's way to write
// calls is no JSON: such calls stay as free as they are. kInvalid names the field and why it cannot be followed.
Result<std::optional<ReplyForm>> read_form(const Request& request, LoadedModel& model, chat::ReplyStart start);

// The calls of a family as a grammar, for tests of its own. nullopt: its layout is no JSON.
Result<std::optional<engine::Grammar::Node>> add_calls(engine::Grammar& grammar, const chat::ReplySyntax& syntax, const Request& request,
                                                       const engine::TokenTrie& trie, chat::ReplyStart start);

}  // namespace ajar
