// The matrix's client of OpenAI Chat Completions: https://platform.openai.com/docs/api-reference/chat
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
      w.field("tool_call_id", result.id);
      w.field("content", result.arguments);
      w.end_object();
    }
    return;
  }
  w.begin_object();
  w.field("role", turn.who == Who::kSystem ? "system" : turn.who == Who::kUser ? "user" : "assistant");
  if (!turn.image.empty()) {
    w.key("content");
    w.begin_array();
    w.begin_object();
    w.field("type", "text");
    w.field("text", turn.text);
    w.end_object();
    w.raw(R"({"type":"image_url","image_url":{"url":"data:image/png;base64,)" + turn.image + "\"}}");
    w.end_array();
  } else {
    w.field("content", turn.text);
  }
  if (!turn.thought.empty() && !turn.signature.empty()) {
    w.key("thinking_blocks");
    w.begin_array();
    w.begin_object();
    w.field("type", "thinking");
    w.field("thinking", turn.thought);
    w.field("signature", turn.signature);
    if (!turn.maker.empty()) w.field("provider", turn.maker);
    w.end_object();
    w.end_array();
  }
  if (!turn.calls.empty()) {
    w.key("tool_calls");
    w.begin_array();
    for (const auto& call : turn.calls) {
      w.begin_object();
      w.field("id", call.id);
      w.field("type", "function");
      w.key("function");
      w.begin_object();
      w.field("name", call.name);
      w.field("arguments", call.arguments);
      w.end_object();
      write_proof(w, call);
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
  if (asked.stream) {
    w.field("stream", true);
    w.raw_field("stream_options", R"({"include_usage":true})");
  }
  w.field("max_tokens", asked.max_tokens);
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
  if (asked.tool_choice == "none" || asked.tool_choice == "required") {
    w.field("tool_choice", asked.tool_choice);
  } else if (!asked.tool_choice.empty()) {
    w.raw_field("tool_choice", R"({"type":"function","function":{"name":")" + asked.tool_choice + "\"}}");
  }
  if (!asked.schema.empty()) {
    w.raw_field("response_format",
                R"({"type":"json_schema","json_schema":{"name":"answer","strict":true,"schema":)" + asked.schema + "}}");
  }
  if (!asked.stop.empty()) {
    w.key("stop");
    w.begin_array();
    for (const auto& stop : asked.stop) w.string(stop);
    w.end_array();
  }
  if (asked.think) w.field("reasoning_effort", "low");
  w.end_object();
  return out;
}

void read_message(const json::Object& message, Said& said) {
  said.text += spoken_text(message, "content");
  said.thought += spoken_text(message, "reasoning_content");
  spoken_each(message, "thinking_blocks", [&](const json::Object& block) {
    said.signature += spoken_text(block, "signature");
    said.maker += spoken_text(block, "provider");
  });
  spoken_each(message, "tool_calls", [&](const json::Object& call) {
    const size_t index = size_t(json::int_or(call, "index", int64_t(said.calls.size())));
    if (said.calls.size() <= index) said.calls.resize(index + 1);
    SpokenCall& one = said.calls[index];
    one.signature += spoken_proof(call);
    one.id += spoken_text(call, "id");
    if (const auto function = spoken_member(call, "function")) {
      one.name += spoken_text(*function, "name");
      one.arguments += spoken_text(*function, "arguments");
    }
  });
}

Said read(const Heard& heard, bool stream) {
  Said said;
  spoken_pieces(heard, stream ? Framing::kEvents : Framing::kBody, said, [&](std::string_view, const json::Object& piece) {
    if (const auto error = spoken_member(piece, "error")) {
      ++said.errors;
      said.error = spoken_text(*error, "message") + " [" + spoken_text(*error, "param") + "]";
      return;
    }
    if (auto model = spoken_text(piece, "model"); !model.empty()) said.model = std::move(model);
    if (const auto usage = spoken_member(piece, "usage")) {
      said.input = json::int_or(*usage, "prompt_tokens", -1);
      said.output = json::int_or(*usage, "completion_tokens", -1);
      if (json::int_or(*usage, "total_tokens", -1) != said.input + said.output) said.fault = "total is not the sum";
    }
    spoken_each(piece, "choices", [&](const json::Object& choice) {
      if (auto finish = spoken_text(choice, "finish_reason"); !finish.empty()) said.finish = std::move(finish);
      if (const auto message = spoken_member(choice, stream ? "delta" : "message")) read_message(*message, said);
    });
  });
  if (!stream) said.ended = said.errors == 0;
  return said;
}

}  // namespace

const Speaker& chat_speaker() {
  static constexpr Speaker kSpeaker{"OpenAI Chat Completions", "openai",
                                    [](const Asked&) -> std::string { return "/v1/chat/completions"; }, write, read,
                                    [](const Asked&) -> std::string_view { return ""; }};
  return kSpeaker;
}

}  // namespace ajar::app::matrix
