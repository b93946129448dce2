#include "app/chat_client.h"

#include "http/sse.h"
#include "json/read.h"
#include "json/write.h"

namespace ajar::app {

std::string error_message(std::string_view body) {
  json::Document document;
  if (const auto root = document.parse_object(body)) {
    if (const auto error = json::find(*root, "error")) {
      if (const auto object = json::as_object(*error)) return std::string(json::string_or(*object, "message"));
    }
  }
  return std::string(body.substr(0, 200));
}

Result<ChatAnswer> stream_chat(HttpCaller& caller, const std::string& url, const std::string& key,
                               const std::string& model, const std::vector<Turn>& turns,
                               const std::function<void(std::string_view, bool)>& on_text) {
  std::string body;
  json::Writer w(body);
  w.begin_object();
  w.field("model", model);
  w.field("stream", true);
  w.raw_field("stream_options", "{\"include_usage\":true}");
  w.key("messages");
  w.begin_array();
  for (const Turn& turn : turns) {
    w.begin_object();
    w.field("role", turn.role);
    w.field("content", turn.text);
    w.end_object();
  }
  w.end_array();
  w.end_object();

  ChatAnswer answer;
  std::string plain;  // a body that is no stream: an error
  Status failed;
  SseParser sse;
  json::Document document;
  const TimePoint started = now();
  const auto on_event = [&](const SseEvent& event) {
    if (event.data == "[DONE]") {
      answer.done = true;
      return;
    }
    const auto root = document.parse_object(event.data);
    if (!root) return;
    if (json::find(*root, "error")) {
      failed = fail(Code::kUpstream, error_message(event.data));
      return;
    }
    answer.model = json::string_or(*root, "model", answer.model);
    if (const auto usage = json::find(*root, "usage")) {
      if (const auto object = json::as_object(*usage)) {
        answer.input = json::int_or(*object, "prompt_tokens");
        answer.output = json::int_or(*object, "completion_tokens");
      }
    }
    const auto choices = json::find(*root, "choices");
    const auto list = choices ? json::as_array(*choices) : std::nullopt;
    if (!list || list->size() == 0) return;
    const auto choice = json::as_object(list->at(0).value_unsafe());
    if (!choice) return;
    answer.finish = json::string_or(*choice, "finish_reason", answer.finish);
    const auto delta = json::find(*choice, "delta");
    const auto object = delta ? json::as_object(*delta) : std::nullopt;
    if (!object) return;
    const auto thought = json::string_or(*object, "reasoning_content");
    const auto text = json::string_or(*object, "content");
    if ((!text.empty() || !thought.empty()) && answer.first_token_seconds == 0) {
      answer.first_token_seconds = seconds_between(started, now());
    }
    if (!thought.empty()) on_text(thought, true);
    if (!text.empty()) on_text(text, false);
    answer.text += text;
  };
  auto reply = caller.stream("POST", url + "/v1/chat/completions", {{"authorization", "Bearer " + key}}, body,
                             Millis(900'000), [&](std::string_view bytes) {
                               if (plain.size() < 65'536) plain += bytes;
                               (void)sse.feed(bytes, on_event);
                               return true;
                             });
  if (!reply) return std::unexpected(std::move(reply).error());
  answer.total_seconds = seconds_between(started, now());
  answer.headers = std::move(reply->headers);
  if (reply->status != 200) {
    return fail(reply->status == 401 ? Code::kUnauthenticated : Code::kUpstream,
                "HTTP " + std::to_string(reply->status) + ": " + error_message(plain));
  }
  if (!failed) return std::unexpected(std::move(failed).error());
  if (!answer.done) return fail(Code::kCut, "the stream ended without [DONE]: the answer is not whole");
  return answer;
}

}  // namespace ajar::app
