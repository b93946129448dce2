// What runs when nobody has written a configuration.
#include "app/builtin_task.h"
#include "app/config_file.h"
#include "provider/presets.h"

namespace ajar::app {
namespace {

struct Known {
  const char* preset;
  const char* small_model;            // a cheap one for the route "default"
  std::vector<const char*> patterns;  // names that belong to it
};
const std::vector<Known>& known() {
  static const std::vector<Known> all = {
      {"openai", "gpt-4o-mini", {"gpt-*", "o1*", "o3*", "o4*", "chatgpt-*", "text-embedding-*"}},
      {"anthropic", "claude-haiku-4-5", {"claude-*"}},
      {"gemini", "gemini-2.5-flash", {"gemini-*"}},
  };
  return all;
}

std::string key_of(const Environment& environment, const Known& provider) {
  return environment(find_preset(provider.preset)->key_env).value_or("");
}

// The ladder that comes with Ajar: questions of a bank's customers are answered with their intent by a task model in this process where it is
// sure, by a closed model otherwise, which never sees personal data; equal questions are answered once.
void add_support(Config& config, const std::vector<TargetConfig>& closed) {
  config.tasks.push_back({.name = "banking77", .path = std::string(kBuiltinTask)});
  config.providers.push_back({.name = "tasks", .preset = "task"});
  config.data_classes.push_back({.name = "customer", .rank = 15, .site = Site::kOwn, .masked = Site::kOutside});
  RouteConfig route{.name = "support", .description = "The intent of a bank customer's question: a task model, and above it a closed one",
                    .strategy = Strategy::kLadder,
                    .targets = {{.provider = "tasks", .model = "banking77", .rung = {.confidence = ConfidenceSource::kOwn}}}};
  route.targets.insert(route.targets.end(), closed.begin(), closed.end());
  // Of several closed models only the last may be the top; the others would accept every answer before it.
  if (route.targets.size() > 2) route.targets.erase(route.targets.begin() + 2, route.targets.end());
  route.pii_class = "customer";
  route.secret_class = "restricted";
  route.cache = CacheMode::kExact;
  config.routes.push_back(std::move(route));
}

}  // namespace

bool has_provider_key(const Environment& environment) {
  for (const Known& provider : known()) {
    if (!key_of(environment, provider).empty()) return true;
  }
  return false;
}

Config default_config(const Environment& environment, const std::string& simulator_url) {
  Config config;
  config.file = "(built-in defaults)";
  RouteConfig fallback{.name = "default", .description = "The first provider that answers"};
  for (const Known& provider : known()) {
    const std::string key = key_of(environment, provider);
    if (key.empty()) continue;
    config.providers.push_back({.name = provider.preset, .preset = provider.preset, .api_key = key});
    fallback.targets.push_back({.provider = provider.preset, .model = provider.small_model});
    for (const char* pattern : provider.patterns) {
      config.routes.push_back({.name = pattern, .targets = {{.provider = provider.preset}}});
    }
  }
  if (config.providers.empty()) {
    // One simulated provider per dialect, so that translation is part of what one sees.
    config.providers.push_back({.name = "simulator", .preset = "custom", .base_url = simulator_url + "/v1",
                                .free = true, .simulator = true, .site = "outside"});
    config.providers.push_back({.name = "simulator-anthropic", .preset = "custom-anthropic",
                                .base_url = simulator_url, .free = true, .simulator = true});
    config.providers.push_back({.name = "simulator-gemini", .preset = "custom-gemini",
                                .base_url = simulator_url + "/v1beta", .free = true, .simulator = true});
    fallback.description = "The built-in simulator; no model stands behind it";
    fallback.targets.push_back({.provider = "simulator", .model = "mock-small"});
    config.routes.push_back({.name = "claude-*", .description = "Simulated, over Anthropic's API",
                             .targets = {{.provider = "simulator-anthropic"}}});
    config.routes.push_back({.name = "gemini-*", .description = "Simulated, over Gemini's API",
                             .targets = {{.provider = "simulator-gemini"}}});
    config.routes.push_back({.name = "gpt-*", .description = "Simulated, over OpenAI's API",
                             .targets = {{.provider = "simulator"}}});
    config.routes.push_back({.name = "text-embedding-*", .description = "Simulated embeddings",
                             .targets = {{.provider = "simulator"}}});
  }
  add_support(config, fallback.targets);
  config.routes.push_back(std::move(fallback));
  return config;
}

}  // namespace ajar::app
