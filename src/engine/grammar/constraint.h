#pragma once
// A grammar as a constraint of one reply.

#include <memory>
#include <optional>
#include <string>

#include "engine/engine.h"
#include "engine/grammar/compiled.h"

namespace ajar::engine {

// Thoughts are free, and the grammar holds for what follows them.
struct ThoughtMarks {
  std::string begin;     // may open the reply where it is one token ("<think>"); empty: no thought may be opened
  std::string end;       // "</think>", text in which control tokens stand as they are written
  bool open = false;     // the prompt has opened a thought
  bool may_end = false;  // the reply may end within a thought
};

class GrammarConstraint final : public Constraint {
 public:
  explicit GrammarConstraint(std::shared_ptr<const CompiledGrammar> grammar, const ThoughtMarks& thought = {});

  void allow(TokenMask& mask) override;
  bool accept(int32_t token) override;
  void forced(std::vector<int32_t>& tokens) override;
  bool finished() const override;

 private:
  bool read(std::string_view text);
  // How much of the end mark is matched after `text`, and where the mark was completed (npos: it was not).
  size_t match(size_t matched, std::string_view text, size_t& completed) const;

  const std::shared_ptr<const CompiledGrammar> grammar_;
  const ThoughtMarks thought_;
  int32_t begin_token_ = -1;
  Automaton automaton_;
  Automaton::State state_;
  bool thinking_ = false, at_start_ = true;
  size_t matched_ = 0;  // of the end mark
  bool lost_ = false;   // no token could come; the reply ends with whatever comes
};

}  // namespace ajar::engine
