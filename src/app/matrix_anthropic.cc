// The matrix's client of Anthropic Messages: https://docs.anthropic.com/en/api/messages
#include <map>

#include "app/matrix_speech.h"

namespace ajar::app::matrix {
namespace {

using json::Writer;
using Who = SpokenTurn::Who;

void write_turn(Writer& w, const SpokenTurn& turn) {
  w.begin_object();
  w.field("role", turn.who == Who::kAssistant ? "assistant" : "user");
  w.key("content");
  w.begin_array();
  const auto block = [&](const char* type) {
    w.begin_object();
    w.field("type", type);
  };
  if (!turn.thought.empty() || !turn.signature.empty()) {
    block("thinking");
    w.field("thinking", turn.thought);
    w.field("signature", turn.signature);
    w.end_object();
  }
  if (!turn.text.empty()) {
    block("text");
    w.field("text", turn.text);
    w.end_object();
  }
  if (!turn.image.empty()) {
    block("image");
    w.raw_field("source", R"({"type":"base64","media_type":"image/png","data":")" + turn.image + "\"}");
    w.end_object();
  }
  for (const auto& call : turn.calls) {
    block("tool_use");
    w.field("id", call.id);
    w.field("name", call.name);
    w.raw_field("input", call.arguments);
    write_proof(w, call);
    w.end_object();
  }
  for (const auto& result : turn.results) {
    block("tool_result");
    w.field("tool_use_id", result.id);
    w.field("content", result.arguments);
    w.end_object();
  }
  w.end_array();
  w.end_object();
}

std::string write(const Asked& asked) {
  std::string out;
  Writer w(out);
  w.begin_object();
  w.field("model", asked.model);
  if (asked.stream) w.field("stream", true);
  w.field("max_tokens", asked.think ? asked.max_tokens + 1024 : asked.max_tokens);
  w.key("messages");
  w.begin_array();
  for (const auto& turn : asked.turns) {
    if (turn.who != Who::kSystem) write_turn(w, turn);
  }
  w.end_array();
  for (const auto& turn : asked.turns) {
    if (turn.who == Who::kSystem) w.field("system", turn.text);
  }
  if (!asked.tools.empty()) {
    w.key("tools");
    w.begin_array();
    for (const auto& tool : asked.tools) {
      w.begin_object();
      w.field("name", tool.name);
      w.field("description", tool.description);
      w.raw_field("input_schema", tool.schema);
      w.end_object();
    }
    w.end_array();
  }
  if (asked.tool_choice == "none") w.raw_field("tool_choice", R"({"type":"none"})");
  else if (asked.tool_choice == "required") w.raw_field("tool_choice", R"({"type":"any"})");
  else if (!asked.tool_choice.empty()) w.raw_field("tool_choice", R"({"type":"tool","name":")" + asked.tool_choice + "\"}");
  if (!asked.schema.empty()) {
    w.raw_field("output_config", R"({"format":{"type":"json_schema","schema":)" + asked.schema + "}}");
  }
  if (!asked.stop.empty()) {
    w.key("stop_sequences");
    w.begin_array();
    for (const auto& stop : asked.stop) w.string(stop);
    w.end_array();
  }
  if (asked.think) w.raw_field("thinking", R"({"type":"enabled","budget_tokens":1024})");
  w.end_object();
  return out;
}

void read_stop(const std::string& reason, Said& said) {
  if (reason.empty()) return;
  said.finish = reason == "end_turn" || reason == "stop_sequence" ? "stop"
                : reason == "max_tokens"                          ? "length"
                : reason == "tool_use"                            ? "tool_calls"
                                                                  : reason;
}

void read_usage(const json::Object& in, Said& said) {
  const auto usage = spoken_member(in, "usage");
  if (!usage) return;
  const int64_t input = json::int_or(*usage, "input_tokens") + json::int_or(*usage, "cache_read_input_tokens") +
                        json::int_or(*usage, "cache_creation_input_tokens");
  if (input > 0) said.input = input;
  said.output = json::int_or(*usage, "output_tokens", said.output);
}

void read_block(const json::Object& block, Said& said) {
  const std::string type = spoken_text(block, "type");
  if (type == "text") said.text += spoken_text(block, "text");
  if (type == "thinking") said.thought += spoken_text(block, "thinking"), said.signature += spoken_text(block, "signature");
  if (type == "tool_use") {
    const auto input = json::find(block, "input");
    said.calls.push_back({spoken_text(block, "id"), spoken_text(block, "name"), input ? json::raw(*input) : "",
                          spoken_proof(block)});
    if (!input || !json::as_object(*input)) said.fault = "a tool_use without an input object";
  }
}

// A stream as the SDKs put it together: one block is open at a time.
struct Stream {
  Said& said;
  int64_t open = -1, next = 0;
  std::string type, json;

  void event(std::string_view name, const json::Object& piece) {
    const std::string kind = spoken_text(piece, "type");
    if (kind != name) said.fault = "the event's name is not its type";
    if (kind == "error") {
      ++said.errors;
      if (const auto error = spoken_member(piece, "error")) said.error = spoken_text(*error, "message");
    } else if (kind == "message_start") {
      if (const auto message = spoken_member(piece, "message")) {
        said.model = spoken_text(*message, "model");
        read_usage(*message, said);
      }
    } else if (kind == "content_block_start") {
      start(piece);
    } else if (kind == "content_block_delta") {
      delta(piece);
    } else if (kind == "content_block_stop") {
      stop(piece);
    } else if (kind == "message_delta") {
      if (open >= 0) said.fault = "a message_delta inside a block";
      if (const auto change = spoken_member(piece, "delta")) read_stop(spoken_text(*change, "stop_reason"), said);
      read_usage(piece, said);
    } else if (kind == "message_stop") {
      said.ended = true;
    }
  }

  void start(const json::Object& piece) {
    if (open >= 0) said.fault = "a block begins inside another";
    open = json::int_or(piece, "index", -1);
    if (open != next++) said.fault = "block numbers do not count";
    json.clear();
    const auto block = spoken_member(piece, "content_block");
    if (!block) return;
    type = spoken_text(*block, "type");
    if (type == "tool_use") said.calls.push_back({spoken_text(*block, "id"), spoken_text(*block, "name"), "", spoken_proof(*block)});
  }
  void delta(const json::Object& piece) {
    if (json::int_or(piece, "index", -2) != open) said.fault = "a delta of a block that is not open";
    const auto change = spoken_member(piece, "delta");
    if (!change) return;
    const std::string kind = spoken_text(*change, "type");
    if (kind == "text_delta") said.text += spoken_text(*change, "text");
    if (kind == "thinking_delta") said.thought += spoken_text(*change, "thinking");
    if (kind == "signature_delta") said.signature += spoken_text(*change, "signature");
    if (kind == "input_json_delta") json += spoken_text(*change, "partial_json");
  }
  void stop(const json::Object& piece) {
    if (json::int_or(piece, "index", -2) != open) said.fault = "a block ends that is not open";
    if (type == "tool_use" && !said.calls.empty()) said.calls.back().arguments = json.empty() ? "{}" : json;
    open = -1;
  }
};

Said read(const Heard& heard, bool stream) {
  Said said;
  Stream parts{.said = said};
  spoken_pieces(heard, stream ? Framing::kEvents : Framing::kBody, said, [&](std::string_view event, const json::Object& piece) {
    if (stream) return parts.event(event, piece);
    if (spoken_text(piece, "type") == "error") {
      ++said.errors;
      if (const auto error = spoken_member(piece, "error")) said.error = spoken_text(*error, "message");
      return;
    }
    said.model = spoken_text(piece, "model");
    read_stop(spoken_text(piece, "stop_reason"), said);
    read_usage(piece, said);
    said.ended = spoken_each(piece, "content", [&](const json::Object& block) { read_block(block, said); });
  });
  return said;
}

}  // namespace

const Speaker& anthropic_speaker() {
  static constexpr Speaker kSpeaker{"Anthropic Messages", "anthropic",
                                    [](const Asked&) -> std::string { return "/v1/messages"; }, write, read,
                                    [](const Asked&) -> std::string_view { return ""; }};
  return kSpeaker;
}

}  // namespace ajar::app::matrix
