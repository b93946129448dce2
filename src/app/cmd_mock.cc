// ajar mock: the simulator as a server of its own.
#include <signal.h>

#include <cstdio>

#include "app/commands.h"
#include "app/mock.h"
#include "app/terminal.h"

namespace ajar::app {
namespace {

int run_mock(const CommandContext& context, const MockOptions& options, bool list) {
  if (list) {
    std::vector<std::vector<std::string>> rows;
    for (const MockFault& fault : mock_faults()) rows.push_back({std::string(fault.name), std::string(fault.what)});
    std::fputs(table({"fault", "what happens"}, rows).c_str(), stdout);
    return 0;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const auto mock = Mock::start(options);
  if (!mock) return complain(context, mock.error());
  std::printf("%s on %s (no model stands behind it)\n", yellow("SIMULATOR").c_str(), (*mock)->url().c_str());
  if (!options.transcripts.empty()) {
    std::printf("%zu recorded answers: ask for model \"replay:ID\", list them with GET /mock/transcripts\n",
                (*mock)->transcripts());
  }
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  return 0;
}

}  // namespace

void add_mock(CommandContext& context) {
  auto command = context.root.add_subcommand("mock", "Run a simulator of OpenAI's, Anthropic's and Gemini's APIs");
  auto options = std::make_shared<MockOptions>();
  auto list = std::make_shared<bool>(false);
  command.add_option("-l,--listen", options->listen, "Address").capture_default();
  command.add_option("--pace", options->pace_ms, "Milliseconds between two tokens of a stream").capture_default();
  command.add_option("--delay", options->first_delay_ms, "Milliseconds before the first byte").capture_default();
  command.add_option("--tokens", options->tokens, "Tokens per reply; 0 echoes the question").capture_default();
  command.add_option("--threads", options->threads, "Threads").between(1, 256).capture_default();
  command.add_option("--transcripts", options->transcripts, "Folder of recorded traffic to replay");
  command.add_flag("--faults", *list, "List the faults that can be asked for");
  command.footer("Faults: POST /fault/NAME/v1/chat/completions, or the header x-mock-fault: NAME, or the model "
                 "fault-NAME.");
  context.add(command, [&context, options, list] { return run_mock(context, *options, *list); });
}

}  // namespace ajar::app
