#include "gateway/decide.h"

#include "gateway/canary.h"
#include "gateway/climb.h"
#include "gateway/text_features.h"

namespace ajar {
namespace {

constexpr std::string_view kSources[] = {"none", "own", "margin", "logprob", "agree", "learned"};
constexpr std::string_view kStrategies[] = {"priority", "weighted", "least_latency", "cheapest", "ladder"};

}  // namespace

Result<DataClass> class_of(const Snapshot& snapshot, const Route& route, const std::string& said, const std::string& of_key) {
  DataClass highest{.config = snapshot.data_class(route.config.data_class.empty() ? "internal" : route.config.data_class), .why = DataClass::kRoute};
  const auto raise = [&](const DataClassConfig* other, std::string_view why) {
    if (highest.config == nullptr || other->rank > highest.config->rank) highest = {other, why};
    else if (other == highest.config) highest.why = why;
  };
  if (!of_key.empty()) {
    const DataClassConfig* config = snapshot.data_class(of_key);
    if (config == nullptr) return fail(Code::kForbidden, "the data class '" + of_key + "' of this key is not configured any more");
    raise(config, DataClass::kKey);
  }
  if (!said.empty()) {
    const DataClassConfig* config = snapshot.data_class(said);
    if (config == nullptr) return invalid("x-ajar-data-class", "there is no data class '" + said + "'");
    raise(config, DataClass::kClient);
  }
  return highest;
}

std::string class_names(const Config& config) {
  std::string out;
  for (const DataClassConfig& data : config.data_classes) out += (out.empty() ? "" : ", ") + data.name;
  return out;
}

namespace {

RungView view_of(const Route& route, const Target& target, const DataClassConfig* data, const std::string& model, int64_t input, int64_t output, TimePoint at) {
  RungView rung{.target = target.name, .confidence = kSources[size_t(target.config.rung.confidence)],
                .accept = target.accept(), .checks = target.config.rung.checks, .health = "ok"};
  rung.why = not_allowed(route, target, data, model);
  rung.masked = !rung.why.empty() && not_allowed(route, target, data, model, true).empty();
  if (rung.masked) rung.why.clear();
  rung.allowed = rung.why.empty();
  if (const auto price = target.price_of(target.model_for(model))) rung.cost = price->cost({.input = input, .output = output});
  if (target.health->state(at) == Health::State::kOpen) rung.health = "failing";
  else if (target.health->retry_in(at).count() > 0) rung.health = "cooling_down";
  return rung;
}

}  // namespace

Result<Decision> decide(const Snapshot& snapshot, Memory& memory, const Request& request, const Caller& caller, const std::string& data_class,
                        const std::string& key_class, const Privacy& privacy) {
  const auto route = snapshot.find(request.model);
  if (!route) return fail(Code::kNotFound, "there is no route for the model '" + request.model + "'", "model");
  AJAR_ASSIGN(DataClass highest, class_of(snapshot, *route, data_class, key_class));
  if (const auto* found = detected_class(privacy, snapshot, *route, request);
      found != nullptr && (highest.config == nullptr || found->rank > highest.config->rank)) {
    highest = {found, DataClass::kContent};
  }
  const DataClassConfig* const data = highest.config;
  Decision decision{.route = route->config.name, .strategy = kStrategies[size_t(route->config.strategy)],
                    .data_class = data != nullptr ? data->name : "", .data_class_why = highest.why, .cache = "off"};
  if (route->config.cache != CacheMode::kOff && (data == nullptr || data->cache)) {
    const RequestKey key = request_key(request, cache_scope(*route, caller, decision.data_class));
    decision.cache_id = key.hex();
    decision.cache = memory.answers.find(key, unix_millis()) ? "hit" : "miss";
  }
  decision.input_tokens = route->targets.front().token_model(request.model).estimate(features_of(request));
  const int64_t output = request.max_tokens.value_or(snapshot.config().limits.reserve_output_tokens) * request.choices();
  const TimePoint at = now();
  for (const size_t i : order_targets(*route, request.model, {.input = decision.input_tokens, .output = output}, at)) {
    decision.rungs.push_back(view_of(*route, route->targets[i], data, request.model, decision.input_tokens, output, at));
  }
  if (route->canary) {
    decision.canary = view_of(*route, route->canary->target, data, request.model, decision.input_tokens, output, at);
    if (!route->canary->canary->open()) decision.canary->allowed = false, decision.canary->why = "it is rolled back";
    if (decision.canary->allowed) decision.canary_share = route->config.canary.share;
  }
  return decision;
}

}  // namespace ajar
