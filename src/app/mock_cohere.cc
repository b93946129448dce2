// The simulator as Cohere: /v2/chat and /v2/embed.
#include "app/mock_dialects.h"

namespace ajar::app {
namespace {

bool takes(std::string_view path) { return path.ends_with("/v2/chat") || path.ends_with("/v2/embed"); }

void read(MockRequest& request, std::string_view path, const json::Object& root) {
  request.embeddings = path.ends_with("/v2/embed");
  if (request.embeddings) {
    request.dimensions = json::int_or(root, "output_dimension");
    if (const auto texts = json::find(root, "texts")) {
      if (const auto list = json::as_array(*texts)) {
        for (const auto text : *list) request.inputs.emplace_back(json::as_string(text).value_or(""));
      }
    }
  }
  if (json::string_or(root, "tool_choice") == "NONE") request.tool.clear();
  if (json::string_or(root, "tool_choice") == "REQUIRED") request.tool = request.first_tool;
  if (const auto value = json::find(root, "response_format")) {
    const auto format = json::as_object(*value);
    const auto schema = format ? json::find(*format, "json_schema") : std::nullopt;
    if (schema) request.answer_schema = json::raw(*schema);
  }
}

const char* finish_of(const MockReply& reply) {
  return !reply.tool.empty() ? "TOOL_CALL" : reply.cut_by_length ? "MAX_TOKENS" : "COMPLETE";
}

std::string usage_of(const MockRequest& request, const MockReply& reply) {
  const std::string input = std::to_string(request.input_tokens), output = std::to_string(mock_output_tokens(reply));
  return "\"usage\":{\"billed_units\":{\"input_tokens\":" + input + ",\"output_tokens\":" + output +
         "},\"tokens\":{\"input_tokens\":" + std::to_string(request.input_tokens + 400) + ",\"output_tokens\":" + output + "}}";
}

std::string call_of(const MockCall& call, size_t number, const std::string& arguments) {
  return "{\"id\":\"call_mock" + std::to_string(number + 1) + "\",\"type\":\"function\",\"function\":{\"name\":" +
         mock_quoted(call.tool) + ",\"arguments\":" + mock_quoted(arguments) + "}}";
}

std::string body(const MockRequest& request, const MockReply& reply) {
  if (request.embeddings) {
    return "{\"id\":\"mock\",\"embeddings\":{\"float\":" + mock_embedding_rows(request) +
           "},\"texts\":[],\"meta\":{\"billed_units\":{\"input_tokens\":" + std::to_string(request.input_tokens) +
           "}},\"response_type\":\"embeddings_by_type\"}";
  }
  std::string calls, thought;
  const std::vector<MockCall> all = mock_calls(reply);
  for (size_t i = 0; i < all.size(); ++i) calls += (i > 0 ? "," : "") + call_of(all[i], i, all[i].arguments);
  if (!reply.thought.empty()) thought = "{\"type\":\"thinking\",\"thinking\":" + mock_quoted(reply.thought) + "},";
  const std::string said = reply.tool.empty()
                               ? "\"content\":[" + thought + "{\"type\":\"text\",\"text\":" + mock_quoted(mock_text(reply)) + "}]"
                               : "\"tool_plan\":\"I will use it.\",\"tool_calls\":[" + calls + "]";
  return std::string("{\"id\":\"mock\",\"finish_reason\":\"") + finish_of(reply) + "\",\"message\":{\"role\":\"assistant\"," +
         said + "}," + usage_of(request, reply) + "}";
}

std::string frame(const std::string& type, const std::string& rest) {
  return "event: " + type + "\ndata: {\"type\":\"" + type + "\"" + rest + "}\n\n";
}

std::vector<std::string> frames(const MockRequest& request, const MockReply& reply) {
  std::vector<std::string> out;
  out.push_back(frame("message-start", ",\"id\":\"mock\",\"delta\":{\"message\":{\"role\":\"assistant\",\"content\":[]}}"));
  std::string at = ",\"index\":0";
  if (!reply.thought.empty() && reply.tool.empty()) {
    out.push_back(frame("content-start", at + ",\"delta\":{\"message\":{\"content\":{\"type\":\"thinking\",\"thinking\":\"\"}}}"));
    out.push_back(frame("content-delta", at + ",\"delta\":{\"message\":{\"content\":{\"thinking\":" + mock_quoted(reply.thought) + "}}}"));
    out.push_back(frame("content-end", at));
    at = ",\"index\":1";
  }
  if (reply.tool.empty()) {
    out.push_back(frame("content-start", at + ",\"delta\":{\"message\":{\"content\":{\"type\":\"text\",\"text\":\"\"}}}"));
    for (const auto& token : reply.tokens) {
      out.push_back(frame("content-delta", at + ",\"delta\":{\"message\":{\"content\":{\"text\":" + mock_quoted(token) + "}}}"));
    }
    out.push_back(frame("content-end", at));
  } else {
    out.push_back(frame("tool-plan-delta", ",\"delta\":{\"message\":{\"tool_plan\":\"I will use it.\"}}"));
    const std::vector<MockCall> all = mock_calls(reply);
    for (size_t i = 0; i < all.size(); ++i) {
      at = ",\"index\":" + std::to_string(i);
      out.push_back(frame("tool-call-start", at + ",\"delta\":{\"message\":{\"tool_calls\":" + call_of(all[i], i, "") + "}}"));
      const size_t half = all[i].arguments.size() / 2;
      for (const auto& piece : {all[i].arguments.substr(0, half), all[i].arguments.substr(half)}) {
        out.push_back(frame("tool-call-delta", at + ",\"delta\":{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":" +
                                                   mock_quoted(piece) + "}}}}"));
      }
      out.push_back(frame("tool-call-end", at));
    }
  }
  out.push_back(frame("message-end", std::string(",\"delta\":{\"finish_reason\":\"") + finish_of(reply) + "\"," +
                                         usage_of(request, reply) + "}"));
  return out;
}

std::string error(int, std::string_view message) { return "{\"id\":\"mock\",\"message\":" + mock_quoted(message) + "}"; }
// The API tells a fault in the last event.
std::string stream_error(std::string_view message) {
  return frame("message-end", ",\"delta\":{\"finish_reason\":\"ERROR\",\"error\":" + mock_quoted(message) + "}");
}

}  // namespace

const MockSpeaker& cohere_speaker() {
  static constexpr MockSpeaker kSpeaker{MockDialect::kCohere, "text/event-stream", 4, takes, read, body, frames, error,
                                        stream_error, "data: {\"oops\n\n"};
  return kSpeaker;
}

}  // namespace ajar::app
