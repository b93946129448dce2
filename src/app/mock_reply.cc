#include "app/mock_reply.h"

#include <cmath>
#include <cstring>

#include "app/mock_dialects.h"
#include "base/text.h"
#include "json/read.h"
#include "json/write.h"

namespace ajar::app {
namespace {

using json::Writer;

void sample(std::string& out, const json::Value& schema, int depth) {
  const auto object = json::as_object(schema);
  if (!object || depth > 8) {
    out += "null";
    return;
  }
  if (const auto values = json::find(*object, "enum")) {
    if (const auto list = json::as_array(*values); list && list->size() > 0) {
      return json::append_raw(out, list->at(0).value_unsafe());
    }
  }
  if (const auto value = json::find(*object, "const")) return json::append_raw(out, *value);
  for (const char* any : {"anyOf", "oneOf", "allOf"}) {
    if (const auto options = json::find(*object, any)) {
      if (const auto list = json::as_array(*options); list && list->size() > 0) {
        return sample(out, list->at(0).value_unsafe(), depth + 1);
      }
    }
  }
  std::string type = to_lower(json::string_or(*object, "type", "object"));
  if (const auto types = json::find(*object, "type")) {
    if (const auto list = json::as_array(*types); list && list->size() > 0) {
      type = std::string(json::as_string(list->at(0).value_unsafe()).value_or("string"));
    }
  }
  if (type == "string") {
    out += "\"mock\"";
  } else if (type == "integer") {
    out += "7";
  } else if (type == "number") {
    out += "7.5";
  } else if (type == "boolean") {
    out += "true";
  } else if (type == "null") {
    out += "null";
  } else if (type == "array") {
    out += "[";
    if (const auto items = json::find(*object, "items")) sample(out, *items, depth + 1);
    out += "]";
  } else {
    out += "{";
    if (const auto properties = json::find(*object, "properties")) {
      if (const auto members = json::as_object(*properties)) {
        bool first = true;
        for (const auto member : *members) {
          if (!first) out += ",";
          first = false;
          json::append_string(out, member.key);
          out += ":";
          sample(out, member.value, depth + 1);
        }
      }
    }
    out += "}";
  }
}

std::string frame(const std::string& data, std::string_view event = {}) {
  std::string out;
  if (!event.empty()) out.append("event: ").append(event).append("\n");
  return out.append("data: ").append(data).append("\n\n");
}

std::string text_of(const MockReply& reply) {
  std::string out;
  for (const auto& token : reply.tokens) out += token;
  return out;
}

int64_t output_tokens(const MockReply& reply) {
  return reply.tool.empty() ? int64_t(reply.tokens.size()) : 12;
}

// ---- OpenAI

void openai_usage(Writer& w, const MockRequest& request, const MockReply& reply) {
  const int64_t output = output_tokens(reply) * request.choices;
  w.begin_object();
  w.field("prompt_tokens", request.input_tokens);
  w.field("completion_tokens", output);
  w.field("total_tokens", request.input_tokens + output);
  w.raw_field("prompt_tokens_details", "{\"cached_tokens\":0}");
  w.raw_field("completion_tokens_details", "{\"reasoning_tokens\":0}");
  w.end_object();
}

const char* openai_finish(const MockReply& reply) {
  return !reply.tool.empty() ? "tool_calls" : reply.cut_by_length ? "length" : "stop";
}

std::string openai_body(const MockRequest& request, const MockReply& reply) {
  std::string out;
  Writer w(out);
  w.begin_object();
  w.field("id", "chatcmpl-mock");
  w.field("object", "chat.completion");
  w.field("created", 1'700'000'000);
  w.field("model", request.model);
  w.key("choices");
  w.begin_array();
  for (int64_t i = 0; i < request.choices; ++i) {
    w.begin_object();
    w.field("index", i);
    w.key("message");
    w.begin_object();
    w.field("role", "assistant");
    if (!reply.thought.empty()) w.field("reasoning_content", reply.thought);
    if (reply.tool.empty()) {
      w.field("content", text_of(reply));
    } else {
      w.null_field("content");
      w.key("tool_calls");
      w.begin_array();
      int number = 0;
      for (const MockCall& call : mock_calls(reply)) {
        w.begin_object();
        w.field("id", "call_mock" + std::to_string(++number));
        w.field("type", "function");
        w.key("function");
        w.begin_object();
        w.field("name", call.tool);
        w.field("arguments", call.arguments);
        w.end_object();
        w.end_object();
      }
      w.end_array();
    }
    w.null_field("refusal");
    w.end_object();
    w.null_field("logprobs");
    w.field("finish_reason", openai_finish(reply));
    w.end_object();
  }
  w.end_array();
  w.key("usage");
  openai_usage(w, request, reply);
  w.field("system_fingerprint", "fp_mock");
  w.end_object();
  return out;
}

std::string openai_chunk(const MockRequest& request, int64_t choice, const std::string& delta,
                         const char* finish) {
  std::string out;
  Writer w(out);
  w.begin_object();
  w.field("id", "chatcmpl-mock");
  w.field("object", "chat.completion.chunk");
  w.field("created", 1'700'000'000);
  w.field("model", request.model);
  w.field("system_fingerprint", "fp_mock");
  w.key("choices");
  w.begin_array();
  w.begin_object();
  w.field("index", choice);
  w.raw_field("delta", delta);
  w.null_field("logprobs");
  if (finish) w.field("finish_reason", finish);
  else w.null_field("finish_reason");
  w.end_object();
  w.end_array();
  if (request.include_usage) w.null_field("usage");
  w.end_object();
  return frame(out);
}

std::vector<std::string> openai_frames(const MockRequest& request, const MockReply& reply) {
  std::vector<std::string> frames;
  for (int64_t c = 0; c < request.choices; ++c) {
    frames.push_back(openai_chunk(request, c, "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}", nullptr));
  }
  for (int64_t c = 0; c < request.choices; ++c) {
    if (!reply.thought.empty()) {
      frames.push_back(openai_chunk(request, c, "{\"reasoning_content\":" + mock_quoted(reply.thought) + "}", nullptr));
    }
    for (const auto& token : reply.tokens) {
      std::string delta;
      Writer w(delta);
      w.begin_object();
      w.field("content", token);
      w.end_object();
      frames.push_back(openai_chunk(request, c, delta, nullptr));
    }
    int index = 0;
    for (const MockCall& call : mock_calls(reply)) {
      const std::string at = "{\"tool_calls\":[{\"index\":" + std::to_string(index) + ",";
      ++index;
      frames.push_back(openai_chunk(request, c, at + "\"id\":\"call_mock" + std::to_string(index) +
                                                    "\",\"type\":\"function\",\"function\":{\"name\":" +
                                                    mock_quoted(call.tool) + ",\"arguments\":\"\"}}]}", nullptr));
      const size_t half = call.arguments.size() / 2;
      for (const auto& piece : {call.arguments.substr(0, half), call.arguments.substr(half)}) {
        frames.push_back(openai_chunk(request, c, at + "\"function\":{\"arguments\":" + mock_quoted(piece) + "}}]}", nullptr));
      }
    }
    frames.push_back(openai_chunk(request, c, "{}", openai_finish(reply)));
  }
  if (request.include_usage) {
    std::string out;
    Writer w(out);
    w.begin_object();
    w.field("id", "chatcmpl-mock");
    w.field("object", "chat.completion.chunk");
    w.field("created", 1'700'000'000);
    w.field("model", request.model);
    w.raw_field("choices", "[]");
    w.key("usage");
    openai_usage(w, request, reply);
    w.end_object();
    frames.push_back(frame(out));
  }
  frames.push_back("data: [DONE]\n\n");
  return frames;
}

std::vector<float> embedding_of(const std::string& text, int64_t dimensions) { return mock_embedding(text, dimensions); }

std::string embeddings_body(const MockRequest& request) {
  std::string out;
  Writer w(out);
  w.begin_object();
  w.field("object", "list");
  w.key("data");
  w.begin_array();
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    const auto values = embedding_of(request.inputs[i], request.dimensions);
    w.begin_object();
    w.field("object", "embedding");
    w.field("index", int64_t(i));
    w.key("embedding");
    if (request.base64) {
      w.string(base64_encode({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)}));
    } else {
      w.begin_array();
      for (const float value : values) w.number(value);
      w.end_array();
    }
    w.end_object();
  }
  w.end_array();
  w.field("model", request.model);
  w.raw_field("usage", "{\"prompt_tokens\":" + std::to_string(request.input_tokens) + ",\"total_tokens\":" +
                           std::to_string(request.input_tokens) + "}");
  w.end_object();
  return out;
}

// ---- Anthropic

const char* anthropic_stop(const MockReply& reply) {
  return !reply.tool.empty() ? "tool_use" : reply.cut_by_length ? "max_tokens" : "end_turn";
}

std::string anthropic_usage(const MockRequest& request, int64_t output) {
  return "{\"input_tokens\":" + std::to_string(request.input_tokens) +
         ",\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"output_tokens\":" +
         std::to_string(output) + "}";
}

std::string anthropic_body(const MockRequest& request, const MockReply& reply) {
  std::string out;
  Writer w(out);
  w.begin_object();
  w.field("id", "msg_mock");
  w.field("type", "message");
  w.field("role", "assistant");
  w.field("model", request.model);
  w.key("content");
  w.begin_array();
  if (!reply.thought.empty()) {
    w.begin_object();
    w.field("type", "thinking");
    w.field("thinking", reply.thought);
    w.field("signature", kMockSignature);
    w.end_object();
  }
  if (reply.tool.empty()) {
    w.begin_object();
    w.field("type", "text");
    w.field("text", text_of(reply));
    w.end_object();
  }
  int number = 0;
  for (const MockCall& call : mock_calls(reply)) {
    w.begin_object();
    w.field("type", "tool_use");
    w.field("id", "toolu_mock" + std::to_string(++number));
    w.field("name", call.tool);
    w.raw_field("input", call.arguments);
    w.end_object();
  }
  w.end_array();
  w.field("stop_reason", anthropic_stop(reply));
  w.null_field("stop_sequence");
  w.raw_field("usage", anthropic_usage(request, output_tokens(reply)));
  w.end_object();
  return out;
}

std::vector<std::string> anthropic_frames(const MockRequest& request, const MockReply& reply) {
  std::vector<std::string> frames;
  const auto quoted = [](std::string_view text) { return mock_quoted(text); };
  const auto add = [&](const char* type, const std::string& rest) {
    frames.push_back(frame(std::string("{\"type\":\"") + type + "\"" + rest + "}", type));
  };
  add("message_start", ",\"message\":{\"id\":\"msg_mock\",\"type\":\"message\",\"role\":\"assistant\",\"model\":" +
                           quoted(request.model) + ",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,"
                           "\"usage\":" + anthropic_usage(request, 1) + "}");
  int index = 0;
  std::string at = ",\"index\":0";
  const auto close = [&] {
    add("content_block_stop", at);
    at = ",\"index\":" + std::to_string(++index);
  };
  const auto delta = [&](const std::string& type, const char* member, std::string_view text) {
    add("content_block_delta", at + ",\"delta\":{\"type\":\"" + type + "\",\"" + member + "\":" + quoted(text) + "}");
  };
  if (!reply.thought.empty()) {
    add("content_block_start", at + ",\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}");
    delta("thinking_delta", "thinking", reply.thought);
    delta("signature_delta", "signature", kMockSignature);
    close();
  }
  if (reply.tool.empty()) {
    add("content_block_start", at + ",\"content_block\":{\"type\":\"text\",\"text\":\"\"}");
    add("ping", "");
    for (const auto& token : reply.tokens) delta("text_delta", "text", token);
    close();
  }
  for (const MockCall& call : mock_calls(reply)) {
    add("content_block_start", at + ",\"content_block\":{\"type\":\"tool_use\",\"id\":\"toolu_mock" + std::to_string(index + 1) +
                                   "\",\"name\":" + quoted(call.tool) + ",\"input\":{}}");
    delta("input_json_delta", "partial_json", "");
    const size_t half = call.arguments.size() / 2;
    for (const auto& piece : {call.arguments.substr(0, half), call.arguments.substr(half)}) {
      if (!piece.empty() && call.arguments != "{}") delta("input_json_delta", "partial_json", piece);
    }
    close();
  }
  add("message_delta", std::string(",\"delta\":{\"stop_reason\":\"") + anthropic_stop(reply) +
                           "\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":" +
                           std::to_string(output_tokens(reply)) + "}");
  add("message_stop", "");
  return frames;
}

// ---- Gemini

std::string gemini_chunk(const MockRequest& request, const MockReply& reply, const std::string& parts,
                         bool last, int64_t output) {
  std::string out;
  Writer w(out);
  w.begin_object();
  w.key("candidates");
  w.begin_array();
  for (int64_t c = 0; c < request.choices; ++c) {
    w.begin_object();
    w.raw_field("content", "{\"parts\":[" + parts + "],\"role\":\"model\"}");
    if (last) w.field("finishReason", reply.cut_by_length ? "MAX_TOKENS" : "STOP");
    w.field("index", c);
    w.end_object();
  }
  w.end_array();
  w.raw_field("usageMetadata",
              "{\"promptTokenCount\":" + std::to_string(request.input_tokens) + ",\"candidatesTokenCount\":" +
                  std::to_string(output) + ",\"totalTokenCount\":" + std::to_string(request.input_tokens + output) + "}");
  w.field("modelVersion", request.model);
  w.field("responseId", "mock");
  w.end_object();
  return out;
}

std::string gemini_part(std::string_view text) {
  std::string out = "{\"text\":";
  json::append_string(out, text);
  return out + "}";
}

std::string gemini_calls(const MockReply& reply) {
  std::string out;
  for (const MockCall& call : mock_calls(reply)) {
    if (!out.empty()) out += ",";
    out += "{\"functionCall\":{\"name\":" + mock_quoted(call.tool) + ",\"args\":" + call.arguments +
           "},\"thoughtSignature\":\"bW9jaw==\"}";
  }
  return out;
}

std::string gemini_thought(const MockReply& reply) {
  return "{\"text\":" + mock_quoted(reply.thought) + ",\"thought\":true}";
}

std::vector<std::string> gemini_frames(const MockRequest& request, const MockReply& reply) {
  std::vector<std::string> frames;
  if (!reply.thought.empty()) frames.push_back(frame(gemini_chunk(request, reply, gemini_thought(reply), false, 0)));
  if (!reply.tool.empty()) {
    frames.push_back(frame(gemini_chunk(request, reply, gemini_calls(reply), true, output_tokens(reply))));
    return frames;
  }
  for (size_t i = 0; i < reply.tokens.size(); ++i) {
    frames.push_back(frame(gemini_chunk(request, reply, gemini_part(reply.tokens[i]),
                                        i + 1 == reply.tokens.size(), int64_t(i) + 1)));
  }
  return frames;
}

}  // namespace

// The same text always gives the same vector, of unit length.
std::vector<float> mock_embedding(const std::string& text, int64_t dimensions) {
  std::vector<float> values(size_t(dimensions > 0 ? dimensions : 8));
  uint64_t state = 1469598103934665603u;
  for (const char c : text) state = (state ^ static_cast<unsigned char>(c)) * 1099511628211u;
  double norm = 0;
  for (auto& value : values) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    value = float(int32_t(state >> 33) - (1 << 30)) / float(1 << 30);
    norm += double(value) * value;
  }
  for (auto& value : values) value = float(value / std::max(1e-9, std::sqrt(norm)));
  return values;
}

std::string sample_of_schema(std::string_view schema) {
  json::Document document;
  const auto value = document.parse(schema.empty() ? "{}" : schema);
  std::string out;
  if (!value) return "{}";
  sample(out, *value, 0);
  return out == "null" ? "{}" : out;
}

MockReply make_mock_reply(const MockRequest& request, int64_t tokens) {
  MockReply reply;
  if (request.think) reply.thought = "A simulated thought.";
  if (!request.tool.empty() && !request.after_tool) {
    reply.tool = request.tool;
    reply.arguments = sample_of_schema(request.tool_schema);
    if (request.last_text.find("two tools") == std::string::npos) return reply;
    for (const MockCall& other : request.tools) {
      if (other.tool != reply.tool) reply.more.push_back({other.tool, sample_of_schema(other.arguments)});
    }
    return reply;
  }
  if (request.tokens > 0) tokens = request.tokens;
  std::string text;
  if (!request.answer_schema.empty()) {
    text = sample_of_schema(request.answer_schema);
  } else if (request.json_object) {
    text = "{\"answer\":\"mock\"}";
  } else if (tokens > 0) {
    for (int64_t i = 0; i < tokens; ++i) {
      text += i == 0 ? "" : " ";
      text += request.clock ? "t=" + std::string(kClockMark) : "w" + std::to_string(i);
    }
  } else {
    text = "This is the Ajar simulator; no model has read this. You said: " + request.last_text;
  }
  // A token is a word with the space before it.
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find(' ', at + 1);
    if (end == text.npos) end = text.size();
    reply.tokens.push_back(text.substr(at, end - at));
    at = end;
  }
  if (request.max_tokens > 0 && int64_t(reply.tokens.size()) > request.max_tokens) {
    reply.tokens.resize(size_t(request.max_tokens));
    reply.cut_by_length = true;
  }
  return reply;
}

std::string mock_body(const MockRequest& request, const MockReply& reply) {
  if (const MockSpeaker* speaker = find_speaker(request.dialect)) return speaker->body(request, reply);
  switch (request.dialect) {
    case MockDialect::kAnthropic: return anthropic_body(request, reply);
    case MockDialect::kGemini:
      return gemini_chunk(request, reply,
                          (reply.thought.empty() ? "" : gemini_thought(reply) + ",") +
                              (reply.tool.empty() ? gemini_part(text_of(reply)) : gemini_calls(reply)),
                          true, output_tokens(reply));
    case MockDialect::kEmbeddings: return embeddings_body(request);
    case MockDialect::kGeminiEmbeddings: {
      std::string out = "{\"embeddings\":[";
      for (const auto& input : request.inputs) {
        if (out.back() != '[') out += ",";
        out += "{\"values\":[";
        for (const float value : embedding_of(input, request.dimensions)) {
          if (out.back() != '[') out += ",";
          json::append_double(out, value);
        }
        out += "]}";
      }
      return out + "]}";
    }
    case MockDialect::kResponses: return mock_responses_body(request, reply);
    case MockDialect::kCompletions: return mock_completions_body(request, reply);
    default: return openai_body(request, reply);
  }
}

std::vector<std::string> mock_frames(const MockRequest& request, const MockReply& reply) {
  if (const MockSpeaker* speaker = find_speaker(request.dialect)) return speaker->frames(request, reply);
  switch (request.dialect) {
    case MockDialect::kAnthropic: return anthropic_frames(request, reply);
    case MockDialect::kGemini: return gemini_frames(request, reply);
    case MockDialect::kResponses: return mock_responses_frames(request, reply);
    case MockDialect::kCompletions: return mock_completions_frames(request, reply);
    default: return openai_frames(request, reply);
  }
}

std::string_view mock_stream_type(MockDialect dialect) {
  const MockSpeaker* speaker = find_speaker(dialect);
  return speaker ? speaker->stream_type : "text/event-stream";
}

std::string mock_stream_error(MockDialect dialect, std::string_view message, bool first) {
  if (const MockSpeaker* speaker = find_speaker(dialect)) return speaker->stream_error(message);
  return frame(mock_error(dialect, 500, message), first && dialect == MockDialect::kAnthropic ? "error" : "");
}

std::string_view mock_garbage(MockDialect dialect, bool first) {
  if (const MockSpeaker* speaker = find_speaker(dialect)) return speaker->garbage;
  return first ? "data: {\"choices\": [oops\n\n: and\n\ndata: \xff\xfe\n\n" : "data: {\"oops\n\n";
}

size_t mock_first_tokens(MockDialect dialect) {
  const MockSpeaker* speaker = find_speaker(dialect);
  return speaker ? speaker->first_tokens : dialect == MockDialect::kAnthropic ? 5 : 3;
}

std::string mock_error(MockDialect dialect, int status, std::string_view message) {
  if (const MockSpeaker* speaker = find_speaker(dialect)) return speaker->error(status, message);
  std::string out;
  Writer w(out);
  w.begin_object();
  if (dialect == MockDialect::kAnthropic) w.field("type", "error");
  w.key("error");
  w.begin_object();
  if (dialect == MockDialect::kAnthropic) {
    w.field("type", status == 429 ? "rate_limit_error" : status == 529 ? "overloaded_error"
                    : status == 401 ? "authentication_error" : status >= 500 ? "api_error"
                                                                             : "invalid_request_error");
    w.field("message", message);
  } else if (dialect == MockDialect::kGemini) {
    w.field("code", status);
    w.field("message", message);
    w.field("status", status == 429 ? "RESOURCE_EXHAUSTED" : status >= 500 ? "INTERNAL" : "INVALID_ARGUMENT");
  } else {
    w.field("message", message);
    w.field("type", status == 429 ? "rate_limit_error" : status >= 500 ? "server_error" : "invalid_request_error");
    w.null_field("param");
    w.null_field("code");
  }
  w.end_object();
  w.end_object();
  return out;
}

}  // namespace ajar::app
