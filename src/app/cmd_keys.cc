// ajar keys: API keys and teams.
#include <cstdio>
#include <ctime>

#include "app/admin_client.h"
#include "app/terminal.h"
#include "base/clock.h"
#include "base/text.h"
#include "json/write.h"

namespace ajar::app {
namespace {

// Limits as options; only those given are sent.
struct LimitArgs {
  double rpm = -1, tpm = -1, concurrency = -1, usd_day = -1, usd_month = -1, tokens_day = -1, tokens_month = -1;

  void add(CommandLine command) {
    const auto option = [&](const char* name, double& into, const char* what) {
      command.add_option(name, into, what).at_least_zero();
    };
    option("--rpm", rpm, "Requests per minute; 0 is unlimited");
    option("--tpm", tpm, "Tokens per minute");
    option("--concurrency", concurrency, "Requests at once");
    option("--usd-day", usd_day, "Dollars per day (UTC)");
    option("--usd-month", usd_month, "Dollars per month (UTC)");
    option("--tokens-day", tokens_day, "Tokens per day");
    option("--tokens-month", tokens_month, "Tokens per month");
  }
  void write(json::Writer& w) const {
    const auto field = [&](const char* name, double value) {
      if (value >= 0) w.field(name, value);
    };
    field("rpm", rpm);
    field("tpm", tpm);
    field("concurrency", concurrency);
    field("usd_day", usd_day);
    field("usd_month", usd_month);
    field("tokens_day", tokens_day);
    field("tokens_month", tokens_month);
  }
};

struct KeyArgs {
  AdminArgs admin;
  LimitArgs limits;
  std::string id, name, team, expires, data_class;
  std::vector<std::string> routes;
  bool no_team = false, all_routes = false, no_data_class = false;
};

Result<std::string> key_body(const KeyArgs& args) {
  std::string body;
  json::Writer w(body);
  w.begin_object();
  if (!args.name.empty()) w.field("name", args.name);
  if (!args.team.empty() || args.no_team) w.field("team", args.team);
  if (!args.data_class.empty() || args.no_data_class) w.field("data_class", args.data_class);
  if (!args.routes.empty() || args.all_routes) {
    w.key("routes");
    w.begin_array();
    for (const auto& route : args.routes) w.string(route);
    w.end_array();
  }
  if (!args.expires.empty()) {
    const auto in = parse_duration_ms(args.expires);
    if (!in) return invalid("expires", "--expires must be a duration such as \"12h\" or \"90d\"");
    w.field("expires_ms", *in == 0 ? 0 : unix_millis() + *in);
  }
  args.limits.write(w);
  w.end_object();
  return body;
}

std::string limit_text(const json::Object& row) {
  std::string out;
  for (const char* name : {"rpm", "tpm", "concurrency", "usd_day", "usd_month", "tokens_day", "tokens_month"}) {
    const auto value = json::find(row, name);
    if (!value) continue;
    const double number = json::as_double(*value).value_or(0);
    const bool money = std::string_view(name).starts_with("usd");
    if (!out.empty()) out += ", ";
    out += std::string(name) + " " + (money ? dollars(number) : count(int64_t(number)));
  }
  return out.empty() ? "none" : out;
}

std::string day_text(int64_t ms) {
  if (ms == 0) return "";
  const time_t seconds = ms / 1000;
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d", &tm);
  return text;
}

double spent(const json::Object& row, const char* name) {
  const auto value = json::find(row, "spent");
  const auto object = value ? json::as_object(*value) : std::nullopt;
  const auto number = object ? json::find(*object, name) : std::nullopt;
  return number ? json::as_double(*number).value_or(0) : 0;
}

int show_list(const CommandContext& context, const Result<std::string>& body, bool teams) {
  if (!body) return complain(context, body.error());
  if (context.json) return std::puts(body->c_str()), 0;
  json::Document document;
  const auto root = document.parse_object(*body);
  const auto data = root ? json::find(*root, "data") : std::nullopt;
  std::vector<std::vector<std::string>> rows;
  const auto list = data ? json::as_array(*data) : std::nullopt;
  if (!list) return complain(context, {.message = "the server's answer has no list: " + *body});
  for (const auto item : *list) {
    const auto row = *json::as_object(item);
    std::vector<std::string> cells;
    if (!teams) cells.emplace_back(json::string_or(row, "id"));
    cells.emplace_back(json::string_or(row, "name"));
    if (!teams) {
      cells.emplace_back(json::string_or(row, "hint"));
      cells.emplace_back(json::string_or(row, "team", "-"));
      std::string routes;
      const auto allowed = json::as_array(*json::find(row, "routes"));
      for (const auto route : *allowed) {
        routes += (routes.empty() ? "" : ",") + std::string(json::as_string(route).value_or(""));
      }
      cells.push_back(routes.empty() ? "all" : routes);
      cells.emplace_back(json::string_or(row, "data_class", "-"));
      const int64_t expires = json::int_or(row, "expires_ms");
      cells.push_back(json::int_or(row, "revoked_ms") ? red("revoked")
                      : expires == 0                  ? "valid"
                      : expires <= unix_millis()      ? red("expired")
                                                      : "until " + day_text(expires));
    }
    cells.push_back(limit_text(row));
    cells.push_back(dollars(spent(row, "usd_month")));
    cells.push_back(day_text(json::int_or(row, "created_ms")));
    rows.push_back(std::move(cells));
  }
  std::fputs(teams ? table({"team", "limits", "this month", "created"}, rows).c_str()
                   : table({"id", "name", "ends in", "team", "routes", "data class", "state", "limits", "this month", "created"}, rows).c_str(),
             stdout);
  return 0;
}

int show_secret(const CommandContext& context, const Result<std::string>& body) {
  if (!body) return complain(context, body.error());
  if (context.json) return std::puts(body->c_str()), 0;
  json::Document document;
  const auto root = document.parse_object(*body);
  if (!root) return complain(context, root.error());
  std::printf("%s\n", std::string(json::string_or(*root, "secret")).c_str());
  std::fprintf(stderr, "Keep it now: it is not shown again, only its hash is stored.\n");
  return 0;
}

int show_plain(const CommandContext& context, const Result<std::string>& body, const std::string& done) {
  if (!body) return complain(context, body.error());
  std::puts(context.json ? body->c_str() : done.c_str());
  return 0;
}

}  // namespace

void add_keys(CommandContext& context) {
  auto keys = context.root.add_subcommand("keys", "Make, list, change and revoke API keys and teams");
  keys.require_subcommand(1);
  auto args = std::make_shared<KeyArgs>();
  const auto sub = [&](const char* name, const char* what, bool target, bool change, std::function<int()> run) {
    auto command = keys.add_subcommand(name, what);
    if (target) command.add_option("key", args->id, "Id or name").required();
    if (change) {
      command.add_option("-n,--name", args->name, "Name, for people and reports").required(!target);
      command.add_option("--team", args->team, "Team whose limits count too");
      command.add_option("--route", args->routes, "Allowed route; may be given several times, may end in '*'");
      command.add_option("--data-class", args->data_class, "Class that every request of it has at least, such as \"confidential\"");
      command.add_option("--expires", args->expires, "Valid for this long (\"90d\"); 0s is for ever");
      args->limits.add(command);
      if (target) {
        command.add_flag("--no-team", args->no_team, "Take it out of its team");
        command.add_flag("--no-data-class", args->no_data_class, "Requests of it have the class of the route, or of what they say");
        command.add_flag("--all-routes", args->all_routes, "Allow every route");
      }
    }
    add_admin_options(command, args->admin);
    context.add(command, std::move(run));
  };
  const auto at = [args] { return "/admin/keys/" + percent_encode(args->id); };
  sub("create", "Make a key; prints it once", false, true, [&context, args] {
    const auto body = key_body(*args);
    if (!body) return complain(context, body.error());
    return show_secret(context, AdminClient(context, args->admin).call("POST", "/admin/keys", *body));
  });
  sub("list", "List keys with limits and spend", false, false, [&context, args] {
    return show_list(context, AdminClient(context, args->admin).call("GET", "/admin/keys"), false);
  });
  sub("update", "Change name, team, routes or limits", true, true, [&context, args, at] {
    const auto body = key_body(*args);
    if (!body) return complain(context, body.error());
    return show_plain(context, AdminClient(context, args->admin).call("PATCH", at(), *body), "changed");
  });
  sub("rotate", "Give a key a new secret; the old one dies at once", true, false, [&context, args, at] {
    return show_secret(context, AdminClient(context, args->admin).call("POST", at() + "/rotate"));
  });
  sub("revoke", "End a key for good", true, false, [&context, args, at] {
    return show_plain(context, AdminClient(context, args->admin).call("DELETE", at()), "revoked");
  });
  sub("teams", "List teams", false, false, [&context, args] {
    return show_list(context, AdminClient(context, args->admin).call("GET", "/admin/teams"), true);
  });
  auto team = keys.add_subcommand("team", "Make a team or change its limits");
  team.add_option("name", args->id, "Team").required();
  args->limits.add(team);
  add_admin_options(team, args->admin);
  context.add(team, [&context, args] {
    std::string body;
    json::Writer w(body);
    w.begin_object();
    args->limits.write(w);
    w.end_object();
    return show_plain(context, AdminClient(context, args->admin).call("PUT", "/admin/teams/" + percent_encode(args->id), body),
                      "team '" + args->id + "' is set");
  });
}

}  // namespace ajar::app
