#include "provider/presets.h"

namespace ajar {
namespace {

using enum DialectId;
using enum AuthStyle;

constexpr Preset kPresets[] = {
    {"openai", kOpenAiChat, "https://api.openai.com/v1", kBearer, "openai", false, "OPENAI_API_KEY"},
    {"anthropic", kAnthropic, "https://api.anthropic.com", kXApiKey, "anthropic", false,
     "ANTHROPIC_API_KEY"},
    {"gemini", kGemini, "https://generativelanguage.googleapis.com/v1beta", kGoogApiKey, "gemini", false,
     "GEMINI_API_KEY"},
    {"azure", kOpenAiChat, "", kApiKey, "openai", false, "AZURE_OPENAI_API_KEY"},
    {"mistral", kOpenAiChat, "https://api.mistral.ai/v1", kBearer, "mistral", false, "MISTRAL_API_KEY"},
    {"deepseek", kOpenAiChat, "https://api.deepseek.com/v1", kBearer, "deepseek", false,
     "DEEPSEEK_API_KEY"},
    {"groq", kOpenAiChat, "https://api.groq.com/openai/v1", kBearer, "groq", false, "GROQ_API_KEY"},
    {"together", kOpenAiChat, "https://api.together.xyz/v1", kBearer, "together", false,
     "TOGETHER_API_KEY"},
    {"openrouter", kOpenAiChat, "https://openrouter.ai/api/v1", kBearer, "", false,
     "OPENROUTER_API_KEY"},
    {"fireworks", kOpenAiChat, "https://api.fireworks.ai/inference/v1", kBearer, "fireworks", false,
     "FIREWORKS_API_KEY"},
    {"xai", kOpenAiChat, "https://api.x.ai/v1", kBearer, "xai", false, "XAI_API_KEY"},
    {"moonshot", kOpenAiChat, "https://api.moonshot.ai/v1", kBearer, "moonshot", false,
     "MOONSHOT_API_KEY"},
    {"cerebras", kOpenAiChat, "https://api.cerebras.ai/v1", kBearer, "", false, "CEREBRAS_API_KEY"},
    {"perplexity", kOpenAiChat, "https://api.perplexity.ai", kBearer, "", false, "PERPLEXITY_API_KEY"},
    {"deepinfra", kOpenAiChat, "https://api.deepinfra.com/v1/openai", kBearer, "", false,
     "DEEPINFRA_API_KEY"},
    {"vllm", kOpenAiChat, "http://127.0.0.1:8000/v1", kBearer, "", true, ""},
    {"llamacpp", kOpenAiChat, "http://127.0.0.1:8081/v1", kBearer, "", true, ""},
    {"tensorrt-llm", kOpenAiChat, "http://127.0.0.1:8000/v1", kBearer, "", true, ""},
    {"tgi", kOpenAiChat, "http://127.0.0.1:3000/v1", kBearer, "", true, ""},
    {"sglang", kOpenAiChat, "http://127.0.0.1:30000/v1", kBearer, "", true, ""},
    {"lmstudio", kOpenAiChat, "http://127.0.0.1:1234/v1", kBearer, "", true, ""},
    {"ollama", kOpenAiChat, "http://127.0.0.1:11434/v1", kBearer, "", true, ""},
    {"bedrock", kBedrock, "https://bedrock-runtime.{region}.amazonaws.com", kAws, "", false,
     "AWS_BEARER_TOKEN_BEDROCK"},
    {"vertex", kGemini, "https://{location}-aiplatform.googleapis.com", kGoogle, "gemini", false, ""},
    {"vertex-anthropic", kAnthropic, "https://{location}-aiplatform.googleapis.com", kGoogle, "anthropic", false, ""},
    {"cohere", kCohere, "https://api.cohere.com", kBearer, "cohere", false, "COHERE_API_KEY"},
    {"replicate", kReplicate, "https://api.replicate.com/v1", kBearer, "", false, "REPLICATE_API_TOKEN"},
    {"ollama-native", kOllama, "http://127.0.0.1:11434", kBearer, "", true, ""},
    {"local", kOpenAiChat, "http://127.0.0.1", kBearer, "", true, ""},  // in this process: nothing is sent anywhere
    {"task", kOpenAiChat, "http://127.0.0.1", kBearer, "", true, ""},  // in this process: nothing is sent anywhere
    {"documents", kOpenAiChat, "http://127.0.0.1", kBearer, "", true, ""},  // as these two: quotes of a collection
    {"openai-responses", kOpenAiResponses, "https://api.openai.com/v1", kBearer, "openai", false, "OPENAI_API_KEY"},
    {"azure-responses", kOpenAiResponses, "", kApiKey, "openai", false, "AZURE_OPENAI_API_KEY"},
    {"custom-responses", kOpenAiResponses, "", kBearer, "", false, ""},
    {"custom", kOpenAiChat, "", kBearer, "", false, ""},
    {"custom-anthropic", kAnthropic, "", kXApiKey, "", false, ""},
    {"custom-gemini", kGemini, "", kGoogApiKey, "", false, ""},
};

}  // namespace

std::span<const Preset> presets() { return kPresets; }

bool completes(std::string_view preset, std::string_view model) {
  if (preset == "openai") {
    return model.ends_with("-instruct") || model.starts_with("davinci-002") || model.starts_with("babbage-002");
  }
  for (const std::string_view name : {"vllm", "llamacpp", "sglang", "tgi", "tensorrt-llm", "ollama", "lmstudio", "together",
                                      "fireworks", "deepseek", "openrouter", "custom"}) {
    if (preset == name) return true;
  }
  return false;
}

const Preset* find_preset(std::string_view name) {
  for (const Preset& preset : kPresets) {
    if (preset.name == name) return &preset;
  }
  return nullptr;
}

}  // namespace ajar
