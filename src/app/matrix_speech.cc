#include "app/matrix_speech.h"

#include "base/text.h"
#include "http/sse.h"

namespace ajar::app::matrix {

std::vector<const Speaker*> speakers() {
  return {&chat_speaker(), &responses_speaker(), &anthropic_speaker(), &gemini_speaker(), &ollama_speaker()};
}

std::optional<json::Object> spoken_member(const json::Object& object, std::string_view name) {
  const auto value = json::find(object, name);
  return value ? json::as_object(*value) : std::nullopt;
}

std::string spoken_text(const json::Object& object, std::string_view name) {
  return std::string(json::string_or(object, name));
}

std::string spoken_proof(const json::Object& call) {
  const auto more = spoken_member(call, "extra_content");
  const auto google = more ? spoken_member(*more, "google") : std::nullopt;
  return google ? spoken_text(*google, "thought_signature") : "";
}

void write_proof(json::Writer& w, const SpokenCall& call) {
  if (call.signature.empty()) return;
  w.raw_field("extra_content", R"({"google":{"thought_signature":")" + call.signature + "\"}}");
}

bool spoken_each(const json::Object& object, std::string_view name,
                 const std::function<void(const json::Object&)>& each) {
  const auto value = json::find(object, name);
  const auto list = value ? json::as_array(*value) : std::nullopt;
  if (!list) return false;
  for (const auto item : *list) {
    if (const auto one = json::as_object(item)) each(*one);
  }
  return true;
}

void spoken_pieces(const Heard& heard, Framing framing, Said& said,
                   const std::function<void(std::string_view event, const json::Object&)>& each) {
  json::Document document;
  const auto piece = [&](std::string_view event, std::string_view text) {
    const auto root = document.parse_object(text);
    if (!root) said.fault = "not a JSON object: " + std::string(text.substr(0, 60));
    else each(event, *root);
  };
  if (framing == Framing::kBody) return piece("", heard.body);
  if (framing == Framing::kLines) {
    for (const auto line : split(heard.body, '\n')) {
      if (!trim(line).empty()) piece("", line);
    }
    return;
  }
  SseParser sse;
  const Status fed = sse.feed(heard.body, [&](const SseEvent& event) {
    if (event.data == "[DONE]") said.ended = true;
    else piece(event.event, event.data);
  });
  if (!fed) said.fault = fed.error().message;
}

}  // namespace ajar::app::matrix
