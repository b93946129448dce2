#include "app/hello.h"

#include <cstdio>

#include "app/app.h"
#include "app/chat_client.h"
#include "app/terminal.h"
#include "json/read.h"

namespace ajar::app {

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
  std::fflush(stdout);
  return 0;
}

}  // namespace ajar::app
