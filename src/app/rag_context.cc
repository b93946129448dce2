#include "app/rag_context.h"

#include <future>
#include <memory>

#include "api/answer.h"
#include "app/chat_client.h"
#include "app/http_call.h"
#include "json/read.h"
#include "json/write.h"

namespace ajar::app {
namespace {

constexpr int64_t kMaxTokens = 160;

std::string write_request(const std::string& route, const std::string& prompt) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("model", route);
  w.field("max_tokens", kMaxTokens);
  w.field("temperature", int64_t{0});
  w.key("messages");
  w.begin_array();
  w.begin_object();
  w.field("role", "user");
  w.field("content", prompt);
  w.end_object();
  w.end_array();
  w.end_object();
  return out;
}

// The text of an answer in OpenAI's form.
Result<std::string> read_text(const std::string& body) {
  json::Document document;
  AJAR_ASSIGN(const json::Object object, document.parse_object(body));
  const auto value = json::find(object, "choices");
  const auto choices = value ? json::as_array(*value) : std::nullopt;
  if (choices)
    for (const json::Value choice : *choices)
      if (const auto one = json::as_object(choice))
        if (const auto message = json::find(*one, "message"); message && json::as_object(*message))
          return std::string(json::string_or(*json::as_object(*message), "content"));
  return fail(Code::kUpstream, "the answer has no text");
}

// One question on the loop. All by value: whoever waits may not be there any more.
Task<> ask(Gateway* gateway, std::string body, std::shared_ptr<const Key> key, std::shared_ptr<std::promise<api::Answer>> answered) {
  CancelToken cancel;
  answered->set_value(co_await api::answer(*gateway, "/v1/chat/completions", std::move(body), std::move(key), cancel));
}

}  // namespace

rag::ContextWriter gateway_context_writer(const std::string& route, size_t at_once, Gateway& gateway, const Tenants& tenants, Loop& loop) {
  rag::ContextWriter writer{.name = route, .at_once = at_once};
  writer.write = [route, &gateway, &tenants, &loop](const rag::ContextQuestion& question) -> Result<std::string> {
    std::shared_ptr<const Key> key;
    if (question.payer.starts_with("key:")) {
      AJAR_ASSIGN(key, tenants.find(question.payer.substr(4)));
    }
    auto answered = std::make_shared<std::promise<api::Answer>>();
    auto waiting = answered->get_future();
    loop.spawn(ask(&gateway, write_request(route, rag::context_prompt(question)), std::move(key), answered));
    const api::Answer answer = waiting.get();  // the route's own deadlines end it
    if (answer.error) return std::unexpected(*answer.error);
    return read_text(answer.body);
  };
  return writer;
}

rag::ContextWriter http_context_writer(const std::string& route, const std::string& url, const std::string& key) {
  rag::ContextWriter writer{.name = route, .at_once = 1};
  writer.write = [route, url, key, caller = std::make_shared<HttpCaller>()](const rag::ContextQuestion& question) -> Result<std::string> {
    HttpCaller::Fields headers = {{"Content-Type", "application/json"}};
    if (!key.empty()) headers.emplace_back("Authorization", "Bearer " + key);
    AJAR_ASSIGN(const HttpReply reply, caller->call("POST", url + "/v1/chat/completions", headers, write_request(route, rag::context_prompt(question)), Millis(120'000)));
    if (reply.status != 200) return fail(Code::kUpstream, error_message(reply.body));
    return read_text(reply.body);
  };
  return writer;
}

}  // namespace ajar::app
