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
// Takes milliseconds, the first time for a model a tenth of a second: not on a loop. kInvalid names the field and why it cannot
// be followed.
Result<std::optional<ReplyForm>> read_form(const Request& request, LoadedModel& model, chat::ReplyStart start);

}  // namespace ajar
