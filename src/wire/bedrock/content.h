#pragma once
// Messages as Converse wants them: instructions apart, turns alternating and beginning with the user's, tool results in
// the turn that follows their calls.
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html

#include <string>
#include <vector>

#include "base/error.h"
#include "core/request.h"

namespace ajar::wire::bedrock {

struct Conversation {
  std::string system;               // blocks, comma-separated; empty: none
  std::string messages;             // comma-separated
  std::vector<std::string> called;  // names of tools that the history calls, each once
  bool prefill = false;             // the last turn is the assistant's
  bool tool_turn_without_thought = false;  // ends with results whose calls have no thought before them
};

// Fails with kUnsupported naming the part that cannot be said, kInvalid when nothing is left to say. Decisions are those
// of wire/anthropic/content.h: late instructions become text in <system> tags, results without a call become text,
// thoughts without proof and empty texts are left out.
Result<Conversation> write_conversation(const Request& request, std::vector<std::string>& dropped);

// {"cachePoint":…} for Anthropic's cache_control, or nothing.
std::string cache_point(const RawJson& cache_control);

}  // namespace ajar::wire::bedrock
