// ajar serve: the server itself.
#include <signal.h>
#include <stdlib.h>

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <optional>

#include "app/app.h"
#include "app/commands.h"
#include "app/hello.h"
#include "app/mock.h"
#include "app/terminal.h"
#include "base/log.h"
#include "json/write.h"

namespace ajar::app {
namespace {

struct ServeArgs {
  std::string config, data;
  std::vector<std::string> listen;
  bool hello = false, once = false;
};

sigset_t our_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

// On the very first start there is no key yet, and nobody could ask anything. False: there are keys that only their
// owners know.
bool first_key(App& app) {
  if (app.config().server.auth != "keys") return true;
  for (const auto& key : app.tenants().keys()) {
    if (key->row.revoked_ms == 0) return false;
  }
  const auto made = app.tenants().create_key({.name = "default"});
  if (!made) {
    log_warn("no first key could be made: " + made.error().message);
    return false;
  }
  std::printf("\n  First API key (shown once, only its hash is kept):\n\n    %s\n\n",
              bold(made->secret).c_str());
  return true;
}

// A folder for --once, which must leave nothing behind.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    char pattern[] = "/tmp/ajar-once-XXXXXX";
    if (const char* made = mkdtemp(pattern)) path_ = made;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void print_try_it(const CommandContext& context, const App& app, bool simulator, bool has_key) {
  std::printf("  Listening on %s\n", bold(app.url()).c_str());
  if (simulator) {
    std::printf("  %s answers come from the built-in simulator, not from a model. Set OPENAI_API_KEY,\n"
                "  ANTHROPIC_API_KEY or GEMINI_API_KEY, or write a configuration, to use real ones.\n",
                yellow("SIMULATOR:").c_str());
  }
  const std::string program = context.root.name();
  if (!has_key) std::printf("  Keys exist already; another one: %s keys create --name my-app\n", program.c_str());
  std::printf("\n  Try it (with your key in AJAR_API_KEY):\n"
              "    curl -N %s/v1/chat/completions -H \"Authorization: Bearer $AJAR_API_KEY\" \\\n"
              "      -d '{\"model\":\"default\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":"
              "\"Hello\"}]}'\n"
              "    %s chat          %s keys list          %s usage --calls\n\n",
              app.url().c_str(), program.c_str(), program.c_str(), program.c_str());
  std::fflush(stdout);
}

int serve(const CommandContext& context, const ServeArgs& args) {
  sigset_t signals = our_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread is made: all inherit it

  AppOptions options{.config_path = args.config, .data_folder = args.data, .listen = args.listen,
                     .environment = context.environment};
  if (options.config_path.empty()) options.config_path = context.environment("AJAR_CONFIG").value_or("");
  std::unique_ptr<Mock> mock;
  const bool simulator = options.config_path.empty() && !has_provider_key(context.environment);
  if (simulator) {
    auto started = Mock::start({.listen = "127.0.0.1:0"});
    if (!started) return complain(context, std::move(started).error().in("simulator"));
    mock = std::move(*started);
    options.simulator_url = mock->url();
  }
  std::optional<TemporaryFolder> folder;
  if (args.once) {
    options.quiet = true;
    if (options.data_folder.empty()) options.data_folder = folder.emplace().path();
  }
  auto app = App::start(std::move(options));
  if (!app) return complain(context, app.error());
  if (!args.once) {
    const bool shown = first_key(**app);
    print_try_it(context, **app, simulator, shown);
  }
  if (args.hello || args.once) {
    const int failed = hello(**app);
    if (args.once) {
      (*app)->drain();
      return failed;
    }
    std::printf("  Serving. Ctrl-C stops it.\n\n");
    std::fflush(stdout);
  }
  int64_t minutes = 0;
  for (;;) {
    const timespec minute{.tv_sec = 60, .tv_nsec = 0};
    const int signal = sigtimedwait(&signals, nullptr, &minute);
    if (signal == SIGHUP) {
      (void)(*app)->reload();  // it has logged what happened
    } else if (signal == SIGTERM || signal == SIGINT) {
      log_info("stopping: no new connections, running answers may end (again to stop at once)");
      pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // the second one kills
      const bool clean = (*app)->drain();
      log_info(clean ? "stopped" : "stopped; some answers had to be cut");
      return 0;
    } else if (++minutes % 10 == 1) {
      (*app)->tidy();
    }
  }
}

}  // namespace

void add_serve(CommandContext& context) {
  auto command = context.root.add_subcommand("serve", "Run the server");
  auto args = std::make_shared<ServeArgs>();
  command.add_option("-c,--config", args->config,
                     "Configuration file (or AJAR_CONFIG); without one, the providers whose keys are in the "
                     "environment, or the built-in simulator");
  command.add_option("-d,--data", args->data, "Data folder, instead of store.path");
  command.add_option("-l,--listen", args->listen, "Address, instead of server.listen; may be given several times");
  command.add_flag("--hello", args->hello, "Answer one request in front of your eyes, then serve");
  command.add_flag("--once", args->once, "Like --hello, then exit");
  command.footer("SIGHUP reads the configuration again. SIGTERM and SIGINT let running answers end first.");
  context.add(command, [&context, args] { return serve(context, *args); });
}

int complain(const CommandContext& context, const Error& error) {
  if (context.json) {
    std::string out;
    json::Writer w(out);
    w.begin_object();
    w.field("error", error.message);
    w.field("code", code_name(error.code));
    w.end_object();
    std::puts(out.c_str());
  } else {
    std::fprintf(stderr, "ajar: %s\n", error.message.c_str());
  }
  return 1;
}

}  // namespace ajar::app
