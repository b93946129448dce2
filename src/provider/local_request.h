#pragma once
// A request in the engine's words: prompts as tokens, sampling, stops.

#include <cstdint>
#include <string>
#include <vector>

#include "chat/reply_parser.h"
#include "core/request.h"
#include "engine/sampler.h"
#include "provider/model_host.h"

namespace ajar {

struct LocalRequest {
  std::vector<std::vector<int32_t>> prompts;   // one, but for completions with several
  engine::SamplingParams sampling;
  int32_t max_tokens = -1;
  bool ignore_end = false;
  bool chat = true;                            // the text is read for thoughts and calls
  bool logprobs = false, echo = false;
  std::string adapter;                         // by name; empty: what the target says
  chat::ReplyStart start = chat::ReplyStart::kContent;
};

// kInvalid and kUnsupported name the field. `dropped` gets what a local model has no use for.
Result<LocalRequest> read_local_request(const Request& request, const LoadedModel& model, std::vector<std::string>& dropped);

}  // namespace ajar
