#pragma once
// What differs between Claude models, judged by name: the one place that knows model names.
// https://docs.claude.com/en/docs/about-claude/models/overview
// https://docs.claude.com/en/docs/build-with-claude/adaptive-thinking

#include <cstdint>
#include <string_view>

namespace ajar::wire::anthropic {

struct ModelTraits {
  int64_t max_output = 4096;          // the model's own limit, used where the client gave none
  bool known = false;                 // the name was understood
  bool thinking = true;               // 3.7 and later
  bool budget = true;                 // takes thinking.budget_tokens
  bool adaptive = false;              // takes thinking {type: adaptive} and output_config.effort
  bool sampling = true;               // takes temperature, top_p and top_k (4.7 and later do not)
  bool temperature_and_top_p = true;  // takes both at once
  bool structured = true;             // output_config.format and strict tools
  bool xhigh = false;                 // knows the effort "xhigh"
  bool always_thinks = false;         // thinking cannot be turned off
};

ModelTraits model_traits(std::string_view model);

// Efforts and budgets, both ways. An unknown effort counts as "medium".
int64_t budget_of_effort(std::string_view effort);
std::string_view effort_of_budget(int64_t budget_tokens);
// The model's own word for an effort: it has no "minimal", and "xhigh" only lately.
std::string_view native_effort(std::string_view effort, const ModelTraits& traits);

}  // namespace ajar::wire::anthropic
