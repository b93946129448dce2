// ajar canary, ajar shadow: candidates beside routes, and what they have shown.
#include <cstdio>

#include "app/admin_client.h"
#include "app/terminal.h"
#include "base/text.h"

namespace ajar::app {
namespace {

struct TrialArgs {
  AdminArgs admin;
  std::string route;
};

std::string seconds(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f s", value);
  return text;
}

json::Object member(const json::Object& row, const char* name) {
  const auto value = json::find(row, name);
  const auto object = value ? json::as_object(*value) : std::nullopt;
  return object.value_or(json::Object());
}

// "3 of 120 (0.9 % to 7.1 %)".
std::string rate_text(const json::Object& rate) {
  const auto of = int64_t(number(rate, "count"));
  if (of == 0) return "-";
  return count(int64_t(number(rate, "wrong"))) + " of " + count(of) + " (" + percent(number(rate, "low")) + " to " + percent(number(rate, "high")) + ")";
}

std::string state_text(const json::Object& row) {
  const std::string state(json::string_or(row, "state"));
  return state == "rolled_back" ? red("rolled back") : state == "promotable" ? green("promotable") : "running";
}

int show_canaries(const CommandContext& context, const Result<std::string>& body) {
  if (!body) return complain(context, body.error());
  if (context.json) return std::puts(body->c_str()), 0;
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> reasons;
  each_row(*body, [&](const json::Object& row) {
    const std::string route(json::string_or(row, "route")), target(json::string_or(row, "target"));
    for (const auto& [name, what] : {std::pair{"candidate", target}, {"usual", std::string("the usual choice")}}) {
      const json::Object arm = member(row, name);
      const bool first = name == std::string_view("candidate");
      rows.push_back({first ? route : "", what, first ? state_text(row) : "", rate_text(member(arm, "errors")), rate_text(member(arm, "audits")),
                      count(int64_t(number(arm, "unsure"))), seconds(number(arm, "mean_first_token_seconds")), seconds(number(arm, "mean_seconds")),
                      dollars(number(arm, "mean_cost_usd"))});
    }
    if (const std::string reason(json::string_or(row, "reason")); !reason.empty()) reasons.push_back(route + ": " + reason);
  });
  if (rows.empty()) return std::puts("no route has a canary"), 0;
  std::fputs(table({"route", "who", "state", "errors", "disagree", "unsure", "first word", "whole", "cost"}, rows).c_str(), stdout);
  for (const std::string& reason : reasons) std::printf("\n%s\n", reason.c_str());
  return 0;
}

int show_shadows(const CommandContext& context, const Result<std::string>& body) {
  if (!body) return complain(context, body.error());
  if (context.json) return std::puts(body->c_str()), 0;
  std::vector<std::vector<std::string>> rows;
  each_row(*body, [&](const json::Object& row) {
    rows.push_back({std::string(json::string_or(row, "route")), std::string(json::string_or(row, "target")), count(int64_t(number(row, "answered"))),
                    rate_text(member(row, "differs")), count(int64_t(number(row, "failed"))), count(int64_t(number(row, "busy"))),
                    count(int64_t(number(row, "withheld"))), seconds(number(row, "mean_seconds")) + " / " + seconds(number(row, "given_mean_seconds")),
                    dollars(number(row, "cost_usd")) + " / " + dollars(number(row, "given_cost_usd"))});
  });
  if (rows.empty()) return std::puts("no route has a shadow"), 0;
  std::fputs(table({"route", "shadow", "answers", "say something else", "failed", "busy", "withheld", "time / given", "cost / given"}, rows).c_str(), stdout);
  return 0;
}

int show_done(const CommandContext& context, const Result<std::string>& body, const std::string& done) {
  if (!body) return complain(context, body.error());
  std::puts(context.json ? body->c_str() : done.c_str());
  return 0;
}

}  // namespace

void add_trials(CommandContext& context) {
  auto args = std::make_shared<TrialArgs>();
  auto canary = context.root.add_subcommand("canary", "Candidates that answer a share of a route's requests: how they do beside the usual choice");
  add_admin_options(canary, args->admin);
  auto shadow = context.root.add_subcommand("shadow", "Candidates that are asked beside a route: how often they say what was answered");
  add_admin_options(shadow, args->admin);
  const auto verb = [&](CommandLine parent, const char* name, const char* what, const char* path, const char* done) {
    auto command = parent.add_subcommand(name, what);
    command.add_option("route", args->route, "The route").required();
    add_admin_options(command, args->admin);
    context.add(command, [&context, args, path, name, done] {
      const auto body = AdminClient(context, args->admin).call("POST", std::string(path) + percent_encode(args->route) + "/" + name);
      return show_done(context, body, done);
    });
  };
  verb(canary, "restart", "Ask it again after a roll-back, and count anew", "/admin/canaries/", "it is asked again, and counted anew");
  verb(canary, "rollback", "Ask it nothing more", "/admin/canaries/", "it is asked nothing more");
  verb(shadow, "restart", "Count anew", "/admin/shadows/", "it is counted anew");
  context.add(canary, [&context, args] { return show_canaries(context, AdminClient(context, args->admin).call("GET", "/admin/canaries")); });
  context.add(shadow, [&context, args] { return show_shadows(context, AdminClient(context, args->admin).call("GET", "/admin/shadows")); });
}

}  // namespace ajar::app
