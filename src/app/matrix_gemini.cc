// The matrix's client of Gemini: https://ai.google.dev/api/generate-content
#include "app/matrix_speech.h"

namespace ajar::app::matrix {
namespace {

using json::Writer;
using Who = SpokenTurn::Who;

void write_turn(Writer& w, const SpokenTurn& turn) {
  w.begin_object();
  w.field("role", turn.who == Who::kAssistant ? "model" : "user");
  w.key("parts");
  w.begin_array();
  if (!turn.thought.empty()) {
    w.begin_object();
    w.field("text", turn.thought);
    w.field("thought", true);
    if (!turn.signature.empty()) w.field("thoughtSignature", turn.signature);
    w.end_object();
  }
  if (!turn.text.empty()) {
    w.begin_object();
    w.field("text", turn.text);
    if (turn.calls.empty() && !turn.signature.empty()) w.field("thoughtSignature", turn.signature);
    w.end_object();
  }
  if (!turn.image.empty()) w.raw(R"({"inlineData":{"mimeType":"image/png","data":")" + turn.image + "\"}}");
  for (const auto& call : turn.calls) {
    w.begin_object();
    w.key("functionCall");
    w.begin_object();
    w.field("id", call.id);
    w.field("name", call.name);
    w.raw_field("args", call.arguments);
    w.end_object();
    if (!call.signature.empty()) w.field("thoughtSignature", call.signature);
    w.end_object();
  }
  for (const auto& result : turn.results) {
    w.begin_object();
    w.key("functionResponse");
    w.begin_object();
    w.field("id", result.id);
    w.field("name", result.name);
    w.key("response");
    w.begin_object();
    w.field("output", result.arguments);
    w.end_object();
    w.end_object();
    w.end_object();
  }
  w.end_array();
  w.end_object();
}

std::string write(const Asked& asked) {
  std::string out;
  Writer w(out);
  w.begin_object();
  w.key("contents");
  w.begin_array();
  for (const auto& turn : asked.turns) {
    if (turn.who != Who::kSystem) write_turn(w, turn);
  }
  w.end_array();
  for (const auto& turn : asked.turns) {
    if (turn.who != Who::kSystem) continue;
    w.key("systemInstruction");
    w.begin_object();
    w.key("parts");
    w.begin_array();
    w.begin_object();
    w.field("text", turn.text);
    w.end_object();
    w.end_array();
    w.end_object();
  }
  if (!asked.tools.empty()) {
    w.key("tools");
    w.begin_array();
    w.begin_object();
    w.key("functionDeclarations");
    w.begin_array();
    for (const auto& tool : asked.tools) {
      w.begin_object();
      w.field("name", tool.name);
      w.field("description", tool.description);
      w.raw_field("parametersJsonSchema", tool.schema);
      w.end_object();
    }
    w.end_array();
    w.end_object();
    w.end_array();
  }
  if (!asked.tool_choice.empty()) {
    std::string config = asked.tool_choice == "none" ? R"({"mode":"NONE")" : R"({"mode":"ANY")";
    if (asked.tool_choice != "none" && asked.tool_choice != "required") {
      config += ",\"allowedFunctionNames\":[\"" + asked.tool_choice + "\"]";
    }
    w.raw_field("toolConfig", "{\"functionCallingConfig\":" + config + "}}");
  }
  w.key("generationConfig");
  w.begin_object();
  w.field("maxOutputTokens", asked.max_tokens);
  if (!asked.stop.empty()) {
    w.key("stopSequences");
    w.begin_array();
    for (const auto& stop : asked.stop) w.string(stop);
    w.end_array();
  }
  if (!asked.schema.empty()) {
    w.field("responseMimeType", "application/json");
    w.raw_field("responseJsonSchema", asked.schema);
  }
  if (asked.think) w.raw_field("thinkingConfig", R"({"includeThoughts":true,"thinkingBudget":1024})");
  w.end_object();
  w.end_object();
  return out;
}

std::string path(const Asked& asked) {
  return "/v1beta/models/" + asked.model + (asked.stream ? ":streamGenerateContent?alt=sse" : ":generateContent");
}

Said read(const Heard& heard, bool stream) {
  Said said;
  spoken_pieces(heard, stream ? Framing::kEvents : Framing::kBody, said, [&](std::string_view, const json::Object& piece) {
    if (const auto error = spoken_member(piece, "error")) {
      ++said.errors;
      said.error = spoken_text(*error, "message");
      const auto details = json::find(*error, "details");
      if (details) said.error += " " + json::raw(*details);
      return;
    }
    if (auto model = spoken_text(piece, "modelVersion"); !model.empty()) said.model = std::move(model);
    if (const auto usage = spoken_member(piece, "usageMetadata")) {
      said.input = json::int_or(*usage, "promptTokenCount", said.input);
      said.output = json::int_or(*usage, "candidatesTokenCount") + json::int_or(*usage, "thoughtsTokenCount");
    }
    spoken_each(piece, "candidates", [&](const json::Object& candidate) {
      const std::string reason = spoken_text(candidate, "finishReason");
      if (!reason.empty()) said.finish = reason == "STOP" ? "stop" : reason == "MAX_TOKENS" ? "length" : reason;
      const auto content = spoken_member(candidate, "content");
      if (!content) return;
      spoken_each(*content, "parts", [&](const json::Object& part) {
        const std::string signature = spoken_text(part, "thoughtSignature");
        const auto thought = json::find(part, "thought");
        (thought && json::as_bool(*thought).value_or(false) ? said.thought : said.text) += spoken_text(part, "text");
        if (const auto call = spoken_member(part, "functionCall")) {
          const auto args = json::find(*call, "args");
          said.calls.push_back({spoken_text(*call, "id"), spoken_text(*call, "name"), args ? json::raw(*args) : "{}", signature});
        } else {
          said.signature += signature;
        }
      });
    });
  });
  // A finish reason is this API's only proper end; calls are told by their parts.
  said.ended = !said.finish.empty();
  if (said.finish == "stop" && !said.calls.empty()) said.finish = "tool_calls";
  return said;
}

}  // namespace

const Speaker& gemini_speaker() {
  static constexpr Speaker kSpeaker{"Gemini generateContent", "gemini", path, write, read,
                                    [](const Asked&) -> std::string_view { return ""; }};
  return kSpeaker;
}

}  // namespace ajar::app::matrix
