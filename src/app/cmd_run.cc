// ajar run: a model in this terminal, without a server.
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "app/commands.h"
#include "app/local_models.h"
#include "app/terminal.h"
#include "engine/stream_decoder.h"
#include "json/write.h"
#include "provider/local_request.h"

namespace ajar::app {
namespace {

struct RunArgs {
  std::string model, prompt, system, data, kernels;
  bool raw = false, stats = false;
  double temperature = 0.8, top_p = 0.95;
  int64_t max_tokens = 0, seed = -1, context = 0;
  int threads = 0;
};

volatile std::sig_atomic_t interrupted = 0;

// What the engine's thread hands over, token by token.
struct Queue {
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<engine::Sampled> tokens;  // guarded by mutex
  bool done = false;                    // guarded by mutex, as the rest
  engine::FinishReason reason{};
  engine::GenerationStats stats;
  Error error;
};

struct Said {
  std::string text, thought;
  engine::FinishReason reason{};
  engine::GenerationStats stats;
};

// Generates and prints as it goes. Ctrl-C ends the answer, not the program.
Result<Said> answer(const LoadedModel& model, const Request& request, const RunArgs& args, bool print) {
  std::vector<std::string> dropped;
  AJAR_ASSIGN(auto local, read_local_request(request, model, dropped));
  auto queue = std::make_shared<Queue>();
  engine::Generation want;
  want.prompt = local.prompts.front();
  want.sampling = local.sampling;
  want.max_tokens = local.max_tokens;
  want.on_token = [queue](const engine::Sampled& token) {
    {
      std::lock_guard lock(queue->mutex);
      queue->tokens.push_back(token);
    }
    queue->wake.notify_one();
  };
  want.on_done = [queue](engine::FinishReason reason, const engine::GenerationStats& stats, Error error) {
    {
      std::lock_guard lock(queue->mutex);
      queue->done = true, queue->reason = reason, queue->stats = stats, queue->error = std::move(error);
    }
    queue->wake.notify_one();
  };
  AJAR_ASSIGN(auto handle, model.engine->submit(std::move(want)));

  Said said;
  engine::StreamDecoder decoder(*model.tokenizer, args.raw && model.tokenizer->adds_space());
  std::optional<chat::ReplyParser> parser;
  if (local.chat) parser.emplace(model.chat->syntax(), chat::KnownTools::of(request), local.start);
  auto show = [&](EventBatch& events) {
    for (const Event& event : events) {
      bool thought = event.kind == Event::Kind::kThought;
      if (event.kind != Event::Kind::kText && !thought) continue;
      (thought ? said.thought : said.text) += event.text;
      if (print) std::fputs(thought ? dim(event.text).c_str() : event.text.c_str(), stdout);
    }
    if (print) std::fflush(stdout);
    events.clear();
  };
  auto feed = [&](const std::string& text, EventBatch& events) {
    if (parser) parser->feed(text, events);
    else if (!text.empty()) events.push_back(Event::of_text(text));
  };
  if (local.chat == false && print && !args.prompt.empty()) std::fputs(args.prompt.c_str(), stdout);
  EventBatch events;
  for (bool done = false; !done;) {
    std::vector<engine::Sampled> tokens;
    {
      std::unique_lock lock(queue->mutex);
      queue->wake.wait_for(lock, std::chrono::milliseconds(100), [&] { return queue->done || !queue->tokens.empty(); });
      tokens.swap(queue->tokens);
      done = queue->done && tokens.empty();
    }
    if (interrupted) handle.cancel();
    for (const engine::Sampled& token : tokens) {
      std::string text;
      if (model.tokenizer->is_control(token.token)) {
        if (parser && chat::is_mark(model.chat->syntax(), model.tokenizer->piece(token.token))) decoder.spell(token.token, text);
      } else {
        decoder.add(token.token, text);
      }
      feed(text, events);
    }
    show(events);
  }
  std::string rest;
  decoder.finish(rest);
  feed(rest, events);
  if (parser) parser->finish(events);
  show(events);
  if (queue->reason == engine::FinishReason::kFailed) return std::unexpected(queue->error);
  said.reason = queue->reason, said.stats = queue->stats;
  return said;
}

void print_stats(const Said& said) {
  const auto& s = said.stats;
  std::fprintf(stderr, "%s\n", dim(count(s.prompt_tokens) + " tokens read" + (s.cached_tokens > 0 ? " (" + count(s.cached_tokens) + " known)" : "") + ", " +
                                   std::to_string(static_cast<int>((s.prompt_tokens - s.cached_tokens) / std::max(s.prefill_s, 1e-6))) + "/s; " +
                                   count(s.output_tokens) + " written, " + std::to_string(static_cast<int>(s.output_tokens / std::max(s.decode_s, 1e-6))) + "/s")
                                   .c_str());
}

Request request_of(const RunArgs& args) {
  Request request;
  request.sampling = {.temperature = args.temperature, .top_p = args.top_p};
  if (args.seed >= 0) request.sampling.seed = args.seed;
  if (args.max_tokens > 0) request.max_tokens = args.max_tokens;
  return request;
}

void add_message(Request& request, Role role, const std::string& text) {
  Message& message = request.messages.emplace_back();
  message.role = role, message.plain_text = true;
  message.parts.push_back({.kind = Part::Kind::kText, .text = text});
}

int run(const CommandContext& context, RunArgs& args) {
  std::string data = args.data.empty() ? context.environment("AJAR_DATA").value_or("data") : args.data, path = args.model;
  if (!std::filesystem::exists(path)) {
    auto local = find_local_model(data, args.model);
    if (!local) return complain(context, local.error());
    path = local->path;
  }
  auto host = ModelHost::make({.threads = args.threads, .kernels = args.kernels, .quiet = true}, [](const std::string& name) -> Result<std::string> {
    return fail(Code::kNotFound, "there is no model " + name);
  });
  if (!host) return complain(context, host.error());
  (*host)->configure({{.name = args.model, .path = path, .context = args.context}});
  auto loaded = [&] {
    Progress progress("loading " + args.model, 100);
    return (*host)->get_blocking(args.model, [&](double done) { progress.update(static_cast<int64_t>(done * 100)); });
  }();
  if (!loaded) return complain(context, loaded.error());
  const LoadedModel& model = **loaded;
  if (!model.engine) return complain(context, {.code = Code::kUnsupported, .message = args.model + " makes embeddings and writes no text"});
  // A model without a template was not made for conversations: it goes on with what it is given.
  if (model.model->checkpoint().chat_template().empty()) args.raw = true;

  std::signal(SIGINT, [](int) { interrupted = 1; });
  bool once = !args.prompt.empty() || !is_terminal(STDIN_FILENO);
  if (args.prompt.empty() && !is_terminal(STDIN_FILENO)) args.prompt.assign(std::istreambuf_iterator<char>(std::cin), {});
  Request conversation = request_of(args);
  if (!args.system.empty()) add_message(conversation, Role::kSystem, args.system);
  if (!once) std::printf("%s\n", dim(args.raw ? "Begin a text and the model goes on with it; Ctrl-D ends." : "Ctrl-C ends an answer, Ctrl-D the conversation.").c_str());
  for (;;) {
    interrupted = 0;
    if (!once) {
      std::fputs(bold("> ").c_str(), stdout);
      std::fflush(stdout);
      if (!std::getline(std::cin, args.prompt)) break;
      if (args.prompt.empty() && !args.raw) continue;
    }
    Request request = args.raw ? request_of(args) : conversation;
    if (args.raw) request.dialect = DialectId::kOpenAiCompletions;
    add_message(request, Role::kUser, args.prompt);
    auto said = answer(model, request, args, !context.json);
    if (!said) {
      if (once) return complain(context, said.error());
      std::fprintf(stderr, "%s\n", red(said.error().message).c_str());
      continue;
    }
    if (context.json) {
      std::string out;
      json::Writer w(out);
      w.begin_object();
      w.field("text", said->text);
      if (!said->thought.empty()) w.field("thought", said->thought);
      w.field("prompt_tokens", int64_t{said->stats.prompt_tokens});
      w.field("output_tokens", int64_t{said->stats.output_tokens});
      w.field("prefill_s", said->stats.prefill_s);
      w.field("decode_s", said->stats.decode_s);
      w.field("mean_margin", said->stats.mean_margin);
      w.field("mean_entropy", said->stats.mean_entropy);
      w.end_object();
      std::puts(out.c_str());
    } else {
      std::puts("");
      if (args.stats) print_stats(*said);
    }
    if (once) break;
    conversation = request;
    add_message(conversation, Role::kAssistant, said->text);
  }
  if (!once) std::puts("");
  return 0;
}

}  // namespace

void add_run(CommandContext& context) {
  auto command = context.root.add_subcommand("run", "Talk with an open model in this terminal, without a server");
  auto args = std::make_shared<RunArgs>();
  command.add_option("model", args->model, "A GGUF file, a Hugging Face folder, or the name of a model that `ajar pull` brought").required();
  command.add_option("-p,--prompt", args->prompt, "Answer this and end; without it, standard input or a conversation");
  command.add_option("-s,--system", args->system, "Instructions before the conversation");
  command.add_flag("--raw", args->raw, "Go on with the text as it is, without a chat template; so are models that have none");
  command.add_option("-t,--temperature", args->temperature, "0 is always the most likely token").between(0.0, 5.0).capture_default();
  command.add_option("--top-p", args->top_p, "Only the most likely tokens that hold this share").between(0.0, 1.0).capture_default();
  command.add_option("-n,--max-tokens", args->max_tokens, "Longest answer; 0 is as much as the context holds").capture_default();
  command.add_option("--seed", args->seed, "Repeats an answer; -1 is another every time").capture_default();
  command.add_option("--context", args->context, "Longest conversation in tokens; 0 is the model's own").capture_default();
  command.add_option("--threads", args->threads, "That compute; 0 is one per core").capture_default();
  command.add_option("--kernels", args->kernels, "amx, avx512-vnni, avx512, avx2-vnni, avx2, neon-dotprod, neon or portable; else the fastest, as timed");
  command.add_option("--data", args->data, "Folder of pulled models (default: $AJAR_DATA or data)");
  command.add_flag("--stats", args->stats, "Say how fast it was");
  command.footer("Examples:\n  ajar run model.gguf -p \"Why is the sky blue?\"\n  ajar run org/name --system \"Answer in one sentence.\"\n"
                 "  echo \"Once upon a time\" | ajar run --raw stories.gguf -t 0");
  context.add(command, [&context, args] { return run(context, *args); });
}

}  // namespace ajar::app
