// The matrix's client of OpenAI Responses: https://platform.openai.com/docs/api-reference/responses
#include "app/matrix_speech.h"

namespace ajar::app::matrix {
namespace {

using json::Writer;
using Who = SpokenTurn::Who;

void write_items(Writer& w, const SpokenTurn& turn) {
  for (const auto& result : turn.results) {
    w.begin_object();
    w.field("type", "function_call_output");
    w.field("call_id", result.id);
    w.field("output", result.arguments);
    w.end_object();
  }
  if (!turn.thought.empty() || !turn.signature.empty()) {
    w.begin_object();
    w.field("type", "reasoning");
    w.field("id", "rs_matrix");
    w.key("summary");
    w.begin_array();
    w.begin_object();
    w.field("type", "summary_text");
    w.field("text", turn.thought);
    w.end_object();
    w.end_array();
    w.field("encrypted_content", turn.signature);
    w.end_object();
  }
  if (!turn.text.empty() || !turn.image.empty()) {
    w.begin_object();
    w.field("type", "message");
    w.field("role", turn.who == Who::kSystem ? "system" : turn.who == Who::kUser ? "user" : "assistant");
    w.key("content");
    w.begin_array();
    w.begin_object();
    w.field("type", turn.who == Who::kAssistant ? "output_text" : "input_text");
    w.field("text", turn.text);
    w.end_object();
    if (!turn.image.empty()) {
      w.raw(R"({"type":"input_image","image_url":"data:image/png;base64,)" + turn.image + "\"}");
    }
    w.end_array();
    w.end_object();
  }
  for (const auto& call : turn.calls) {
    w.begin_object();
    w.field("type", "function_call");
    w.field("call_id", call.id);
    w.field("name", call.name);
    w.field("arguments", call.arguments);
    write_proof(w, call);
    w.end_object();
  }
}

std::string write(const Asked& asked) {
  std::string out;
  Writer w(out);
  w.begin_object();
  w.field("model", asked.model);
  if (asked.stream) w.field("stream", true);
  w.field("store", false);
  w.field("max_output_tokens", asked.max_tokens);
  w.key("input");
  w.begin_array();
  for (const auto& turn : asked.turns) write_items(w, turn);
  w.end_array();
  if (!asked.tools.empty()) {
    w.key("tools");
    w.begin_array();
    for (const auto& tool : asked.tools) {
      w.begin_object();
      w.field("type", "function");
      w.field("name", tool.name);
      w.field("description", tool.description);
      w.raw_field("parameters", tool.schema);
      w.field("strict", false);
      w.end_object();
    }
    w.end_array();
  }
  if (asked.tool_choice == "none" || asked.tool_choice == "required") {
    w.field("tool_choice", asked.tool_choice);
  } else if (!asked.tool_choice.empty()) {
    w.raw_field("tool_choice", R"({"type":"function","name":")" + asked.tool_choice + "\"}");
  }
  if (!asked.schema.empty()) {
    w.raw_field("text", R"({"format":{"type":"json_schema","name":"answer","strict":true,"schema":)" + asked.schema + "}}");
  }
  if (asked.think) {
    w.raw_field("reasoning", R"({"effort":"low","summary":"auto"})");
    w.raw_field("include", R"(["reasoning.encrypted_content"])");
  }
  w.end_object();
  return out;
}

void read_response(const json::Object& response, Said& said) {
  said.model = spoken_text(response, "model");
  const std::string status = spoken_text(response, "status");
  if (const auto error = spoken_member(response, "error")) {
    said.errors = 1;  // the `error` event beside it tells of the same
    said.error = spoken_text(*error, "message");
  }
  if (const auto usage = spoken_member(response, "usage")) {
    said.input = json::int_or(*usage, "input_tokens", -1);
    said.output = json::int_or(*usage, "output_tokens", -1);
    if (json::int_or(*usage, "total_tokens", -1) != said.input + said.output) said.fault = "total is not the sum";
  }
  said.text.clear();
  said.thought.clear();
  said.calls.clear();
  spoken_each(response, "output", [&](const json::Object& item) {
    const std::string type = spoken_text(item, "type");
    if (type == "message") {
      spoken_each(item, "content", [&](const json::Object& part) { said.text += spoken_text(part, "text"); });
    } else if (type == "reasoning") {
      spoken_each(item, "summary", [&](const json::Object& part) { said.thought += spoken_text(part, "text"); });
      spoken_each(item, "content", [&](const json::Object& part) { said.thought += spoken_text(part, "text"); });
      said.signature += spoken_text(item, "encrypted_content");
    } else if (type == "function_call") {
      said.calls.push_back({spoken_text(item, "call_id"), spoken_text(item, "name"), spoken_text(item, "arguments"),
                            spoken_proof(item)});
    }
  });
  const auto details = spoken_member(response, "incomplete_details");
  said.finish = status == "incomplete" ? (details && spoken_text(*details, "reason") == "max_output_tokens" ? "length" : "other")
                : status != "completed" ? ""
                : said.calls.empty()    ? "stop"
                                        : "tool_calls";
  said.ended = status == "completed" || status == "incomplete";
}

Said read(const Heard& heard, bool stream) {
  Said said;
  std::string streamed;
  int64_t next = 0;
  spoken_pieces(heard, stream ? Framing::kEvents : Framing::kBody, said, [&](std::string_view event, const json::Object& piece) {
    if (!stream) {
      if (const auto error = spoken_member(piece, "error")) {
        ++said.errors;
        said.error = spoken_text(*error, "message") + " [" + spoken_text(*error, "param") + "]";
      } else {
        read_response(piece, said);
      }
      return;
    }
    const std::string type = spoken_text(piece, "type");
    if (type.empty()) {  // refused before it began
      if (const auto error = spoken_member(piece, "error")) ++said.errors, said.error = spoken_text(*error, "message");
      return;
    }
    if (type != event) said.fault = "the event's name is not its type";
    if (json::int_or(piece, "sequence_number", -1) != next++) said.fault = "sequence numbers do not count";
    if (type == "response.output_text.delta") streamed += spoken_text(piece, "delta");
    if (type == "error") said.errors = 1, said.error = spoken_text(piece, "message");
    if (type == "response.completed" || type == "response.incomplete" || type == "response.failed") {
      if (const auto response = spoken_member(piece, "response")) read_response(*response, said);
    }
  });
  if (stream && said.ended && streamed != said.text) said.fault = "the deltas are not the text";
  return said;
}

}  // namespace

const Speaker& responses_speaker() {
  static constexpr Speaker kSpeaker{"OpenAI Responses", "responses",
                                    [](const Asked&) -> std::string { return "/v1/responses"; }, write, read,
                                    [](const Asked& asked) -> std::string_view {
                                      return asked.stop.empty() ? "" : "the API has no stop sequences";
                                    }};
  return kSpeaker;
}

}  // namespace ajar::app::matrix
