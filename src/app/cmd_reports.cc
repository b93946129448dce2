// ajar usage, routes: what the server knows.
#include <cstdio>

#include "app/admin_client.h"
#include "app/terminal.h"
#include "base/text.h"

namespace ajar::app {
namespace {

struct ReportArgs {
  AdminArgs admin;
  std::string by = "model", from = "30d", to, key, team, route, model;
  bool calls = false;
  int64_t limit = 20;
};

std::string ms(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ms", seconds * 1e3);
  return text;
}

int usage(const CommandContext& context, const ReportArgs& args) {
  std::string query = "?from=" + percent_encode(args.from);
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) query += std::string("&") + name + "=" + percent_encode(value);
  };
  add("to", args.to);
  add("key", args.key);
  add("team", args.team);
  add("route", args.route);
  add("model", args.model);
  if (args.calls) add("limit", std::to_string(args.limit));
  else add("group_by", args.by);
  const auto body = AdminClient(context, args.admin).call("GET", (args.calls ? "/admin/calls" : "/admin/usage") + query);
  if (!body) return complain(context, body.error());
  if (context.json) return std::puts(body->c_str()), 0;
  std::vector<std::vector<std::string>> rows;
  if (args.calls) {
    each_row(*body, [&](const json::Object& row) {
      const auto end = std::string(json::string_or(row, "end"));
      rows.push_back({std::string(json::string_or(row, "id")), std::string(json::string_or(row, "key")),
                      std::string(json::string_or(row, "route")), std::string(json::string_or(row, "target")),
                      end == "complete" ? green(end) : red(end), count(int64_t(number(row, "input"))),
                      count(int64_t(number(row, "output"))), dollars(number(row, "cost")),
                      ms(number(row, "first_token_s")), ms(number(row, "total_s"))});
    });
    std::fputs(table({"id", "key", "route", "target", "end", "in", "out", "cost", "first token", "total"}, rows).c_str(), stdout);
    return 0;
  }
  std::vector<std::string> head;
  for (const auto group : split(args.by, ',')) head.emplace_back(trim(group));
  const size_t groups = head.size();
  for (const char* column : {"requests", "failed", "input", "output", "cached", "cost", "first token", "total"}) {
    head.emplace_back(column);
  }
  each_row(*body, [&](const json::Object& row) {
    std::vector<std::string> cells;
    for (size_t i = 0; i < groups; ++i) cells.emplace_back(json::string_or(row, head[i]));
    for (const char* column : {"requests", "failed", "input_tokens", "output_tokens", "cached_tokens"}) {
      cells.push_back(count(int64_t(number(row, column))));
    }
    cells.push_back(dollars(number(row, "cost_usd")));
    cells.push_back(ms(number(row, "mean_first_token_s")));
    cells.push_back(ms(number(row, "mean_total_s")));
    rows.push_back(std::move(cells));
  });
  std::fputs(table(head, rows).c_str(), stdout);
  if (rows.empty()) std::puts("no calls in this time");
  return 0;
}

int routes(const CommandContext& context, const ReportArgs& args) {
  const auto body = AdminClient(context, args.admin).call("GET", "/admin/routes");
  if (!body) return complain(context, body.error());
  if (context.json) return std::puts(body->c_str()), 0;
  std::vector<std::vector<std::string>> rows;
  each_row(*body, [&](const json::Object& route) {
    std::string name(json::string_or(route, "name")), strategy(json::string_or(route, "strategy"));
    const auto targets = json::as_array(*json::find(route, "targets"));
    for (const auto item : *targets) {
      const auto target = *json::as_object(item);
      const std::string breaker(json::string_or(target, "breaker"));
      std::string price = "unknown";
      if (const auto known = json::find(target, "price_per_million")) {
        const auto rates = json::as_object(*known);
        price = rates ? dollars(number(*rates, "input")) + " / " + dollars(number(*rates, "output")) : "by model";
      }
      rows.push_back({name, strategy, std::string(json::string_or(target, "target")),
                      std::to_string(int64_t(number(target, "weight"))),
                      breaker == "closed" ? green(breaker) : red(breaker), price});
      name = strategy = "";
    }
  });
  std::fputs(table({"route", "strategy", "target", "weight", "breaker", "$ per million in / out"}, rows).c_str(), stdout);
  return 0;
}

}  // namespace

void add_reports(CommandContext& context) {
  auto args = std::make_shared<ReportArgs>();
  auto usage_command = context.root.add_subcommand("usage", "What was asked, of whom, and what it cost");
  usage_command.add_option("-b,--by", args->by, "Group by any of key, team, route, model, target, day, end").capture_default();
  usage_command.add_option("--from", args->from, "Since when: \"24h\", \"30d\" ago, or Unix milliseconds").capture_default();
  usage_command.add_option("--to", args->to, "Until when");
  usage_command.add_option("--key", args->key, "Only this key (id or name)");
  usage_command.add_option("--team", args->team, "Only this team");
  usage_command.add_option("--route", args->route, "Only this route");
  usage_command.add_option("--model", args->model, "Only this model");
  usage_command.add_flag("--calls", args->calls, "Single calls, newest first");
  usage_command.add_option("--limit", args->limit, "How many calls").capture_default();
  add_admin_options(usage_command, args->admin);
  context.add(usage_command, [&context, args] { return usage(context, *args); });

  auto routes_command = context.root.add_subcommand("routes", "Routes, their targets, breakers and prices");
  add_admin_options(routes_command, args->admin);
  context.add(routes_command, [&context, args] { return routes(context, *args); });
}

}  // namespace ajar::app
