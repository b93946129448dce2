#include "app/hello.h"

#include <algorithm>
#include <cstdio>

#include "app/admin_client.h"
#include "app/app.h"
#include "app/builtin_task.h"
#include "app/chat_client.h"
#include "app/terminal.h"
#include "gateway/prices.h"
#include "json/read.h"

namespace ajar::app {

namespace {

// What the ladder answers; each shows one thing that it does.
struct Step {
  const char* text;
  const char* shows;
};
constexpr Step kSteps[] = {
    {"My card still has not arrived after two weeks", "a question that the task model is sure of"},
    {"What is the exchange rate you use?", "another"},
    {"My card still has not arrived after two weeks", "the first one again"},
    {"I was thinking about it all, and about that thing we discussed", "one that it is not sure of"},
    {"Tell Jane Miller, jane.miller@example.org, that card 4111 1111 1111 1111 is fine", "personal data, on the way up"},
};

std::string shortened(std::string text, size_t most) {
  for (char& c : text) c = c == '\n' ? ' ' : c;
  if (text.size() <= most) return text;
  while (most > 0 && (text[most] & 0xC0) == 0x80) --most;
  return text.substr(0, most) + "…";
}

// The number behind "complete" in x-ajar-ladder.
std::string confidence_of(std::string_view ladder) {
  const size_t at = ladder.rfind("complete ");
  if (at == ladder.npos) return "";
  const auto rest = ladder.substr(at + 9);
  return rest.empty() || rest[0] < '0' || rest[0] > '1' ? "" : std::string(rest.substr(0, rest.find(' ')));
}

// Several questions to one route. At the end: who answered what, how sure, how fast, for how much.
int tour(App& app, HttpCaller& caller, const std::string& key) {
  std::printf("%s  model \"support\": a task model in this process, above it %s\n\n", bold("The ladder:").c_str(),
              app.config().routes.back().targets.front().model.c_str());
  std::vector<std::vector<std::string>> rows;
  int64_t input = 0, output = 0;
  double spent = 0;
  std::string masked_answer, masked_count;
  for (const Step& step : kSteps) {
    const auto answer = stream_chat(caller, app.url(), key, "support", {{"user", step.text}}, [](std::string_view, bool) {});
    if (!answer) {
      std::printf("  %s %s\n", red("failed:").c_str(), answer.error().message.c_str());
      return 1;
    }
    const Headers& h = answer->headers;
    const std::string cache(h.get("x-ajar-cache"));
    std::string by(h.get("x-ajar-target"));
    if (cache == "hit") by = "cache, " + by;
    if (!h.get("x-ajar-masked").empty() && h.get("x-ajar-masked") != "0") masked_answer = answer->text, masked_count = h.get("x-ajar-masked");
    char time[32];
    std::snprintf(time, sizeof time, "%.1f ms", answer->total_seconds * 1e3);
    rows.push_back({shortened(step.text, 46), by, confidence_of(h.get("x-ajar-ladder")), time, shortened(answer->text, 38)});
    input += answer->input, output += answer->output;
  }
  std::fputs(table({"question", "answered by", "sure", "time", "answer"}, rows).c_str(), stdout);
  if (!masked_answer.empty()) {
    std::printf("\n  The last question left this machine with %s placeholders for its personal data; in the answer they are themselves again:\n  %s\n",
                masked_count.c_str(), dim(shortened(masked_answer, 150)).c_str());
  }
  const auto body = caller.call("GET", app.url() + "/admin/calls?route=support&limit=5", {{"authorization", "Bearer " + app.admin_token()}}, "");
  if (body) each_row(body->body, [&](const json::Object& row) { spent += number(row, "cost"); });
  // What all of them would have cost at the price of a small closed model.
  const auto price = Prices::builtin().find("openai", "gpt-4o-mini");
  const double alone = price ? double(price->cost({.input = input, .output = output})) / double(store::kNanoPerDollar) : 0;
  const auto paid = std::count_if(rows.begin(), rows.end(), [](const auto& row) { return !row[1].starts_with("cache") && !row[1].starts_with("tasks/"); });
  std::printf("\n  %zu questions, %lld of them to the closed model: %s spent. All to gpt-4o-mini, at its list price: %s.\n\n", rows.size(),
              static_cast<long long>(paid), dollars(spent).c_str(), dollars(alone).c_str());
  return 0;
}

}  // namespace

int hello(App& app) {
  const std::string question = "Say in one sentence what a door that is ajar is.";
  const std::string key = app.config().server.auth == "keys" ? app.tenants().add_guest("hello") : "";
  std::printf("%s  model \"default\", streamed\n  > %s\n  ", bold("One request through Ajar:").c_str(), question.c_str());
  std::fflush(stdout);
  HttpCaller caller;
  const auto answer = stream_chat(caller, app.url(), key, "default", {{"user", question}},
                                  [](std::string_view text, bool thought) {
                                    std::fputs(thought ? dim(text).c_str() : std::string(text).c_str(), stdout);
                                    std::fflush(stdout);
                                  });
  std::puts("");
  if (!answer) {
    std::printf("  %s %s\n", red("failed:").c_str(), answer.error().message.c_str());
    return 1;
  }
  std::printf("\n  answered by   %s%s\n", std::string(answer->headers.get("x-ajar-target")).c_str(),
              answer->headers.get("x-ajar-simulator").empty() ? "" : yellow("  (SIMULATOR, not a model)").c_str());
  std::printf("  tokens        %lld in, %lld out\n", static_cast<long long>(answer->input),
              static_cast<long long>(answer->output));
  std::printf("  time          %.1f ms to the first token, %.1f ms in all\n", answer->first_token_seconds * 1e3,
              answer->total_seconds * 1e3);
  // What the call log says, as `ajar usage --calls` would.
  const auto calls = caller.call("GET", app.url() + "/admin/calls?limit=1",
                                 {{"authorization", "Bearer " + app.admin_token()}}, "");
  json::Document document;
  const auto root = calls ? document.parse_object(calls->body) : Result<json::Object>(fail(Code::kInternal, ""));
  if (root) {
    const auto data = json::find(*root, "data");
    const auto list = data ? json::as_array(*data) : std::nullopt;
    if (list && list->size() > 0) {
      const auto row = *json::as_object(list->at(0).value_unsafe());
      const auto number = [&](const char* name) {
        const auto value = json::find(row, name);
        return value ? json::as_double(*value).value_or(0) : 0.0;
      };
      std::printf("  cost          %s\n", dollars(number("cost")).c_str());
      std::printf("  Ajar's share  %.0f µs of the time (the rest was waiting for the upstream)\n",
                  number("overhead_s") * 1e6);
      std::printf("  call log      %s, end: %s\n\n", std::string(json::string_or(row, "id")).c_str(),
                  green(json::string_or(row, "end")).c_str());
    }
  }
  // Only the built-in configuration has the route that the tour is about.
  const bool has_tour = std::ranges::any_of(app.config().tasks, [](const TaskConfig& task) { return task.path == kBuiltinTask; });
  const int failed = has_tour ? tour(app, caller, key) : 0;
  std::fflush(stdout);
  return failed;
}

}  // namespace ajar::app
