#pragma once
// Every metric of the request line, under our names and under names that existing dashboards know (LiteLLM's, and
// OpenTelemetry's GenAI conventions in Prometheus spelling). References are looked up once and held: an update is
// a few atomic adds. Any thread.

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "store/rows.h"

namespace ajar {

class Metrics {
 public:
  Metrics();
  ~Metrics();

  // One finished call. `status` is what the client got.
  void record(const store::CallRow& call);
  // One attempt at a target.
  void attempt(const std::string& target, const std::string& outcome, double seconds);
  // One call on a route that keeps answers: "hit", "shared" or "miss", and the nano-dollars that were not spent again.
  void cache(const std::string& route, std::string_view outcome, int64_t saved);
  // Seconds by which a ladder's other rungs, and holding back for a verdict, put an answer's first token off.
  void ladder_delay(const std::string& route, double seconds);
  // What an audit found about an answer: "right", "wrong", "no_verdict"; and what asking for it cost.
  void audit(const std::string& route, const std::string& target, std::string_view outcome);
  void audit_cost(const std::string& route, int64_t nano);
  // A rung's threshold now, and the bounds of the error rate of what it accepts.
  void rung(const std::string& route, const std::string& target, double accept, double error_low, double error_high, bool alarmed);
  // A call that a canary could have answered: whoever was asked first, and "good", "unsure" or "error".
  void canary_call(const std::string& route, const std::string& target, bool of_candidate, std::string_view result);
  // 0 running, 1 proven not worse, 2 rolled back; and the share of errors on both sides.
  void canary(const std::string& route, const std::string& target, int state, double usual_rate, double candidate_rate);
  // A shadow's answer: "same", "different", "failed", "no_verdict", "busy", "withheld"; and what it cost.
  void shadow(const std::string& route, const std::string& target, std::string_view result);
  void shadow_cost(const std::string& route, const std::string& target, int64_t nano);
  // An answer to a question that was alike, which would have been given, beside what the model says: how often that would have been wrong.
  void semantic_audit(const std::string& route, bool same);
  // One search of documents: what was called, "found", "empty", "not_in_documents" or "error", and the seconds of its parts ("embed",
  // "words", "meaning", "texts", "rerank", "answer"; those that it did not have are 0).
  struct DocumentSearch {
    std::string endpoint;
    std::string_view outcome;
    std::vector<std::pair<std::string_view, double>> seconds;
  };
  void documents(const DocumentSearch& search);
  void rag_rerank(std::string_view outcome);  // "done", "late", "failed"
  void cache_size(int64_t entries, int64_t bytes, int64_t evicted);
  // Remaining budget in dollars after a call; a scope without budget is not shown.
  void remaining_budget(bool team, const std::string& name, double dollars);
  void breaker(const std::string& route, const std::string& target, int state);  // 0 closed, 1 half open, 2 open
  // How far token estimates of a model are off, once it has reported often enough to say so.
  void token_estimate(const std::string& model, double error);
  // A store of documents' vectors: "failed" calls, and searches that had to do without ("degraded").
  void vector_store(const std::string& store, std::string_view event);
  void refused(const std::string& reason);             // turned away before any route: "unauthenticated", …

  prometheus::Gauge& in_flight() { return *in_flight_; }
  prometheus::Gauge& connections() { return *connections_; }
  prometheus::Gauge& config_version() { return *config_version_; }
  prometheus::Counter& reloads(bool ok) { return ok ? *reloads_ok_ : *reloads_refused_; }
  void store_stats(int64_t waiting, int64_t written, int64_t dropped, int64_t failed);

  // What the embedded engine says of one of its models. Totals of a model that was loaded anew begin at 0 again.
  struct EngineModel {
    std::string name;
    bool ready = false;
    int64_t bytes = 0;
    int64_t running = 0, waiting = 0, free_pages = 0, total_pages = 0;
    int64_t prompt_tokens = 0, cached_tokens = 0, output_tokens = 0, steps = 0, preemptions = 0, stalls = 0, guessed = 0, guessed_right = 0;
    int64_t drafted = 0, drafted_right = 0;
    int64_t disk_bytes = 0, disk_written = 0, disk_read = 0, disk_dropped = 0, disk_damaged = 0, disk_foreign = 0, disk_old = 0;
  };
  void engine(const std::vector<EngineModel>& models);

  std::string expose() const;  // Prometheus text format 0.0.4

 private:
  struct Series;  // everything that one (key, route, target) updates
  Series& series(const store::CallRow& call);
  struct AttemptSeries;

  std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Family<prometheus::Counter>*requests_, *tokens_, *spend_, *attempts_, *refused_, *vector_stores_, *cache_calls_, *cache_saved_, *rag_searches_, *rag_reranks_, *audits_, *audit_spend_, *alike_audits_,
      *canary_calls_, *shadow_calls_, *shadow_spend_;
  prometheus::Family<prometheus::Counter>*llm_requests_, *llm_spend_, *llm_total_, *llm_input_, *llm_output_;
  prometheus::Family<prometheus::Gauge>*llm_team_budget_, *llm_key_budget_, *breaker_, *estimate_error_, *rung_accept_, *rung_error_, *rung_alarm_, *canary_state_, *canary_error_;
  prometheus::Family<prometheus::Histogram>*overhead_, *ladder_delay_, *llm_overhead_, *attempt_seconds_, *rag_seconds_, *gen_usage_,
      *gen_duration_, *gen_first_, *gen_per_token_;
  prometheus::Family<prometheus::Gauge>*engine_ready_, *engine_bytes_, *engine_running_, *engine_waiting_, *engine_pages_, *engine_disk_bytes_;
  prometheus::Family<prometheus::Counter>*engine_tokens_, *engine_steps_, *engine_preemptions_, *engine_stalls_, *engine_guesses_, *engine_disk_pages_;
  prometheus::Gauge *in_flight_, *connections_, *config_version_, *store_waiting_, *cache_entries_, *cache_bytes_;
  prometheus::Counter *reloads_ok_, *reloads_refused_, *store_written_, *store_dropped_, *store_failed_, *cache_evicted_;

  std::mutex lock_;  // guards the maps; what they point to is atomic
  std::unordered_map<std::string, std::unique_ptr<Series>> series_;
  std::unordered_map<std::string, std::unique_ptr<AttemptSeries>> attempt_series_;
};

}  // namespace ajar
