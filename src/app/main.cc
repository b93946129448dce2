// ajar: one binary, one subcommand per job. The only file that reads the environment.
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "app/app.h"
#include "app/commands.h"
#include "app/terminal.h"
#include "gateway/prices.h"
#include "json/write.h"
#include "rag/convert.h"

namespace {

std::optional<std::string> environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace ajar::app;
  signal(SIGPIPE, SIG_IGN);
  // Not for people: this program, started by itself to read one file of somebody else's (rag/convert.h).
  if ((argc == 3 || argc == 4) && std::string_view(argv[1]) == "convert-child") {
    return ajar::rag::convert_child(3, 4, argv[2], argc == 4 ? argv[3] : "", environment("PATH").value_or(""));
  }
  // Large bodies go back to the system when they are freed. Without this glibc raises the threshold by itself once it
  // has seen some, and keeps 200 MB after 1,500 bodies of 150 KB.
  mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  set_colours(is_terminal(STDOUT_FILENO) && !environment("NO_COLOR") && environment("TERM") != "dumb");

  CommandLineRoot root("Ajar stands between applications and all language models, open and closed: one OpenAI-compatible "
                       "address, keys, budgets, fallbacks, honest streams.",
                       argc > 0 ? argv[0] : "ajar");
  root.require_subcommand(1);
  root.fallthrough();
  root.column_width(34);
  CommandContext context{.root = root, .environment = environment};
  root.add_flag("--json", context.json, "Print data as JSON");
  add_serve(context);
  add_check(context);
  add_chat(context);
  add_keys(context);
  add_reports(context);
  add_models(context);
  add_pull(context);
  add_run(context);
  add_inspect(context);
  add_quantize(context);
  add_tune(context);
  add_ladder(context);
  add_trials(context);
  add_redteam(context);
  add_rag(context);
  add_mock(context);
  add_bench(context);
  add_selftest(context);
  const auto version = root.add_subcommand("version", "Print the version");
  context.add(version, [&context] {
    if (context.json) {
      std::string out;
      ajar::json::Writer w(out);
      w.begin_object();
      w.field("version", kVersion);
      w.field("prices", ajar::Prices::builtin().version());
      w.end_object();
      std::puts(out.c_str());
    } else {
      std::printf("ajar %s (price catalogue %s, %zu models)\n", kVersion,
                  ajar::Prices::builtin().version().c_str(), ajar::Prices::builtin().size());
    }
    return 0;
  });

  if (const auto status = root.parse(argc, argv)) return *status;
  for (const Command& command : context.commands) {
    if (command.line.parsed()) return command.run();
  }
  return 2;
}
