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
  if (!array) return;
  for (const auto item : *array) {
    const auto tool = json::as_object(item);
    const auto spec = tool ? inner(*tool, "toolSpec") : std::nullopt;
    if (!spec) continue;
    MockCall& one = request.tools.emplace_back();
    one.tool = std::string(json::string_or(*spec, "name"));
    const auto schema = inner(*spec, "inputSchema");
    const auto value = schema ? json::find(*schema, "json") : std::nullopt;
    if (value) one.arguments = json::raw(*value);
  }
  if (request.tools.empty()) return;
  request.tool = request.tools[0].tool;
  request.tool_schema = request.tools[0].arguments;
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
  std::string block;
  if (!reply.thought.empty()) {
    block = "{\"reasoningContent\":{\"reasoningText\":{\"text\":" + mock_quoted(reply.thought) + ",\"signature\":" +
            mock_quoted(kMockSignature) + "}}},";
  }
  if (reply.tool.empty()) block += "{\"text\":" + mock_quoted(mock_text(reply)) + "}";
  int number = 0;
  for (const MockCall& call : mock_calls(reply)) {
    if (++number > 1) block += ",";
    block += "{\"toolUse\":{\"toolUseId\":\"tooluse_mock" + std::to_string(number) + "\",\"name\":" + mock_quoted(call.tool) +
             ",\"input\":" + call.arguments + "}}";
  }
  return "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[" + block + "]}},\"stopReason\":\"" + stop_of(reply) +
         "\"," + usage_of(request, reply) + "}";
}

std::vector<std::string> frames(const MockRequest& request, const MockReply& reply) {
  std::vector<std::string> out;
  const auto add = [&](std::string_view name, const std::string& payload) { out.push_back(mock_aws_message(name, payload)); };
  add("messageStart", "{\"role\":\"assistant\",\"p\":\"abc\"}");
  int index = 0;
  std::string at = "{\"contentBlockIndex\":0";
  const auto delta = [&](const std::string& what) { add("contentBlockDelta", at + ",\"delta\":{" + what + "}}"); };
  const auto close = [&] {
    add("contentBlockStop", at + "}");
    at = "{\"contentBlockIndex\":" + std::to_string(++index);
  };
  if (!reply.thought.empty()) {
    delta("\"reasoningContent\":{\"text\":" + mock_quoted(reply.thought) + "}");
    delta("\"reasoningContent\":{\"signature\":" + mock_quoted(kMockSignature) + "}");
    close();
  }
  for (const MockCall& call : mock_calls(reply)) {
    add("contentBlockStart", at + ",\"start\":{\"toolUse\":{\"toolUseId\":\"tooluse_mock" + std::to_string(index + 1) +
                                 "\",\"name\":" + mock_quoted(call.tool) + "}}}");
    const size_t half = call.arguments.size() / 2;
    for (const auto& piece : {call.arguments.substr(0, half), call.arguments.substr(half)}) {
      delta("\"toolUse\":{\"input\":" + mock_quoted(piece) + "}");
    }
    close();
  }
  for (const auto& token : reply.tokens) delta("\"text\":" + mock_quoted(token));
  if (!reply.tokens.empty()) close();
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
