#include "wire/gemini/models.h"

#include <algorithm>

#include "base/text.h"

namespace ajar::wire::gemini {

ModelTraits model_traits(std::string_view model) {
  const std::string lowered = to_lower(model);
  std::string_view name = lowered;
  const size_t at = name.find("gemini");
  ModelTraits traits;
  if (at == std::string_view::npos) {  // gemma and others behind the same API
    traits.thinking = ModelTraits::Thinking::kNone;
    traits.json_schema = traits.result_parts = traits.needs_signature = false;
    return traits;
  }
  name.remove_prefix(at + 6);
  if (name.starts_with("-robotics")) name = "-2.5-flash";
  const bool numbered = name.size() >= 2 && name[0] == '-' && name[1] >= '0' && name[1] <= '9';
  const int major = numbered                                                 ? name[1] - '0'
                    : (name.starts_with("-pro") || name.starts_with("-exp")) ? 1
                                                                             : 9;
  const int minor =
      numbered && name.size() >= 4 && name[2] == '.' && name[3] >= '0' && name[3] <= '9'
          ? name[3] - '0'
          : 0;
  traits.pro = name.find("pro") != std::string_view::npos;
  if (major >= 3) {
    traits.medium_level = !(traits.pro && major == 3 && minor == 0);
    return traits;
  }
  traits.needs_signature = traits.result_parts = false;
  if (major == 2 && minor >= 5) {
    traits.thinking = ModelTraits::Thinking::kBudget;
    if (traits.pro) {
      traits.min_budget = 128;
      traits.max_budget = 32768;
    } else if (name.find("lite") != std::string_view::npos) {
      traits.min_budget = 0;
    }
    return traits;
  }
  traits.thinking = ModelTraits::Thinking::kNone;
  traits.json_schema = false;
  return traits;
}

int64_t budget_of_effort(std::string_view effort, const ModelTraits& traits) {
  int64_t budget = 8192;
  if (effort == "none") budget = 0;
  if (effort == "minimal" || effort == "low") budget = 1024;
  if (effort == "high") budget = 24576;
  if (effort == "xhigh" || effort == "max") budget = 32768;
  return std::clamp(budget, traits.min_budget, traits.max_budget);
}

std::string_view level_of_effort(std::string_view effort, const ModelTraits& traits) {
  if (effort == "none" || effort == "minimal") return traits.pro ? "low" : "minimal";
  if (effort == "low") return "low";
  if (effort == "medium") return traits.medium_level ? "medium" : "high";
  return "high";
}

}  // namespace ajar::wire::gemini
