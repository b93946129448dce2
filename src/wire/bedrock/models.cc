#include "wire/bedrock/models.h"

#include <algorithm>

#include "base/text.h"

namespace ajar::wire::bedrock {
namespace {

// "claude-sonnet-4-5-20250929-v1:0" is 45, "claude-3-7-sonnet-…" 37, "claude-opus-5" 50; 0: none.
int version_of(std::string_view name) {
  int major = -1;
  for (size_t at = 0; at < name.size();) {
    const size_t end = std::min(name.find_first_of("-.@:_/", at), name.size());
    const std::string_view word = name.substr(at, end - at);
    const auto number = parse_int(word);
    if (number && major < 0 && word.size() <= 2) major = int(*number);
    else if (major >= 0) return major * 10 + (number && word.size() == 1 ? int(*number) : 0);
    at = end + 1;
  }
  return major < 0 ? 0 : major * 10;
}

}  // namespace

ModelTraits model_traits(std::string_view model) {
  using Family = ModelTraits::Family;
  const std::string name = to_lower(model);
  const auto has = [&](std::string_view word) { return name.find(word) != name.npos; };
  ModelTraits traits;
  if (const size_t at = name.find("claude"); at != name.npos) {
    const int version = version_of(std::string_view(name).substr(at));
    traits.family = Family::kClaude;
    traits.thinking = version == 0 || version >= 37;
    traits.budget = version < 47;
    traits.sampling = version < 47;
    traits.temperature_and_top_p = version < 41;
    traits.structured = version == 0 || version >= 45;
  } else if (has("nova")) {
    traits.family = Family::kNova;
    traits.thinking = has("nova-2");
  } else if (has("gpt-oss")) {
    traits.family = Family::kGptOss;
    traits.thinking = true;
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
  return budget_tokens <= 2048 ? "low" : budget_tokens <= 8192 ? "medium" : "high";
}

std::string_view plain_effort(std::string_view effort) {
  if (effort == "minimal" || effort == "low") return "low";
  return effort == "high" || effort == "xhigh" || effort == "max" ? "high" : "medium";
}

}  // namespace ajar::wire::bedrock
