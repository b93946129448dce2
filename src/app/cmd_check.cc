// ajar check: reads a configuration without serving.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "app/builtin_task.h"
#include "app/commands.h"
#include "app/config_file.h"
#include "app/providers.h"
#include "app/terminal.h"
#include "engine/checkpoint.h"
#include "gateway/route.h"
#include "json/write.h"
#include "learn/task_model.h"
#include "provider/remote.h"

namespace ajar::app {
namespace {

struct CheckArgs {
  std::string file;
  bool reference = false;
};

// Whether the server does not start without this task model: a route asks it, or has a policy that does.
bool is_asked(const Config& config, const std::string& task) {
  return std::ranges::any_of(config.routes, [&](const RouteConfig& route) {
    return std::ranges::any_of(route.targets, [&](const TargetConfig& target) {
             const auto provider = std::ranges::find(config.providers, target.provider, &ProviderConfig::name);
             return provider != config.providers.end() && provider->preset == "task" && target.model == task;
           }) ||
           std::ranges::any_of(route.policies, [&](const std::string& name) {
             const auto policy = std::ranges::find(config.policies, name, &PolicyConfigEntry::name);
             return policy != config.policies.end() && policy->task == task;
           });
  });
}

// Tasks whose models cannot be read: those that are asked, or the others.
std::vector<std::string> unreadable_tasks(const Config& config, bool asked) {
  std::vector<std::string> found;
  for (const TaskConfig& task : config.tasks) {
    if (task.path == kBuiltinTask || is_asked(config, task.name) != asked) continue;
    if (const auto loaded = learn::TaskModel::load(task.path); !loaded) found.push_back("tasks." + task.name + ": " + loaded.error().message);
  }
  return found;
}

// What serves but may surprise.
std::vector<std::string> warnings(const Config& config) {
  std::vector<std::string> found;
  for (const RouteConfig& route : config.routes) {
    for (const TargetConfig& target : route.targets) {
      for (const ProviderConfig& provider : config.providers) {
        if (provider.name != target.provider || target.model.empty()) continue;
        const Preset* preset = find_preset(provider.preset);
        Target priced{.price_list = provider.price_list.empty() && preset ? std::string(preset->price_list)
                                                                         : provider.price_list,
                      .free = provider.free.value_or(preset && preset->free), .overrides = provider.prices};
        if (!priced.price_of(target.model)) {
          found.push_back("no price is known for " + provider.name + "/" + target.model +
                          ": its calls count as $0, and keys with a budget in dollars may not use it");
        }
        if (preset && provider.api_key.empty() && provider.access_key_id.empty() && provider.credentials.empty() && !preset->key_env.empty() && !provider.simulator) {
          found.push_back("providers." + provider.name + " has no api_key");
        }
      }
    }
  }
  // The server starts without a model that cannot be opened, and answers its routes with the reason.
  for (const ModelConfigEntry& model : config.models) {
    if (const auto opened = engine::Checkpoint::open(model.path); !opened) found.push_back("models." + model.name + ": " + opened.error().message);
    for (const auto& [name, path] : model.adapters)
      if (!std::filesystem::exists(path)) found.push_back("models." + model.name + ": adapter " + name + ": there is no " + path);
  }
  for (auto& line : unreadable_tasks(config, false)) found.push_back(std::move(line));
  return found;
}

// Nobody is asked anything by a check.
struct NoDocuments final : Documents {
  Task<Result<Grounds>> look_up(const std::string&, const Caller&, std::string) const override { co_return fail(Code::kUnsupported, "a check looks nothing up"); }
  Task<Result<std::vector<Claim>>> bear_out(const std::string&, const Caller&, std::string, std::vector<Passage>) const override {
    co_return fail(Code::kUnsupported, "a check looks nothing up");
  }
};

// The routes as a server would make them: their ladders' calibrations, scores, policies and task models.
Status build_routes(const Config& config) {
  LoopGroup loops(1);
  const NoDocuments documents;
  AJAR_ASSIGN(const auto clients, Clients::make(loops, {}));
  AJAR_ASSIGN(const auto models, ModelHost::make({.threads = 1}, [](const std::string& name) { return fail(Code::kNotFound, name); }));
  AJAR_TRY(Providers(*models, *clients, documents).build(config));
  return {};
}

int check(const CommandContext& context, const CheckArgs& args) {
  if (args.reference) {
    std::fputs(config_reference().c_str(), stdout);
    return 0;
  }
  const std::string file = args.file.empty() ? context.environment("AJAR_CONFIG").value_or("") : args.file;
  if (file.empty()) return complain(context, {.message = "name the file to check: ajar check ajar.toml"});
  auto config = read_config_file(file, context.environment);
  std::vector<std::string> faults;
  if (!config) faults = config.error().lines;
  if (config) {
    for (const ProviderConfig& provider : config->providers) {
      const auto upstream = make_upstream(spec_of(provider));
      if (!upstream) faults.push_back(file + ": providers." + provider.name + ": " + upstream.error().message);
    }
  }
  if (config) {
    for (const TokenizerConfig& tokenizer : config->tokenizers) {
      if (const auto loaded = load_vocabulary(tokenizer); !loaded) faults.push_back(file + ": " + loaded.error().message);
    }
  }
  if (config) {
    for (auto& line : unreadable_tasks(*config, true)) faults.push_back(file + ": " + std::move(line));
  }
  if (config && faults.empty()) {
    if (const auto built = build_routes(*config); !built) faults.push_back(file + ": " + built.error().message);
  }
  const auto warned = config ? warnings(*config) : std::vector<std::string>();
  if (context.json) {
    std::string out;
    json::Writer w(out);
    w.begin_object();
    w.field("ok", faults.empty());
    w.key("faults");
    w.begin_array();
    for (const auto& line : faults) w.string(line);
    w.end_array();
    w.key("warnings");
    w.begin_array();
    for (const auto& line : warned) w.string(line);
    w.end_array();
    w.end_object();
    std::puts(out.c_str());
    return faults.empty() ? 0 : 1;
  }
  for (const auto& line : faults) std::fprintf(stderr, "%s\n", line.c_str());
  for (const auto& line : warned) std::printf("%s %s\n", yellow("note:").c_str(), line.c_str());
  if (faults.empty()) {
    std::printf("%s: %zu providers, %zu routes, %s\n", file.c_str(), config->providers.size(),
                config->routes.size(), green("good").c_str());
  }
  return faults.empty() ? 0 : 1;
}

}  // namespace

void add_check(CommandContext& context) {
  auto command = context.root.add_subcommand("check", "Check a configuration file without serving");
  auto args = std::make_shared<CheckArgs>();
  command.add_option("file", args->file, "The file (or AJAR_CONFIG)");
  command.add_flag("--reference", args->reference, "Print the reference of all settings as Markdown");
  command.footer("Every fault is printed as file:line:column: message; the exit status is 1 when there is one.");
  context.add(command, [&context, args] { return check(context, *args); });
}

}  // namespace ajar::app
