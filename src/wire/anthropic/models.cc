#include "wire/anthropic/models.h"

#include <string>

#include "base/text.h"

namespace ajar::wire::anthropic {
namespace {

// "claude-sonnet-4-5-20250929" is 45, "claude-3-7-sonnet@20250219" 37, "claude-opus-5" 50; 0 when
// there is none.
int version_of(std::string_view name) {
  int major = -1, minor = 0;
  for (size_t at = 0; at < name.size();) {
    const size_t end = std::min(name.find_first_of("-.@:_/", at), name.size());
    const std::string_view word = name.substr(at, end - at);
    const auto number = parse_int(word);
    if (number && word.size() <= 2 && major < 0) {
      major = int(*number);
    } else if (number && word.size() == 1 && major >= 0) {
      minor = int(*number);
      break;
    } else if (major >= 0) {
      break;
    }
    at = end + 1;
  }
  return major < 0 ? 0 : major * 10 + minor;
}

}  // namespace

ModelTraits model_traits(std::string_view model) {
  const std::string lower_name = to_lower(model);
  const std::string_view all = lower_name;
  const size_t at = all.find("claude");
  ModelTraits traits;
  if (at == std::string_view::npos) return traits;
  const std::string_view name = all.substr(at);
  const auto has = [&](std::string_view word) { return name.find(word) != std::string_view::npos; };
  const bool opus = has("opus");
  const bool mythos = has("mythos") || has("fable");
  int version = version_of(name);
  if (mythos && version == 0) version = 50;  // previews without a number
  if (version == 0) return traits;

  traits.known = true;
  traits.thinking = version >= 37;
  traits.adaptive = version >= 46;
  traits.budget = traits.thinking && version < 47;
  traits.sampling = version < 47;
  traits.temperature_and_top_p = version < 41;
  traits.structured = version >= 45 || version == 41;
  traits.xhigh = version >= 47;
  traits.always_thinks = mythos;
  if (version >= 47) {
    traits.max_output = 128000;
  } else if (version >= 45) {
    traits.max_output = opus && version == 46 ? 128000 : 64000;
  } else if (version >= 40) {
    traits.max_output = opus ? 32000 : 64000;
  } else if (version == 37) {
    traits.max_output = 64000;
  } else {
    traits.max_output = version == 35 ? 8192 : 4096;
  }
  return traits;
}

int64_t budget_of_effort(std::string_view effort) {
  if (effort == "minimal") return 1024;
  if (effort == "low") return 2048;
  if (effort == "high") return 16384;
  if (effort == "xhigh" || effort == "max") return 32000;
  return 8192;
}

std::string_view effort_of_budget(int64_t budget_tokens) {
  if (budget_tokens <= 2048) return "low";
  if (budget_tokens <= 8192) return "medium";
  return budget_tokens <= 16384 ? "high" : "xhigh";
}

std::string_view native_effort(std::string_view effort, const ModelTraits& traits) {
  if (effort == "minimal" || effort == "low" || effort == "none") return "low";
  if (effort == "high") return "high";
  if (effort == "xhigh") return traits.xhigh ? "xhigh" : "max";
  if (effort == "max") return "max";
  return "medium";
}

}  // namespace ajar::wire::anthropic
