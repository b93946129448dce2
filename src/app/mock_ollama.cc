// The simulator as Ollama: /api/chat in lines of JSON, /api/embed.
#include "app/mock_dialects.h"
#include "json/write.h"

namespace ajar::app {
namespace {

bool takes(std::string_view path) { return path.ends_with("/api/chat") || path.ends_with("/api/embed"); }

void read(MockRequest& request, std::string_view path, const json::Object& root) {
  const auto stream = json::find(root, "stream");
  request.stream = path.ends_with("/api/chat") && (!stream || json::as_bool(*stream).value_or(true));
  request.embeddings = path.ends_with("/api/embed");
  if (const auto value = json::find(root, "options")) {
    if (const auto options = json::as_object(*value)) request.max_tokens = json::int_or(*options, "num_predict");
  }
  if (const auto format = json::find(root, "format")) {
    if (format->is_object()) request.answer_schema = json::raw(*format);
    request.json_object = json::as_string(*format) == "json";
  }
}

std::string line(const MockRequest& request, const std::string& message, const std::string& rest) {
  return "{\"model\":" + mock_quoted(request.model) + ",\"created_at\":\"2023-11-14T22:13:20.5Z\",\"message\":{\"role\":" +
         "\"assistant\"," + message + "},\"done\":" + rest + "}";
}

std::string said(const MockReply& reply) {
  const std::string thought = reply.thought.empty() ? "" : ",\"thinking\":" + mock_quoted(reply.thought);
  if (reply.tool.empty()) return "\"content\":" + mock_quoted(mock_text(reply)) + thought;
  std::string calls;
  for (const MockCall& call : mock_calls(reply)) {
    calls += (calls.empty() ? "" : ",") + ("{\"function\":{\"name\":" + mock_quoted(call.tool)) + ",\"arguments\":" +
             call.arguments + "}}";
  }
  return "\"content\":\"\"" + thought + ",\"tool_calls\":[" + calls + "]";
}

std::string end_of(const MockRequest& request, const MockReply& reply) {
  return std::string("true,\"done_reason\":\"") + (reply.cut_by_length ? "length" : "stop") +
         "\",\"total_duration\":900,\"load_duration\":100,\"prompt_eval_count\":" + std::to_string(request.input_tokens) +
         ",\"prompt_eval_duration\":300,\"eval_count\":" + std::to_string(mock_output_tokens(reply)) +
         ",\"eval_duration\":500";
}

std::string body(const MockRequest& request, const MockReply& reply) {
  if (request.embeddings) {
    return "{\"model\":" + mock_quoted(request.model) + ",\"embeddings\":" + mock_embedding_rows(request) +
           ",\"total_duration\":9,\"load_duration\":1,\"prompt_eval_count\":" + std::to_string(request.input_tokens) + "}";
  }
  return line(request, said(reply), end_of(request, reply));
}

std::vector<std::string> frames(const MockRequest& request, const MockReply& reply) {
  std::vector<std::string> out;
  if (!reply.tool.empty()) out.push_back(line(request, said(reply), "false") + "\n");
  else if (!reply.thought.empty()) out.push_back(line(request, "\"content\":\"\",\"thinking\":" + mock_quoted(reply.thought), "false") + "\n");
  for (const auto& token : reply.tokens) out.push_back(line(request, "\"content\":" + mock_quoted(token), "false") + "\n");
  out.push_back(line(request, "\"content\":\"\"", end_of(request, reply)) + "\n");
  return out;
}

std::string error(int, std::string_view message) { return "{\"error\":" + mock_quoted(message) + "}"; }
std::string stream_error(std::string_view message) { return error(500, message) + "\n"; }

}  // namespace

const MockSpeaker& ollama_speaker() {
  static constexpr MockSpeaker kSpeaker{MockDialect::kOllama, "application/x-ndjson", 2, takes, read, body, frames,
                                        error, stream_error, "{\"oops\n"};
  return kSpeaker;
}

}  // namespace ajar::app
