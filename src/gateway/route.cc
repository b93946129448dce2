#include "gateway/route.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>

#include "base/random.h"
#include "gateway/canary.h"
#include "gateway/privacy.h"
#include "gateway/request_key.h"
#include "gateway/shadow.h"
#include "provider/presets.h"

namespace ajar {

std::optional<Price> Target::price_of(std::string_view model) const {
  if (price) return price;
  for (const auto& [name, configured] : overrides) {
    if (is_form_of(model, name)) return configured;
  }
  if (auto listed = Prices::builtin().find(price_list, model)) return listed;
  return free ? std::optional(Price::free()) : std::nullopt;
}

TokenModel& Target::token_model(const std::string& requested) const {
  if (own_token_model) return *own_token_model;
  return *token_models->of(requested);  // models are never dropped
}

bool Route::simulator() const {
  return std::ranges::all_of(targets, [](const Target& target) { return target.simulator; });
}

std::shared_ptr<const Route> Snapshot::find(std::string_view model) const {
  if (const auto exact = exact_.find(model); exact != exact_.end()) return exact->second;
  for (const auto& route : patterns_) {
    const std::string_view pattern = route->config.name;
    if (model.starts_with(pattern.substr(0, pattern.size() - 1))) return route;
  }
  return nullptr;
}

const DataClassConfig* Snapshot::data_class(std::string_view name) const {
  const auto found = std::ranges::find(config_.data_classes, name, &DataClassConfig::name);
  return found == config_.data_classes.end() ? nullptr : &*found;
}

std::vector<DataClassConfig> builtin_data_classes() {
  return {{.name = "public", .rank = 0},
          {.name = "internal", .rank = 10},
          {.name = "confidential", .rank = 20, .site = Site::kOwn},
          {.name = "restricted", .rank = 30, .site = Site::kLocal, .cache = false}};
}

std::string forbidden(const DataClassConfig& data, const Target& target, bool masked) {
  const Site site = masked ? std::max(data.site, data.masked) : data.site;
  if (target.site > site) return data.name + " data may not leave " + (site == Site::kLocal ? "this machine" : "own machines");
  if (!data.providers.empty() && std::ranges::find(data.providers, target.config.provider) == data.providers.end()) {
    return data.name + " data may not go to " + target.config.provider;
  }
  if (target.site == Site::kOutside && !data.jurisdictions.empty() &&
      std::ranges::find(data.jurisdictions, target.jurisdiction) == data.jurisdictions.end()) {
    return data.name + " data may not go to " + (target.jurisdiction.empty() ? "an unnamed jurisdiction" : target.jurisdiction);
  }
  return {};
}

const engine::Tokenizer* Snapshot::tokenizer_of(std::string_view model) const {
  for (const auto& [pattern, tokenizer] : tokenizers_) {
    const std::string_view name = pattern;
    if (name.ends_with('*') ? model.starts_with(name.substr(0, name.size() - 1)) : model == name) return tokenizer.get();
  }
  return nullptr;
}

Result<std::shared_ptr<const engine::Tokenizer>> SnapshotBuilder::load(const TokenizerConfig& config) {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(config.file, error);
  const std::string id = config.file + "\n" + config.family + "\n" +
                         std::to_string(error ? 0 : written.time_since_epoch().count());
  auto& slot = vocabularies_[id];
  if (!slot) {
    AJAR_ASSIGN(slot, load_vocabulary(config));
  }
  return slot;
}

Result<std::shared_ptr<const engine::Tokenizer>> load_vocabulary(const TokenizerConfig& config) {
  auto loaded = config.family.empty() ? engine::load_tokenizer(config.file)
                                      : engine::load_tiktoken(config.file, config.family);
  if (loaded) return loaded;
  loaded.error().field = "tokenizers." + config.name + ".file";
  return std::unexpected(std::move(loaded.error()).in("tokenizers." + config.name + ".file"));
}

namespace {

constexpr std::string_view kSites[] = {"local", "own", "outside"};
constexpr std::string_view kChecks[] = {"json", "schema", "not_empty", "not_refused", "whole", "arithmetic", "citations"};

Site site_of(const ProviderConfig& provider, const Preset* preset) {
  if (const auto named = std::ranges::find(kSites, provider.site); named != std::end(kSites)) return Site(named - kSites);
  if (provider.preset == "local" || provider.preset == "task" || provider.preset == "documents") return Site::kLocal;
  return preset && preset->free ? Site::kOwn : Site::kOutside;
}

Checks checks_of(const std::vector<std::string>& names) {
  const auto has = [&](std::string_view name) { return std::ranges::find(names, name) != names.end(); };
  return {.json = has("json"), .schema = has("schema"), .not_empty = has("not_empty"), .not_refused = has("not_refused"),
          .whole = has("whole"), .arithmetic = has("arithmetic"), .citations = has("citations"), .names = names};
}

// Names the files that its confidence comes from.
std::string learnt_of(const Target& target) {
  std::string out = target.calibration ? text_key(target.calibration->json()).hex() : "";
  if (target.score) out += " " + text_key(target.score->json()).hex();
  return out;
}

}  // namespace

// Its calibration, its score and its threshold; what has been learnt of this very rung stays.
Status SnapshotBuilder::add_watch(const RouteConfig& route, Building& building, Target& target) {
  const RungConfig& rung = target.config.rung;
  if (!rung.calibration.empty()) {
    auto read = RungCalibration::read(rung.calibration);
    if (!read) return std::unexpected(std::move(read).error().in("routes." + route.name));
    target.calibration = std::move(*read);
  }
  if (rung.confidence == ConfidenceSource::kLearned) {
    auto read = learn::AnswerScore::read(rung.score);
    if (!read) return std::unexpected(std::move(read).error().in("routes." + route.name));
    target.score = std::make_shared<const learn::AnswerScore>(std::move(*read));
  }
  const auto proven = rung.confidence == ConfidenceSource::kOwn ? target.provider->proven_confidence() : std::nullopt;
  const double accept = rung.accept > 0 ? rung.accept : target.calibration ? target.calibration->accept : proven.value_or(1);
  const std::string id = route.name + "\n" + target.name + "\n" + std::to_string(int(rung.confidence)) + "\n" + std::to_string(accept) + "\n" +
                         std::to_string(route.alpha) + "\n" + std::to_string(route.delta) + "\n" + learnt_of(target);
  auto& watch = building.watches[id];
  if (const auto old = watches_.find(id); old != watches_.end()) watch = old->second;
  if (!watch) watch = std::make_shared<RungWatch>(accept, learn::WatchOptions{.alpha = route.alpha, .delta = route.delta});
  target.watch = watch;
  return {};
}

namespace {

std::string fingerprint_of(const Route& route) {
  std::string out = route.config.name + "\n" + std::to_string(int(route.config.strategy)) + (route.config.stay ? "s" : "") +
                    (route.config.doubt_stays ? "d" : "");
  for (const Target& target : route.targets) {
    const RungConfig& rung = target.config.rung;
    out += "\n" + target.name + " " + std::to_string(target.config.max_tokens) + " " + std::to_string(int(rung.confidence)) + " " +
           std::to_string(rung.accept) + " " + learnt_of(target) + " " + std::to_string(rung.hold_tokens) + " " + std::to_string(rung.samples);
    for (const std::string& check : rung.checks) out += " " + check;
  }
  return text_key(out).hex();
}

// What a canary's outcomes are compared with, and where it is.
std::string against_of(const Route& route, const Target& candidate, const std::map<std::string, const ProviderConfig*>& providers) {
  std::string out = providers.at(candidate.config.provider)->base_url;
  for (const Target& target : route.targets) out += " " + target.name;
  return out;
}

}  // namespace

Result<Target> SnapshotBuilder::make_target(const RouteConfig& route, const TargetConfig& config, Building& building) {
  const ProviderConfig& provider = *building.providers.at(config.provider);
  const Preset* preset = find_preset(provider.preset);
  Target target;
  const bool quotes = provider.preset == "documents";
  target.name = provider.name + "/" + (quotes ? config.collection : config.model.empty() ? "*" : config.model);
  target.config = config;
  target.price_list = provider.price_list.empty() ? std::string(preset ? preset->price_list : "") : provider.price_list;
  target.free = provider.free.value_or(preset && preset->free);
  target.overrides = provider.prices;
  target.simulator = provider.simulator;
  target.site = site_of(provider, preset);
  target.jurisdiction = provider.jurisdiction;
  target.checks = checks_of(config.rung.checks);
  target.judged = route.strategy == Strategy::kLadder && (config.rung.confidence != ConfidenceSource::kNone || !config.rung.checks.empty());
  target.token_models = token_models_;
  if (!config.collection.empty()) {
    if (const std::string why = forbidden(building.documents, target); !why.empty()) {
      return invalid("routes." + route.name, "routes." + route.name + ": " + target.name + " may not be shown documents: " + why + " (rag.data_class)");
    }
  }
  if (!config.model.empty()) {
    target.price = target.price_of(config.model);
    target.own_token_model = token_models_->of(config.model);
  }
  auto made = factory_(provider, config);
  if (!made) return std::unexpected(std::move(made).error().in("providers." + provider.name));
  target.provider = std::move(*made);
  // A breaker belongs to a target of a route: two routes may set it differently.
  const std::string id = route.name + "\n" + target.name + "\n" + provider.base_url + "\n" + std::to_string(route.breaker_failures) + "/" +
                         std::to_string(route.breaker_open.count());
  auto& health = building.health[id];
  if (const auto old = health_.find(id); old != health_.end()) health = old->second;
  if (!health) health = std::make_shared<Health>(BreakerOptions{.failures = route.breaker_failures, .open = route.breaker_open});
  target.health = health;
  if (config.rung.confidence != ConfidenceSource::kNone) {
    AJAR_TRY(add_watch(route, building, target));
  }
  return target;
}

// What candidates have shown stays theirs, whatever else the configuration says now.
Status SnapshotBuilder::add_candidates(Route& route, Building& building) {
  if (route.config.canary.there()) {
    auto made = std::make_shared<Candidate>();
    AJAR_ASSIGN(made->target, make_target(route.config, route.config.canary.target, building));
    made->limits = route.limits;
    if (route.config.canary.first_token_timeout.count() > 0) made->limits.first_token = std::min(made->limits.first_token, route.config.canary.first_token_timeout);
    auto& canary = canaries_[route.config.name + "\n" + made->target.name];
    if (!canary) canary = std::make_shared<Canary>(against_of(route, made->target, building.providers));
    made->canary = canary;
    route.canary_checks = checks_of(route.config.canary.checks);
    route.canary = std::move(made);
  }
  if (route.config.shadow.there()) {
    auto made = std::make_shared<Candidate>();
    AJAR_ASSIGN(made->target, make_target(route.config, route.config.shadow.target, building));
    made->limits = route.limits;
    auto& log = shadows_[route.config.name + "\n" + made->target.name];
    if (!log) log = std::make_shared<ShadowLog>();
    made->log = log;
    route.shadow = std::move(made);
  }
  return {};
}

// Every target of the route that documents are put in order by is shown them.
Status SnapshotBuilder::may_rerank(const Config& config, const DataClassConfig& documents, const Snapshot& snapshot) {
  for (const Target& target : snapshot.find(config.rag.rerank)->targets) {
    if (const std::string why = forbidden(documents, target); !why.empty()) {
      return invalid("rag.rerank", "rag.rerank: " + target.name + " may not be shown documents: " + why + " (rag.data_class)");
    }
  }
  return {};
}

Result<std::shared_ptr<const Snapshot>> SnapshotBuilder::build(Config config) {
  if (auto faults = check_config(config); !faults.empty()) return std::unexpected(std::move(faults.front()));
  std::map<std::string, const ProviderConfig*> providers;
  for (const ProviderConfig& provider : config.providers) providers[provider.name] = &provider;

  auto snapshot = std::make_shared<Snapshot>();
  snapshot->token_models_ = token_models_;
  for (const TokenizerConfig& tokenizer : config.tokenizers) {
    AJAR_ASSIGN(const auto loaded, load(tokenizer));
    for (const std::string& model : tokenizer.models) snapshot->tokenizers_.emplace_back(model, loaded);
  }
  Building building{.providers = providers, .documents = *std::ranges::find(config.data_classes, config.rag.data_class, &DataClassConfig::name),
                    .health = {}, .watches = {}};
  for (const RouteConfig& route_config : config.routes) {
    auto route = std::make_shared<Route>();
    route->config = route_config;
    route->limits = {.connect = route_config.connect_timeout,
                     .first_token = route_config.first_token_timeout,
                     .gap = route_config.gap_timeout};
    for (const TargetConfig& target : route_config.targets) {
      AJAR_ASSIGN(route->targets.emplace_back(), make_target(route_config, target, building));
    }
    AJAR_TRY(add_candidates(*route, building));
    if (!route_config.policies.empty()) {
      AJAR_ASSIGN(route->guard, guard_of(config, route_config));
    }
    route->fingerprint = fingerprint_of(*route);
    snapshot->routes_.push_back(route);
    if (route_config.name.ends_with('*')) snapshot->patterns_.push_back(route);
    else snapshot->exact_[route_config.name] = route;
  }
  std::ranges::sort(snapshot->patterns_, [](const auto& a, const auto& b) {
    return a->config.name.size() > b->config.name.size();
  });
  if (!config.rag.rerank.empty()) AJAR_TRY(may_rerank(config, building.documents, *snapshot));
  // Only now: a configuration that is refused changes nothing.
  for (const auto& route : snapshot->routes_) {
    if (route->canary) route->canary->canary->set_against(against_of(*route, route->canary->target, providers));
  }
  health_ = std::move(building.health);
  watches_ = std::move(building.watches);
  snapshot->version_ = ++version_;
  snapshot->config_ = std::move(config);
  return snapshot;
}

namespace {

template <class Fault>
void check_checks(const std::vector<std::string>& checks, const std::string& at, const Fault& fault) {
  for (const std::string& check : checks) {
    if (std::ranges::find(kChecks, check) == std::end(kChecks)) {
      fault(at + ".checks", "unknown check '" + check + "'; known are arithmetic, citations, json, not_empty, not_refused, schema, whole");
    }
  }
}

// What a rung is judged by must be whole, and there must be somebody who judges.
template <class Fault>
void check_rung(const RouteConfig& route, const RungConfig& rung, const std::string& at, const Fault& fault) {
  check_checks(rung.checks, at, fault);
  if ((rung.confidence != ConfidenceSource::kNone || !rung.checks.empty()) && route.strategy != Strategy::kLadder) {
    fault(at, "is judged, but only routes with strategy = \"ladder\" judge their answers");
  }
  const bool says_itself = rung.confidence == ConfidenceSource::kOwn;  // with a threshold of its own
  if (rung.confidence != ConfidenceSource::kNone && !says_itself && rung.accept <= 0 && rung.calibration.empty()) {
    fault(at + ".accept", "a rung with a confidence needs the least that is good enough, above 0 and up to 1, or a calibration");
  }
  if (rung.confidence == ConfidenceSource::kNone && rung.accept > 0) {
    fault(at + ".accept", "there is no confidence to compare with: say confidence = \"margin\", \"logprob\", \"agree\", \"learned\" or \"own\"");
  }
  if (rung.confidence == ConfidenceSource::kLearned && rung.score.empty()) {
    fault(at + ".score", "a learned confidence needs the file that `ajar tune answers` wrote");
  }
}

template <class Fault>
void check_candidates(const Config& config, const RouteConfig& route, const std::string& at, const Fault& fault) {
  const auto provider = [&](const TargetConfig& target, const std::string& here) {
    if (std::ranges::find(config.providers, target.provider, &ProviderConfig::name) == config.providers.end()) {
      fault(here + ".target.provider", "there is no provider '" + target.provider + "'");
    }
    if (std::ranges::any_of(route.targets, [&](const TargetConfig& other) { return other.provider == target.provider && other.model == target.model; })) {
      fault(here + ".target", "is one of the route's targets already, so there is nothing to compare it with");
    }
  };
  if (route.canary.there()) {
    provider(route.canary.target, at + ".canary");
    check_checks(route.canary.checks, at + ".canary", fault);
    check_rung(route, route.canary.target.rung, at + ".canary.target", fault);
  }
  if (route.shadow.there()) {
    provider(route.shadow.target, at + ".shadow");
    const RungConfig& rung = route.shadow.target.rung;
    if (rung.confidence != ConfidenceSource::kNone || !rung.checks.empty()) fault(at + ".shadow.target", "is judged, but nobody is given a shadow's answers");
  }
}

// A ladder must be able to end, and say what each rung is judged by.
template <class Fault>
void check_ladder(const Config& config, const RouteConfig& route, const std::string& at, const Fault& fault) {
  for (const auto& [key, name] : {std::pair{".data_class", &route.data_class}, {".pii_class", &route.pii_class}, {".secret_class", &route.secret_class}}) {
    if (!name->empty() && std::ranges::find(config.data_classes, *name, &DataClassConfig::name) == config.data_classes.end()) {
      fault(at + key, "there is no data class '" + *name + "'");
    }
  }
  for (size_t i = 0; i < route.targets.size(); ++i) {
    const std::string rung_at = at + ".targets[" + std::to_string(i) + "]";
    check_rung(route, route.targets[i].rung, rung_at, fault);
    const bool judged = route.targets[i].rung.confidence != ConfidenceSource::kNone || !route.targets[i].rung.checks.empty();
    if (route.strategy == Strategy::kLadder && !judged && i + 1 < route.targets.size()) {
      fault(rung_at, "accepts every answer, so the rungs above it would never be asked");
    }
    if (route.strategy == Strategy::kLadder && judged && i + 1 == route.targets.size() && !route.stay) {
      fault(rung_at, "is the top of the ladder and judged: what it is unsure of nobody could answer. Leave its confidence out, or "
                     "set stay = true on the route");
    }
  }
  std::vector<std::pair<std::string, const TargetConfig*>> targets{{at + ".canary", &route.canary.target}, {at + ".shadow", &route.shadow.target}};
  for (size_t i = 0; i < route.targets.size(); ++i) targets.emplace_back(at + ".targets[" + std::to_string(i) + "]", &route.targets[i]);
  for (const auto& [target_at, one] : targets) {
    const TargetConfig& target = *one;
    const auto provider = std::ranges::find(config.providers, target.provider, &ProviderConfig::name);
    if (target.collection.empty() && provider != config.providers.end() && provider->preset == "documents") {
      fault(target_at + ".collection", "a provider of documents needs the collection that it quotes");
    }
    if (target.collection.empty()) continue;
    if (route.cache != CacheMode::kOff) {
      fault(at + ".cache", "an answer that is drawn from documents (" + target_at + ".collection) is never kept: who may read them, and what they say, changes");
    }
    if (target.rung.confidence == ConfidenceSource::kOwn && target.rung.accept <= 0 && target.rung.calibration.empty()) {
      fault(target_at + ".accept", "say from which share of borne out sentences, or probability, an answer of documents is good enough, above 0 and up to 1");
    }
  }
  if (route.cache == CacheMode::kSemantic && std::ranges::find(config.routes, route.cache_embedder, &RouteConfig::name) == config.routes.end()) {
    fault(at + ".cache_embedder", "a semantic cache needs the name of a route that makes embeddings, not '" + route.cache_embedder + "'");
  }
  if (!route.audit_judge.empty() && std::ranges::find(config.routes, route.audit_judge, &RouteConfig::name) == config.routes.end()) {
    fault(at + ".audit_judge", "there is no route '" + route.audit_judge + "'");
  }
  if (route.strategy == Strategy::kLadder && route.hedge_after.count() > 0) fault(at + ".hedge_after", "a ladder asks one rung at a time");
}

}  // namespace

namespace {

constexpr std::string_view kStages[] = {"input", "output"};
constexpr std::string_view kModes[] = {"observe", "window", "block"};
constexpr std::string_view kActions[] = {"allow", "rewrite", "climb", "refuse"};

template <size_t N>
int place_of(const std::string_view (&words)[N], const std::string& word) {
  const auto found = std::ranges::find(words, word);
  return found == std::end(words) ? -1 : int(found - words);
}

Result<guard::PolicyConfig> read_policy(const PolicyConfigEntry& entry) {
  const std::string at = "policies." + entry.name;
  const auto bad = [&](const char* key, const char* words) { return invalid(at + key, at + key + ": must be one of " + words); };
  using Kind = guard::CheckConfig::Kind;
  guard::CheckConfig check{.entities = entry.entities, .minimum_score = float(entry.minimum_score), .patterns = entry.patterns, .allow = entry.allow,
                           .deny = entry.deny, .schema = entry.schema, .limit = size_t(entry.limit), .threshold = float(entry.threshold),
                           .categories = entry.categories, .replacement = entry.replacement};
  bool known = false;
  for (int kind = 0; kind <= int(Kind::kToxicity); ++kind) {
    if (guard::check_name(Kind(kind)) == entry.check) check.kind = Kind(kind), known = true;
  }
  if (!known) return bad(".check", "pii, secrets, words, regex, topics, schema, injection, hidden, length, repetition, moderation, toxicity");
  const int stage = place_of(kStages, entry.stage), mode = place_of(kModes, entry.mode), action = place_of(kActions, entry.action);
  if (stage < 0) return bad(".stage", "input, output");
  if (mode < 0) return bad(".mode", "observe, window, block");
  if (action < 0) return bad(".action", "allow, rewrite, climb, refuse");
  return guard::PolicyConfig{.name = entry.name, .stage = guard::Stage(stage), .mode = guard::Mode(mode), .action = guard::Action(action), .checks = {check}};
}

}  // namespace

Result<std::shared_ptr<const guard::Guard>> SnapshotBuilder::guard_of(const Config& config, const RouteConfig& route) const {
  std::vector<guard::PolicyConfig> policies;
  std::map<std::string, std::shared_ptr<const guard::LabelModel>> models;  // read once, however many policies ask it
  for (const std::string& name : route.policies) {
    const PolicyConfigEntry& entry = *std::ranges::find(config.policies, name, &PolicyConfigEntry::name);
    AJAR_ASSIGN(policies.emplace_back(), read_policy(entry));
    guard::CheckConfig& check = policies.back().checks.front();
    if (check.kind != guard::CheckConfig::Kind::kTopics && check.kind != guard::CheckConfig::Kind::kToxicity) continue;
    if (entry.task.empty()) return invalid("policies." + name + ".task", "policies." + name + ".task: " + entry.check + " needs a task model");
    if (!label_models_) return fail(Code::kUnsupported, "there are no task models here");
    auto& model = models[entry.task];
    if (!model) {
      AJAR_ASSIGN(model, label_models_(entry.task));
    }
    check.model = model;
  }
  auto built = guard::Guard::build(std::move(policies));
  if (!built) return std::unexpected(std::move(built).error().in("routes." + route.name + ".policies"));
  return built;
}

namespace {

// Also of postgresql://, which is no URL of ours.
bool on_this_machine(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == url.npos) return false;
  if (url.find("host=") != url.npos || url.find("hostaddr=") != url.npos) return false;  // libpq takes these before what stands in its place
  std::string_view host = url.substr(scheme + 3);
  host = host.substr(0, host.find_first_of("/?#"));
  if (const size_t user = host.rfind('@'); user != host.npos) host.remove_prefix(user + 1);
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1) == "[::1]";
  host = host.substr(0, host.find(':'));
  return host == "127.0.0.1" || host == "localhost";
}

// The route that answers to a name, as Snapshot::find has it; null: none.
const RouteConfig* route_of(const Config& config, const std::string& name) {
  const RouteConfig* best = nullptr;
  for (const RouteConfig& one : config.routes) {
    if (one.name == name) return &one;
    const bool fits = one.name.ends_with('*') && name.starts_with(one.name.substr(0, one.name.size() - 1));
    if (fits && (best == nullptr || one.name.size() > best->name.size())) best = &one;
  }
  return best;
}

}  // namespace

std::vector<Error> check_config(const Config& config) {
  std::vector<Error> faults;
  const auto fault = [&](std::string field, std::string message) {
    faults.push_back(
        Error{.code = Code::kInvalid, .message = field + ": " + std::move(message), .field = field});
  };
  static const std::set<std::string, std::less<>> kReasons = {
      "timeout", "connection", "rate_limit", "server_error", "auth", "not_found", "malformed", "invalid"};
  std::set<std::string> providers, routes;
  for (const ProviderConfig& provider : config.providers) {
    const std::string at = "providers." + provider.name;
    if (!providers.insert(provider.name).second) fault(at, "is defined twice");
    if (!find_preset(provider.preset)) fault(at + ".preset", "unknown preset '" + provider.preset + "'");
    if (!provider.site.empty() && std::ranges::find(kSites, provider.site) == std::end(kSites)) {
      fault(at + ".site", "must be \"local\", \"own\" or \"outside\"");
    }
  }
  for (const DataClassConfig& data : config.data_classes) {
    for (const std::string& name : data.providers) {
      if (std::ranges::find(config.providers, name, &ProviderConfig::name) == config.providers.end()) {
        fault("data_classes." + data.name + ".providers", "there is no provider '" + name + "'");
      }
    }
  }
  for (const ModelConfigEntry& model : config.models) {
    if (model.path.empty()) fault("models." + model.name + ".path", "is required");
  }
  if (const auto entities = read_entities(config.privacy.entities); !entities) faults.push_back(entities.error());
  for (const PolicyConfigEntry& policy : config.policies) {
    if (const auto read = read_policy(policy); !read) faults.push_back(read.error());
  }
  if (config.rag.ocr != "auto" && config.rag.ocr != "off") fault("rag.ocr", "must be \"auto\" or \"off\"");
  constexpr std::string_view kLanguageLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+";
  if (config.rag.ocr_languages.empty() || config.rag.ocr_languages.find_first_not_of(kLanguageLetters) != std::string::npos) {
    fault("rag.ocr_languages", "must be names of languages joined by '+', as \"eng+deu\"");
  }
  if (const std::string& name = config.rag.context_route; !name.empty()) {
    const RouteConfig* const route = route_of(config, name);
    const auto rank = [&](const std::string& data) {
      const auto found = std::ranges::find(config.data_classes, data.empty() ? "internal" : data, &DataClassConfig::name);
      return found == config.data_classes.end() ? 0 : found->rank;
    };
    if (route == nullptr) {
      fault("rag.context_route", "there is no route '" + name + "'");
    } else if (rank(route->data_class) < rank(config.rag.data_class)) {  // the route's class decides which of its targets see the documents
      fault("rag.context_route", "the route '" + name + "' is shown " + config.rag.data_class + " documents (rag.data_class): its data_class must be at least that");
    }
  }
  if (const std::string& name = config.rag.rerank; !name.empty() && !route_of(config, name)) fault("rag.rerank", "there is no route '" + name + "'");
  if (config.rag.rerank_timeout.count() <= 0) fault("rag.rerank_timeout", "must be more than nothing");
  for (const TaskConfig& task : config.tasks) {
    if (task.path.empty()) fault("tasks." + task.name + ".path", "is required");
  }
  for (const TokenizerConfig& tokenizer : config.tokenizers) {
    if (tokenizer.file.empty()) fault("tokenizers." + tokenizer.name + ".file", "is required");
    for (const std::string& model : tokenizer.models) {
      if (model.empty() || model.find('*') < model.size() - 1) {
        fault("tokenizers." + tokenizer.name + ".models", "'" + model + "': '*' may only stand at the end of a name");
      }
    }
  }
  for (const RouteConfig& route : config.routes) {
    const std::string at = "routes." + route.name;
    if (!routes.insert(route.name).second) fault(at, "is defined twice");
    if (route.name.find('*') < route.name.size() - 1) fault(at, "'*' may only stand at the end of a name");
    if (route.targets.empty()) fault(at + ".targets", "a route needs at least one target");
    for (const std::string& name : route.policies) {
      if (std::ranges::find(config.policies, name, &PolicyConfigEntry::name) == config.policies.end()) {
        fault(at + ".policies", "there is no policy '" + name + "'");
      }
    }
    int64_t weights = 0;
    for (size_t i = 0; i < route.targets.size(); ++i) {
      const TargetConfig& target = route.targets[i];
      const std::string target_at = at + ".targets[" + std::to_string(i) + "]";
      weights += target.weight;
      if (target.weight < 0) fault(target_at + ".weight", "must be 0 or more");
      if (!providers.contains(target.provider)) {
        fault(target_at + ".provider", "there is no provider '" + target.provider + "'");
      }
    }
    check_ladder(config, route, at, fault);
    check_candidates(config, route, at, fault);
    if (route.strategy == Strategy::kWeighted && weights <= 0 && !route.targets.empty()) {
      fault(at + ".targets", "all weights are 0");
    }
    for (const std::string& reason : route.fallback_on) {
      if (!kReasons.contains(reason)) {
        fault(at + ".fallback_on", "unknown reason '" + reason + "'; known are auth, connection, invalid, "
                                   "malformed, not_found, rate_limit, server_error, timeout");
      }
    }
  }
  const auto documents = std::ranges::find(config.data_classes, config.rag.data_class, &DataClassConfig::name);
  if (documents == config.data_classes.end()) {
    fault("rag.data_class", "there is no data class '" + config.rag.data_class + "'");
  } else if (documents->site == Site::kLocal) {
    for (const VectorStoreConfig& store : config.vector_stores) {  // vectors say what the texts say, to who knows the embedder
      if (!on_this_machine(store.url)) fault("vector_stores." + store.name + ".url", documents->name + " documents (rag.data_class) may not leave this machine");
    }
  }
  if (config.server.auth != "keys" && config.server.auth != "open") {
    fault("server.auth", "must be \"keys\" or \"open\"");
  }
  if (config.server.metrics != "open" && config.server.metrics != "admin") {
    fault("server.metrics", "must be \"open\" or \"admin\"");
  }
  return faults;
}

std::vector<size_t> order_targets(const Route& route, std::string_view model, const CostGuess& guess,
                                  TimePoint now) {
  const auto& targets = route.targets;
  std::vector<size_t> order(targets.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (order.size() < 2) return order;
  std::vector<double> key(targets.size());
  switch (route.config.strategy) {
    case Strategy::kLadder:
    case Strategy::kPriority: return order;  // the file's order is the priority
    case Strategy::kWeighted:
      // Efraimidis and Spirakis 2006: sorting by u^(1/w) draws without replacement by weight.
      for (size_t i = 0; i < key.size(); ++i) {
        const double weight = double(targets[i].config.weight);
        key[i] = weight <= 0 ? INFINITY : -std::log(1 - fast_uniform()) / weight;
      }
      break;
    case Strategy::kLeastLatency:
      for (size_t i = 0; i < key.size(); ++i) key[i] = targets[i].health->load(now);
      break;
    case Strategy::kCheapest: {
      const Usage usage{.input = guess.input, .output = guess.output};
      for (size_t i = 0; i < key.size(); ++i) {
        const auto price =
            targets[i].price_of(targets[i].config.model.empty() ? model : targets[i].config.model);
        key[i] = price ? double(price->cost(usage)) : INFINITY;
      }
      break;
    }
  }
  std::ranges::sort(order, [&](size_t a, size_t b) { return std::pair(key[a], a) < std::pair(key[b], b); });
  return order;
}

}  // namespace ajar
