// The point "ladder": what climbing, keeping answers, classes and guardrails cost beside the plain request, all through the whole
// server. Differences are against the same request on a route without them, in the same run.
#include <algorithm>

#include "app/bench_points.h"

namespace ajar::app {
namespace {

constexpr size_t kBody = 2048;

constexpr const char* kRoutes = R"(
[tasks.banking77]
path = "builtin:banking77"
[providers.tasks]
preset = "task"
[data_classes.customer]
rank = 15
site = "own"
masked = "outside"
[policies.no-secrets]
check = "secrets"
[policies.no-orders]
check = "injection"
[policies.nothing-hidden]
check = "hidden"
action = "rewrite"
[policies.personal]
check = "pii"
mode = "observe"
action = "allow"
[routes.plain]
breaker_failures = 0
targets = [{ provider = "o", model = "mock-t200" }]
[routes.exact]
breaker_failures = 0
cache = "exact"
targets = [{ provider = "o", model = "mock-t200" }]
[routes.decided]
strategy = "ladder"
breaker_failures = 0
licences = ["open"]
targets = [
  { provider = "a", model = "one", licence = "closed", checks = ["not_empty"] },
  { provider = "g", model = "two", licence = "closed", checks = ["not_empty"] },
  { provider = "o", model = "mock-t200", licence = "open" },
]
[routes.judged]
strategy = "ladder"
breaker_failures = 0
stay = true
targets = [{ provider = "o", model = "mock-t200", checks = ["not_empty", "not_refused", "whole"] }]
[routes.task]
strategy = "ladder"
stay = true
targets = [{ provider = "tasks", model = "banking77", confidence = "own" }]
[routes.guarded]
breaker_failures = 0
policies = ["no-secrets", "no-orders", "nothing-hidden", "personal"]
targets = [{ provider = "o", model = "mock-t200" }]
[routes.masked]
breaker_failures = 0
pii_class = "customer"
targets = [{ provider = "outside", model = "mock-t200" }]
)";
std::string asked(const std::string& route, const std::string& text) {
  return R"({"model":")" + route + R"(","messages":[{"role":"user","content":")" + text + R"("}]})";
}

}  // namespace

Result<std::vector<Figure>> Bench::ladder() {
  if (!options_.url.empty()) return fail(Code::kUnsupported, "needs a server of its own");
  const std::string mock = "http://127.0.0.1:" + std::to_string(upstream_->port);
  std::string routes = kRoutes;
  routes += "[providers.outside]\npreset = \"custom\"\nbase_url = \"" + mock + "/v1\"\nfree = true\nsite = \"outside\"\n";
  AJAR_ASSIGN(const Served served, serve("ladder", routes));
  const std::vector<pid_t> pids = {served.serve->pid()};

  std::vector<Figure> figures;
  const auto measure = [&](const std::string& body, bool stream = false, int64_t requests = 20'000) {
    LoadPlan load{.to = served.at, .stream = stream};
    load.request = request_bytes(served.at, path_, {"Authorization: Bearer " + served.key}, body);
    load.connections = 32;
    const auto [result, used] = cost(load, requests / 10, options_.quick ? requests : requests * 3, pids);
    return std::pair(used.total() * 1e6 / double(std::max<int64_t>(1, result.answered)), failures(result));
  };
  const auto add = [&](const char* what, double value, std::optional<double> target, std::string note) {
    figures.push_back({.point = "ladder", .what = what, .unit = "µs", .value = value, .target = target, .note = std::move(note)});
  };
  const auto beside = [](double value, double plain, const std::string& failed) {
    char text[64];
    std::snprintf(text, sizeof text, "%.1f beside %.1f without", value, plain);
    return failed.empty() ? std::string(text) : failed;
  };
  const auto [plain, plain_failed] = measure(chat_body("plain", false, kBody));
  add("a plain request", plain, std::nullopt, plain_failed);
  const auto [exact, exact_failed] = measure(chat_body("exact", false, kBody));
  add("exact hit", exact, 25, exact_failed);
  const auto [replayed, replayed_failed] = measure(chat_body("exact", true, kBody), true);
  add("exact hit, as a stream", replayed, 25, replayed_failed);
  const auto [decided, decided_failed] = measure(chat_body("decided", false, kBody));
  add("decision: two rungs passed over", decided - plain, 10, beside(decided, plain, decided_failed));
  const auto [judged, judged_failed] = measure(chat_body("judged", false, kBody));
  add("an answer held and judged by three checks", judged - plain, std::nullopt, beside(judged, plain, judged_failed));
  const auto [task, task_failed] = measure(asked("task", "I think my card was stolen on the way home, what should I do now?"));
  add("a task model's answer", task, 1000, task_failed);
  const auto [guarded, guarded_failed] = measure(chat_body("guarded", false, kBody));
  add("guards on 2 KB: secrets, injection, hidden text, personal data", guarded - plain, 30, beside(guarded, plain, guarded_failed));
  const auto [masked, masked_failed] = measure(chat_body("masked", false, kBody));
  add("personal data looked for, none there", masked - plain, std::nullopt, beside(masked, plain, masked_failed));
  return figures;
}

}  // namespace ajar::app
