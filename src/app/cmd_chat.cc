// ajar chat: a conversation in the terminal, streamed.
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "app/chat_client.h"
#include "app/commands.h"
#include "app/terminal.h"
#include "json/write.h"

namespace ajar::app {
namespace {

struct ChatArgs {
  std::string url, key, model = "default", system, question;
};

int ask(const CommandContext& context, HttpCaller& caller, const ChatArgs& args, std::vector<Turn>& turns,
        bool interactive) {
  bool thinking = false;
  const auto answer =
      stream_chat(caller, args.url, args.key, args.model, turns, [&](std::string_view text, bool thought) {
        if (context.json) return;
        if (thinking && !thought) std::puts("");
        thinking = thought;
        std::fputs(thought ? dim(text).c_str() : std::string(text).c_str(), stdout);
        std::fflush(stdout);
      });
  if (!answer) {
    if (!context.json) std::puts("");
    return complain(context, answer.error());
  }
  turns.push_back({"assistant", answer->text});
  if (context.json) {
    std::string out;
    json::Writer w(out);
    w.begin_object();
    w.field("text", answer->text);
    w.field("model", answer->model);
    w.field("target", answer->headers.get("x-ajar-target"));
    w.field("finish_reason", answer->finish);
    w.field("input_tokens", answer->input);
    w.field("output_tokens", answer->output);
    w.field("first_token_s", answer->first_token_seconds);
    w.field("total_s", answer->total_seconds);
    w.end_object();
    std::puts(out.c_str());
    return 0;
  }
  std::puts("");
  if (interactive) {
    char line[160];
    std::snprintf(line, sizeof line, "%s · %lld in, %lld out · first token %.0f ms, total %.1f s",
                  std::string(answer->headers.get("x-ajar-target")).c_str(), static_cast<long long>(answer->input),
                  static_cast<long long>(answer->output), answer->first_token_seconds * 1e3, answer->total_seconds);
    std::printf("%s\n\n", dim(line).c_str());
  }
  return 0;
}

int chat(const CommandContext& context, ChatArgs args) {
  args.url = server_url(context, args.url), args.key = api_key(context, args.key);
  HttpCaller caller;
  std::vector<Turn> turns;
  if (!args.system.empty()) turns.push_back({"system", args.system});
  if (args.question == "-" || (args.question.empty() && !is_terminal(STDIN_FILENO))) {
    args.question.assign(std::istreambuf_iterator<char>(std::cin), {});
  }
  if (!args.question.empty()) {
    turns.push_back({"user", args.question});
    return ask(context, caller, args, turns, false);
  }
  std::printf("%s at %s. An empty line or Ctrl-D ends; /clear begins anew; /model NAME changes the model.\n\n",
              bold(args.model).c_str(), args.url.c_str());
  for (std::string line; std::fputs(green("you> ").c_str(), stdout), std::fflush(stdout), std::getline(std::cin, line);) {
    if (line.empty()) break;
    if (line == "/clear") {
      turns.clear();
      if (!args.system.empty()) turns.push_back({"system", args.system});
      continue;
    }
    if (line.starts_with("/model ")) {
      args.model = line.substr(7);
      continue;
    }
    turns.push_back({"user", line});
    if (ask(context, caller, args, turns, true) != 0) turns.pop_back();  // the question may be asked again
  }
  return 0;
}

}  // namespace

void add_chat(CommandContext& context) {
  auto command = context.root.add_subcommand("chat", "Talk to a model through a running server");
  auto args = std::make_shared<ChatArgs>();
  command.add_option("question", args->question, "Ask once and exit; '-' reads standard input");
  command.add_option("-m,--model", args->model, "Public model name").capture_default();
  command.add_option("-s,--system", args->system, "System prompt");
  command.add_option("-u,--url", args->url, "Server (or AJAR_URL; default http://127.0.0.1:8080)");
  command.add_option("-k,--key", args->key, "API key (or AJAR_API_KEY)");
  context.add(command, [&context, args] { return chat(context, *args); });
}

}  // namespace ajar::app
