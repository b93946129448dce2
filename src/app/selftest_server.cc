// What the server owes its clients whatever stands behind it: keys, limits, refusals, leaving clients, reloads.
#include <atomic>
#include <future>
#include <thread>

#include "app/selftest_lab.h"
#include "base/text.h"
#include "json/read.h"

namespace ajar::app {
namespace {

constexpr const char* kGroup = "server";

std::string chat(const std::string& model, const std::string& more = "") {
  return "{\"model\":\"" + model + "\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]" + more + "}";
}

int64_t number_in(const std::string& body, const char* name) {
  json::Document document;
  const auto root = document.parse_object(body);
  return root ? json::int_or(*root, name, -1) : -1;
}

// Adds a check of status and error body. `ok` may ask for more.
template <class F>
void expect(Lab& lab, Checks& checks, const std::string& name, const Ask& ask, int status, const std::string& more,
            F ok) {
  const Heard heard = lab.ask(ask);
  const Told told = read_chat(heard);
  const bool form = status < 400 || (told.errors == 1 && told.fault.empty());
  checks.add(kGroup, name, heard.status == status && heard.whole && form && ok(heard, told),
             std::to_string(status) + (more.empty() ? "" : ", " + more), describe(heard, told));
}
void expect(Lab& lab, Checks& checks, const std::string& name, const Ask& ask, int status) {
  expect(lab, checks, name, ask, status, "", [](const Heard&, const Told&) { return true; });
}

void test_refusals(Lab& lab, Checks& checks, const std::string& model) {
  const auto in_field = [](const char* field) {
    return [field](const Heard&, const Told& told) { return told.error_param.find(field) != std::string::npos; };
  };
  const auto says = [](const char* word) {
    return [word](const Heard&, const Told& told) { return told.error_message.find(word) != std::string::npos; };
  };
  expect(lab, checks, "no key", {.body = chat(model), .key = ""}, 401);
  expect(lab, checks, "wrong key", {.body = chat(model), .key = "sk-ajar-nobody"}, 401);
  expect(lab, checks, "unknown model", {.body = chat("no-such-model")}, 404, "param model", in_field("model"));
  expect(lab, checks, "unknown path", {.path = "/v1/nothing", .body = "{}"}, 404);
  expect(lab, checks, "wrong method", {.method = "GET"}, 405);
  expect(lab, checks, "malformed JSON", {.body = "{\"model\":\"" + model + "\",\n\"messages\":[,]}"}, 400,
         "with line and column", says("line 2"));
  expect(lab, checks, "not an object", {.body = "[1]"}, 400);
  expect(lab, checks, "empty body", {.body = ""}, 400);
  expect(lab, checks, "no messages", {.body = "{\"model\":\"" + model + "\"}"}, 400, "param messages",
         in_field("messages"));
  expect(lab, checks, "messages of the wrong type", {.body = "{\"model\":\"" + model + "\",\"messages\":7}"}, 400,
         "param messages", in_field("messages"));
  expect(lab, checks, "temperature of the wrong type", {.body = chat(model, ",\"temperature\":\"hot\"")}, 400,
         "param temperature", in_field("temperature"));
  expect(lab, checks, "content of the wrong type",
         {.body = "{\"model\":\"" + model + "\",\"messages\":[{\"role\":\"user\",\"content\":{\"a\":1}}]}"}, 400,
         "param messages[0].content", in_field("messages[0].content"));
  std::string deep = "{\"model\":\"" + model + "\",\"messages\":[],\"x\":";
  deep += std::string(5000, '[') + std::string(5000, ']') + "}";
  expect(lab, checks, "5,000 levels deep", {.body = deep}, 400);
  expect(lab, checks, "not UTF-8",
         {.body = "{\"model\":\"" + model + "\",\"messages\":[{\"role\":\"user\",\"content\":\"\xff\xfe\"}]}"}, 400);
  if (lab.own()) {
    std::string large(1'200'000, 'x');
    expect(lab, checks, "body above max_body",
           {.body = "{\"model\":\"" + model + "\",\"messages\":[{\"role\":\"user\",\"content\":\"" + large + "\"}]}"}, 413);
  }
  expect(lab, checks, "the server still answers", {.method = "GET", .path = "/healthz", .key = ""}, 200, "",
         [](const Heard&, const Told&) { return true; });
}

void test_models(Lab& lab, Checks& checks) {
  const Heard heard = lab.ask({.method = "GET", .path = "/v1/models"});
  const std::string wanted = lab.own() ? "\"chat-openai\"" : lab.model().empty() ? "\"id\"" : "\"" + lab.model() + "\"";
  checks.add(kGroup, "list of models", heard.status == 200 && heard.body.find(wanted) != std::string::npos,
             "200 with " + wanted, std::to_string(heard.status) + " " + heard.body.substr(0, 160));
}

void test_limits(Lab& lab, Checks& checks) {
  const std::string narrow = lab.new_key(R"({"name":"narrow","routes":["chat-gemini"]})");
  expect(lab, checks, "route that the key may not use", {.body = chat("chat-openai"), .key = narrow}, 404);
  expect(lab, checks, "route that it may use", {.body = chat("chat-gemini"), .key = narrow}, 200);
  const std::string slow = lab.new_key(R"({"name":"slow","rpm":1})");
  expect(lab, checks, "first request of an RPM of 1", {.body = chat("chat-openai"), .key = slow}, 200);
  expect(lab, checks, "second request of an RPM of 1", {.body = chat("chat-openai"), .key = slow}, 429,
         "retry-after above 0", [](const Heard& heard, const Told&) {
           return parse_int(heard.headers.get("retry-after")).value_or(0) > 0;
         });
  const std::string poor = lab.new_key(R"({"name":"poor","usd_day":0.0001})");
  expect(lab, checks, "budget exhausted", {.body = chat("paid", ",\"max_tokens\":100"), .key = poor}, 402,
         "x-should-retry: false", [](const Heard& heard, const Told&) {
           return heard.headers.get("x-should-retry") == "false" && heard.headers.get("retry-after").empty();
         });
  const Heard stranger = lab.ask({.method = "GET", .path = "/admin/keys"});
  checks.add(kGroup, "admin API without its token", stranger.status == 401, "401", std::to_string(stranger.status));
}

void test_leaving(Lab& lab, Checks& checks) {
  const int64_t before = number_in(lab.mock("/mock/stats"), "cancelled");
  std::atomic<int64_t> left_us = 0;
  const Heard heard = lab.ask({.body = chat("mock-t500-p20", ",\"stream\":true"), .on_bytes = [&](std::string_view) {
                                 left_us = std::chrono::duration_cast<std::chrono::microseconds>(
                                               now().time_since_epoch()).count();
                                 return false;
                               }});
  const TimePoint patience = after(Millis(5000));
  std::string stats = lab.mock("/mock/stats");
  while (number_in(stats, "cancelled") <= before && now() < patience) {
    std::this_thread::sleep_for(Millis(5));
    stats = lab.mock("/mock/stats");
  }
  const bool cancelled = number_in(stats, "cancelled") == before + 1;
  const double ms = double(number_in(stats, "last_cancel_us") - left_us) / 1000;
  char text[64];
  std::snprintf(text, sizeof text, "after %.1f ms", ms);
  checks.add(kGroup, "a client that leaves cancels the upstream", cancelled && ms < 500,
             "within 50 ms (fails above 500)", cancelled ? text : "not cancelled");
  const std::string id(heard.headers.get("x-request-id"));
  const std::string calls = lab.calls(id);
  const size_t at = calls.find(id);
  const bool logged = at != calls.npos && calls.substr(at, 200).find("\"end\":\"cancelled\"") != std::string::npos;
  checks.add(kGroup, "and is logged as cancelled", logged, "end cancelled",
             at == calls.npos ? "no row" : calls.substr(at, 160));
}

void test_reload(Lab& lab, Checks& checks) {
  const int64_t version = number_in(lab.ask({.method = "GET", .path = "/healthz"}).body, "config_version");
  std::promise<void> running;
  bool first = true;
  auto stream = std::async(std::launch::async, [&] {
    return lab.ask({.body = chat("mock-t60-p20", ",\"stream\":true"), .on_bytes = [&](std::string_view) {
                      if (std::exchange(first, false)) running.set_value();
                      return true;
                    }});
  });
  const bool began = running.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready;
  (void)lab.write_config("[routes.fresh]\ntargets = [{ provider = \"openai\", model = \"mock-small\" }]\n");
  const Heard reloaded = lab.admin("POST", "/admin/reload");
  const bool during = stream.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
  checks.add(kGroup, "reload while a stream runs",
             began && during && reloaded.status == 200 && number_in(reloaded.body, "config_version") == version + 1,
             "200 and the next version, the stream still running",
             std::to_string(reloaded.status) + " " + reloaded.body.substr(0, 160) + (during ? "" : ", the stream had ended"));
  expect(lab, checks, "the new route answers", {.body = chat("fresh")}, 200);
  const Heard heard = stream.get();
  const Told told = read_chat(heard);
  checks.add(kGroup, "the stream that ran ends well", heard.status == 200 && told.done && told.finish == "stop",
             "[DONE]", describe(heard, told));
  (void)lab.write_config("[routes.fresh]\ntargets = [{ provider = \"nobody\" }]\nretrys = 3\n");
  const Heard refused = lab.admin("POST", "/admin/reload");
  const Told why = read_chat(refused);
  checks.add(kGroup, "a bad configuration is refused",
             refused.status == 400 && why.error_message.find("retrys") != std::string::npos,
             "400 that names the key and its line", describe(refused, why));
  expect(lab, checks, "and the old one stays", {.body = chat("fresh")}, 200);
  (void)lab.write_config("");
  const Heard back = lab.admin("POST", "/admin/reload");
  checks.add(kGroup, "a good one is taken again", back.status == 200, "200", std::to_string(back.status));
  expect(lab, checks, "and a route that it lacks is gone", {.body = chat("fresh")}, 404);
}

}  // namespace

std::string server_config(const std::string& mock_url) {
  return "[providers.paid]\npreset = \"custom\"\nbase_url = \"" + mock_url +
         "/v1\"\n[providers.paid.prices.\"mock-small\"]\ninput = 1000.0\noutput = 1000.0\n"
         "[routes.paid]\ntargets = [{ provider = \"paid\", model = \"mock-small\" }]\n"
         "[routes.\"mock-*\"]\ntargets = [{ provider = \"openai\" }]\n";
}

void test_server(Lab& lab, Checks& checks) {
  test_models(lab, checks);
  const std::string model = lab.own() ? "chat-openai" : lab.model();
  if (model.empty()) checks.skip("server", "refusals need --model");
  else test_refusals(lab, checks, model);
  if (!lab.own()) return checks.skip("server", "limits, leaving clients and reloads need a server of its own");
  test_limits(lab, checks);
  test_leaving(lab, checks);
  test_reload(lab, checks);
}

}  // namespace ajar::app
