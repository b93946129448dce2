#include "app/mock_dialects.h"
#include "json/write.h"

namespace ajar::app {
namespace {

using json::Writer;

std::string text_of(const MockReply& reply) {
  std::string out;
  for (const auto& token : reply.tokens) out += token;
  return out;
}

// The items of the answer, in order; of one that is not done only the beginning.
std::string thought_item(const MockReply& reply, bool done) {
  return "{\"id\":\"rs_mock\",\"type\":\"reasoning\",\"encrypted_content\":" + mock_quoted(done ? kMockSignature : "") +
         ",\"summary\":[" + (done ? "{\"type\":\"summary_text\",\"text\":" + mock_quoted(reply.thought) + "}" : "") + "]}";
}

std::string call_item(const MockCall& call, size_t number, bool done) {
  const std::string id = std::to_string(number + 1);
  return "{\"id\":\"fc_mock" + id + "\",\"type\":\"function_call\",\"status\":" + mock_quoted(done ? "completed" : "in_progress") +
         ",\"arguments\":" + mock_quoted(done ? call.arguments : "") + ",\"call_id\":\"call_mock" + id + "\",\"name\":" +
         mock_quoted(call.tool) + "}";
}

std::string message_item(const MockReply& reply, bool done) {
  const std::string content = "{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],\"text\":" + mock_quoted(text_of(reply)) + "}";
  return "{\"id\":\"msg_mock\",\"type\":\"message\",\"status\":" +
         mock_quoted(!done ? "in_progress" : reply.cut_by_length ? "incomplete" : "completed") +
         ",\"role\":\"assistant\",\"content\":[" + (done ? content : "") + "]}";
}

std::string items_of(const MockReply& reply) {
  std::string out;
  const auto add = [&](const std::string& item) { out += (out.empty() ? "" : ",") + item; };
  if (!reply.thought.empty()) add(thought_item(reply, true));
  if (reply.tool.empty()) add(message_item(reply, true));
  const std::vector<MockCall> calls = mock_calls(reply);
  for (size_t i = 0; i < calls.size(); ++i) add(call_item(calls[i], i, true));
  return out;
}

std::string response_of(const MockRequest& request, const MockReply& reply, bool done) {
  const int64_t output = reply.tool.empty() ? int64_t(reply.tokens.size()) : 12;
  std::string out;
  Writer w(out);
  w.begin_object();
  w.field("id", "resp_mock");
  w.field("object", "response");
  w.field("created_at", 1'700'000'000);
  w.field("status", !done ? "in_progress" : reply.cut_by_length ? "incomplete" : "completed");
  w.field("background", false);
  w.null_field("error");
  if (done && reply.cut_by_length) {
    w.raw_field("incomplete_details", "{\"reason\":\"max_output_tokens\"}");
  } else {
    w.null_field("incomplete_details");
  }
  w.null_field("instructions");
  w.null_field("max_output_tokens");
  w.field("model", request.model);
  w.raw_field("output", done ? "[" + items_of(reply) + "]" : "[]");
  w.field("parallel_tool_calls", true);
  w.null_field("previous_response_id");
  w.raw_field("reasoning", "{\"effort\":null,\"summary\":null}");
  w.field("store", false);
  w.field("temperature", 1);
  w.raw_field("text", "{\"format\":{\"type\":\"text\"}}");
  w.field("tool_choice", "auto");
  w.raw_field("tools", "[]");
  w.field("top_p", 1);
  w.field("truncation", "disabled");
  w.key("usage");
  if (done) {
    w.raw("{\"input_tokens\":" + std::to_string(request.input_tokens) +
          ",\"input_tokens_details\":{\"cached_tokens\":0},\"output_tokens\":" + std::to_string(output) +
          ",\"output_tokens_details\":{\"reasoning_tokens\":0},\"total_tokens\":" +
          std::to_string(request.input_tokens + output) + "}");
  } else {
    w.null();
  }
  w.null_field("user");
  w.raw_field("metadata", "{}");
  w.end_object();
  return out;
}

}  // namespace

void read_mock_responses(const json::Object& root, MockRequest& request) {
  request.max_tokens = json::int_or(root, "max_output_tokens");
  const auto object_at = [](const json::Object& in, std::string_view name) -> std::optional<json::Object> {
    const auto value = json::find(in, name);
    return value ? json::as_object(*value) : std::nullopt;
  };
  if (const auto text = object_at(root, "text")) {
    if (const auto format = object_at(*text, "format")) {
      request.json_object = json::string_or(*format, "type") == "json_object";
      if (const auto schema = json::find(*format, "schema")) request.answer_schema = json::raw(*schema);
    }
  }
  request.last_text.clear();
  request.inputs.clear();
  const auto input = json::find(root, "input");
  if (!input) return;
  if (const auto text = json::as_string(*input)) request.last_text = *text;
  const auto items = json::as_array(*input);
  if (!items) return;
  for (const auto value : *items) {
    const auto item = json::as_object(value);
    if (!item) continue;
    const auto type = json::string_or(*item, "type", "message");
    request.after_tool = type.ends_with("_output");
    if (type != "message" || json::string_or(*item, "role") != "user") continue;
    const auto content = json::find(*item, "content");
    if (!content) continue;
    std::string text(json::as_string(*content).value_or(""));
    if (const auto parts = json::as_array(*content)) {
      for (const auto part : *parts) {
        if (const auto object = json::as_object(part)) text += json::string_or(*object, "text");
      }
    }
    if (!text.empty()) request.last_text = std::move(text);
  }
}

std::string mock_responses_body(const MockRequest& request, const MockReply& reply) {
  return response_of(request, reply, true);
}

std::vector<std::string> mock_responses_frames(const MockRequest& request, const MockReply& reply) {
  std::vector<std::string> frames;
  const auto add = [&](const std::string& type, const std::string& rest) {
    frames.push_back("event: " + type + "\ndata: {\"type\":\"" + type + "\",\"sequence_number\":" +
                     std::to_string(frames.size()) + rest + "}\n\n");
  };
  add("response.created", ",\"response\":" + response_of(request, reply, false));
  add("response.in_progress", ",\"response\":" + response_of(request, reply, false));
  int output = 0;
  const auto place = [&] { return ",\"output_index\":" + std::to_string(output); };
  const auto open = [&](const std::string& item) { add("response.output_item.added", place() + ",\"item\":" + item); };
  const auto close = [&](const std::string& item) {
    add("response.output_item.done", place() + ",\"item\":" + item);
    ++output;
  };
  if (!reply.thought.empty()) {
    const std::string at = ",\"item_id\":\"rs_mock\"" + place() + ",\"summary_index\":0";
    const std::string part = ",\"part\":{\"type\":\"summary_text\",\"text\":";
    open(thought_item(reply, false));
    add("response.reasoning_summary_part.added", at + part + "\"\"}");
    add("response.reasoning_summary_text.delta", at + ",\"delta\":" + mock_quoted(reply.thought));
    add("response.reasoning_summary_text.done", at + ",\"text\":" + mock_quoted(reply.thought));
    add("response.reasoning_summary_part.done", at + part + mock_quoted(reply.thought) + "}");
    close(thought_item(reply, true));
  }
  if (reply.tool.empty()) {
    const std::string at = ",\"item_id\":\"msg_mock\"" + place() + ",\"content_index\":0";
    const std::string part = "{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],\"text\":";
    open(message_item(reply, false));
    add("response.content_part.added", at + ",\"part\":" + part + "\"\"}");
    for (const auto& token : reply.tokens) {
      add("response.output_text.delta", at + ",\"delta\":" + mock_quoted(token) + ",\"logprobs\":[],\"obfuscation\":\"x\"");
    }
    add("response.output_text.done", at + ",\"text\":" + mock_quoted(text_of(reply)) + ",\"logprobs\":[]");
    add("response.content_part.done", at + ",\"part\":" + part + mock_quoted(text_of(reply)) + "}");
    close(message_item(reply, true));
  }
  const std::vector<MockCall> calls = mock_calls(reply);
  for (size_t i = 0; i < calls.size(); ++i) {
    const std::string at = ",\"item_id\":\"fc_mock" + std::to_string(i + 1) + "\"" + place();
    const std::string& arguments = calls[i].arguments;
    open(call_item(calls[i], i, false));
    const size_t half = arguments.size() / 2;
    for (const auto& piece : {arguments.substr(0, half), arguments.substr(half)}) {
      add("response.function_call_arguments.delta", at + ",\"delta\":" + mock_quoted(piece));
    }
    add("response.function_call_arguments.done", at + ",\"arguments\":" + mock_quoted(arguments));
    close(call_item(calls[i], i, true));
  }
  add(reply.cut_by_length ? "response.incomplete" : "response.completed",
      ",\"response\":" + response_of(request, reply, true));
  return frames;
}

}  // namespace ajar::app
