// The fault wall: every way in which an upstream can fail, in every dialect, streamed and not, with and without a
// second target behind it; and whether the client, the call log and the fallback tell the truth about it.
#include <map>
#include <set>

#include "app/mock.h"
#include "app/selftest_lab.h"
#include "json/read.h"

namespace ajar::app {
namespace {

struct Upstream {
  const char* name;
  const char* preset;
  const char* path;
};
constexpr Upstream kUpstreams[] = {
    {"openai", "custom", "/v1"}, {"anthropic", "custom-anthropic", ""}, {"gemini", "custom-gemini", "/v1beta"}};

enum class Kind {
  kRefused,   // before the first event: an HTTP error, or the next target
  kFinal,     // the same, but no other target would do better: the request itself is at fault
  kBroken,    // after the first event: an error inside the stream, and no other target
  kHarmless,  // the answer is whole
};

struct Expectation {
  const char* fault;
  Kind whole, stream;
  std::set<int> statuses;           // of a refusal
  std::set<std::string> ends;       // in the call log
};

const std::vector<Expectation>& expectations() {
  using enum Kind;
  static const std::set<std::string> error = {"upstream_error"}, cut = {"cut"}, either = {"upstream_error", "cut"};
  static const std::vector<Expectation> all = {
      {"400", kFinal, kFinal, {400}, error},
      {"401", kRefused, kRefused, {502}, error},  // it is our credential, not the client's
      {"403", kRefused, kRefused, {502}, error},
      {"404", kRefused, kRefused, {404}, error},
      {"408", kRefused, kRefused, {504}, error},
      {"413", kFinal, kFinal, {413}, error},
      {"422", kFinal, kFinal, {422}, error},
      {"429", kRefused, kRefused, {429}, error},
      {"500", kRefused, kRefused, {502}, error},
      {"503", kRefused, kRefused, {503}, error},
      {"529", kRefused, kRefused, {503}, error},
      {"plain-500", kRefused, kRefused, {502}, error},
      {"html-502", kRefused, kRefused, {502}, error},
      {"empty-500", kRefused, kRefused, {502}, error},
      {"empty-200", kRefused, kRefused, {502}, either},
      {"not-json", kRefused, kRefused, {502}, error},
      {"truncated-json", kRefused, kRefused, {502}, either},
      {"error-in-200", kRefused, kRefused, {502}, error},
      {"reset", kRefused, kRefused, {502, 503}, either},
      {"hang", kRefused, kRefused, {504}, error},
      {"wrong-length", kRefused, kRefused, {502}, either},
      {"error-first", kHarmless, kRefused, {502}, error},
      {"garbage", kHarmless, kRefused, {502}, error},
      {"cut", kHarmless, kBroken, {}, cut},
      {"no-end", kHarmless, kBroken, {}, cut},
      {"stall", kHarmless, kBroken, {}, error},
      {"error-mid", kHarmless, kBroken, {}, error},
      {"garbage-mid", kHarmless, kBroken, {}, error},
      {"slow-drip", kHarmless, kHarmless, {}, {}},
      {"split-utf8", kHarmless, kHarmless, {}, {}},
  };
  return all;
}

const std::string kQuestion = "Gr\u00fc\u00dfe an alle \U0001F30D";

std::string join(const std::set<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : " or ") + word;
  return out;
}

std::string body_for(const std::string& route, bool stream) {
  return "{\"model\":\"" + route + "\",\"stream\":" + (stream ? "true" : "false") +
         ",\"messages\":[{\"role\":\"user\",\"content\":\"" + kQuestion + "\"}]}";
}

bool whole_answer(const Heard& heard, const Told& told, bool stream) {
  return heard.status == 200 && heard.whole && told.fault.empty() && told.errors == 0 && told.finish == "stop" &&
         told.done == stream && told.text.find(kQuestion) != told.text.npos;
}

bool error_body(const Heard& heard, const Told& told) {
  return heard.whole && told.fault.empty() && told.errors == 1 && !told.error_message.empty() &&
         heard.headers.get("content-type").starts_with("application/json");
}

struct Case {
  std::string route;
  std::string expected;
  std::set<std::string> ends;
  bool ok = false;
};

Case judge(const Expectation& expectation, bool stream, bool fallback, const Heard& heard, const Told& told,
           const std::string& faulty) {
  Case result;
  const Kind kind = stream ? expectation.stream : expectation.whole;
  const bool by_faulty = heard.headers.get("x-ajar-target") == faulty + "/mock-small";
  const bool by_second = heard.headers.get("x-ajar-target") == "second/mock-small";
  const std::string mark = stream ? ", [DONE]" : "";
  if (kind == Kind::kHarmless) {
    result.expected = "200, whole answer" + mark + " by the first target";
    result.ends = {"complete"};
    result.ok = whole_answer(heard, told, stream) && by_faulty;
  } else if (kind == Kind::kBroken) {
    result.expected = "200, some text, then one error event, no [DONE], the second target not asked";
    result.ends = expectation.ends;
    result.ok = heard.status == 200 && heard.whole && told.fault.empty() && told.errors == 1 && !told.after_error &&
                !told.done && told.finish.empty() && !told.text.empty() && by_faulty;
  } else if (kind == Kind::kRefused && fallback) {
    result.expected = "200, whole answer" + mark + " by the second target";
    result.ends = {"complete"};
    result.ok = whole_answer(heard, told, stream) && by_second;
  } else {
    for (const int status : expectation.statuses) {
      result.expected += (result.expected.empty() ? "" : " or ") + std::to_string(status);
    }
    result.expected += " with OpenAI's error body";
    result.ends = expectation.ends;
    result.ok = expectation.statuses.contains(heard.status) && error_body(heard, told) && !by_second;
    if (expectation.fault == std::string_view("429")) {
      result.expected += ", retry-after 1";
      result.ok = result.ok && heard.headers.get("retry-after") == "1";
    }
  }
  return result;
}

// End states of the call log by request id.
std::map<std::string, std::string> ends_of(const std::string& calls) {
  std::map<std::string, std::string> ends;
  json::Document document;
  const auto root = document.parse_object(calls);
  const auto data = root ? json::find(*root, "data") : std::nullopt;
  const auto list = data ? json::as_array(*data) : std::nullopt;
  if (!list) return ends;
  for (const auto item : *list) {
    const auto row = json::as_object(item);
    if (row) ends[std::string(json::string_or(*row, "id"))] = json::string_or(*row, "end");
  }
  return ends;
}

}  // namespace

std::string wall_config(const std::string& mock_url) {
  std::string config = "[providers.second]\npreset = \"custom\"\nbase_url = \"" + mock_url + "/v1\"\nfree = true\n";
  const auto provider = [&](const std::string& name, const Upstream& upstream, const std::string& fault) {
    config += "[providers.\"" + name + "\"]\npreset = \"" + upstream.preset + "\"\nbase_url = \"" + mock_url +
              "/fault/" + fault + upstream.path + "\"\nfree = true\n";
  };
  const auto route = [&](const std::string& name, const std::string& first, int retries, bool impatient, bool second) {
    config += "[routes.\"" + name + "\"]\nretries = " + std::to_string(retries) +
              "\nretry_backoff = \"10ms\"\nbreaker_failures = 0\n";
    if (impatient) config += "first_token_timeout = \"300ms\"\ngap_timeout = \"300ms\"\n";
    config += "targets = [{ provider = \"" + first + "\", model = \"mock-small\" }";
    if (second) config += ", { provider = \"second\", model = \"mock-small\" }";
    config += "]\n";
  };
  for (const Upstream& upstream : kUpstreams) {
    for (const Expectation& expectation : expectations()) {
      const std::string fault = expectation.fault, name = std::string(upstream.name) + "-" + fault;
      // Only silence is waited for; elsewhere a busy machine must not look like a fault.
      const bool impatient = fault == "hang" || fault == "stall";
      provider(name, upstream, fault);
      route("wall-" + name, name, 0, impatient, false);
      route("wall2-" + name, name, 0, impatient, true);
    }
    for (const char* mode : {"whole", "stream"}) {
      const std::string name = std::string(upstream.name) + "-flaky-" + mode;
      provider(name, upstream, "flaky-once-" + std::string(upstream.name) + "-" + mode);
      route("wall-" + name, name, 1, false, false);
    }
  }
  return config;
}

void test_wall(Lab& lab, Checks& checks) {
  struct Seen {
    size_t check;
    std::string id;
    std::set<std::string> ends;
  };
  std::vector<Seen> seen;
  const auto record = [&](const std::string& name, const Case& result, const Heard& heard, const Told& told) {
    checks.add("fault wall", name, result.ok, result.expected, describe(heard, told));
    seen.push_back({checks.all().size() - 1, std::string(heard.headers.get("x-request-id")), result.ends});
  };
  for (const Upstream& upstream : kUpstreams) {
    for (const bool stream : {false, true}) {
      const std::string mode = stream ? ", stream" : ", whole";
      for (const Expectation& expectation : expectations()) {
        const std::string faulty = std::string(upstream.name) + "-" + expectation.fault;
        for (const bool fallback : {false, true}) {
          const std::string route = (fallback ? "wall2-" : "wall-") + faulty;
          const Heard heard = lab.ask({.body = body_for(route, stream)});
          const Told told = read_chat(heard);
          record(std::string(upstream.name) + mode + ", " + expectation.fault + (fallback ? ", second target" : ""),
                 judge(expectation, stream, fallback, heard, told, faulty), heard, told);
        }
      }
      const std::string flaky = std::string("wall-") + upstream.name + "-flaky-" + (stream ? "stream" : "whole");
      const Heard heard = lab.ask({.body = body_for(flaky, stream)});
      const Told told = read_chat(heard);
      record(std::string(upstream.name) + mode + ", fails once",
             {.expected = "200 at the second try", .ends = {"complete"},
              .ok = whole_answer(heard, told, stream) && heard.headers.get("x-ajar-attempts") == "2"},
             heard, told);
    }
  }
  // All rows at once: the log is written in batches.
  std::string last;
  for (const Seen& one : seen) {
    if (!one.id.empty()) last = one.id;
  }
  const auto ends = ends_of(lab.calls(last));
  for (const Seen& one : seen) {
    const auto found = ends.find(one.id);
    const std::string end = one.id.empty() ? "no x-request-id" : found == ends.end() ? "no row" : found->second;
    checks.also(one.check, one.ends.contains(end), "logged as " + join(one.ends), "logged as " + end);
  }
  // Every fault that the simulator knows has its line above.
  for (const MockFault& fault : mock_faults()) {
    bool known = fault.name == "flaky-N";
    for (const Expectation& expectation : expectations()) known = known || fault.name == expectation.fault;
    checks.add("fault wall", "the simulator's fault '" + std::string(fault.name) + "' is part of the wall", known,
               "yes", known ? "yes" : "no");
  }
}

}  // namespace ajar::app
