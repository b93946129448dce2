#pragma once
// Routes as immutable snapshots: what a public model name means now. A reload builds a new snapshot and swaps it
// in; requests that run keep the one that they began with.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "core/provider.h"
#include "engine/tokenizer.h"
#include "gateway/calibration.h"
#include "gateway/config.h"
#include "gateway/health.h"
#include "gateway/token_model.h"
#include "gateway/watch.h"
#include "guard/policy.h"
#include "learn/answer_score.h"

namespace ajar {

// One model that can answer: a provider and a model there.
struct Target {
  // What the route's ladder says of an answer with this raw confidence.
  double probability(double confidence) const { return calibration ? calibration->probability(confidence) : confidence; }
  double accept() const { return watch ? watch->accept() : 0; }

  std::string name;       // "provider/model", "provider/*" when the client's own name is passed on
  TargetConfig config;
  std::shared_ptr<Provider> provider;
  std::shared_ptr<Health> health;
  std::optional<Price> price;   // of a fixed model; nothing: not known
  std::string price_list;       // for passed-on names
  bool free = false;            // own hardware
  bool simulator = false;
  Site site = Site::kOutside;
  std::string jurisdiction;
  Checks checks;
  bool judged = false;          // not every answer of it is accepted
  std::shared_ptr<const learn::AnswerScore> score;  // of rungs with a learned confidence
  std::shared_ptr<RungWatch> watch;     // of rungs with a confidence
  std::optional<RungCalibration> calibration;
  std::map<std::string, Price> overrides;  // configured prices, for passed-on names

  std::shared_ptr<TokenModels> token_models;
  std::shared_ptr<TokenModel> own_token_model;  // of a fixed model

  const std::string& model_for(const std::string& requested) const {
    return config.model.empty() ? requested : config.model;
  }
  TokenModel& token_model(const std::string& requested) const;
  // The price of this model, nothing when it is not known.
  std::optional<Price> price_of(std::string_view model) const;
};

class Canary;
class ShadowLog;

// A model beside a route's targets, and what it has shown.
struct Candidate {
  Target target;
  AttemptLimits limits;
  std::shared_ptr<Canary> canary;  // of a canary
  std::shared_ptr<ShadowLog> log;  // of a shadow
};

struct Route {
  RouteConfig config;
  std::vector<Target> targets;
  AttemptLimits limits;
  std::shared_ptr<const Candidate> canary, shadow;  // null: none
  Checks canary_checks;     // of answers while there is a canary
  const AttemptLimits& limits_of(const Target& target) const { return canary && &target == &canary->target ? canary->limits : limits; }
  // Names everything of the route that can change an answer: two routes or two versions of one that differ in it do not share
  // kept answers.
  std::string fingerprint;
  std::shared_ptr<const guard::Guard> guard;  // null: no policies
  bool simulator() const;  // every target is one
};

class Snapshot {
 public:
  // The route of a public name: exact, else the longest pattern "prefix*". Null: none.
  std::shared_ptr<const Route> find(std::string_view model) const;
  const std::vector<std::shared_ptr<const Route>>& routes() const { return routes_; }
  const Config& config() const { return config_; }
  // The vocabulary of an upstream model, null where none is configured.
  const engine::Tokenizer* tokenizer_of(std::string_view model) const;
  const TokenModels& token_models() const { return *token_models_; }
  // Null: there is no class of that name.
  const DataClassConfig* data_class(std::string_view name) const;
  int64_t version() const { return version_; }

 private:
  friend class SnapshotBuilder;
  Config config_;
  int64_t version_ = 0;
  std::vector<std::pair<std::string, std::shared_ptr<const engine::Tokenizer>>> tokenizers_;  // by pattern, as listed
  std::shared_ptr<TokenModels> token_models_;
  std::vector<std::shared_ptr<const Route>> routes_;
  std::map<std::string, std::shared_ptr<const Route>, std::less<>> exact_;
  std::vector<std::shared_ptr<const Route>> patterns_;  // longest first
};

// Reads the vocabulary file; the error names "tokenizers.NAME.file" and what is wrong with it.
Result<std::shared_ptr<const engine::Tokenizer>> load_vocabulary(const TokenizerConfig& config);

using ProviderFactory =
    std::function<Result<std::shared_ptr<Provider>>(const ProviderConfig&, const TargetConfig&)>;

// Builds snapshots and carries over what must outlive them: the health of targets that stay the same.
class SnapshotBuilder {
 public:
  explicit SnapshotBuilder(ProviderFactory factory) : factory_(std::move(factory)) {}

  // How policies get the task model of a name. Without it there are no topics and no toxicity.
  using LabelModels = std::function<Result<std::shared_ptr<const guard::LabelModel>>(const std::string& task)>;
  void set_label_models(LabelModels models) { label_models_ = std::move(models); }

  // kInvalid names the route, provider or tokenizer at fault. Reads vocabulary files. One thread at a time.
  Result<std::shared_ptr<const Snapshot>> build(Config config);

 private:
  Result<std::shared_ptr<const engine::Tokenizer>> load(const TokenizerConfig& config);
  // What a build makes anew or takes over from the one before.
  struct Building {
    const std::map<std::string, const ProviderConfig*>& providers;
    const DataClassConfig& documents;  // of what collections say
    std::map<std::string, std::shared_ptr<Health>> health;
    std::map<std::string, std::shared_ptr<RungWatch>> watches;
  };
  Result<Target> make_target(const RouteConfig& route, const TargetConfig& config, Building& building);
  Status add_watch(const RouteConfig& route, Building& building, Target& target);
  Status add_candidates(Route& route, Building& building);
  static Status may_rerank(const Config& config, const DataClassConfig& documents, const Snapshot& snapshot);

  Result<std::shared_ptr<const guard::Guard>> guard_of(const Config& config, const RouteConfig& route) const;

  ProviderFactory factory_;
  LabelModels label_models_;
  std::map<std::string, std::shared_ptr<const engine::Tokenizer>> vocabularies_;  // by file, its time and family
  std::shared_ptr<TokenModels> token_models_ = std::make_shared<TokenModels>();
  std::map<std::string, std::shared_ptr<Health>> health_;
  std::map<std::string, std::shared_ptr<RungWatch>> watches_;
  // By route and target; those that the configuration no longer names stay, for it may name them again.
  std::map<std::string, std::shared_ptr<Canary>> canaries_;
  std::map<std::string, std::shared_ptr<ShadowLog>> shadows_;
  int64_t version_ = 0;
};

// Checks what can be checked without building: names, references, ranges. Every fault found, as
// "routes.support: ..." lines.
std::vector<Error> check_config(const Config& config);

// Empty, or why data of this class may not go to this target, as they are or masked.
std::string forbidden(const DataClassConfig& data, const Target& target, bool masked = false);

// The order in which this request tries the targets, by the route's strategy.
struct CostGuess {
  int64_t input = 0, output = 0;
};
std::vector<size_t> order_targets(const Route& route, std::string_view model, const CostGuess& guess,
                                  TimePoint now);

}  // namespace ajar
