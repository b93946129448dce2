#include "app/matrix.h"

#include <algorithm>
#include <map>

#include "app/matrix_speech.h"
#include "base/text.h"

namespace ajar::app::matrix {
namespace {

using Who = SpokenTurn::Who;

struct TargetApi {
  const char* id;
  const char* name;
  const char* preset;
  const char* path;   // of the base URL
  const char* model;  // some APIs are used by what the model's name says it can do
  const char* more;   // configuration lines
  const char* signature = nullptr;  // what the simulator proves thoughts or calls with, where the API does so
};
constexpr TargetApi kTargets[] = {
    {"openai", "OpenAI Chat", "custom", "/v1", "mock-small", ""},
    {"responses", "OpenAI Responses", "custom-responses", "/v1", "mock-small", "", "bW9jay1zaWduYXR1cmU="},
    {"anthropic", "Anthropic", "custom-anthropic", "", "claude-sonnet-4-5", "", "bW9jay1zaWduYXR1cmU="},
    {"gemini", "Gemini", "custom-gemini", "/v1beta", "gemini-2.5-flash", "", "bW9jaw=="},
    {"bedrock", "Bedrock", "bedrock", "", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "region = \"eu-west-1\"\napi_key = \"${PATH}\"\n", "bW9jay1zaWduYXR1cmU="},
    {"ollama", "Ollama", "ollama-native", "", "mock-small", ""},
    {"cohere", "Cohere", "cohere", "", "mock-small", ""},
    {"mistral", "Mistral", "mistral", "/mistral/v1", "mock-small", ""},
    {"replicate", "Replicate", "replicate", "/v1", "ajar/mock-small", ""},
};

constexpr std::string_view kPng = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
constexpr std::string_view kPerson =
    R"({"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"],)"
    R"("additionalProperties":false})";

SpokenTool weather() {
  return {"get_weather", "The weather of a city",
          R"({"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},)"
          R"("required":["city","days"],"additionalProperties":false})"};
}
SpokenTool clock() { return {"get_time", "The time now", R"({"type":"object","properties":{}})"}; }

struct Seen {
  const Said& said;
  const std::string& upstream;  // the body that the simulator got last
};

struct Trial {
  const char* feature;
  Asked asked;
  bool (*ok)(const Seen&);
  std::vector<std::string> names;  // one of them stands in a refusal
  std::string tunes = {};          // may be left out, where x-ajar-dropped has this
};

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }
// An object, whatever its spaces.
bool is_object(const std::string& text, std::initializer_list<const char*> members) {
  json::Document document;
  const auto root = document.parse_object(text);
  return root && std::ranges::all_of(members, [&](const char* name) { return json::find(*root, name).has_value(); });
}
bool stopped(const Said& said) { return said.ended && said.errors == 0 && said.finish == "stop"; }
bool called(const Said& said, size_t count) {
  return said.ended && said.errors == 0 && said.finish == "tool_calls" && said.calls.size() == count;
}

SpokenTurn user(std::string text) { return {.who = Who::kUser, .text = std::move(text)}; }

std::vector<Trial> trials() {
  const SpokenTurn asks_tool = user("please use the tool");
  const SpokenCall oslo{"call_1", "get_weather", R"({"city":"Oslo","days":1})"};
  std::vector<Trial> out;
  out.push_back({"text", {.turns = {user("H\u00e9llo \U0001F30D \"quoted\"")}},
                 [](const Seen& s) { return stopped(s.said) && has(s.said.text, "H\u00e9llo \U0001F30D \"quoted\"") && !s.said.model.empty(); },
                 {}});
  out.push_back({"system prompt", {.turns = {{.who = Who::kSystem, .text = "Be terse."}, user("Hi")}},
                 [](const Seen& s) { return stopped(s.said) && has(s.upstream, "Be terse.") && has(s.said.text, "Hi"); },
                 {"system"}});
  out.push_back({"several turns",
                 {.turns = {user("first"), {.who = Who::kAssistant, .text = "second"}, user("third")}},
                 [](const Seen& s) {
                   return stopped(s.said) && has(s.upstream, "first") && has(s.upstream, "second") && has(s.said.text, "third");
                 },
                 {"messages"}});
  out.push_back({"tool call", {.turns = {asks_tool}, .tools = {weather()}},
                 [](const Seen& s) {
                   return called(s.said, 1) && s.said.calls[0].name == "get_weather" &&
                          is_object(s.said.calls[0].arguments, {"city", "days"});
                 },
                 {"tool"}});
  out.push_back({"parallel tool calls", {.turns = {user("please use two tools")}, .tools = {weather(), clock()}},
                 [](const Seen& s) {
                   return called(s.said, 2) && s.said.calls[0].name == "get_weather" && s.said.calls[1].name == "get_time" &&
                          is_object(s.said.calls[0].arguments, {"city"}) && is_object(s.said.calls[1].arguments, {});
                 },
                 {"tool"}});
  out.push_back({"empty arguments", {.turns = {asks_tool}, .tools = {clock()}},
                 [](const Seen& s) {
                   return called(s.said, 1) && s.said.calls[0].name == "get_time" && is_object(s.said.calls[0].arguments, {});
                 },
                 {"tool"}});
  out.push_back({"tool choice: none", {.turns = {asks_tool}, .tools = {weather()}, .tool_choice = "none"},
                 [](const Seen& s) { return stopped(s.said) && s.said.calls.empty(); },
                 {"tool"}});
  out.push_back({"tool choice: required", {.turns = {user("hello")}, .tools = {weather()}, .tool_choice = "required"},
                 [](const Seen& s) { return called(s.said, 1); },
                 {"tool"}});
  out.push_back({"tool choice: by name", {.turns = {user("hello")}, .tools = {weather()}, .tool_choice = "get_weather"},
                 [](const Seen& s) { return called(s.said, 1) && s.said.calls[0].name == "get_weather"; },
                 {"tool"}});
  out.push_back({"tool results",
                 {.turns = {asks_tool, {.who = Who::kAssistant, .calls = {oslo}},
                            {.who = Who::kTool, .results = {{"call_1", "get_weather", "21 degrees"}}}},
                  .tools = {weather()}},
                 [](const Seen& s) { return stopped(s.said) && has(s.upstream, "21 degrees") && has(s.upstream, "Oslo"); },
                 {"tool"}});
  out.push_back({"images", {.turns = {{.who = Who::kUser, .text = "What is this?", .image = std::string(kPng)}}},
                 [](const Seen& s) { return stopped(s.said) && has(s.upstream, kPng); },
                 {"image"}});
  out.push_back({"structured output", {.turns = {user("a person")}, .schema = std::string(kPerson)},
                 [](const Seen& s) { return stopped(s.said) && is_object(s.said.text, {"name", "age"}); },
                 {"response_format", "format", "schema", "output_config"}});
  out.push_back({"thinking", {.turns = {user("hello")}, .max_tokens = 8'192, .think = true},
                 [](const Seen& s) { return stopped(s.said) && has(s.said.thought, "simulated thought") && has(s.said.text, "hello"); },
                 {"reason", "think"}, "reason"});
  out.push_back({"stop sequences", {.turns = {user("Hi")}, .stop = {"ENDE", "FIN"}},
                 [](const Seen& s) { return stopped(s.said) && has(s.upstream, "ENDE") && has(s.upstream, "FIN"); },
                 {"stop"}});
  out.push_back({"length limit", {.turns = {user("one two three four five six seven eight nine ten")}, .max_tokens = 16},
                 [](const Seen& s) { return s.said.ended && s.said.finish == "length"; },
                 {"max"}});
  out.push_back({"usage", {.turns = {user("Hi")}},
                 [](const Seen& s) { return stopped(s.said) && s.said.input > 0 && s.said.output > 0; },
                 {"usage"}});
  return out;
}

// The body that the simulator saw last.
std::string last_upstream(Lab& lab) {
  json::Document document;
  const auto root = document.parse_object(lab.mock("/mock/last"));
  return root ? std::string(json::string_or(*root, "body")) : "";
}

std::string shown(const Heard& heard, const Said& said) {
  std::string out = std::to_string(heard.status) + ", finish '" + said.finish + "'";
  if (!said.fault.empty()) out += ", FORM: " + said.fault;
  if (!said.ended) out += ", no proper end";
  if (said.errors > 0) out += ", error: " + said.error.substr(0, 160);
  for (const auto& call : said.calls) out += ", " + call.name + call.arguments.substr(0, 60);
  return out + ", thought '" + said.thought.substr(0, 40) + "', text '" + said.text.substr(0, 80) + "', usage " +
         std::to_string(said.input) + "/" + std::to_string(said.output);
}

Outcome try_one(Lab& lab, Checks& checks, const Speaker& speaker, const TargetApi& target, const Trial& trial, bool stream) {
  Asked asked = trial.asked;
  asked.model = std::string("matrix-") + target.id;
  asked.stream = stream;
  if (!speaker.lacks(asked).empty()) return Outcome::kLacks;
  const Heard heard = lab.ask({.path = speaker.path(asked), .body = speaker.write(asked)});
  const Said said = speaker.read(heard, stream && heard.status == 200);
  const std::string upstream = last_upstream(lab);
  Outcome outcome = Outcome::kFailed;
  if (heard.status == 400 && said.errors == 1) {
    const std::string told = to_lower(said.error);
    if (std::ranges::any_of(trial.names, [&](const std::string& name) { return has(told, name); })) outcome = Outcome::kRefused;
  } else if (heard.status == 200 && heard.whole && said.fault.empty() && trial.ok({said, upstream})) {
    outcome = Outcome::kYes;
  } else if (heard.status == 200 && !trial.tunes.empty() && has(heard.headers.get("x-ajar-dropped"), trial.tunes)) {
    outcome = Outcome::kLeftOut;
  }
  // Replicate never says why an answer ends; that the limit went on is all there is to see.
  if (outcome == Outcome::kFailed && target.id == std::string_view("replicate") && asked.max_tokens == 16 &&
      stopped(said) && has(upstream, "\"max_tokens\":16")) {
    outcome = Outcome::kLacks;
  }
  const bool ok = outcome != Outcome::kFailed;
  checks.add("matrix", std::string(speaker.id) + " over " + target.id + (stream ? ", stream, " : ", whole, ") + trial.feature, ok,
             "the feature, or a 400 (or x-ajar-dropped, for what only tunes) that names it",
             shown(heard, said) + (ok ? "" : "; upstream got: " + upstream.substr(0, 400)));
  return outcome;
}

// A thought's proof comes back to who made it: a call, then its result with the whole turn before it.
Outcome try_signatures(Lab& lab, Checks& checks, const Speaker& speaker, const TargetApi& target, bool stream) {
  if (target.signature == nullptr || speaker.id == "ollama") return Outcome::kLacks;
  Asked asked{.model = std::string("matrix-") + target.id, .stream = stream, .turns = {user("please use the tool")},
              .tools = {weather()}, .max_tokens = 2'048, .think = true};
  const Heard heard = lab.ask({.path = speaker.path(asked), .body = speaker.write(asked)});
  const Said said = speaker.read(heard, stream && heard.status == 200);
  bool ok = called(said, 1);
  std::string got = shown(heard, said);
  if (ok) {
    asked.turns.push_back({.who = Who::kAssistant, .calls = said.calls, .thought = said.thought, .signature = said.signature,
                           .maker = said.maker});
    asked.turns.push_back({.who = Who::kTool, .results = {{said.calls[0].id, said.calls[0].name, "21 degrees"}}});
    const Heard next = lab.ask({.path = speaker.path(asked), .body = speaker.write(asked)});
    const Said end = speaker.read(next, stream && next.status == 200);
    const std::string upstream = last_upstream(lab);
    ok = stopped(end) && has(upstream, target.signature);
    got = shown(next, end) + "; signature '" + said.signature + "'; upstream got: " + upstream.substr(0, 600);
  }
  checks.add("matrix", std::string(speaker.id) + " over " + target.id + (stream ? ", stream, " : ", whole, ") + "signatures", ok,
             "the proof of a thought or call goes back to its maker", got);
  return ok ? Outcome::kYes : Outcome::kFailed;
}

// An upstream that fails: the client is told in its own dialect, and its stream has no proper end.
Outcome try_error(Lab& lab, Checks& checks, const Speaker& speaker, const TargetApi& target, const char* fault, bool stream) {
  Asked asked{.model = std::string("matrix-") + target.id + "-" + fault, .stream = stream, .turns = {user("Hi there")}};
  const Heard heard = lab.ask({.path = speaker.path(asked), .body = speaker.write(asked)});
  const Said said = speaker.read(heard, stream && heard.status == 200);
  const bool begun = heard.status == 200;
  const bool ok = said.errors == 1 && !said.error.empty() && !said.ended && said.fault.empty() && (begun ? stream : heard.status >= 400);
  checks.add("matrix", std::string(speaker.id) + " over " + target.id + (stream ? ", stream, " : ", whole, ") + fault, ok,
             "one error in the client's dialect, no proper end", shown(heard, said));
  return ok ? Outcome::kYes : Outcome::kFailed;
}

Outcome worse(Outcome a, Outcome b) {
  if (a == Outcome::kFailed || b == Outcome::kFailed) return Outcome::kFailed;
  return a == b ? a : Outcome::kFailed;  // streamed and not must agree
}

constexpr const char* kFaults[] = {"400", "429", "error-mid", "cut"};

}  // namespace

std::string config(const std::string& mock_url) {
  std::string out;
  for (const TargetApi& target : kTargets) {
    const std::string id = std::string("m-") + target.id;
    out += "[providers." + id + "]\npreset = \"" + target.preset + "\"\nbase_url = \"" + mock_url + target.path +
           "\"\nfree = true\nheaders = { x-mock-record = \"1\" }\n" + target.more;
    const auto route = [&](const std::string& name, const std::string& model) {
      out += "[routes.\"" + name + "\"]\nretries = 0\nbreaker_failures = 0\ntargets = [{ provider = \"" + id +
             "\", model = \"" + model + "\" }]\n";
    };
    const std::string owner = std::string(target.id) == "replicate" ? "ajar/" : "";
    route(std::string("matrix-") + target.id, target.model);
    for (const char* fault : kFaults) route(std::string("matrix-") + target.id + "-" + fault, owner + "fault-" + fault);
  }
  return out;
}

std::vector<Cell> run(Lab& lab, Checks& checks) {
  std::vector<Cell> cells;
  for (const Trial& trial : trials()) {
    for (const Speaker* speaker : speakers()) {
      for (const TargetApi& target : kTargets) {
        const Outcome whole = try_one(lab, checks, *speaker, target, trial, false);
        const Outcome stream = try_one(lab, checks, *speaker, target, trial, true);
        cells.push_back({std::string(speaker->name), target.name, trial.feature, worse(whole, stream)});
      }
    }
  }
  for (const Speaker* speaker : speakers()) {
    for (const TargetApi& target : kTargets) {
      const Outcome whole = try_signatures(lab, checks, *speaker, target, false);
      const Outcome stream = try_signatures(lab, checks, *speaker, target, true);
      cells.push_back({std::string(speaker->name), target.name, "signatures of thoughts and calls", worse(whole, stream)});
    }
  }
  for (const Speaker* speaker : speakers()) {
    for (const TargetApi& target : kTargets) {
      Outcome outcome = Outcome::kYes;
      for (const char* fault : kFaults) {
        for (const bool stream : {false, true}) {
          if (!stream && std::string_view(fault).find_first_of("0123456789") != 0) continue;
          outcome = worse(outcome, try_error(lab, checks, *speaker, target, fault, stream));
        }
      }
      cells.push_back({std::string(speaker->name), target.name, "errors", outcome});
    }
  }
  return cells;
}

std::string tables(const std::vector<Cell>& cells) {
  std::vector<std::string> features, clients, targets;
  std::map<std::string, Outcome> at;
  const auto note = [](std::vector<std::string>& list, const std::string& name) {
    if (std::ranges::find(list, name) == list.end()) list.push_back(name);
  };
  for (const Cell& cell : cells) {
    note(features, cell.feature), note(clients, cell.client), note(targets, cell.target);
    at[cell.feature + '\0' + cell.client + '\0' + cell.target] = cell.outcome;
  }
  std::string out =
      "yes: it works, streamed and not. refused: a 400 that names the feature. left out: it only tunes the answer, and the "
      "header `x-ajar-dropped` says\nthat it was left out. –: the client's or the target's API has no words for it.\n\n";
  for (const auto& client : clients) {
    out += "### Clients of " + client + "\n\n| feature |";
    for (const auto& target : targets) out += " " + target + " |";
    out += "\n|---|";
    for (size_t i = 0; i < targets.size(); ++i) out += "---|";
    out += "\n";
    for (const auto& feature : features) {
      out += "| " + feature + " |";
      for (const auto& target : targets) {
        switch (at[feature + '\0' + client + '\0' + target]) {
          case Outcome::kYes: out += " yes |"; break;
          case Outcome::kRefused: out += " refused |"; break;
          case Outcome::kLeftOut: out += " left out |"; break;
          case Outcome::kLacks: out += " – |"; break;
          case Outcome::kFailed: out += " FAILED |"; break;
        }
      }
      out += "\n";
    }
    out += "\n";
  }
  return out;
}

}  // namespace ajar::app::matrix
