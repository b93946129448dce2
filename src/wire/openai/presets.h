#pragma once
// What sets one OpenAI-compatible server apart from another: one row per server, in one table.

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/dialect.h"

namespace ajar::wire::openai {

struct Preset {
  enum class Limit : uint8_t {
    kOld,    // knows only max_tokens
    kAsked,  // takes the client's spelling; max_tokens where there is none
    kNew,    // takes the client's spelling; max_completion_tokens where there is none
  };
  enum class Thoughts : uint8_t { kAsWritten, kRefused, kReasoningContent, kReasoning, kInContent };
  enum class Effort : uint8_t {
    kAsWritten,
    kWord,
    kObject,
    kThinking
  };  // reasoning_effort, reasoning, thinking

  std::string_view name;
  bool azure_paths = false;     // /openai/deployments/{model}/...?api-version=
  bool developer_role = false;  // otherwise developer turns become system turns
  bool stream_options = true;   // false: refuses the field; usage comes by itself or not at all
  bool cache_control = true;    // false: refuses Anthropic's member
  bool mistral = false;         // random_seed, document_url, ids of nine letters; refuses fields it does not know
  Limit limit = Limit::kAsked;
  Thoughts thoughts = Thoughts::kAsWritten;  // earlier thoughts in assistant messages
  Effort effort = Effort::kAsWritten;
};

// The row of that name; an unknown or empty name is a compatible server about which nothing is
// known.
const Preset& find_preset(std::string_view name);

// Whether a model of OpenAI's own refuses max_tokens (o1, o3, o4, gpt-5, ...).
bool is_reasoning_model(std::string_view model);

// base_path + "/chat/completions", or Azure's form.
std::string endpoint_path(const Preset& preset, const TargetInfo& target,
                          std::string_view endpoint);

}  // namespace ajar::wire::openai
