#pragma once
// What differs between Gemini models, judged by name: the one place that knows model names.
// https://ai.google.dev/gemini-api/docs/thinking, https://ai.google.dev/gemini-api/docs/gemini-3

#include <cstdint>
#include <string>
#include <string_view>

namespace ajar::wire::gemini {

struct ModelTraits {
  enum class Thinking : uint8_t { kNone, kBudget, kLevel };
  Thinking thinking = Thinking::kLevel;  // what thinkingConfig takes
  int64_t min_budget = 0, max_budget = 24576;
  bool pro = false;
  bool medium_level = true;     // knows thinkingLevel "medium"
  bool json_schema = true;      // takes parametersJsonSchema and responseJsonSchema
  bool result_parts = true;     // takes media inside functionResponse.parts
  bool needs_signature = true;  // refuses a function call in the history without thoughtSignature
};

ModelTraits model_traits(std::string_view model);

// https://ai.google.dev/gemini-api/docs/openai#thinking
int64_t budget_of_effort(std::string_view effort, const ModelTraits& traits);
std::string_view level_of_effort(std::string_view effort, const ModelTraits& traits);

}  // namespace ajar::wire::gemini
