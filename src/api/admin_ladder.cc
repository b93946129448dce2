// /admin/cache and /admin/decide: what the ladder remembers, and what it would do.
#include "api/admin_json.h"
#include "api/api.h"
#include "base/text.h"
#include "wire/openai/chat.h"

namespace ajar::api {

namespace {

void write_rung(json::Writer& w, const RungView& rung, std::optional<double> share) {
  w.begin_object();
  w.field("target", rung.target);
  if (share) w.field("share", *share);
  w.field("allowed", rung.allowed);
  if (!rung.allowed) w.field("why", rung.why);
  if (rung.masked) w.field("masked", true);
  w.field("health", rung.health);
  if (rung.confidence != "none") {
    w.field("confidence", rung.confidence);
    w.field("accept", rung.accept);
  }
  if (!rung.checks.empty()) {
    w.key("checks");
    w.begin_array();
    for (const std::string& check : rung.checks) w.string(check);
    w.end_array();
  }
  if (rung.cost) w.field("most_cost_usd", double(*rung.cost) / double(store::kNanoPerDollar));
  else w.null_field("most_cost_usd");
  w.end_object();
}

}  // namespace

std::string write_decision(const Decision& decision) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("route", decision.route);
  w.field("strategy", decision.strategy);
  w.field("data_class", decision.data_class);
  w.field("data_class_why", decision.data_class_why);
  w.field("cache", decision.cache);
  if (!decision.cache_id.empty()) w.field("cache_id", decision.cache_id);
  w.field("input_tokens", decision.input_tokens);
  w.key("rungs");
  w.begin_array();
  for (const RungView& rung : decision.rungs) write_rung(w, rung, {});
  w.end_array();
  if (decision.canary) {
    w.key("canary");
    write_rung(w, *decision.canary, decision.canary_share);
  }
  w.end_object();
  return out;
}

Task<> Api::admin_cache(Exchange& exchange) {
  const HttpRequest& request = exchange.request();
  AnswerCache& answers = parts_.memory.answers;
  std::string out;
  json::Writer w(out);
  if (request.method == "GET") {
    const auto stats = answers.stats();
    w.begin_object();
    w.field("entries", stats.entries);
    w.field("bytes", stats.bytes);
    w.field("log_bytes", stats.log_bytes);
    w.field("evicted", stats.evicted);
    w.field("log_dropped", stats.log_dropped);
    w.field("alike", int64_t(parts_.memory.alike.size()));
    w.end_object();
    co_return co_await send_json(exchange, 200, out);
  }
  if (request.method != "DELETE") {
    co_return co_await send_error(exchange, Error{.code = Code::kMethod, .message = "/admin/cache takes GET and DELETE, not " + request.method});
  }
  const AnswerCache::Purge what{.id = query_value(request.query, "id"), .tag = query_value(request.query, "tag"),
                                .tag_prefix = query_value(request.query, "prefix"), .route = query_value(request.query, "route")};
  if (what.id.empty() && what.tag.empty() && what.tag_prefix.empty() && what.route.empty() && query_value(request.query, "all") != "true") {
    co_return co_await send_error(exchange, Error{.code = Code::kInvalid, .message = "say what to purge: id, tag, prefix (of tags) or route, or all=true",
                                                  .field = "id"});
  }
  if (!what.id.empty() && !RequestKey::from_hex(what.id)) {
    co_return co_await send_error(exchange, Error{.code = Code::kInvalid, .message = "id must be as x-ajar-cache-id says it: 32 hexadecimal digits",
                                                  .field = "id"});
  }
  const int64_t purged = co_await parts_.blocking.run([&memory = parts_.memory, what] {
    const int64_t count = memory.answers.purge(what);
    memory.alike.tidy(memory.lives());  // what asked for them goes, too
    return count;
  });
  w.begin_object();
  w.field("purged", purged);
  w.end_object();
  co_await send_json(exchange, 200, out);
}

Task<> Api::admin_decide(Exchange& exchange) {
  HttpRequest& http = exchange.request();
  const auto request = wire::openai::front().read_request(http.body);
  if (!request) co_return co_await send_error(exchange, request.error());
  Caller caller;
  std::string key_class;
  if (const std::string name = query_value(http.query, "key"); !name.empty()) {
    const auto key = parts_.tenants.find(name);
    if (!key) co_return co_await send_error(exchange, key.error());
    caller = {.key_id = (*key)->row.id, .key_name = (*key)->row.name, .team = (*key)->row.team};
    key_class = (*key)->row.data_class;
  }
  const auto snapshot = parts_.gateway.snapshot();
  const auto decision = decide(*snapshot, parts_.memory, *request, caller, std::string(trim(http.headers.get("x-ajar-data-class"))), key_class, parts_.privacy);
  if (!decision) co_return co_await send_error(exchange, decision.error());
  co_await send_json(exchange, 200, write_decision(*decision));
}

Task<> Api::admin_rungs(Exchange& exchange) {
  const auto snapshot = parts_.gateway.snapshot();
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.key("data");
  w.begin_array();
  for (const auto& route : snapshot->routes()) {
    for (const Target& target : route->targets) {
      if (!target.watch) continue;
      const auto view = target.watch->view();
      w.begin_object();
      w.field("route", route->config.name);
      w.field("target", target.name);
      w.field("accept", view.accept);
      w.field("alarmed", view.alarmed);
      w.field("raises", view.raises);
      w.field("audits", view.audits);
      w.field("error_low", view.error_rate.low);
      w.field("error_high", view.error_rate.high);
      w.field("alpha", route->config.alpha);
      w.field("delta", route->config.delta);
      if (!target.config.rung.calibration.empty()) w.field("calibration", target.config.rung.calibration);
      w.end_object();
    }
  }
  w.end_array();
  w.end_object();
  co_await send_json(exchange, 200, out);
}

Task<> Api::admin_evidence(Exchange& exchange) {
  const std::string& query = exchange.request().query;
  const std::string route = query_value(query, "route"), target = query_value(query, "target"), source = query_value(query, "source");
  const std::string text = query_value(query, "limit");
  const auto limit = text.empty() ? std::optional<int64_t>(10'000) : parse_int(text);
  if (route.empty() || target.empty() || !limit || *limit < 1 || *limit > 100'000) {
    const bool named = !route.empty() && !target.empty();
    co_return co_await send_error(exchange, Error{.code = Code::kInvalid,
                                                  .message = named ? "limit must be from 1 to 100000" : "say of which route and target",
                                                  .field = named ? "limit" : route.empty() ? "route" : "target"});
  }
  const auto rows = co_await parts_.blocking.run(
      [&store = parts_.store, route, target, source, limit = *limit] { return store.evidence(route, target, source, limit); });
  if (!rows) co_return co_await send_error(exchange, rows.error());
  co_await send_json(exchange, 200, list_json(*rows, [](json::Writer& w, const auto& row) {
    w.begin_object();
    w.field("time_ms", row.time_ms);
    w.field("call", row.call_id);
    w.field("key", row.key_id);
    w.field("source", row.source);
    w.field("raw", row.raw);
    w.field("confidence", row.confidence);
    w.field("accepted", row.accepted);
    w.field("loss", row.loss);
    w.end_object();
  }));
}

Task<> Api::admin_feedback(Exchange& exchange) {
  const std::string& query = exchange.request().query;
  const std::string since = query_value(query, "from"), most = query_value(query, "limit");
  const auto ago = parse_duration_ms(since);
  const auto limit = most.empty() ? std::optional<int64_t>(1'000) : parse_int(most);
  if (!since.empty() && !ago) {
    co_return co_await send_error(exchange, Error{.code = Code::kInvalid, .message = "from must be how long ago (\"24h\", \"30d\")", .field = "from"});
  }
  if (!limit || *limit < 1 || *limit > 100'000) {
    co_return co_await send_error(exchange, Error{.code = Code::kInvalid, .message = "limit must be from 1 to 100000", .field = "limit"});
  }
  const auto rows = co_await parts_.blocking.run([&store = parts_.store, from = ago ? unix_millis() - *ago : 0, limit = *limit] {
    return store.feedback(from, limit);
  });
  if (!rows) co_return co_await send_error(exchange, rows.error());
  co_await send_json(exchange, 200, list_json(*rows, [](json::Writer& w, const auto& row) {
    w.begin_object();
    w.field("id", row.id);
    w.field("key", row.key_id);
    w.field("time_ms", row.time_ms);
    if (row.score) w.field("score", *row.score);
    if (!row.label.empty()) w.field("label", row.label);
    if (!row.correction.empty()) w.field("correction", row.correction);
    w.end_object();
  }));
}

}  // namespace ajar::api
