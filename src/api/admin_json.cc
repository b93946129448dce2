#include "api/admin_json.h"

#include <cmath>

#include "base/clock.h"
#include "json/read.h"
#include "store/rows.h"

namespace ajar::api {
namespace {

struct LimitField {
  std::string_view name;
  int64_t store::Limits::* member;
  bool money;
};
constexpr LimitField kLimitFields[] = {
    {"rpm", &store::Limits::rpm, false},
    {"tpm", &store::Limits::tpm, false},
    {"concurrency", &store::Limits::concurrency, false},
    {"usd_day", &store::Limits::usd_day, true},
    {"usd_month", &store::Limits::usd_month, true},
    {"tokens_day", &store::Limits::tokens_day, false},
    {"tokens_month", &store::Limits::tokens_month, false},
};

double dollars(int64_t nano) { return double(nano) / double(store::kNanoPerDollar); }

// True when the member was a limit.
Result<bool> take_limit(std::string_view name, const json::Value& value, store::Limits& limits) {
  for (const LimitField& field : kLimitFields) {
    if (field.name != name) continue;
    const auto number = value.is_null() ? std::optional(0.0) : json::as_double(value);
    if (!number || !(*number >= 0) || *number > 9e9) {
      return invalid(std::string(name), "must be a number from 0 (unlimited) to 9000000000");
    }
    if (!field.money && *number != std::floor(*number)) {
      return invalid(std::string(name), "must be a whole number");
    }
    limits.*field.member = int64_t(std::llround(*number * (field.money ? double(store::kNanoPerDollar) : 1)));
    return true;
  }
  return false;
}

Result<std::string> take_string(std::string_view name, const json::Value& value) {
  const auto text = value.is_null() ? std::optional(std::string_view()) : json::as_string(value);
  if (!text) return invalid(std::string(name), "must be a string");
  return std::string(*text);
}

void write_limits(json::Writer& w, const store::Limits& limits) {
  for (const LimitField& field : kLimitFields) {
    const int64_t value = limits.*field.member;
    if (value == 0) continue;
    if (field.money) w.field(field.name, dollars(value));
    else w.field(field.name, value);
  }
}

void write_spent(json::Writer& w, Account* account) {
  if (account == nullptr) return;
  const auto now = account->snapshot(unix_millis());
  w.key("spent");
  w.begin_object();
  w.field("usd_day", dollars(now.usd_day));
  w.field("usd_month", dollars(now.usd_month));
  w.field("usd_reserved", dollars(now.usd_reserved));
  w.field("tokens_day", now.tokens_day);
  w.field("tokens_month", now.tokens_month);
  w.field("tokens_reserved", now.tokens_reserved);
  w.field("active", now.active);
  w.end_object();
}

std::string_view strategy_name(Strategy strategy) {
  switch (strategy) {
    case Strategy::kPriority: return "priority";
    case Strategy::kWeighted: return "weighted";
    case Strategy::kLeastLatency: return "least_latency";
    case Strategy::kCheapest: return "cheapest";
    case Strategy::kLadder: return "ladder";
  }
  return "priority";
}

}  // namespace

Status read_key_spec(std::string_view body, KeySpec& spec) {
  AJAR_ASSIGN(const json::Object object, json::scratch().parse_object(body));
  for (const auto [name, value] : object) {
    if (name == "name") {
      AJAR_ASSIGN(spec.name, take_string(name, value));
    } else if (name == "team") {
      AJAR_ASSIGN(spec.team, take_string(name, value));
    } else if (name == "data_class") {
      AJAR_ASSIGN(spec.data_class, take_string(name, value));
    } else if (name == "routes") {
      const auto list = json::as_array(value);
      if (!list && !value.is_null()) return invalid("routes", "must be an array of route names");
      spec.routes.clear();
      if (!list) continue;
      for (const auto item : *list) {
        const auto route = json::as_string(item);
        if (!route || route->empty() || route->find('\n') != route->npos) {
          return invalid("routes", "must be an array of route names");
        }
        spec.routes.emplace_back(*route);
      }
    } else if (name == "expires_ms") {
      const auto when = value.is_null() ? std::optional<int64_t>(0) : json::as_int(value);
      if (!when || *when < 0) return invalid("expires_ms", "must be a time in Unix milliseconds, or 0");
      spec.expires_ms = *when;
    } else {
      AJAR_ASSIGN(const bool known, take_limit(name, value, spec.limits));
      if (!known) return invalid(std::string(name), "unknown member '" + std::string(name) + "'");
    }
  }
  return {};
}

Status read_limits(std::string_view body, store::Limits& limits) {
  AJAR_ASSIGN(const json::Object object, json::scratch().parse_object(body));
  for (const auto [name, value] : object) {
    AJAR_ASSIGN(const bool known, take_limit(name, value, limits));
    if (!known) return invalid(std::string(name), "unknown member '" + std::string(name) + "'");
  }
  return {};
}

void write_key(json::Writer& w, const store::KeyRow& row, Account* account) {
  w.begin_object();
  w.field("id", row.id);
  w.field("name", row.name);
  w.field("hint", "…" + row.hint);
  if (!row.team.empty()) w.field("team", row.team);
  if (!row.data_class.empty()) w.field("data_class", row.data_class);
  w.key("routes");
  w.begin_array();
  for (const auto& route : row.routes) w.string(route);
  w.end_array();
  write_limits(w, row.limits);
  w.field("created_ms", row.created_ms);
  if (row.expires_ms != 0) w.field("expires_ms", row.expires_ms);
  if (row.revoked_ms != 0) w.field("revoked_ms", row.revoked_ms);
  write_spent(w, account);
  w.end_object();
}

void write_team(json::Writer& w, const store::TeamRow& row, Account* account) {
  w.begin_object();
  w.field("name", row.name);
  write_limits(w, row.limits);
  w.field("created_ms", row.created_ms);
  write_spent(w, account);
  w.end_object();
}

std::string write_usage(const std::vector<store::UsageRow>& rows, const std::vector<std::string>& group_by) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.key("data");
  w.begin_array();
  for (const auto& row : rows) {
    w.begin_object();
    for (size_t i = 0; i < group_by.size(); ++i) w.field(group_by[i], row.group[i]);
    w.field("requests", row.requests);
    w.field("failed", row.failed);
    w.field("input_tokens", row.input);
    w.field("output_tokens", row.output);
    w.field("cached_tokens", row.cached_read);
    w.field("reasoning_tokens", row.reasoning);
    w.field("cost_usd", dollars(row.cost));
    w.field("mean_first_token_s", row.mean_first_token);
    w.field("mean_total_s", row.mean_total);
    w.end_object();
  }
  w.end_array();
  w.end_object();
  return out;
}

std::string write_calls(const std::vector<store::CallRow>& rows) {
  std::string out = "{\"data\":[";
  for (const auto& row : rows) {
    if (out.back() != '[') out.push_back(',');
    out += AccessLog::line(row);
  }
  return out + "]}";
}

std::string write_routes(const Snapshot& snapshot) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("config_version", snapshot.version());
  w.key("data");
  w.begin_array();
  for (const auto& route : snapshot.routes()) {
    w.begin_object();
    w.field("name", route->config.name);
    if (!route->config.description.empty()) w.field("description", route->config.description);
    w.field("strategy", strategy_name(route->config.strategy));
    w.key("targets");
    w.begin_array();
    for (const Target& target : route->targets) {
      w.begin_object();
      w.field("target", target.name);
      w.field("weight", target.config.weight);
      const auto state = target.health->state(now());
      w.field("breaker", state == Health::State::kClosed ? "closed"
                         : state == Health::State::kOpen ? "open" : "half_open");
      if (const int64_t wait = target.health->retry_in(now()).count(); wait > 0) {
        w.field("retry_in_ms", wait);
      }
      if (target.price) {
        w.key("price_per_million");
        w.begin_object();
        w.field("input", std::max(0.0, target.price->base.input));
        w.field("output", std::max(0.0, target.price->base.output));
        w.end_object();
      } else if (target.config.model.empty()) {
        w.field("price_per_million", "by model");
      } else {
        w.null_field("price_per_million");
      }
      if (target.simulator) w.field("simulator", true);
      w.end_object();
    }
    w.end_array();
    w.end_object();
  }
  w.end_array();
  w.end_object();
  return out;
}

}  // namespace ajar::api
