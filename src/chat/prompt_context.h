#pragma once
// A request's messages and tools as the values that chat templates read.

#include <string>

#include "base/error.h"
#include "chat/chat_template.h"
#include "chat/jinja/value.h"

namespace ajar::chat {

struct PromptContext {
  jinja::Value messages;
  jinja::Value tools;        // undefined: none, or they are told in a text
  std::string last_answer;   // of an assistant's last message, which is to be gone on with; empty: there is none
  bool goes_on = false;
};

struct ContextStyle {
  Abilities abilities;
  bool developer = false;    // the template knows the role
  bool short_ids = false;    // ids of calls must be nine letters or digits
  bool harmony = false;      // thoughts stand in "thinking"
  const ReplySyntax* syntax = nullptr;  // how calls are spelled out where the template has no words for them
};

// kUnsupported names the part that no text model takes.
Result<PromptContext> prompt_context(const Request& request, const ContextStyle& style);

jinja::Value object(std::initializer_list<std::pair<const char*, jinja::Value>> members);
// {"type": "function", "function": {...}} of what tool_choice leaves.
std::vector<jinja::Value> tool_values(const Request& request);

}  // namespace ajar::chat
