// /admin/…: keys, teams, usage, calls, routes, reload. Everything needs the admin token; everything that touches the
// file runs on the blocking pool.
#include "api/admin_json.h"
#include "api/api.h"
#include "base/log.h"
#include "base/text.h"

namespace ajar::api {

Task<> send_json(Exchange& exchange, int status, std::string body) {
  Headers headers{{"content-type", "application/json"}, {"cache-control", "no-store"}};
  co_await exchange.send(status, std::move(headers), body);
}

namespace {

std::string key_json(const store::KeyRow& row, const std::string& secret) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  if (!secret.empty()) w.field("secret", secret);
  w.key("key");
  write_key(w, row, nullptr);
  w.end_object();
  return out;
}

Result<store::UsageFilter> read_filter(const std::string& query) {
  store::UsageFilter filter;
  const auto time = [&](const char* name, int64_t& into) -> Status {
    const std::string text = query_value(query, name);
    if (text.empty()) return {};
    if (const auto ago = parse_duration_ms(text)) {
      into = unix_millis() - *ago;
    } else if (const auto when = parse_int(text)) {
      into = *when;
    } else {
      return invalid(name, "must be Unix milliseconds, or how long ago (\"24h\", \"30d\")");
    }
    return {};
  };
  AJAR_TRY(time("from", filter.from_ms));
  AJAR_TRY(time("to", filter.to_ms));
  filter.key = query_value(query, "key");
  filter.team = query_value(query, "team");
  filter.route = query_value(query, "route");
  filter.model = query_value(query, "model");
  if (const std::string groups = query_value(query, "group_by"); !groups.empty()) {
    for (const auto group : split(groups, ',')) filter.group_by.emplace_back(trim(group));
  }
  return filter;
}

}  // namespace

Status Api::check_key_class(const std::string& data_class) const {
  const auto snapshot = parts_.gateway.snapshot();
  if (data_class.empty() || snapshot->data_class(data_class) != nullptr) return {};
  return invalid("data_class", "there is no data class '" + data_class + "'; known are " + class_names(snapshot->config()));
}

Task<> Api::admin(Exchange& exchange) {
  const HttpRequest& request = exchange.request();
  if (!is_admin(request)) {
    parts_.metrics.refused("admin");
    co_return co_await send_error(
        exchange, Error{.code = Code::kUnauthenticated,
                        .message = "the admin API needs the admin token: 'Authorization: Bearer …' "
                                   "(server.admin_token, or the file admin.token in the data folder)"});
  }
  std::string_view rest = std::string_view(request.path).substr(std::string_view("/admin/").size());
  while (rest.ends_with('/')) rest.remove_suffix(1);
  const auto parts = split(rest, '/');
  const std::string what(parts[0]);
  const std::string id = parts.size() > 1 ? percent_decode(parts[1]).value_or("") : "";
  const std::string verb = parts.size() > 2 ? std::string(parts[2]) : "";
  const std::string& method = request.method;
  Tenants& tenants = parts_.tenants;
  store::Store& store = parts_.store;

  if (what == "keys" && id.empty() && method == "GET") {
    co_return co_await send_json(exchange, 200, list_json(tenants.keys(), [](auto& w, const auto& key) {
      write_key(w, key->row, key->account.get());
    }));
  }
  if (what == "keys" && id.empty() && method == "POST") {
    KeySpec spec;
    auto status = read_key_spec(request.body, spec);
    if (status) status = check_key_class(spec.data_class);
    if (!status) co_return co_await send_error(exchange, status.error());
    const auto made = co_await parts_.blocking.run([&tenants, spec] { return tenants.create_key(spec); });
    if (!made) co_return co_await send_error(exchange, made.error());
    co_return co_await send_json(exchange, 201, key_json(made->row, made->secret));
  }
  if (what == "keys" && !id.empty() && verb == "rotate" && method == "POST") {
    const auto made = co_await parts_.blocking.run([&tenants, id] { return tenants.rotate_key(id); });
    if (!made) co_return co_await send_error(exchange, made.error());
    co_return co_await send_json(exchange, 200, key_json(made->row, made->secret));
  }
  if (what == "keys" && !id.empty() && verb.empty() && (method == "PATCH" || method == "POST")) {
    const auto old = tenants.find(id);
    if (!old) co_return co_await send_error(exchange, old.error());
    const auto& row = (*old)->row;
    KeySpec spec{.name = row.name, .team = row.team, .routes = row.routes, .limits = row.limits,
                 .expires_ms = row.expires_ms, .data_class = row.data_class};
    auto status = read_key_spec(request.body, spec);
    if (status && spec.data_class != row.data_class) status = check_key_class(spec.data_class);
    if (!status) co_return co_await send_error(exchange, status.error());
    const auto changed =
        co_await parts_.blocking.run([&tenants, id, spec] { return tenants.update_key(id, spec); });
    if (!changed) co_return co_await send_error(exchange, changed.error());
    co_return co_await send_json(exchange, 200, key_json(*changed, ""));
  }
  if (what == "keys" && !id.empty() && verb.empty() && method == "GET") {
    const auto key = tenants.find(id);
    if (!key) co_return co_await send_error(exchange, key.error());
    std::string body;
    json::Writer w(body);
    write_key(w, (*key)->row, (*key)->account.get());
    co_return co_await send_json(exchange, 200, body);
  }
  if (what == "keys" && !id.empty() && verb.empty() && method == "DELETE") {
    const auto status = co_await parts_.blocking.run([&tenants, id] { return tenants.revoke_key(id); });
    if (!status) co_return co_await send_error(exchange, status.error());
    co_return co_await send_json(exchange, 200, "{\"revoked\":true}");
  }
  if (what == "teams" && id.empty() && method == "GET") {
    co_return co_await send_json(exchange, 200, list_json(tenants.teams(), [](auto& w, const auto& team) {
      write_team(w, team->row, team->account.get());
    }));
  }
  if (what == "teams" && !id.empty() && method == "PUT") {
    store::Limits limits;
    for (const auto& team : tenants.teams()) {
      if (team->row.name == id) limits = team->row.limits;
    }
    if (auto status = read_limits(request.body, limits); !status) {
      co_return co_await send_error(exchange, status.error());
    }
    const auto row =
        co_await parts_.blocking.run([&tenants, id, limits] { return tenants.put_team(id, limits); });
    if (!row) co_return co_await send_error(exchange, row.error());
    std::string body;
    json::Writer w(body);
    write_team(w, *row, nullptr);
    co_return co_await send_json(exchange, 200, body);
  }
  if (what == "teams" && !id.empty() && method == "DELETE") {
    const auto status = co_await parts_.blocking.run([&tenants, id] { return tenants.delete_team(id); });
    if (!status) co_return co_await send_error(exchange, status.error());
    co_return co_await send_json(exchange, 200, "{\"deleted\":true}");
  }
  if ((what == "usage" || what == "calls") && method == "GET") {
    const auto filter = read_filter(request.query);
    if (!filter) co_return co_await send_error(exchange, filter.error());
    if (what == "usage") {
      const auto rows =
          co_await parts_.blocking.run([&store, filter = *filter] { return store.usage(filter); });
      if (!rows) co_return co_await send_error(exchange, rows.error());
      co_return co_await send_json(exchange, 200, write_usage(*rows, filter->group_by));
    }
    const std::string text = query_value(request.query, "limit");
    const auto limit = text.empty() ? std::optional<int64_t>(100) : parse_int(text);
    if (!limit || *limit < 1 || *limit > 10'000) {
      co_return co_await send_error(exchange, Error{.code = Code::kInvalid,
                                                    .message = "limit must be from 1 to 10000",
                                                    .field = "limit"});
    }
    const auto rows = co_await parts_.blocking.run(
        [&store, filter = *filter, limit = int(*limit)] { return store.calls(filter, limit); });
    if (!rows) co_return co_await send_error(exchange, rows.error());
    co_return co_await send_json(exchange, 200, write_calls(*rows));
  }
  if (what == "cache" && id.empty()) co_return co_await admin_cache(exchange);
  if (what == "canaries") co_return co_await admin_canaries(exchange, id, verb);
  if (what == "shadows") co_return co_await admin_shadows(exchange, id, verb);
  if (what == "rungs" && id.empty() && method == "GET") co_return co_await admin_rungs(exchange);
  if (what == "evidence" && id.empty() && method == "GET") co_return co_await admin_evidence(exchange);
  if (what == "feedback" && id.empty() && method == "GET") co_return co_await admin_feedback(exchange);
  if (what == "decide" && id.empty() && method == "POST") co_return co_await admin_decide(exchange);
  if (what == "routes" && method == "GET") {
    co_return co_await send_json(exchange, 200, write_routes(*parts_.gateway.snapshot()));
  }
  if (what == "reload" && method == "POST") {
    const auto version = co_await parts_.blocking.run([reload = parts_.reload] { return reload(); });
    if (!version) co_return co_await send_error(exchange, version.error());
    co_return co_await send_json(exchange, 200,
                                 "{\"config_version\":" + std::to_string(*version) + "}");
  }
  co_await send_error(exchange, Error{.code = Code::kNotFound,
                                      .message = "the admin API has no " + method + " /admin/" +
                                                 std::string(rest),
                                      .type = "unknown_path"});
}

}  // namespace ajar::api
