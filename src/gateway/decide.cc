#include "gateway/decide.h"

#include "gateway/climb.h"
#include "gateway/text_features.h"

namespace ajar {
namespace {

constexpr std::string_view kSources[] = {"none", "own", "margin", "logprob", "agree"};
constexpr std::string_view kStrategies[] = {"priority", "weighted", "least_latency", "cheapest", "ladder"};

}  // namespace

Result<const DataClassConfig*> class_of(const Snapshot& snapshot, const Route& route, const std::string& said) {
  const DataClassConfig* of_route = snapshot.data_class(route.config.data_class.empty() ? "internal" : route.config.data_class);
  if (said.empty()) return of_route;
  const DataClassConfig* of_client = snapshot.data_class(said);
  if (of_client == nullptr) return invalid("x-ajar-data-class", "there is no data class '" + said + "'");
  return of_route != nullptr && of_route->rank >= of_client->rank ? of_route : of_client;
}

Result<Decision> decide(const Snapshot& snapshot, Memory& memory, const Request& request, const Caller& caller, const std::string& data_class,
                        const Privacy& privacy) {
  const auto route = snapshot.find(request.model);
  if (!route) return fail(Code::kNotFound, "there is no route for the model '" + request.model + "'", "model");
  AJAR_ASSIGN(const DataClassConfig* data, class_of(snapshot, *route, data_class));
  if (const auto* found = detected_class(privacy, snapshot, *route, request); found != nullptr && (data == nullptr || found->rank > data->rank)) data = found;
  Decision decision{.route = route->config.name, .strategy = kStrategies[size_t(route->config.strategy)],
                    .data_class = data != nullptr ? data->name : "", .cache = "off"};
  if (route->config.cache != CacheMode::kOff && (data == nullptr || data->cache)) {
    const RequestKey key = request_key(request, cache_scope(*route, caller, decision.data_class));
    decision.cache_id = key.hex();
    decision.cache = memory.answers.find(key, unix_millis()) ? "hit" : "miss";
  }
  decision.input_tokens = route->targets.front().token_model(request.model).estimate(features_of(request));
  const int64_t output = request.max_tokens.value_or(snapshot.config().limits.reserve_output_tokens) * request.choices();
  const TimePoint at = now();
  for (const size_t i : order_targets(*route, request.model, {.input = decision.input_tokens, .output = output}, at)) {
    const Target& target = route->targets[i];
    RungView rung{.target = target.name, .confidence = kSources[size_t(target.config.rung.confidence)],
                  .accept = target.accept(), .checks = target.config.rung.checks, .health = "ok"};
    rung.why = not_allowed(*route, target, data, request.model);
    rung.masked = !rung.why.empty() && not_allowed(*route, target, data, request.model, true).empty();
    if (rung.masked) rung.why.clear();
    rung.allowed = rung.why.empty();
    if (const auto price = target.price_of(target.model_for(request.model))) {
      rung.cost = price->cost({.input = decision.input_tokens, .output = output});
    }
    if (target.health->state(at) == Health::State::kOpen) rung.health = "failing";
    else if (target.health->retry_in(at).count() > 0) rung.health = "cooling_down";
    decision.rungs.push_back(std::move(rung));
  }
  return decision;
}

}  // namespace ajar
