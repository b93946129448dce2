// ajar selftest: what is promised, tried on the running binary over real sockets.
#include <algorithm>
#include <cstdio>
#include <map>

#include "app/commands.h"
#include "app/matrix.h"
#include "app/selftest_lab.h"
#include "app/terminal.h"
#include "json/write.h"

namespace ajar::app {
namespace {

struct Part {
  const char* name;
  void (*run)(Lab&, Checks&);
  bool own_only;
};
void test_dialects(Lab& lab, Checks& checks) { matrix::run(lab, checks); }

constexpr Part kParts[] = {{"wall", test_wall, true},
                           {"matrix", test_matrix, false},
                           {"dialects", test_dialects, true},
                           {"server", test_server, false}};
constexpr int64_t kAbout = 2'250;  // checks, for the progress bar

void print_json(const Checks& checks, double seconds) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("checks", int64_t(checks.all().size()));
  w.field("failed", checks.failed());
  w.field("seconds", seconds);
  w.key("results");
  w.begin_array();
  for (const Check& check : checks.all()) {
    w.begin_object();
    w.field("group", check.group);
    w.field("name", check.name);
    w.field("ok", check.ok);
    w.field("expected", check.expected);
    w.field("got", check.got);
    w.end_object();
  }
  w.end_array();
  w.key("skipped");
  w.begin_array();
  for (const auto& [group, why] : checks.skipped()) w.string(group + ": " + why);
  w.end_array();
  w.end_object();
  std::puts(out.c_str());
}

void print(const Checks& checks, double seconds, bool all) {
  std::map<std::string, std::pair<int64_t, int64_t>> groups;  // passed, failed
  std::vector<std::string> order;
  for (const Check& check : checks.all()) {
    if (!groups.contains(check.group)) order.push_back(check.group);
    auto& [passed, failed] = groups[check.group];
    ++(check.ok ? passed : failed);
  }
  if (all) {
    std::vector<std::vector<std::string>> rows;
    for (const Check& check : checks.all()) {
      rows.push_back({check.ok ? green("ok") : red("FAILED"), check.group, check.name, check.expected});
    }
    std::fputs(table({"", "group", "check", "expected"}, rows).c_str(), stdout);
    std::puts("");
  }
  for (const Check& check : checks.all()) {
    if (check.ok) continue;
    std::printf("%s %s: %s\n  expected  %s\n  got       %s\n\n", red("FAILED").c_str(), check.group.c_str(),
                check.name.c_str(), check.expected.c_str(), check.got.c_str());
  }
  std::vector<std::vector<std::string>> rows;
  int64_t all_passed = 0;
  for (const auto& group : order) {
    const auto [passed, failed] = groups[group];
    all_passed += passed;
    rows.push_back({group, std::to_string(passed + failed), std::to_string(passed),
                    failed > 0 ? red(std::to_string(failed)) : "0"});
  }
  std::fputs(table({"group", "checks", "passed", "failed"}, rows).c_str(), stdout);
  for (const auto& [group, why] : checks.skipped()) std::printf("not tested: %s: %s\n", group.c_str(), why.c_str());
  std::printf("%s in %.1f s\n", checks.failed() == 0 ? green("All is well").c_str() : red("Something is wrong").c_str(),
              seconds);
  std::printf("%lld passed, %lld failed\n", static_cast<long long>(all_passed), static_cast<long long>(checks.failed()));
}

int run_selftest(const CommandContext& context, const SelftestOptions& options, bool all) {
  for (const auto& name : options.only) {
    if (std::ranges::none_of(kParts, [&](const Part& part) { return part.name == name; })) {
      return complain(context, Error{.code = Code::kInvalid, .message = "there is no part '" + name + "'"});
    }
  }
  const TimePoint from = now();
  auto lab = Lab::start(options);
  if (!lab) return complain(context, lab.error());
  auto progress = std::make_unique<Progress>("testing", kAbout);
  Checks checks([&](int64_t done) { progress->update(done); });
  if (options.matrix) {
    const auto cells = matrix::run(**lab, checks);
    progress.reset();
    std::fputs(matrix::tables(cells).c_str(), stdout);
    for (const Check& check : checks.all()) {
      if (!check.ok) std::fprintf(stderr, "FAILED %s\n  got  %s\n", check.name.c_str(), check.got.c_str());
    }
    return checks.failed() == 0 ? 0 : 1;
  }
  for (const Part& part : kParts) {
    if (!options.only.empty() && std::ranges::find(options.only, part.name) == options.only.end()) continue;
    if (part.own_only && !(*lab)->own()) checks.skip(part.name, "needs a server of its own");
    else part.run(**lab, checks);
  }
  progress.reset();
  const double seconds = seconds_between(from, now());
  if (context.json) print_json(checks, seconds);
  else print(checks, seconds, all);
  return checks.failed() == 0 && !checks.all().empty() ? 0 : 1;
}

}  // namespace

void add_selftest(CommandContext& context) {
  auto command = context.root.add_subcommand(
      "selftest", "Try the fault wall and the conformance matrix on this binary");
  auto options = std::make_shared<SelftestOptions>();
  auto all = std::make_shared<bool>(false);
  command.add_option("--url", options->url, "Test this server instead of one started here, as far as that goes");
  command.add_option("--key", options->key, "Its API key");
  command.add_option("--model", options->model, "A model that it has");
  command.add_option("--only", options->only, "wall, matrix, dialects or server; several are possible").delimiter(',');
  command.add_flag("--matrix", options->matrix,
                   "Print what every client's API can do over every target's API, as Markdown");
  command.add_flag("--all", *all, "List every check, not only those that fail");
  context.add(command, [&context, options, all] { return run_selftest(context, *options, *all); });
}

}  // namespace ajar::app
