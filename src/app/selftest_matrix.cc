// The conformance matrix: what an OpenAI client may send, to each dialect behind Ajar, streamed and not.
#include <algorithm>

#include "app/selftest_lab.h"
#include "base/text.h"
#include "json/read.h"

namespace ajar::app {
namespace {

constexpr const char* kDialects[] = {"openai", "anthropic", "gemini"};

const std::string kTools =
    R"("tools":[{"type":"function","function":{"name":"get_weather","description":"The weather of a city",)"
    R"("parameters":{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},)"
    R"("required":["city","days"],"additionalProperties":false}}}])";

struct Seen {
  const Heard& heard;
  const Told& told;
  const std::string& upstream;  // the body that the simulator got, empty against a given server
  const std::string dialect;    // empty against a given server
  const bool stream;
};

struct Trial {
  const char* name;
  std::string members;   // of the request, behind model and stream
  std::string expected;
  bool (*ok)(const Seen&);
  bool simulated = false;  // makes sense with the simulator only
};

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

bool sound(const Seen& e) {
  return e.heard.status == 200 && e.heard.whole && e.told.fault.empty() && e.told.errors == 0 &&
         e.told.done == e.stream && !e.told.finish.empty() && !e.told.id.empty() && !e.told.model.empty();
}

bool object_with(const std::string& text, std::initializer_list<const char*> names) {
  json::Document document;
  const auto root = document.parse_object(text);
  return root && std::ranges::all_of(names, [&](const char* name) { return json::find(*root, name).has_value(); });
}

bool calls_weather(const Seen& e) {
  return sound(e) && e.told.finish == "tool_calls" && e.told.tool == "get_weather" &&
         object_with(e.told.arguments, {"city", "days"});
}

std::vector<Trial> trials() {
  return {
      {"text", R"("messages":[{"role":"user","content":"H\u00e9llo \ud83c\udf0d \"quoted\""}])",
       "200, finish stop, the question quoted back",
       [](const Seen& e) { return sound(e) && e.told.finish == "stop" && has(e.told.text, "Héllo 🌍 \"quoted\""); },
       true},
      {"text, any server", R"("messages":[{"role":"user","content":"Say hello."}],"max_tokens":256)",
       "200, some text, a finish",
       [](const Seen& e) { return sound(e) && !e.told.text.empty(); }},
      {"system prompt", R"("messages":[{"role":"system","content":"Be terse."},{"role":"user","content":"Hi"}])",
       "200, the upstream got the instruction",
       [](const Seen& e) { return sound(e) && has(e.upstream, "Be terse.") && has(e.told.text, "Hi"); }, true},
      {"multi-turn",
       R"("messages":[{"role":"user","content":"first"},{"role":"assistant","content":"second"},)"
       R"({"role":"user","content":"third"}])",
       "200, the upstream got all turns",
       [](const Seen& e) {
         return sound(e) && has(e.upstream, "first") && has(e.upstream, "second") && has(e.told.text, "third");
       },
       true},
      {"tool call", R"("messages":[{"role":"user","content":"please use the tool"}],)" + kTools,
       "finish tool_calls, get_weather with arguments that fit", calls_weather, true},
      {"forced tool",
       R"("messages":[{"role":"user","content":"hello"}],"tool_choice":{"type":"function","function":)"
       R"({"name":"get_weather"}},)" + kTools,
       "finish tool_calls, get_weather", calls_weather, true},
      {"tool result",
       R"("messages":[{"role":"user","content":"please use the tool"},{"role":"assistant","content":null,)"
       R"("tool_calls":[{"id":"call_1","type":"function","function":{"name":"get_weather","arguments":)"
       R"("{\"city\":\"Oslo\",\"days\":1}"}}]},{"role":"tool","tool_call_id":"call_1","content":"21 degrees"}],)" +
           kTools,
       "200, finish stop, the upstream got call and result",
       [](const Seen& e) {
         return sound(e) && e.told.finish == "stop" && has(e.upstream, "21 degrees") && has(e.upstream, "Oslo");
       },
       true},
      {"structured output",
       R"("messages":[{"role":"user","content":"a person"}],"response_format":{"type":"json_schema","json_schema":)"
       R"({"name":"person","strict":true,"schema":{"type":"object","properties":{"name":{"type":"string"},)"
       R"("age":{"type":"integer"}},"required":["name","age"],"additionalProperties":false}}})",
       "200, text that is an object of the schema",
       [](const Seen& e) { return sound(e) && object_with(e.told.text, {"name", "age"}); }, true},
      {"max_tokens", R"("messages":[{"role":"user","content":"one two three four"}],"max_tokens":3)",
       "finish length",
       [](const Seen& e) { return sound(e) && e.told.finish == "length"; }, true},
      {"max_completion_tokens",
       R"("messages":[{"role":"user","content":"one two three four"}],"max_completion_tokens":3)", "finish length",
       [](const Seen& e) { return sound(e) && e.told.finish == "length"; }, true},
      {"stop sequences", R"("messages":[{"role":"user","content":"Hi"}],"stop":["ENDE","FIN"])",
       "200, the upstream got both",
       [](const Seen& e) { return sound(e) && has(e.upstream, "ENDE") && has(e.upstream, "FIN"); }, true},
      {"usage", R"("messages":[{"role":"user","content":"Hi"}],"stream_options":{"include_usage":true},"max_tokens":64)",
       "usage with total = prompt + completion, both above 0",
       [](const Seen& e) {
         return sound(e) && e.told.usage && e.told.input > 0 && e.told.output > 0 &&
                e.told.total == e.told.input + e.told.output;
       }},
      {"usage not asked for", R"("messages":[{"role":"user","content":"Hi"}],"max_tokens":64)",
       "usage in a whole answer, none in a stream",
       [](const Seen& e) { return sound(e) && e.told.usage != e.stream; }},
      {"n = 2", R"("messages":[{"role":"user","content":"Hi"}],"n":2)",
       "two choices; Anthropic: 400 that names n",
       [](const Seen& e) {
         if (e.dialect == "anthropic") return e.heard.status == 400 && e.told.error_param == "n";
         return sound(e) && e.told.choices == 2;
       },
       true},
      {"unknown field", R"("messages":[{"role":"user","content":"Hi"}],"x_future":{"a":[1,2]})",
       "200; the same dialect gets it unchanged",
       [](const Seen& e) {
         return sound(e) && (e.dialect != "openai" || has(e.upstream, R"("x_future":{"a":[1,2]})"));
       },
       true},
      {"image",
       R"("messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url",)"
       R"("image_url":{"url":"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"}}]}])",
       "200, the upstream got the picture",
       [](const Seen& e) { return sound(e) && has(e.upstream, "iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"); }, true},
  };
}

// The request that the simulator saw last.
std::string last_upstream(Lab& lab) {
  json::Document document;
  const std::string said = lab.mock("/mock/last");
  const auto root = document.parse_object(said);
  return root ? std::string(json::string_or(*root, "body")) : "";
}

void run_trial(Lab& lab, Checks& checks, const Trial& trial, const std::string& model, const std::string& dialect,
               bool stream) {
  const Heard heard = lab.ask({.body = "{\"model\":\"" + model + "\"," + (stream ? "\"stream\":true," : "") +
                                       trial.members + "}"});
  const Told told = read_chat(heard);
  const std::string upstream = lab.own() ? last_upstream(lab) : "";
  const bool ok = trial.ok({heard, told, upstream, dialect, stream});
  checks.add("matrix", (dialect.empty() ? "given server" : dialect) + (stream ? ", stream, " : ", whole, ") + trial.name,
             ok, trial.expected,
             describe(heard, told) + (ok ? "" : "; text: " + told.text.substr(0, 120) + "; upstream got: " +
                                                    upstream.substr(0, 300)));
}

void test_embeddings(Lab& lab, Checks& checks) {
  const auto ask = [&](const std::string& dialect, const std::string& more) {
    return lab.ask({.path = "/v1/embeddings",
                    .body = "{\"model\":\"chat-" + dialect + "\",\"input\":[\"one\",\"two\"]" + more + "}"});
  };
  const auto rows = [](const Heard& heard) {
    json::Document document;
    const auto root = document.parse_object(heard.body);
    const auto data = root ? json::find(*root, "data") : std::nullopt;
    const auto list = data ? json::as_array(*data) : std::nullopt;
    return list ? list->size() : 0;
  };
  for (const std::string dialect : {"openai", "gemini"}) {
    for (const bool base64 : {false, true}) {
      const Heard heard = ask(dialect, base64 ? ",\"encoding_format\":\"base64\"" : "");
      const bool form = has(heard.body, base64 ? "\"embedding\":\"" : "\"embedding\":[");
      checks.add("matrix", dialect + ", embeddings" + (base64 ? ", base64" : ""),
                 heard.status == 200 && rows(heard) == 2 && form, "200, two rows, in the form asked for",
                 std::to_string(heard.status) + ", " + std::to_string(rows(heard)) + " rows: " + heard.body.substr(0, 120));
    }
  }
  const Heard heard = ask("anthropic", "");
  const Told told = read_chat(heard);
  checks.add("matrix", "anthropic, embeddings",
             heard.status == 400 && told.errors == 1 && has(to_lower(told.error_message), "embeddings"),
             "400 that says so", describe(heard, told));
}

}  // namespace

std::string matrix_config(const std::string& mock_url) {
  std::string config;
  constexpr const char* kPresets[] = {"custom", "custom-anthropic", "custom-gemini"};
  constexpr const char* kPaths[] = {"/v1", "", "/v1beta"};
  for (size_t i = 0; i < 3; ++i) {
    config += std::string("[providers.") + kDialects[i] + "]\npreset = \"" + kPresets[i] + "\"\nbase_url = \"" +
              mock_url + kPaths[i] + "\"\nfree = true\nheaders = { x-mock-record = \"1\" }\n[routes.chat-" +
              kDialects[i] + "]\ntargets = [{ provider = \"" + kDialects[i] + "\", model = \"mock-small\" }]\n";
  }
  return config;
}

void test_matrix(Lab& lab, Checks& checks) {
  for (const Trial& trial : trials()) {
    for (const bool stream : {false, true}) {
      if (!lab.own()) {
        if (!trial.simulated && !lab.model().empty()) run_trial(lab, checks, trial, lab.model(), "", stream);
        continue;
      }
      for (const std::string dialect : kDialects) {
        run_trial(lab, checks, trial, "chat-" + dialect, dialect, stream);
      }
    }
  }
  if (lab.own()) test_embeddings(lab, checks);
}

}  // namespace ajar::app
