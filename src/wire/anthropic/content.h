#pragma once
// Messages as the Messages API wants them: instructions apart, turns alternating and beginning with
// the user's, tool results first in the turn that follows their calls.
// https://docs.claude.com/en/api/messages

#include <string>
#include <vector>

#include "base/error.h"
#include "core/request.h"

namespace ajar::wire::anthropic {

struct Conversation {
  std::string system;  // text blocks, comma-separated; empty: none
  size_t system_blocks = 0;
  std::string system_plain;         // the only block's text when it is one without cache_control
  std::string messages;             // comma-separated
  std::vector<std::string> called;  // names of tools that the history calls, each once
  bool prefill = false;             // the last turn is the assistant's
  bool uses_files = false;          // a block refers to an uploaded file: needs a beta header
  // The conversation ends with tool results whose calls have no thinking block before them: the API
  // then refuses thinking with a budget.
  bool tool_turn_without_thought = false;
};

// Fails with kUnsupported naming the part that cannot be said, kInvalid when nothing is left to
// say.
//
// Decisions: leading system and developer messages become `system`; later ones text in the user's
// turn, inside <system> tags; empty text, thoughts without our own proof and pictures in assistant
// turns are left out; a tool result that answers no call of the turn before it becomes text; a
// conversation that begins with the assistant gets a user turn "."; one of instructions only is
// asked as the user's.
Result<Conversation> write_conversation(const Request& request, std::vector<std::string>& dropped);

}  // namespace ajar::wire::anthropic
