#pragma once
// The subcommands. Each adds itself to the command line; run() gives the process's exit status.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/command_line.h"
#include "app/config_file.h"

namespace ajar::app {

struct Command {
  CommandLine line;
  std::function<int()> run;
};

struct CommandContext {
  CommandLine root;
  Environment environment;
  std::vector<Command> commands;
  bool json = false;               // --json

  void add(CommandLine line, std::function<int()> run) { commands.push_back({line, std::move(run)}); }
};

void add_serve(CommandContext& context);
void add_check(CommandContext& context);
void add_mock(CommandContext& context);
void add_chat(CommandContext& context);
void add_keys(CommandContext& context);
void add_reports(CommandContext& context);   // usage, routes
void add_bench(CommandContext& context);
// `ajar bench --engine`: speeds of the embedded engine with one model.
struct EngineBenchOptions {
  std::string model, kernels, kv = "f16";
  int threads = 0, prompt = 512, generate = 128, repeat = 3, depth = 0;
  std::vector<int> streams = {1, 8};
  int stall_prompt = 0;
};
int run_engine_bench(const CommandContext& context, const EngineBenchOptions& options);
void add_models(CommandContext& context);
void add_pull(CommandContext& context);
void add_run(CommandContext& context);
void add_inspect(CommandContext& context);
void add_quantize(CommandContext& context);
void add_tune(CommandContext& context);
void add_tune_answers(CommandContext& context, CommandLine tune);  // below `ajar tune`
void add_ladder(CommandContext& context);    // calibrate, replay, rungs
void add_trials(CommandContext& context);    // canary, shadow
void add_redteam(CommandContext& context);
void add_rag(CommandContext& context);
void add_selftest(CommandContext& context);

// Prints "ajar: message" on stderr (as JSON with --json) and gives 1.
int complain(const CommandContext& context, const Error& error);

// Where the server is: as given, or AJAR_URL, or this machine's; without a slash at its end.
std::string server_url(const CommandContext& context, const std::string& given);
// The API key: as given, or AJAR_API_KEY, or empty.
std::string api_key(const CommandContext& context, const std::string& given);

}  // namespace ajar::app
