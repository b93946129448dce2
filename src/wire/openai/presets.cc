#include "wire/openai/presets.h"

#include "base/text.h"

namespace ajar::wire::openai {
namespace {

using Limit = Preset::Limit;
using Thoughts = Preset::Thoughts;
using Effort = Preset::Effort;

constexpr std::string_view kAzureVersion =
    "2024-10-21";  // the latest generally available data-plane version

// Nothing known: what the client wrote is passed on.
constexpr Preset kCompatible = {.name = "openai_compatible", .developer_role = true};

constexpr Preset kPresets[] = {
    {.name = "openai",
     .developer_role = true,
     .cache_control = false,
     .limit = Limit::kNew,
     .thoughts = Thoughts::kRefused,
     .effort = Effort::kWord},
    {.name = "azure",
     .azure_paths = true,
     .developer_role = true,
     .cache_control = false,
     .limit = Limit::kNew,
     .thoughts = Thoughts::kRefused,
     .effort = Effort::kWord},
    // Gateways, which pass things on themselves.
    {.name = "openrouter",
     .developer_role = true,
     .thoughts = Thoughts::kReasoning,
     .effort = Effort::kObject},
    {.name = "litellm", .developer_role = true},
    // Rented open and closed models.
    {.name = "mistral",
     .stream_options = false,
     .cache_control = false,
     .mistral = true,
     .limit = Limit::kOld,
     .thoughts = Thoughts::kInContent,
     .effort = Effort::kWord},
    {.name = "deepseek",
     .limit = Limit::kOld,
     .thoughts = Thoughts::kReasoningContent,
     .effort = Effort::kThinking},
    {.name = "groq",
     .cache_control = false,
     .limit = Limit::kNew,
     .thoughts = Thoughts::kReasoning,
     .effort = Effort::kWord},
    {.name = "cerebras",
     .cache_control = false,
     .limit = Limit::kNew,
     .thoughts = Thoughts::kReasoning,
     .effort = Effort::kWord},
    {.name = "xai",
     .developer_role = true,
     .thoughts = Thoughts::kReasoningContent,
     .effort = Effort::kWord},
    {.name = "moonshot",
     .limit = Limit::kOld,
     .thoughts = Thoughts::kReasoningContent,
     .effort = Effort::kThinking},
    {.name = "zhipu",
     .limit = Limit::kOld,
     .thoughts = Thoughts::kReasoningContent,
     .effort = Effort::kThinking},
    {.name = "qwen", .limit = Limit::kOld, .thoughts = Thoughts::kReasoningContent},
    {.name = "perplexity",
     .stream_options = false,
     .limit = Limit::kOld,
     .thoughts = Thoughts::kRefused,
     .effort = Effort::kWord},
    {.name = "together",
     .limit = Limit::kOld,
     .thoughts = Thoughts::kReasoningContent,
     .effort = Effort::kWord},
    {.name = "fireworks",
     .limit = Limit::kOld,
     .thoughts = Thoughts::kReasoningContent,
     .effort = Effort::kWord},
    {.name = "deepinfra",
     .limit = Limit::kOld,
     .thoughts = Thoughts::kReasoningContent,
     .effort = Effort::kWord},
    {.name = "nvidia", .limit = Limit::kOld, .thoughts = Thoughts::kReasoningContent},
    // Own hardware.
    {.name = "vllm", .thoughts = Thoughts::kReasoningContent},
    {.name = "sglang", .thoughts = Thoughts::kReasoningContent},
    {.name = "llamacpp", .thoughts = Thoughts::kReasoningContent},
    {.name = "ollama", .limit = Limit::kOld, .thoughts = Thoughts::kReasoning},
    {.name = "lmstudio", .limit = Limit::kOld, .thoughts = Thoughts::kReasoningContent},
    {.name = "tgi", .limit = Limit::kOld, .thoughts = Thoughts::kRefused},
    {.name = "tensorrt-llm", .limit = Limit::kOld, .thoughts = Thoughts::kRefused},
};

}  // namespace

const Preset& find_preset(std::string_view name) {
  for (const Preset& preset : kPresets) {
    if (preset.name == name) return preset;
  }
  return kCompatible;
}

bool is_reasoning_model(std::string_view model) {
  if (const size_t slash = model.rfind('/'); slash != model.npos) model.remove_prefix(slash + 1);
  if (model.starts_with("gpt-5")) return true;
  return model.size() >= 2 && model[0] == 'o' && model[1] >= '1' && model[1] <= '9';
}

std::string endpoint_path(const Preset& preset, const TargetInfo& target,
                          std::string_view endpoint) {
  std::string path = target.base_path;
  bool versioned = !target.api_version.empty();
  if (preset.azure_paths) {
    if (path.empty()) path = "/openai/deployments/" + percent_encode(target.model);
    versioned = versioned || path.find("/deployments/") != path.npos;
  }
  path.append(endpoint);
  if (preset.azure_paths && versioned) {
    path.append("?api-version=");
    path.append(target.api_version.empty() ? std::string(kAzureVersion)
                                           : percent_encode(target.api_version));
  }
  return path;
}

}  // namespace ajar::wire::openai
