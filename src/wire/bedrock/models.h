#pragma once
// What differs between the models behind Converse, judged by name: model ids, inference profiles and ARNs hold it.
// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html

#include <cstdint>
#include <string_view>

namespace ajar::wire::bedrock {

struct ModelTraits {
  enum class Family : uint8_t { kOther, kClaude, kNova, kGptOss };
  Family family = Family::kOther;
  bool thinking = false;              // can be asked to think
  bool budget = false;                // Claude: by thinking.budget_tokens; otherwise adaptive, with an effort
  bool sampling = true;               // takes temperature, top_p and top_k
  bool temperature_and_top_p = true;  // both at once
  bool structured = true;             // outputConfig.textFormat
};

ModelTraits model_traits(std::string_view model);

int64_t budget_of_effort(std::string_view effort);
std::string_view effort_of_budget(int64_t budget_tokens);  // "low", "medium", "high"
std::string_view plain_effort(std::string_view effort);    // any effort as "low", "medium" or "high"

}  // namespace ajar::wire::bedrock
