// The simulator as Amazon Bedrock: Converse, and ConverseStream in messages of an AWS event stream.
#include <array>

#include "app/mock_dialects.h"
#include "base/text.h"

namespace ajar::app {
namespace {

constexpr std::string_view kModel = "/model/";

bool takes(std::string_view path) {
  return path.find(kModel) != path.npos &&
         (path.ends_with("/converse") || path.ends_with("/converse-stream") || path.ends_with("/invoke"));
}

std::optional<json::Object> inner(const json::Object& object, std::string_view name) {
  const auto value = json::find(object, name);
  return value ? json::as_object(*value) : std::nullopt;
}

void read(MockRequest& request, std::string_view path, const json::Object& root) {
  const size_t from = path.find(kModel) + kModel.size();
  request.model = percent_decode(path.substr(from, path.rfind('/') - from)).value_or("");
  mock_model_name(request);
  request.stream = path.ends_with("/converse-stream");
  request.embeddings = path.ends_with("/invoke");
  if (request.embeddings) {  // Titan's form, or Cohere's
    request.dimensions = json::int_or(root, "dimensions", json::int_or(root, "output_dimension"));
    if (const auto one = json::find(root, "inputText")) request.inputs.emplace_back(json::as_string(*one).value_or(""));
    const auto texts = json::find(root, "texts");
    if (const auto list = texts ? json::as_array(*texts) : std::nullopt) {
      for (const auto text : *list) request.inputs.emplace_back(json::as_string(text).value_or(""));
      request.json_object = true;
    }
    return;
  }
  if (const auto config = inner(root, "inferenceConfig")) request.max_tokens = json::int_or(*config, "maxTokens");
  if (const auto config = inner(root, "outputConfig")) {
    const auto format = inner(*config, "textFormat");
    const auto structure = format ? inner(*format, "structure") : std::nullopt;
    const auto schema = structure ? inner(*structure, "jsonSchema") : std::nullopt;
    if (schema) request.answer_schema = std::string(json::string_or(*schema, "schema"));
  }
  const auto messages = json::find(root, "messages");
  const auto list = messages ? json::as_array(*messages) : std::nullopt;
  if (list) {
    for (const auto item : *list) request.after_tool = json::raw(item).find("\"toolResult\"") != std::string::npos;
  }
  const auto config = inner(root, "toolConfig");
  if (!config) return;
  const auto choice = inner(*config, "toolChoice");
  const bool forced = choice && (json::find(*choice, "any") || json::find(*choice, "tool"));
  if (!forced && request.last_text.find("tool") == std::string::npos) return;
  const auto tools = json::find(*config, "tools");
  const auto array = tools ? json::as_array(*tools) : std::nullopt;
  if (!array || array->size() == 0) return;
  const auto tool = json::as_object(array->at(0).value_unsafe());
  const auto spec = tool ? inner(*tool, "toolSpec") : std::nullopt;
  if (!spec) return;
  request.tool = std::string(json::string_or(*spec, "name"));
  if (const auto schema = inner(*spec, "inputSchema")) {
    if (const auto value = json::find(*schema, "json")) request.tool_schema = json::raw(*value);
  }
}

const char* stop_of(const MockReply& reply) {
  return !reply.tool.empty() ? "tool_use" : reply.cut_by_length ? "max_tokens" : "end_turn";
}

std::string usage_of(const MockRequest& request, const MockReply& reply) {
  const int64_t output = mock_output_tokens(reply);
  return "\"usage\":{\"inputTokens\":" + std::to_string(request.input_tokens) + ",\"outputTokens\":" + std::to_string(output) +
         ",\"totalTokens\":" + std::to_string(request.input_tokens + output) + "},\"metrics\":{\"latencyMs\":1}";
}

std::string body(const MockRequest& request, const MockReply& reply) {
  if (request.embeddings) {
    const std::string rows = mock_embedding_rows(request);
    if (request.json_object) return "{\"id\":\"mock\",\"embeddings\":{\"float\":" + rows + "},\"response_type\":\"embeddings_by_type\"}";
    return "{\"embedding\":" + rows.substr(1, rows.size() - 2) + ",\"inputTextTokenCount\":" + std::to_string(request.input_tokens) + "}";
  }
  const std::string block =
      reply.tool.empty() ? "{\"text\":" + mock_quoted(mock_text(reply)) + "}"
                         : "{\"toolUse\":{\"toolUseId\":\"tooluse_mock1\",\"name\":" + mock_quoted(reply.tool) +
                               ",\"input\":" + reply.arguments + "}}";
  return "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[" + block + "]}},\"stopReason\":\"" + stop_of(reply) +
         "\"," + usage_of(request, reply) + "}";
}

std::vector<std::string> frames(const MockRequest& request, const MockReply& reply) {
  std::vector<std::string> out;
  const auto add = [&](std::string_view name, const std::string& payload) { out.push_back(mock_aws_message(name, payload)); };
  add("messageStart", "{\"role\":\"assistant\",\"p\":\"abc\"}");
  if (!reply.tool.empty()) {
    add("contentBlockStart", "{\"contentBlockIndex\":0,\"start\":{\"toolUse\":{\"toolUseId\":\"tooluse_mock1\",\"name\":" +
                                 mock_quoted(reply.tool) + "}}}");
    const size_t half = reply.arguments.size() / 2;
    for (const auto& piece : {reply.arguments.substr(0, half), reply.arguments.substr(half)}) {
      add("contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"toolUse\":{\"input\":" + mock_quoted(piece) + "}}}");
    }
  }
  for (const auto& token : reply.tokens) {
    add("contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"text\":" + mock_quoted(token) + "}}");
  }
  add("contentBlockStop", "{\"contentBlockIndex\":0}");
  add("messageStop", std::string("{\"stopReason\":\"") + stop_of(reply) + "\"}");
  add("metadata", "{" + usage_of(request, reply) + "}");
  return out;
}

std::string error(int, std::string_view message) { return "{\"message\":" + mock_quoted(message) + "}"; }
std::string stream_error(std::string_view message) { return mock_aws_message("internalServerException", error(500, message)); }

// Written apart from src/wire, bit by bit.
uint32_t checksum(std::string_view bytes) {
  uint32_t crc = 0xFFFFFFFFu;
  for (const char c : bytes) {
    crc ^= uint8_t(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? (crc >> 1) ^ 0xEDB88320u : crc >> 1;
  }
  return crc ^ 0xFFFFFFFFu;
}

void append_number(std::string& out, size_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out.push_back(char(value >> shift));
}

}  // namespace

std::string mock_aws_message(std::string_view name, std::string_view payload) {
  const bool exception = name.ends_with("Exception");
  std::string headers;
  for (const auto& [key, value] : {std::pair<std::string_view, std::string_view>{exception ? ":exception-type" : ":event-type", name},
                                   {":content-type", "application/json"},
                                   {":message-type", exception ? "exception" : "event"}}) {
    append_number(headers, key.size(), 1);
    headers.append(key);
    append_number(headers, 7, 1);  // a string
    append_number(headers, value.size(), 2);
    headers.append(value);
  }
  std::string out;
  append_number(out, 16 + headers.size() + payload.size(), 4);
  append_number(out, headers.size(), 4);
  append_number(out, checksum(out), 4);
  out.append(headers).append(payload);
  append_number(out, checksum(out), 4);
  return out;
}

const MockSpeaker& bedrock_speaker() {
  static constexpr MockSpeaker kSpeaker{MockDialect::kBedrock, "application/vnd.amazon.eventstream", 3, takes, read, body,
                                        frames, error, stream_error, "these bytes are no message of an event stream"};
  return kSpeaker;
}

}  // namespace ajar::app
