#include "gateway/gateway.h"

#include <algorithm>

#include "base/random.h"
#include "gateway/decide.h"
#include "gateway/estimate.h"
#include "gateway/policies.h"
#include "gateway/trial.h"

namespace ajar {
namespace {

StreamEnd end_of(const Status& status) {
  if (status) return StreamEnd::kComplete;
  switch (status.error().code) {
    case Code::kCancelled: return StreamEnd::kCancelled;
    case Code::kCut: return StreamEnd::kCut;
    case Code::kFiltered:
    case Code::kBudget: return StreamEnd::kFiltered;
    default: return StreamEnd::kUpstreamError;
  }
}

store::CallRow new_row(const Context& context) {
  store::CallRow row;
  row.id = context.id;
  row.time_ms = unix_millis();
  row.key_id = context.caller.key_id;
  row.key_name = context.caller.key_name;
  row.team = context.caller.team;
  row.endpoint = context.endpoint;
  return row;
}

Result<std::shared_ptr<const Route>> find_route(const Snapshot& snapshot, const std::string& model, const Key* key) {
  auto route = snapshot.find(model);
  if (route && (key == nullptr || key->may_use(route->config.name))) return route;
  // The same words for both: a key learns nothing of routes that it may not use.
  return std::unexpected(Error{.code = Code::kNotFound,
                               .message = "the model '" + model + "' does not exist or this key may not use it",
                               .field = "model", .type = "model_not_found"});
}

// The gate meters and commits by events, so the facts of a reply that comes whole go as two.
Task<Status> tell_facts(AttemptSink& sink, const std::string& model, const Usage& usage) {
  EventBatch facts(2);
  facts[0].kind = Event::Kind::kStart;
  facts[0].name = model;
  facts[1].kind = Event::Kind::kUsage;
  facts[1].usage = usage;
  co_return co_await sink.write(facts);
}

// Whether some target may only be asked with personal data replaced.
bool may_mask(const CallState& call) {
  const auto only_masked = [&](const Target& target) {
    return !forbidden(*call.data, target).empty() && forbidden(*call.data, target, true).empty();
  };
  if (call.data == nullptr) return false;
  const auto& canary = call.route->canary;
  return std::ranges::any_of(call.route->targets, only_masked) || (canary && canary->canary->open() && only_masked(canary->target));
}

// For whoever must prove later what was known of the data.
void note_class(CallState& call, std::string_view why) {
  call.policies.push_back({.target = "data class", .outcome = call.data->name, .why = std::string(why)});
}

class InFlight {
 public:
  explicit InFlight(prometheus::Gauge& gauge) : gauge_(gauge) { gauge_.Increment(); }
  ~InFlight() { gauge_.Decrement(); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  prometheus::Gauge& gauge_;
};

}  // namespace

void Gateway::swap(std::shared_ptr<const Snapshot> snapshot) {
  parts_.metrics.config_version().Set(double(snapshot->version()));
  snapshot_.store(std::move(snapshot));
}

// Finds the route, checks that the key may use it, and reserves what the call may take. `max_output` 0: the client set
// no limit.
Status Gateway::admit(CallState& call, const std::string& model, int64_t max_output) {
  call.snapshot = this->snapshot();
  const Snapshot* const snapshot = call.snapshot.get();
  AJAR_ASSIGN(call.route, find_route(*snapshot, model, call.key.get()));
  const std::string said = std::move(call.context.data_class);
  AJAR_ASSIGN(const DataClass data, class_of(*snapshot, *call.route, said, call.key ? call.key->row.data_class : ""));
  call.data = data.config;
  if (call.data != nullptr && data.why != DataClass::kRoute) note_class(call, data.why);
  call.context.data_class = call.data != nullptr ? call.data->name : "";
  call.context.deadline = std::min(call.context.deadline,
                                   call.context.started + call.route->config.total_timeout);
  if (call.is_chat()) {
    call.input_estimate = call.route->targets.front().token_model(model).estimate(call.features);
    call.context.input_estimate = call.input_estimate;
  }
  if (!call.key) {
    call.output_reserved = max_output;
    return {};
  }
  int64_t output = max_output;
  if (output == 0) {
    // No limit given: reserve the usual, or what is left if that is less; the reservation grows with the reply.
    const int64_t now_ms = unix_millis();
    int64_t room = call.key->account->available(now_ms).tokens;
    if (call.key->team_account) room = std::min(room, call.key->team_account->available(now_ms).tokens);
    const int64_t usual = snapshot->config().limits.reserve_output_tokens;
    output = std::clamp<int64_t>(room == INT64_MAX ? usual : room - call.input_estimate, 1, usual);
  }
  // Money is reserved per target, because prices differ.
  AJAR_ASSIGN(call.reservation,
              Reservation::make(call.key, {.usd = 0, .tokens = call.input_estimate + output}));
  call.output_reserved = output;
  return {};
}

Result<Reservation> Gateway::admit_free(const std::shared_ptr<const Key>& key) const { return Reservation::make(key, {}); }

void Gateway::finish_free(Reservation held, const Context& context, const Status& outcome, int status) {
  store::CallRow row = new_row(context);
  row.end = end_of(outcome);
  row.status = status;
  if (!outcome) row.error = code_name(outcome.error().code);
  row.total_seconds = row.overhead_seconds = seconds_between(context.started, now());
  held.settle({});
  parts_.metrics.record(row);
  parts_.access_log.write(row);
  parts_.store.record(std::move(row));
}

Result<TokenCount> Gateway::count_tokens(const Request& request, const Key* key) const {
  const auto snapshot = this->snapshot();
  AJAR_ASSIGN(const auto route, find_route(*snapshot, request.model, key));
  const Target& target = route->targets.front();
  if (const auto* tokenizer = snapshot->tokenizer_of(target.model_for(request.model))) {
    return ajar::count_tokens(*tokenizer, request);
  }
  return TokenCount{.tokens = target.token_model(request.model).estimate(features_of(request))};
}

// Admission, the climb, the end. `try_target` is one try at one target.
Task<Status> Gateway::run(CallState& call, const std::string& model, int64_t max_output, store::CallRow& row,
                          TryTarget try_target) {
  Status status = admit(call, model, max_output);
  Climb climb(call, parts_.metrics, model, nullptr, std::move(try_target));
  if (status) status = co_await climb.run();
  co_await finish(call, status, row, call.winner);
  co_return status;
}

Task<> Gateway::chat(Request& request, std::shared_ptr<const Key> key, Context& context,
                     ReplySink& client) {
  const InFlight in_flight(parts_.metrics.in_flight());
  CallState call(context, client);
  call.key = std::move(key);
  call.model = request.model;
  call.features = features_of(request);
  store::CallRow row = new_row(context);
  row.stream = request.stream;
  // Under a budget a reply without a limit is streamed, so that it can be stopped when the budget ends.
  if (call.key && !request.max_tokens && !request.stream && call.key->has_budget()) request.stream = true;

  Status status = admit(call, request.model, request.max_tokens.value_or(0) * request.choices());
  std::optional<Masking> masking;
  if (status) {
    raise_class(call, request);
    status = judge_request(call, request);
  }
  std::optional<PolicySink> policies;
  if (status) {
    if (may_mask(call)) call.masking = &masking.emplace(parts_.privacy, call, request);
    if (call.route->guard && call.route->guard->has_output()) policies.emplace(call);
  }
  Recall recall(parts_.memory, parts_.metrics, call, request);
  std::optional<Status> known;
  if (status) known = co_await recall.answer();
  Climb climb(call, parts_.metrics, request.model, &request,
              [&request, &call](const Target& target, Context& attempt, AttemptSink& sink, const Request* asked) {
                return target.provider->complete(asked != nullptr ? *asked : request, call.route->limits_of(target), attempt, sink);
              });
  bool mirrored = false;
  if (known) {
    status = std::move(*known);
  } else if (status) {
    call.audited = call.folded = call.route->config.audit > 0 && fast_uniform() < call.route->config.audit;
    mirrored = parts_.shadows.draw(call);
    status = co_await climb.run();
    if (call.heart.beats()) co_await call.heart.quiet();
  }
  if (policies && status) status = co_await policies->flush();  // its reasons go into the log before the client's end
  const Given given = co_await finish(call, status, row, call.winner);
  note_trial(call);
  if (call.audited && status) audit(call, request, climb);
  const bool refused = policies && policies->refused();
  if (mirrored && status && !refused) parts_.shadows.look(call, request, given);
}

// Who was asked first, and how that went, where the route has a canary.
void Gateway::note_trial(const CallState& call) {
  if (!call.trial || !call.trial->outcome) return;
  const Candidate& candidate = *call.route->canary;
  const bool of_candidate = call.trial->candidate;
  parts_.metrics.canary_call(call.route->config.name, candidate.target.name, of_candidate, call.trial->outcome->result());
  note_canary(parts_.store, *call.route, candidate.canary->add(of_candidate, *call.trial->outcome, call.route->config.canary));
}

// What stands in the request can make it of a higher class than its sender says.
void Gateway::raise_class(CallState& call, const Request& request) const {
  const DataClassConfig* found = detected_class(parts_.privacy, *call.snapshot, *call.route, request);
  if (found == nullptr || (call.data != nullptr && call.data->rank >= found->rank)) return;
  call.data = found;
  call.context.data_class = found->name;
  note_class(call, DataClass::kContent);
}

// Answers that were not good enough are compared with the one that was given, an accepted one with what the top rung says now.
void Gateway::audit(const CallState& call, const Request& request, const Climb& climb) {
  auto judgements = climb.judgements();
  std::optional<Reply> reference;
  const auto& canary = call.route->canary;
  if (!call.winner->judged() && !(canary && &call.winner->target() == &canary->target)) reference = call.winner->held_reply();
  parts_.auditor.look(call, request, std::move(judgements), std::move(reference));
}

Task<Result<EmbeddingReply>> Gateway::embed(EmbeddingRequest& request, std::shared_ptr<const Key> key,
                                            Context& context, ReplySink& client) {
  const InFlight in_flight(parts_.metrics.in_flight());
  CallState call(context, client);
  call.key = std::move(key);
  call.input_estimate = estimate_input_tokens(request);
  store::CallRow row = new_row(context);

  EmbeddingReply reply;
  Status status = co_await run(
      call, request.model, 1, row, [&](const Target& target, Context& attempt, AttemptSink& sink, const Request*) -> Task<Status> {
        auto result = co_await target.provider->embed(request, call.route->limits, attempt);
        if (!result) co_return std::unexpected(std::move(result).error());
        reply = std::move(*result);
        co_return co_await tell_facts(sink, reply.model, reply.usage);
      });
  if (!status) co_return std::unexpected(std::move(status).error());
  co_return reply;
}

Task<Result<RerankReply>> Gateway::rerank(RerankRequest& request, std::shared_ptr<const Key> key,
                                          Context& context, ReplySink& client) {
  const InFlight in_flight(parts_.metrics.in_flight());
  CallState call(context, client);
  call.key = std::move(key);
  call.input_estimate = estimate_input_tokens(request);
  call.planned.searches = 1;
  store::CallRow row = new_row(context);

  RerankReply reply;
  Status status = co_await run(
      call, request.model, 1, row, [&](const Target& target, Context& attempt, AttemptSink& sink, const Request*) -> Task<Status> {
        auto result = co_await target.provider->rerank(request, call.route->limits, attempt);
        if (!result) co_return std::unexpected(std::move(result).error());
        reply = std::move(*result);
        co_return co_await tell_facts(sink, reply.model, reply.usage);
      });
  if (!status) co_return std::unexpected(std::move(status).error());
  co_return reply;
}

Task<> Gateway::forward(ForwardRequest& request, std::shared_ptr<const Key> key, Context& context,
                        ReplySink& client) {
  const InFlight in_flight(parts_.metrics.in_flight());
  CallState call(context, client);
  call.key = std::move(key);
  call.input_estimate = estimate_text_tokens(request.text);
  call.planned = request.planned;
  store::CallRow row = new_row(context);
  row.stream = request.stream;
  co_await run(call, request.model, 1, row,
               [&request, &call](const Target& target, Context& attempt, AttemptSink& sink, const Request*) {
                 return target.provider->forward(request, call.route->limits, attempt, sink);
               });
}

// Books the truth, ends the client's side, and writes everything down, in this order: the reservation is settled
// before the client can see the end and come again.
Task<Given> Gateway::finish(CallState& call, const Status& status, store::CallRow& row,
                       const AttemptSink* winner) {
  row.end = end_of(status);
  row.route = call.route ? call.route->config.name : std::string();
  row.attempts = std::move(call.policies);
  row.attempts.insert(row.attempts.end(), std::make_move_iterator(call.attempts.begin()), std::make_move_iterator(call.attempts.end()));
  if (!status) row.error = code_name(status.error().code);
  if (winner != nullptr) {
    row.target = winner->target().name;
    row.model = winner->model();
    row.usage = winner->usage(row.end == StreamEnd::kComplete);
    row.cost = winner->cost(row.usage);
    row.finish = finish_name(winner->finish());
    row.reply_id = call.reply_id;
    row.first_token_seconds = seconds_between(call.context.started, call.first_event);
    if (row.usage.reported && call.is_chat()) winner->target().token_model(call.model).learn(call.features, row.usage.input);
  }
  if (call.recalled) {
    row.target = call.recalled->target;
    row.model = call.recalled->model;
    row.usage = call.recalled->usage;
    row.finish = finish_name(call.recalled->finish);
    row.first_token_seconds = seconds_between(call.context.started, call.first_event);
    row.attempts.push_back({.target = std::string(store::kCacheTarget), .outcome = std::string(call.cache)});
  }
  row.usage.input += call.wasted.input;
  row.usage.output += call.wasted.output;
  row.cost += call.wasted_cost;
  call.reservation.settle({.usd = row.cost, .tokens = call.recalled ? 0 : row.usage.total()});
  if (winner != nullptr && call.route->config.strategy == Strategy::kLadder) parts_.metrics.ladder_delay(row.route, call.added_seconds);
  if (!call.cache.empty()) parts_.metrics.cache(row.route, call.cache, call.recalled ? call.recalled->saved : 0);

  row.status = co_await call.client->finish(row.end, status ? nullptr : &status.error(), row);
  const TimePoint at = now();
  row.total_seconds = seconds_between(call.context.started, at);
  row.overhead_seconds =
      row.total_seconds - std::chrono::duration<double>(call.context.upstream_wait).count();
  parts_.metrics.record(row);
  parts_.access_log.write(row);
  const Given given{.first_seconds = row.first_token_seconds, .seconds = row.total_seconds, .cost = row.cost};
  parts_.store.record(std::move(row));
  co_return given;
}

}  // namespace ajar
