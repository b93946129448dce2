// The matrix's client of Ollama: https://github.com/ollama/ollama/blob/main/docs/api.md
#include "app/matrix_speech.h"

namespace ajar::app::matrix {
namespace {

using json::Writer;
using Who = SpokenTurn::Who;

void write_turn(Writer& w, const SpokenTurn& turn) {
  if (turn.who == Who::kTool) {
    for (const auto& result : turn.results) {
      w.begin_object();
      w.field("role", "tool");
      w.field("tool_name", result.name);
      w.field("content", result.arguments);
      w.end_object();
    }
    return;
  }
  w.begin_object();
  w.field("role", turn.who == Who::kSystem ? "system" : turn.who == Who::kUser ? "user" : "assistant");
  w.field("content", turn.text);
  if (!turn.image.empty()) w.raw_field("images", "[\"" + turn.image + "\"]");
  if (!turn.thought.empty()) w.field("thinking", turn.thought);
  if (!turn.calls.empty()) {
    w.key("tool_calls");
    w.begin_array();
    for (const auto& call : turn.calls) {
      w.begin_object();
      w.key("function");
      w.begin_object();
      w.field("name", call.name);
      w.raw_field("arguments", call.arguments);
      w.end_object();
      w.end_object();
    }
    w.end_array();
  }
  w.end_object();
}

std::string write(const Asked& asked) {
  std::string out;
  Writer w(out);
  w.begin_object();
  w.field("model", asked.model);
  w.field("stream", asked.stream);  // otherwise it streams
  w.key("messages");
  w.begin_array();
  for (const auto& turn : asked.turns) write_turn(w, turn);
  w.end_array();
  if (!asked.tools.empty()) {
    w.key("tools");
    w.begin_array();
    for (const auto& tool : asked.tools) {
      w.begin_object();
      w.field("type", "function");
      w.key("function");
      w.begin_object();
      w.field("name", tool.name);
      w.field("description", tool.description);
      w.raw_field("parameters", tool.schema);
      w.end_object();
      w.end_object();
    }
    w.end_array();
  }
  if (!asked.schema.empty()) w.raw_field("format", asked.schema);
  if (asked.think) w.field("think", true);
  w.key("options");
  w.begin_object();
  w.field("num_predict", asked.max_tokens);
  if (!asked.stop.empty()) {
    w.key("stop");
    w.begin_array();
    for (const auto& stop : asked.stop) w.string(stop);
    w.end_array();
  }
  w.end_object();
  w.end_object();
  return out;
}

Said read(const Heard& heard, bool stream) {
  Said said;
  spoken_pieces(heard, stream ? Framing::kLines : Framing::kBody, said, [&](std::string_view, const json::Object& piece) {
    if (auto error = spoken_text(piece, "error"); !error.empty()) {
      ++said.errors;
      said.error = std::move(error);
      return;
    }
    said.model = spoken_text(piece, "model");
    if (const auto message = spoken_member(piece, "message")) {
      said.text += spoken_text(*message, "content");
      said.thought += spoken_text(*message, "thinking");
      spoken_each(*message, "tool_calls", [&](const json::Object& call) {
        const auto function = spoken_member(call, "function");
        const auto arguments = function ? json::find(*function, "arguments") : std::nullopt;
        if (!arguments || !json::as_object(*arguments)) said.fault = "a call without an object of arguments";
        else said.calls.push_back({"", spoken_text(*function, "name"), json::raw(*arguments)});
      });
    }
    const auto done = json::find(piece, "done");
    if (!done || !json::as_bool(*done).value_or(false)) return;
    said.ended = true;
    said.finish = spoken_text(piece, "done_reason");
    said.input = json::int_or(piece, "prompt_eval_count", -1);
    said.output = json::int_or(piece, "eval_count", -1);
  });
  if (said.finish == "stop" && !said.calls.empty()) said.finish = "tool_calls";
  return said;
}

}  // namespace

const Speaker& ollama_speaker() {
  static constexpr Speaker kSpeaker{"Ollama chat", "ollama", [](const Asked&) -> std::string { return "/api/chat"; }, write,
                                    read, [](const Asked& asked) -> std::string_view {
                                      return asked.tool_choice.empty() ? "" : "the API has no tool choice";
                                    }};
  return kSpeaker;
}

}  // namespace ajar::app::matrix
