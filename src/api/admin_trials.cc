// /admin/canaries and /admin/shadows: what candidates beside routes have shown, and a person's word about them.
#include "api/admin_json.h"
#include "api/api.h"
#include "base/log.h"
#include "gateway/canary.h"
#include "learn/bounds.h"

namespace ajar::api {
namespace {

double usd(int64_t nano) { return double(nano) / double(store::kNanoPerDollar); }
double mean(double sum, int64_t count) { return count == 0 ? 0 : sum / double(count); }

void write_rate(json::Writer& w, json::Name name, const learn::RateCount& count) {
  const auto interval = learn::wilson(count.errors, count.count, 0.95);
  w.key(name);
  w.begin_object();
  w.field("count", count.count);
  w.field("wrong", count.errors);
  w.field("low", interval.low);
  w.field("high", interval.high);
  w.end_object();
}

void write_arm(json::Writer& w, json::Name name, const Canary::Arm& arm) {
  w.key(name);
  w.begin_object();
  write_rate(w, "errors", arm.errors);
  write_rate(w, "audits", arm.audits);
  w.field("unsure", arm.unsure);
  w.field("answered", arm.answered);
  w.field("mean_first_token_seconds", mean(arm.first_seconds, arm.answered));
  w.field("mean_seconds", mean(arm.seconds, arm.answered));
  w.field("mean_cost_usd", mean(usd(arm.cost), arm.answered));
  w.end_object();
}

void write_canary(json::Writer& w, const Route& route) {
  const auto view = route.canary->canary->view();
  const CanaryConfig& rule = route.config.canary;
  w.begin_object();
  w.field("route", route.config.name);
  w.field("target", route.canary->target.name);
  w.field("state", canary_state_name(view.state));
  w.field("reason", view.reason);
  w.field("share", rule.share);
  w.field("alpha", rule.alpha);
  w.field("margin", rule.margin);
  w.field("min_samples", rule.min_samples);
  w.field("started_ms", view.started_ms);
  w.field("changed_ms", view.changed_ms);
  write_arm(w, "candidate", view.candidate);
  write_arm(w, "usual", view.usual);
  w.end_object();
}

void write_shadow(json::Writer& w, const Route& route) {
  const auto view = route.shadow->log->view();
  w.begin_object();
  w.field("route", route.config.name);
  w.field("target", route.shadow->target.name);
  w.field("share", route.config.shadow.share);
  w.field("max_running", route.config.shadow.max_running);
  w.field("started_ms", view.started_ms);
  w.field("answered", view.answered);
  write_rate(w, "differs", view.compared);
  w.field("no_verdict", view.no_verdict);
  w.field("failed", view.failed);
  w.field("busy", view.busy);
  w.field("withheld", view.withheld);
  w.field("cost_usd", usd(view.cost));
  w.field("given_cost_usd", usd(view.given_cost));
  w.field("judge_cost_usd", usd(view.judge_cost));
  w.field("mean_seconds", mean(view.seconds, view.answered));
  w.field("given_mean_seconds", mean(view.given_seconds, view.answered));
  w.field("mean_first_token_seconds", mean(view.first_seconds, view.answered));
  w.field("given_mean_first_token_seconds", mean(view.given_first_seconds, view.answered));
  w.end_object();
}

// The routes that have such a candidate.
std::vector<std::shared_ptr<const Route>> with(const Snapshot& snapshot, std::shared_ptr<const Candidate> Route::* candidate) {
  std::vector<std::shared_ptr<const Route>> out;
  for (const auto& route : snapshot.routes()) {
    if (route.get()->*candidate) out.push_back(route);
  }
  return out;
}

}  // namespace

Task<> Api::admin_canaries(Exchange& exchange, std::string name, std::string verb) {
  const auto routes = with(*parts_.gateway.snapshot(), &Route::canary);
  if (name.empty() && exchange.request().method == "GET") {
    co_return co_await send_json(exchange, 200, list_json(routes, [](json::Writer& w, const auto& route) { write_canary(w, *route); }));
  }
  const auto found = std::ranges::find(routes, name, [](const auto& route) { return route->config.name; });
  if (found == routes.end()) {
    co_return co_await send_error(exchange, Error{.code = Code::kNotFound, .message = "the route '" + name + "' has no canary"});
  }
  if (exchange.request().method != "POST" || (verb != "restart" && verb != "rollback")) {
    co_return co_await send_error(exchange, Error{.code = Code::kNotFound, .message = "say POST /admin/canaries/ROUTE/restart or …/rollback", .type = "unknown_path"});
  }
  const Route& route = **found;
  if (verb == "restart") route.canary->canary->restart();
  else route.canary->canary->roll_back("by a person");
  log_info("route " + name + ": the canary " + route.canary->target.name + (verb == "restart" ? " begins anew" : " is rolled back by a person"));
  const auto kept = co_await parts_.blocking.run([&store = parts_.store, canary = route.canary->canary, name, target = route.canary->target.name] {
    return canary->keep(store, name, target);
  });
  if (!kept) co_return co_await send_error(exchange, kept.error());
  std::string out;
  json::Writer w(out);
  write_canary(w, route);
  co_await send_json(exchange, 200, std::move(out));
}

Task<> Api::admin_shadows(Exchange& exchange, std::string name, std::string verb) {
  const auto routes = with(*parts_.gateway.snapshot(), &Route::shadow);
  if (name.empty() && exchange.request().method == "GET") {
    co_return co_await send_json(exchange, 200, list_json(routes, [](json::Writer& w, const auto& route) { write_shadow(w, *route); }));
  }
  const auto found = std::ranges::find(routes, name, [](const auto& route) { return route->config.name; });
  if (found == routes.end()) {
    co_return co_await send_error(exchange, Error{.code = Code::kNotFound, .message = "the route '" + name + "' has no shadow"});
  }
  if (exchange.request().method != "POST" || verb != "restart") {
    co_return co_await send_error(exchange, Error{.code = Code::kNotFound, .message = "say POST /admin/shadows/ROUTE/restart", .type = "unknown_path"});
  }
  const Route& route = **found;
  route.shadow->log->restart();
  const auto kept = co_await parts_.blocking.run([&store = parts_.store, log = route.shadow->log, name, target = route.shadow->target.name] {
    return log->keep(store, name, target);
  });
  if (!kept) co_return co_await send_error(exchange, kept.error());
  std::string out;
  json::Writer w(out);
  write_shadow(w, route);
  co_await send_json(exchange, 200, std::move(out));
}

}  // namespace ajar::api
