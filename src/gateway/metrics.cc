#include "gateway/metrics.h"

#include <algorithm>

#include <prometheus/text_serializer.h>

namespace ajar {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Histogram;

const Histogram::BucketBoundaries kSeconds = {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300};
const Histogram::BucketBoundaries kOverhead = {0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001,
                                               0.002,   0.005,   0.01,   0.02,   0.05,   0.1, 1};
const Histogram::BucketBoundaries kPerToken = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075,
                                               0.1,   0.15,   0.2,   0.3,  0.4,   0.5,  0.75, 1, 2.5};
// OpenTelemetry's advice for gen_ai.client.token.usage.
const Histogram::BucketBoundaries kTokens = {1,     4,     16,     64,      256,     1024,     4096,
                                             16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864};

constexpr int kEnds = 5;

// OpenTelemetry's gen_ai.operation.name of what a client called.
std::string operation_name(std::string_view endpoint) {
  if (endpoint.starts_with("rag_") || endpoint == "vector_store_search") return "retrieval";
  if (endpoint == "embeddings" || endpoint == "rerank") return std::string(endpoint);
  return endpoint == "completions" ? "text_completion" : "chat";
}

}  // namespace

struct Metrics::Series {
  prometheus::Counter* requests[kEnds];
  prometheus::Counter *input, *output, *cached, *reasoning, *spend;
  prometheus::Counter *llm_requests, *llm_spend, *llm_total, *llm_input, *llm_output;
  Histogram *overhead, *llm_overhead, *gen_input, *gen_output, *gen_duration, *gen_first, *gen_per_token;
};

struct Metrics::AttemptSeries {
  prometheus::Counter* count;
  Histogram* seconds;
};

Metrics::Metrics() : registry_(std::make_shared<prometheus::Registry>()) {
  auto& r = *registry_;
  const auto counter = [&](const char* name, const char* help) {
    return &BuildCounter().Name(name).Help(help).Register(r);
  };
  const auto gauge = [&](const char* name, const char* help) {
    return &BuildGauge().Name(name).Help(help).Register(r);
  };
  const auto histogram = [&](const char* name, const char* help) {
    return &BuildHistogram().Name(name).Help(help).Register(r);
  };
  engine_ready_ = gauge("ajar_engine_model_ready", "Whether a model of the embedded engine is loaded");
  engine_bytes_ = gauge("ajar_engine_model_bytes", "Memory of its weights and cache");
  engine_running_ = gauge("ajar_engine_requests_running", "Replies that are computed together");
  engine_waiting_ = gauge("ajar_engine_requests_waiting", "Requests in the engine's queue");
  engine_pages_ = gauge("ajar_engine_cache_pages", "Pages of 16 tokens of keys and values, by state");
  engine_tokens_ = counter("ajar_engine_tokens_total", "Tokens of prompts computed, taken from the cache, and generated");
  engine_steps_ = counter("ajar_engine_steps_total", "Forward passes");
  engine_preemptions_ = counter("ajar_engine_preemptions_total", "Replies that had to give their cache to others and begin again");
  engine_stalls_ = counter("ajar_engine_stalls_total", "Steps in which a prompt held replies up for more than three usual steps");
  engine_guesses_ = counter("ajar_engine_guesses_total", "Tokens guessed ahead from the text's own repetitions or by a draft model, by whether they came");
  engine_disk_bytes_ = gauge("ajar_engine_prefix_disk_bytes", "Files of the prefix cache on disk");
  engine_disk_pages_ = counter("ajar_engine_prefix_disk_pages_total", "Pages of the prefix cache on disk by what became of them");
  requests_ = counter("ajar_requests_total", "Calls by how they ended");
  tokens_ = counter("ajar_tokens_total", "Tokens by kind; cached is part of input, reasoning of output");
  spend_ = counter("ajar_spend_dollars_total", "What calls cost, in US dollars");
  attempts_ = counter("ajar_upstream_attempts_total", "Attempts at targets by outcome");
  cache_calls_ = counter("ajar_cache_calls_total", "Calls on routes that keep answers, by what was found");
  cache_saved_ = counter("ajar_cache_saved_usd_total", "What the answers that were given again had cost");
  rag_searches_ = counter("ajar_rag_searches_total", "Searches of documents by what came of them");
  rag_reranks_ = counter("ajar_rag_rerank_total", "Searches of documents that a cross-encoder was to put in order: done, or the search's own order stands (late, failed)");
  rag_seconds_ = histogram("ajar_rag_seconds", "Duration of the parts of a search of documents");
  audits_ = counter("ajar_rung_audits_total", "Answers of judged rungs that were compared with the top rung's");
  audit_spend_ = counter("ajar_rung_audit_spend_usd_total", "What asking the top rung for comparison cost");
  alike_audits_ = counter("ajar_cache_semantic_audits_total", "Answers to questions that were alike, compared with what the model says");
  rung_accept_ = gauge("ajar_rung_accept", "Least confidence that is good enough");
  rung_error_ = gauge("ajar_rung_error_rate", "Bounds of the share of accepted answers that are wrong, by audits; they hold at every moment");
  rung_alarm_ = gauge("ajar_rung_alarm", "1: nothing of the rung is accepted until a new calibration");
  canary_calls_ = counter("ajar_canary_calls_total", "Calls that a canary could have answered, by who was asked first and how that went");
  canary_state_ = gauge("ajar_canary_state", "0: it is tried; 1: it is proven not worse; 2: it is rolled back and asked nothing more");
  canary_error_ = gauge("ajar_canary_error_rate", "Share of errors among the first answers of a canary and of what it would replace");
  shadow_calls_ = counter("ajar_shadow_calls_total", "Answered calls that were mirrored to a shadow, by what it said beside the answer given");
  shadow_spend_ = counter("ajar_shadow_spend_usd_total", "What shadows and those who compare their answers cost");
  vector_stores_ = counter("ajar_rag_store_events_total", "Calls to stores of documents' vectors that failed, and searches that were degraded");
  refused_ = counter("ajar_refused_total", "Requests turned away before they reached a route");
  overhead_ = histogram("ajar_overhead_seconds",
                        "Wall time of a call minus the wait for upstreams; reading and writing included");
  ladder_delay_ = histogram("ajar_ladder_delay_seconds", "Time to the first token that other rungs and holding back for a verdict added");
  attempt_seconds_ = histogram("ajar_upstream_seconds", "Duration of attempts at targets");
  estimate_error_ = gauge("ajar_token_estimate_error_ratio",
                          "Mean relative error of input token estimates against what the provider reported");
  breaker_ = gauge("ajar_breaker_state", "Circuit breaker of a target: 0 closed, 1 half open, 2 open");

  llm_requests_ = counter("litellm_requests_metric_total", "Calls by key, team and model");
  llm_spend_ = counter("litellm_spend_metric_total", "Spend in US dollars by key, team and model");
  llm_total_ = counter("litellm_total_tokens_metric_total", "Input and output tokens");
  llm_input_ = counter("litellm_input_tokens_metric_total", "Input tokens");
  llm_output_ = counter("litellm_output_tokens_metric_total", "Output tokens");
  llm_team_budget_ = gauge("litellm_remaining_team_budget_metric", "Dollars left of a team's budget");
  llm_key_budget_ = gauge("litellm_remaining_api_key_budget_metric", "Dollars left of a key's budget");
  llm_overhead_ = histogram("litellm_overhead_latency_metric", "The same as ajar_overhead_seconds");

  gen_usage_ = histogram("gen_ai_client_token_usage", "Tokens per call by type");
  gen_duration_ = histogram("gen_ai_server_request_duration_seconds", "Duration of calls");
  gen_first_ = histogram("gen_ai_server_time_to_first_token_seconds", "Time to the first token");
  gen_per_token_ = histogram("gen_ai_server_time_per_output_token_seconds",
                             "Time per output token after the first, of streams");

  in_flight_ = &gauge("ajar_in_flight_requests", "Calls being answered now")->Add({});
  connections_ = &gauge("ajar_client_connections", "Open client connections")->Add({});
  config_version_ = &gauge("ajar_config_version", "Counts the configurations taken since start")->Add({});
  cache_entries_ = &gauge("ajar_cache_entries", "Kept answers")->Add({});
  cache_bytes_ = &gauge("ajar_cache_bytes", "Memory of the kept answers")->Add({});
  cache_evicted_ = &counter("ajar_cache_evicted_total", "Kept answers that made room for others")->Add({});
  store_waiting_ = &gauge("ajar_call_rows_waiting", "Call rows not yet written")->Add({});
  auto* reloads = counter("ajar_config_reloads_total", "Reloads of the configuration");
  reloads_ok_ = &reloads->Add({{"result", "ok"}});
  reloads_refused_ = &reloads->Add({{"result", "refused"}});
  store_written_ = &counter("ajar_call_rows_written_total", "Call rows written")->Add({});
  store_dropped_ = &counter("ajar_call_rows_dropped_total", "Call rows lost to a full queue")->Add({});
  store_failed_ = &counter("ajar_call_rows_failed_total", "Call rows lost to a failing file")->Add({});
}

Metrics::~Metrics() = default;

Metrics::Series& Metrics::series(const store::CallRow& call) {
  std::string id = call.key_name;
  for (const std::string* part : {&call.team, &call.route, &call.target, &call.endpoint}) {
    id.push_back('\0');
    id += *part;
  }
  std::lock_guard lock(lock_);
  auto& slot = series_[id];
  if (slot) return *slot;
  slot = std::make_unique<Series>();
  Series& s = *slot;
  const prometheus::Labels ours = {{"route", call.route}, {"target", call.target}};
  const auto with = [](prometheus::Labels labels, const char* name, std::string_view value) {
    labels[name] = std::string(value);
    return labels;
  };
  for (int end = 0; end < kEnds; ++end) {
    s.requests[end] = &requests_->Add(with(ours, "end", stream_end_name(StreamEnd(end))));
  }
  s.input = &tokens_->Add(with(ours, "kind", "input"));
  s.output = &tokens_->Add(with(ours, "kind", "output"));
  s.cached = &tokens_->Add(with(ours, "kind", "cached_read"));
  s.reasoning = &tokens_->Add(with(ours, "kind", "reasoning"));
  s.spend = &spend_->Add(ours);
  s.overhead = &overhead_->Add({{"route", call.route}}, kOverhead);

  const prometheus::Labels theirs = {{"api_key_alias", call.key_name}, {"team", call.team},
                                     {"model", call.target}, {"requested_model", call.route}};
  s.llm_requests = &llm_requests_->Add(theirs);
  s.llm_spend = &llm_spend_->Add(theirs);
  s.llm_total = &llm_total_->Add(theirs);
  s.llm_input = &llm_input_->Add(theirs);
  s.llm_output = &llm_output_->Add(theirs);
  s.llm_overhead = &llm_overhead_->Add({{"requested_model", call.route}}, kOverhead);

  const prometheus::Labels gen = {{"gen_ai_operation_name", operation_name(call.endpoint)},
                                  {"gen_ai_request_model", call.route},
                                  {"gen_ai_response_model", call.target}};
  s.gen_input = &gen_usage_->Add(with(gen, "gen_ai_token_type", "input"), kTokens);
  s.gen_output = &gen_usage_->Add(with(gen, "gen_ai_token_type", "output"), kTokens);
  s.gen_duration = &gen_duration_->Add(gen, kSeconds);
  s.gen_first = &gen_first_->Add(gen, kSeconds);
  s.gen_per_token = &gen_per_token_->Add(gen, kPerToken);
  return s;
}

void Metrics::record(const store::CallRow& call) {
  Series& s = series(call);
  const double dollars = double(call.cost) / 1e9;
  s.requests[int(call.end)]->Increment();
  s.input->Increment(double(call.usage.input));
  s.output->Increment(double(call.usage.output));
  s.cached->Increment(double(call.usage.cached_read));
  s.reasoning->Increment(double(call.usage.reasoning));
  s.spend->Increment(dollars);
  s.overhead->Observe(call.overhead_seconds);
  s.llm_requests->Increment();
  s.llm_spend->Increment(dollars);
  s.llm_total->Increment(double(call.usage.total()));
  s.llm_input->Increment(double(call.usage.input));
  s.llm_output->Increment(double(call.usage.output));
  s.llm_overhead->Observe(call.overhead_seconds);
  s.gen_input->Observe(double(call.usage.input));
  s.gen_output->Observe(double(call.usage.output));
  s.gen_duration->Observe(call.total_seconds);
  if (call.stream && call.first_token_seconds > 0) {
    s.gen_first->Observe(call.first_token_seconds);
    if (call.usage.output > 1) {
      s.gen_per_token->Observe((call.total_seconds - call.first_token_seconds) /
                               double(call.usage.output - 1));
    }
  }
}

void Metrics::attempt(const std::string& target, const std::string& outcome, double seconds) {
  AttemptSeries* s = nullptr;
  {
    std::lock_guard lock(lock_);
    auto& slot = attempt_series_[target + '\0' + outcome];
    if (!slot) {
      slot = std::make_unique<AttemptSeries>();
      slot->count = &attempts_->Add({{"target", target}, {"outcome", outcome}});
      slot->seconds = &attempt_seconds_->Add({{"target", target}}, kSeconds);
    }
    s = slot.get();
  }
  s->count->Increment();
  s->seconds->Observe(seconds);
}

void Metrics::ladder_delay(const std::string& route, double seconds) { ladder_delay_->Add({{"route", route}}, kSeconds).Observe(std::max(0.0, seconds)); }

void Metrics::documents(const DocumentSearch& search) {
  rag_searches_->Add({{"endpoint", search.endpoint}, {"outcome", std::string(search.outcome)}}).Increment();
  for (const auto& [leg, seconds] : search.seconds)
    if (seconds > 0) rag_seconds_->Add({{"leg", std::string(leg)}}, kOverhead).Observe(seconds);
}

void Metrics::rag_rerank(std::string_view outcome) { rag_reranks_->Add({{"outcome", std::string(outcome)}}).Increment(); }

void Metrics::remaining_budget(bool team, const std::string& name, double dollars) {
  if (team) llm_team_budget_->Add({{"team", name}}).Set(dollars);
  else llm_key_budget_->Add({{"api_key_alias", name}}).Set(dollars);
}

void Metrics::token_estimate(const std::string& model, double error) {
  estimate_error_->Add({{"model", model}}).Set(error);
}

void Metrics::breaker(const std::string& route, const std::string& target, int state) {
  breaker_->Add({{"route", route}, {"target", target}}).Set(state);
}

void Metrics::vector_store(const std::string& store, std::string_view event) {
  vector_stores_->Add({{"store", store}, {"event", std::string(event)}}).Increment();
}
void Metrics::refused(const std::string& reason) { refused_->Add({{"reason", reason}}).Increment(); }

void Metrics::cache(const std::string& route, std::string_view outcome, int64_t saved) {
  cache_calls_->Add({{"route", route}, {"result", std::string(outcome)}}).Increment();
  if (saved > 0) cache_saved_->Add({{"route", route}}).Increment(double(saved) / double(store::kNanoPerDollar));
}

void Metrics::audit(const std::string& route, const std::string& target, std::string_view outcome) {
  audits_->Add({{"route", route}, {"target", target}, {"result", std::string(outcome)}}).Increment();
}

void Metrics::audit_cost(const std::string& route, int64_t nano) {
  audit_spend_->Add({{"route", route}}).Increment(double(nano) / double(store::kNanoPerDollar));
}

void Metrics::rung(const std::string& route, const std::string& target, double accept, double error_low, double error_high, bool alarmed) {
  rung_accept_->Add({{"route", route}, {"target", target}}).Set(accept);
  rung_error_->Add({{"route", route}, {"target", target}, {"bound", "low"}}).Set(error_low);
  rung_error_->Add({{"route", route}, {"target", target}, {"bound", "high"}}).Set(error_high);
  rung_alarm_->Add({{"route", route}, {"target", target}}).Set(alarmed ? 1 : 0);
}

void Metrics::canary_call(const std::string& route, const std::string& target, bool of_candidate, std::string_view result) {
  canary_calls_->Add({{"route", route}, {"target", target}, {"arm", of_candidate ? "candidate" : "usual"}, {"result", std::string(result)}}).Increment();
}

void Metrics::canary(const std::string& route, const std::string& target, int state, double usual_rate, double candidate_rate) {
  canary_state_->Add({{"route", route}, {"target", target}}).Set(state);
  canary_error_->Add({{"route", route}, {"target", target}, {"arm", "usual"}}).Set(usual_rate);
  canary_error_->Add({{"route", route}, {"target", target}, {"arm", "candidate"}}).Set(candidate_rate);
}

void Metrics::shadow(const std::string& route, const std::string& target, std::string_view result) {
  shadow_calls_->Add({{"route", route}, {"target", target}, {"result", std::string(result)}}).Increment();
}

void Metrics::shadow_cost(const std::string& route, const std::string& target, int64_t nano) {
  shadow_spend_->Add({{"route", route}, {"target", target}}).Increment(double(nano) / double(store::kNanoPerDollar));
}

void Metrics::semantic_audit(const std::string& route, bool same) {
  alike_audits_->Add({{"route", route}, {"result", same ? "same" : "different"}}).Increment();
}

void Metrics::cache_size(int64_t entries, int64_t bytes, int64_t evicted) {
  cache_entries_->Set(double(entries));
  cache_bytes_->Set(double(bytes));
  cache_evicted_->Increment(std::max(0.0, double(evicted) - cache_evicted_->Value()));
}

void Metrics::store_stats(int64_t waiting, int64_t written, int64_t dropped, int64_t failed) {
  store_waiting_->Set(double(waiting));
  const auto raise = [](prometheus::Counter* counter, int64_t value) {
    counter->Increment(std::max(0.0, double(value) - counter->Value()));
  };
  raise(store_written_, written);
  raise(store_dropped_, dropped);
  raise(store_failed_, failed);
}

void Metrics::engine(const std::vector<EngineModel>& models) {
  const auto raise = [](prometheus::Counter& counter, int64_t value) {
    counter.Increment(std::max(0.0, double(value) - counter.Value()));
  };
  for (const EngineModel& m : models) {
    engine_ready_->Add({{"model", m.name}}).Set(m.ready ? 1 : 0);
    engine_bytes_->Add({{"model", m.name}}).Set(double(m.bytes));
    engine_running_->Add({{"model", m.name}}).Set(double(m.running));
    engine_waiting_->Add({{"model", m.name}}).Set(double(m.waiting));
    engine_pages_->Add({{"model", m.name}, {"state", "free"}}).Set(double(m.free_pages));
    engine_pages_->Add({{"model", m.name}, {"state", "used"}}).Set(double(m.total_pages - m.free_pages));
    raise(engine_tokens_->Add({{"model", m.name}, {"kind", "prompt"}}), m.prompt_tokens);
    raise(engine_tokens_->Add({{"model", m.name}, {"kind", "cached"}}), m.cached_tokens);
    raise(engine_tokens_->Add({{"model", m.name}, {"kind", "generated"}}), m.output_tokens);
    raise(engine_steps_->Add({{"model", m.name}}), m.steps);
    raise(engine_preemptions_->Add({{"model", m.name}}), m.preemptions);
    raise(engine_stalls_->Add({{"model", m.name}}), m.stalls);
    const auto guesses = [&](const char* by, int64_t all, int64_t right) {
      raise(engine_guesses_->Add({{"model", m.name}, {"by", by}, {"result", "right"}}), right);
      raise(engine_guesses_->Add({{"model", m.name}, {"by", by}, {"result", "wrong"}}), all - right);
    };
    guesses("text", m.guessed, m.guessed_right);
    guesses("draft", m.drafted, m.drafted_right);
    engine_disk_bytes_->Add({{"model", m.name}}).Set(double(m.disk_bytes));
    const std::pair<const char*, int64_t> events[] = {{"written", m.disk_written}, {"read", m.disk_read}, {"dropped", m.disk_dropped},
                                                      {"damaged", m.disk_damaged}, {"foreign", m.disk_foreign}, {"evicted", m.disk_old}};
    for (const auto& [event, pages] : events) raise(engine_disk_pages_->Add({{"model", m.name}, {"event", event}}), pages);
  }
}

std::string Metrics::expose() const {
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

}  // namespace ajar
