#include "provider/local.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "base/text.h"
#include "engine/stream_decoder.h"
#include "json/write.h"
#include "provider/cross_encoder.h"
#include "provider/local_constraint.h"
#include "provider/local_request.h"
#include "provider/token_mailbox.h"

namespace ajar {
namespace {

// The text of one choice as it grows: tokens to text, stop strings, thoughts and calls.
class SpokenChoice {
 public:
  SpokenChoice(int index, const LoadedModel& model, const Request& request, const LocalRequest& local)
      : index_(index),
        tokenizer_(*model.tokenizer),
        syntax_(local.chat ? &model.chat->syntax() : nullptr),
        stops_(request.stop),
        decoder_(*model.tokenizer, !local.chat && model.tokenizer->adds_space()),
        parser_(local.chat ? std::optional<chat::ReplyParser>(std::in_place, model.chat->syntax(), chat::KnownTools::of(request), local.start)
                           : std::nullopt) {}

  // Adds what a token says. False: a stop string came, and nothing may follow.
  bool token(const engine::Sampled& sampled, bool logprobs, EventBatch& out) {
    std::string text;
    if (tokenizer_.is_control(sampled.token)) {
      // <think>, [TOOL_CALLS] and the like are for the parser; others say nothing.
      if (parser_ && chat::is_mark(*syntax_, tokenizer_.piece(sampled.token))) decoder_.spell(sampled.token, text);
    } else {
      decoder_.add(sampled.token, text);
    }
    if (logprobs) add_logprobs(sampled, out);
    held_ += text;
    return release(false, out);
  }

  // The end of the reply: says what was held back.
  void finish(EventBatch& out) {
    if (stopped_.empty()) {
      decoder_.finish(held_);
      release(true, out);
    }
    size_t from = out.size();
    if (parser_) parser_->finish(out);
    mark(out, from);
  }

  void add_logprobs(const engine::Sampled& sampled, EventBatch& out) {
    Event event{.kind = Event::Kind::kLogprobs, .choice = index_};
    json::Writer w(event.raw);
    w.begin_object();
    write_token(w, sampled.token, sampled.logprob);
    w.key("top_logprobs");
    w.begin_array();
    for (auto [id, logprob] : sampled.top) {
      w.begin_object();
      write_token(w, id, logprob);
      w.end_object();
    }
    w.end_array();
    w.end_object();
    out.push_back(std::move(event));
  }

  bool stopped() const { return !stopped_.empty(); }
  const std::string& stop_sequence() const { return stopped_; }
  bool called() const { return parser_ && parser_->calls() > 0; }

 private:
  void write_token(json::Writer& w, int32_t id, float logprob) const {
    std::string bytes;
    tokenizer_.append_bytes(id, bytes);
    std::string text = bytes;
    if (text.empty()) text = tokenizer_.piece(id);
    if (!valid_utf8(text)) text = "\xef\xbf\xbd";
    w.field("token", text);
    w.field("logprob", std::isfinite(logprob) ? static_cast<double>(logprob) : -9999.0);
    w.key("bytes");
    w.begin_array();
    for (unsigned char c : bytes) w.integer(c);
    w.end_array();
  }

  // Says what cannot be the beginning of a stop string any more.
  bool release(bool whole, EventBatch& out) {
    if (!stopped_.empty()) return false;
    size_t cut = std::string::npos;
    for (const std::string& stop : stops_) {
      if (stop.empty()) continue;
      if (size_t at = held_.find(stop); at < cut) cut = at, stopped_ = stop;
    }
    if (cut != std::string::npos) {
      say(std::string_view(held_).substr(0, cut), out);
      held_.clear();
      return false;
    }
    size_t keep = 0;
    if (!whole)
      for (const std::string& stop : stops_)
        for (size_t n = std::min(stop.size(), held_.size()); n > keep; --n)
          if (held_.ends_with(std::string_view(stop).substr(0, n))) keep = n;
    say(std::string_view(held_).substr(0, held_.size() - keep), out);
    held_.erase(0, held_.size() - keep);
    return true;
  }

  void say(std::string_view text, EventBatch& out) {
    if (text.empty()) return;
    if (!parser_) return out.push_back(Event::of_text(std::string(text), index_));
    size_t from = out.size();
    parser_->feed(text, out);
    mark(out, from);
  }
  void mark(EventBatch& out, size_t from) const {
    for (size_t i = from; i < out.size(); ++i) out[i].choice = index_;
  }

  const int index_;
  const engine::Tokenizer& tokenizer_;
  const chat::ReplySyntax* const syntax_;  // of chats
  const std::vector<std::string> stops_;
  engine::StreamDecoder decoder_;
  std::optional<chat::ReplyParser> parser_;
  std::string held_, stopped_;
};

Finish finish_of(engine::FinishReason reason, const SpokenChoice& choice) {
  if (choice.stopped() || reason == engine::FinishReason::kStop) return choice.called() ? Finish::kToolCalls : Finish::kStop;
  return Finish::kLength;
}

std::string_view reason_name(engine::FinishReason reason) {
  return reason == engine::FinishReason::kStop ? "stop" : reason == engine::FinishReason::kContext ? "context" : "length";
}

// Cancels what is still generating when the request ends, however it ends.
struct Generations {
  std::vector<engine::Engine::Handle> handles;
  ~Generations() { cancel(); }
  void cancel() {
    for (auto& handle : handles) handle.cancel();
  }
};

// Runs f() on a thread that may wait and compute, for the encoder, a grammar or the disk; the loop goes on.
template <class F>
Task<std::invoke_result_t<F>> in_background(F f) {
  using R = std::invoke_result_t<F>;
  struct State {
    std::optional<R> result;
    Waiter* waiter = nullptr;
  };
  Loop& loop = Loop::current();
  auto state = std::make_shared<State>();
  Waiter waiter(loop);
  state->waiter = &waiter;
  struct Detach {
    std::shared_ptr<State> state;
    ~Detach() { state->waiter = nullptr; }
  } detach{state};
  loop.background([state, &loop, f = std::move(f)]() mutable {
    auto result = std::make_shared<R>(f());
    loop.post([state, result] {
      state->result.emplace(std::move(*result));
      if (state->waiter != nullptr) state->waiter->wake(Wake::kReady);
    });
  });
  while (!state->result) co_await waiter.wait(kNever);
  co_return std::move(*state->result);
}

}  // namespace

namespace {

// A moving average over the last ten replies or so; a race between two loops loses one of them.
void learn_turn(LoadedModel& model, double seconds) {
  const float old = model.seconds_per_turn;
  model.seconds_per_turn = old == 0 ? float(seconds) : 0.9f * old + 0.1f * float(seconds);
}

}  // namespace

std::optional<Millis> LocalProvider::expected_wait(const std::string& model) const {
  const auto loaded = host_.loaded(host_.resolve(name_for(model)).model);
  if (!loaded || !loaded->engine) return std::nullopt;
  const int waiting = loaded->engine->metrics().waiting;
  return Millis(int64_t(1000.0 * double(loaded->seconds_per_turn) * waiting));
}

Task<Status> LocalProvider::complete(const Request& request, const AttemptLimits& limits, Context& context, Sink& sink) {
  TimePoint from = now();
  auto [model_name, adapter_name] = host_.resolve(name_for(request.model));
  auto got = co_await host_.get(model_name, std::min(after(limits.first_token), context.deadline), *context.cancel);
  context.waited_since(from);
  if (!got) co_return std::unexpected(std::move(got).error());
  const std::shared_ptr<LoadedModel> model = std::move(*got);
  if (!model->engine) co_return fail(Code::kUnsupported, "'" + model->spec.name + "' is a model of embeddings and writes no text", "model");
  context.dropped.clear();
  auto local = read_local_request(request, *model, context.dropped);
  if (!local) co_return std::unexpected(std::move(local).error());
  std::optional<ReplyForm> form;
  if (demands_form(request)) {
    from = now();
    auto read = co_await in_background([model, request, start = local->start] { return read_form(request, *model, start); });
    context.waited_since(from);
    if (!read) co_return std::unexpected(std::move(read).error());
    form = std::move(*read);
  }
  if (!local->adapter.empty()) adapter_name = local->adapter;
  std::shared_ptr<const engine::Adapter> adapter;
  if (!adapter_name.empty()) adapter = model->adapters.ready(adapter_name);
  if (!adapter_name.empty() && !adapter) {
    from = now();
    auto read = co_await in_background([model, name = adapter_name] { return model->adapters.get(name, *model->model); });
    context.waited_since(from);
    if (!read) co_return std::unexpected(std::move(read).error());
    adapter = std::move(*read);
  }

  auto mailbox = std::make_shared<TokenMailbox>(Loop::current());
  Waiter waiter(Loop::current());
  mailbox->listen(&waiter);
  struct Deaf {
    TokenMailbox& mailbox;
    ~Deaf() { mailbox.listen(nullptr); }
  } deaf{*mailbox};
  Generations generations;
  OnCancel left(*context.cancel, [&] {
    generations.cancel();
    waiter.wake_later(Wake::kClosed);
  });
  std::vector<SpokenChoice> choices;
  int64_t per_prompt = std::max<int64_t>(1, request.choices());
  choices.reserve(local->prompts.size() * static_cast<size_t>(per_prompt));
  for (auto& prompt : local->prompts) {
    for (int64_t i = 0; i < per_prompt; ++i) {
      int index = static_cast<int>(choices.size());
      engine::Generation want;
      want.prompt = prompt;
      want.sampling = local->sampling;
      want.sampling.seed += static_cast<uint64_t>(index);
      want.max_tokens = local->max_tokens;
      if (form) want.constraint = form->constraint();
      want.ignore_end = local->ignore_end;
      want.prompt_logprobs = local->echo && local->logprobs && !local->chat;
      want.adapter = adapter;
      want.tenant = context.caller.key_id;
      want.on_token = [mailbox, index](const engine::Sampled& token) { mailbox->put({.choice = index, .token = token}); };
      want.on_prompt = [mailbox, index](std::vector<engine::Sampled> prompt_scores) {
        TokenNews news{.choice = index};
        news.prompt = std::move(prompt_scores);
        mailbox->put(std::move(news));
      };
      want.on_done = [mailbox, index](engine::FinishReason reason, const engine::GenerationStats& stats, Error error) {
        TokenNews news{.choice = index};
        news.end = TokenNews::End{reason, stats, std::move(error)};
        mailbox->put(std::move(news));
      };
      auto handle = model->engine->submit(std::move(want));
      if (!handle) {
        Error error = std::move(handle).error();
        if (error.code == Code::kTooLarge) error.code = Code::kInvalid, error.type = "context_length_exceeded", error.field = local->chat ? "messages" : "prompt";
        co_return std::unexpected(std::move(error));
      }
      generations.handles.push_back(std::move(*handle));
      choices.emplace_back(index, *model, request, *local);
    }
  }

  const int turns = model->engine->metrics().waiting + 1;
  const TimePoint submitted = now();
  EventBatch events;
  events.push_back({.kind = Event::Kind::kStart, .created = unix_millis() / 1000, .id = new_id("chatcmpl-"), .name = model->spec.name + (adapter ? ":" + adapter_name : "")});
  std::vector<TokenNews> news;
  std::vector<bool> over(choices.size());
  size_t open = choices.size();
  Usage usage{.reported = true};
  bool first = true;
  TimePoint silent = now();
  while (open > 0) {
    mailbox->take(news);
    for (TokenNews& item : news) {
      auto at = static_cast<size_t>(item.choice);
      SpokenChoice& choice = choices[at];
      if (over[at] && !item.end) continue;  // beyond a stop string
      silent = now();
      if (first) learn_turn(*model, seconds_between(submitted, silent) / turns);
      first = false;
      for (const engine::Sampled& token : item.prompt) choice.add_logprobs(token, events);
      if (item.end) {
        const auto& end = *item.end;
        if (end.reason == engine::FinishReason::kFailed) co_return std::unexpected(end.error);
        usage.output += end.stats.output_tokens;
        if (item.choice % per_prompt == 0) usage.input += end.stats.prompt_tokens, usage.cached_read += end.stats.cached_tokens;
        --open;
        if (context.cancel->cancelled()) continue;
        if (!over[at]) choice.finish(events);
        over[at] = true;
        events.push_back({.kind = Event::Kind::kStop, .finish = finish_of(end.reason, choice), .choice = item.choice, .text = choice.stop_sequence(),
                          .name = std::string(reason_name(choice.stopped() ? engine::FinishReason::kStop : end.reason))});
        continue;
      }
      if (item.token.token < 0) continue;
      if (!choice.token(item.token, local->logprobs, events)) {
        over[at] = true;
        choice.finish(events);
        generations.handles[at].cancel();
      }
    }
    if (open == 0) break;
    if (!events.empty() && !first) {
      AJAR_CO_TRY(co_await sink.write(events));
      events.clear();
    }
    if (context.cancel->cancelled()) co_return fail(Code::kCancelled, "the client left");
    if (!news.empty()) continue;  // more may have come while the client took its part
    TimePoint patience = std::min(silent + (first ? limits.first_token : limits.gap), context.deadline);
    from = now();
    Wake why = co_await waiter.wait(patience);
    context.waited_since(from);
    if (why == Wake::kTimeout) co_return fail(Code::kTimeout, first ? "the engine has not begun to answer in time" : "the engine stopped answering");
  }
  if (context.cancel->cancelled()) co_return fail(Code::kCancelled, "the client left");
  usage.clamp();
  events.push_back({.kind = Event::Kind::kUsage, .usage = usage});
  co_return co_await sink.write(events);
}

namespace {

std::vector<float> normalised(std::vector<float> rows, size_t dim, size_t keep) {
  std::vector<float> out;
  out.reserve(rows.size() / dim * keep);
  for (size_t r = 0; r < rows.size(); r += dim) {
    double square = 0;
    for (size_t i = 0; i < keep; ++i) square += static_cast<double>(rows[r + i]) * rows[r + i];
    float scale = square > 0 ? static_cast<float>(1 / std::sqrt(square)) : 0;
    for (size_t i = 0; i < keep; ++i) out.push_back(rows[r + i] * scale);
  }
  return out;
}

}  // namespace

Task<Result<EmbeddingReply>> LocalProvider::embed(const EmbeddingRequest& request, const AttemptLimits& limits, Context& context) {
  return embed_early(request, engine::kAllLayers, limits, context);
}

Task<Result<EmbeddingReply>> LocalProvider::embed_early(const EmbeddingRequest& request, int layers, const AttemptLimits& limits, Context& context) {
  TimePoint from = now();
  auto got = co_await host_.get(name_for(request.model), std::min(after(limits.first_token), context.deadline), *context.cancel);
  context.waited_since(from);
  if (!got) co_return std::unexpected(std::move(got).error());
  const std::shared_ptr<LoadedModel> model = std::move(*got);
  if (!model->encoder) co_return fail(Code::kUnsupported, "'" + model->spec.name + "' writes text and makes no embeddings", "model");
  if (!model->model->classifier().empty()) co_return fail(Code::kUnsupported, "'" + model->spec.name + "' reranks and makes no embeddings", "model");
  auto dim = static_cast<size_t>(model->encoder->dimension()), keep = dim;
  if (request.dimensions) {
    if (*request.dimensions < 1 || *request.dimensions > static_cast<int64_t>(dim))
      co_return invalid("dimensions", "'dimensions' must be from 1 to " + std::to_string(dim));
    keep = static_cast<size_t>(*request.dimensions);
  }
  std::vector<engine::EncoderInput> inputs;
  EmbeddingReply reply{.model = model->spec.name, .dim = keep};
  reply.usage.reported = true;
  for (const std::string& text : request.texts) model->tokenizer->encode_whole(text, inputs.emplace_back().tokens);
  for (const auto& ids : request.tokens) {
    auto& tokens = inputs.emplace_back().tokens;
    for (int64_t id : ids) tokens.push_back(static_cast<int32_t>(std::clamp<int64_t>(id, -1, INT32_MAX)));
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    auto size = static_cast<int64_t>(inputs[i].tokens.size());
    reply.usage.input += size;
    if (size > model->encoder->context()) {
      Error error{.code = Code::kInvalid,
                  .message = "input[" + std::to_string(i) + "] has " + std::to_string(size) + " tokens; the model takes " +
                             std::to_string(model->encoder->context()) + ". Nothing is cut off silently: send shorter pieces",
                  .field = "input[" + std::to_string(i) + "]"};
      error.type = "context_length_exceeded";
      co_return std::unexpected(std::move(error));
    }
  }
  from = now();
  auto rows = co_await in_background([model, layers, inputs = std::move(inputs)] {
    std::lock_guard lock(model->encoding);
    return model->encoder->run(inputs, layers);
  });
  context.waited_since(from);
  if (!rows) co_return std::unexpected(std::move(rows).error());
  reply.values = normalised(std::move(*rows), dim, keep);
  co_return reply;
}

Task<Result<RerankReply>> LocalProvider::rerank(const RerankRequest& request, const AttemptLimits& limits, Context& context) {
  TimePoint from = now();
  auto got = co_await host_.get(name_for(request.model), std::min(after(limits.first_token), context.deadline), *context.cancel);
  context.waited_since(from);
  if (!got) co_return std::unexpected(std::move(got).error());
  const std::shared_ptr<LoadedModel> model = std::move(*got);
  from = now();
  auto scored = co_await in_background([model, query = request.query, documents = request.documents, most = request.max_tokens_per_doc, until = context.deadline] {
    return score_pairs(*model, query, documents, most, until);
  });
  context.waited_since(from);
  if (!scored) co_return std::unexpected(std::move(scored).error());
  RerankReply reply{.id = new_id("rerank-"), .model = model->spec.name};
  reply.usage.input = scored->tokens;
  for (size_t i = 0; i < scored->scores.size(); ++i) reply.results.push_back({.index = i, .score = scored->scores[i]});
  std::ranges::sort(reply.results, [](const auto& a, const auto& b) { return a.score != b.score ? a.score > b.score : a.index < b.index; });
  if (request.top_n && static_cast<size_t>(*request.top_n) < reply.results.size()) reply.results.resize(static_cast<size_t>(*request.top_n));
  reply.usage.searches = 1, reply.usage.reported = true;
  co_return reply;
}

}  // namespace ajar
