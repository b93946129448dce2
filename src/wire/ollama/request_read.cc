// POST /api/chat and /api/generate -> Request.
// https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion
#include <algorithm>

#include "json/read.h"
#include "wire/fields.h"
#include "wire/ollama/front.h"
#include "wire/outbound.h"

namespace ajar::wire::ollama {
namespace {

using PartKind = Part::Kind;

Status read_images(const json::Value& value, const Path& path, std::vector<Part>& parts) {
  AJAR_ASSIGN(const auto list, need_array(value, path));
  size_t i = 0;
  for (const json::Value item : list) {
    AJAR_ASSIGN(const auto data, need_string(item, path[i++]));
    Part part{.kind = PartKind::kImage};
    part.data = data;
    const auto type = sniff_media_type(part.data);
    part.media_type = type.empty() ? "image/png" : type;
    parts.push_back(std::move(part));
  }
  return {};
}

// Calls may lack ids, and results name their tool instead: ids are made here, so that every target can tell them apart.
class Calls {
 public:
  std::string open(std::string id, const std::string& name) {
    if (id.empty()) id = "call_" + std::to_string(++made_);
    waiting_.push_back({id, name});
    return id;
  }
  // The id of the call that a result answers, by id, by name, in order.
  std::string answer(std::string_view id, std::string_view name) {
    auto call = std::ranges::find(waiting_, id, &Call::id);
    if (id.empty()) {
      call = std::ranges::find(waiting_, name, &Call::name);
      if (call == waiting_.end() && name.empty()) call = waiting_.begin();
    }
    if (call == waiting_.end()) return id.empty() ? "call_" + std::to_string(++made_) : std::string(id);
    std::string found = call->id;
    waiting_.erase(call);
    return found;
  }

 private:
  struct Call {
    std::string id, name;
  };
  std::vector<Call> waiting_;
  int made_ = 0;
};

Status read_calls(const json::Value& value, const Path& path, Calls& calls, std::vector<Part>& parts) {
  AJAR_ASSIGN(const auto list, need_array(value, path));
  size_t i = 0;
  for (const json::Value item : list) {
    const Path at = path[i++];
    AJAR_ASSIGN(const auto call, need_object(item, at));
    const auto inner = json::find(call, "function");
    if (!inner) return missing(at / "function");
    AJAR_ASSIGN(const auto function, need_object(*inner, at / "function"));
    Part part{.kind = PartKind::kToolCall};
    part.name = json::string_or(function, "name");
    if (part.name.empty()) return missing(at / "function" / "name");
    part.id = calls.open(std::string(json::string_or(call, "id")), part.name);
    const auto arguments = json::find(function, "arguments");
    part.arguments = arguments ? json::raw(*arguments) : "{}";
    parts.push_back(std::move(part));
  }
  return {};
}

Status read_message(const json::Value& value, const Path& path, Calls& calls, Request& request) {
  static constexpr std::array<std::string_view, 7> kNames = {"role", "content", "images", "tool_calls", "tool_name",
                                                             "tool_call_id", "thinking"};
  enum { kRole, kContent, kImages, kToolCalls, kToolName, kToolCallId, kThinking };
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<7> fields(object, kNames);
  if (!fields.has(kRole)) return missing(path / "role");
  AJAR_ASSIGN(const auto role, need_string(fields[kRole], path / "role"));
  Message message;
  if (role == "system") message.role = Role::kSystem;
  else if (role == "user") message.role = Role::kUser;
  else if (role == "assistant") message.role = Role::kAssistant;
  else if (role == "tool") message.role = Role::kTool;
  else return invalid((path / "role").str(), "'" + (path / "role").str() + "' must be system, user, assistant or tool");
  std::string text;
  if (fields.has(kContent)) {
    AJAR_ASSIGN(text, need_string(fields[kContent], path / "content"));
  }
  std::vector<Part> parts;
  if (fields.has(kThinking)) {
    AJAR_ASSIGN(const auto thought, need_string(fields[kThinking], path / "thinking"));
    if (!thought.empty()) parts.push_back(Part{.kind = PartKind::kThought, .text = std::string(thought)});
  }
  if (!text.empty()) parts.push_back(Part{.text = std::move(text)});
  if (fields.has(kImages)) AJAR_TRY(read_images(fields[kImages], path / "images", parts));
  if (fields.has(kToolCalls)) AJAR_TRY(read_calls(fields[kToolCalls], path / "tool_calls", calls, parts));
  if (message.role == Role::kTool) {
    Part result{.kind = PartKind::kToolResult};
    if (fields.has(kToolName)) {
      AJAR_ASSIGN(result.name, need_string(fields[kToolName], path / "tool_name"));
    }
    std::string_view id;
    if (fields.has(kToolCallId)) {
      AJAR_ASSIGN(id, need_string(fields[kToolCallId], path / "tool_call_id"));
    }
    result.id = calls.answer(id, result.name);
    result.content = std::move(parts);
    parts.clear();
    parts.push_back(std::move(result));
  }
  message.parts = std::move(parts);
  message.plain_text = message.parts.size() == 1 && message.parts[0].kind == PartKind::kText;
  message.extra = fields.extra();
  request.messages.push_back(std::move(message));
  return {};
}

Status read_tools(const json::Value& value, const Path& path, Request& request) {
  AJAR_ASSIGN(const auto list, need_array(value, path));
  size_t i = 0;
  for (const json::Value item : list) {
    const Path at = path[i++];
    AJAR_ASSIGN(const auto object, need_object(item, at));
    if (const auto type = json::string_or(object, "type", "function"); type != "function") {
      return invalid((at / "type").str(), "'" + (at / "type").str() + "' must be function");
    }
    const auto inner = json::find(object, "function");
    if (!inner) return missing(at / "function");
    AJAR_ASSIGN(const auto function, need_object(*inner, at / "function"));
    Tool tool;
    tool.name = json::string_or(function, "name");
    if (tool.name.empty()) return missing(at / "function" / "name");
    tool.description = json::string_or(function, "description");
    if (const auto parameters = json::find(function, "parameters")) tool.parameters = json::raw(*parameters);
    request.tools.push_back(std::move(tool));
  }
  return {};
}

Status read_stop(const json::Value& value, const Path& path, Request& request) {
  if (const auto one = json::as_string(value)) {
    request.stop.emplace_back(*one);
    return {};
  }
  AJAR_ASSIGN(const auto list, need_array(value, path));
  size_t i = 0;
  for (const json::Value item : list) {
    AJAR_ASSIGN(const auto stop, need_string(item, path[i++]));
    request.stop.emplace_back(stop);
  }
  return {};
}

Status read_options(const json::Value& value, const Path& path, Request& request) {
  static constexpr std::array<std::string_view, 8> kNames = {
      "temperature", "top_p", "frequency_penalty", "presence_penalty", "top_k", "seed", "num_predict", "stop"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<8> fields(object, kNames);
  Sampling& s = request.sampling;
  std::optional<double>* const reals[] = {&s.temperature, &s.top_p, &s.frequency_penalty, &s.presence_penalty};
  for (size_t i = 0; i < 4; ++i) {
    if (!fields.has(i)) continue;
    AJAR_ASSIGN(*reals[i], need_number(fields[i], path / kNames[i]));
  }
  std::optional<int64_t> limit;
  std::optional<int64_t>* const wholes[] = {&s.top_k, &s.seed, &limit};
  for (size_t i = 0; i < 3; ++i) {
    if (!fields.has(4 + i)) continue;
    AJAR_ASSIGN(*wholes[i], need_int(fields[4 + i], path / kNames[4 + i]));
  }
  if (limit && *limit > 0) request.max_tokens = limit;  // -1 and -2: as long as it likes
  if (fields.has(7)) AJAR_TRY(read_stop(fields[7], path / "stop", request));
  if (fields.has_unknown()) add_member(request.extra, "options", "{" + fields.extra() + "}");
  return {};
}

Status read_format(const json::Value& value, const Path& path, Request& request) {
  if (const auto text = json::as_string(value)) {
    if (text->empty()) return {};
    if (*text != "json") return invalid("format", "'format' must be \"json\" or a JSON Schema");
    request.response_format.kind = ResponseFormat::Kind::kJsonObject;
    return {};
  }
  if (!value.is_object()) return wrong_type(path, "\"json\" or a JSON Schema", value);
  request.response_format.kind = ResponseFormat::Kind::kJsonSchema;
  request.response_format.name = "answer";
  request.response_format.schema = json::raw(value);
  return {};
}

Status read_think(const json::Value& value, const Path& path, Request& request) {
  Reasoning& reasoning = request.reasoning;
  reasoning.mode = Reasoning::Mode::kEffort;
  if (const auto flag = json::as_bool(value)) {
    if (*flag) reasoning.effort = "medium";
    else reasoning.mode = Reasoning::Mode::kOff;
    return {};
  }
  AJAR_ASSIGN(reasoning.effort, need_string(value, path));
  return {};
}

// What chat and generate have in common.
constexpr size_t kCommon = 8;
enum : size_t { kModel, kFormat, kOptions, kStream, kThink, kLogprobs, kTopLogprobs, kTools, kFirst, kSecond, kThird, kFourth,
                kFifth, kSixth };

template <size_t N>
Status read_common(const Fields<N>& fields, Request& request) {
  const Path root;
  request.dialect = DialectId::kOllama;
  request.stream = true;
  request.include_usage = true;
  request.extra = fields.extra();
  if (!fields.has(kModel)) return missing(root / "model");
  AJAR_ASSIGN(request.model, need_string(fields[kModel], root / "model"));
  if (request.model.empty()) return missing(root / "model");
  if (fields.has(kFormat)) AJAR_TRY(read_format(fields[kFormat], root / "format", request));
  if (fields.has(kOptions)) AJAR_TRY(read_options(fields[kOptions], root / "options", request));
  if (fields.has(kStream)) {
    AJAR_ASSIGN(request.stream, need_bool(fields[kStream], root / "stream"));
  }
  if (fields.has(kThink)) AJAR_TRY(read_think(fields[kThink], root / "think", request));
  if (fields.has(kLogprobs)) {
    AJAR_ASSIGN(request.logprobs, need_bool(fields[kLogprobs], root / "logprobs"));
  }
  if (fields.has(kTopLogprobs)) {
    AJAR_ASSIGN(request.top_logprobs, need_int(fields[kTopLogprobs], root / "top_logprobs"));
    AJAR_TRY(check_range(double(*request.top_logprobs), 0, 20, root / "top_logprobs"));
  }
  if (fields.has(kTools)) AJAR_TRY(read_tools(fields[kTools], root / "tools", request));
  return {};
}

}  // namespace

Result<Request> read_chat_request(std::string_view body) {
  static constexpr std::array<std::string_view, kCommon + 1> kNames = {
      "model", "format", "options", "stream", "think", "logprobs", "top_logprobs", "tools", "messages"};
  json::Document document;
  AJAR_ASSIGN(const auto object, document.parse_object(body));
  const Fields<kCommon + 1> fields(object, kNames);
  const Path root;
  Request request;
  AJAR_TRY(read_common(fields, request));
  if (!fields.has(kFirst)) return missing(root / "messages");
  AJAR_ASSIGN(const auto messages, need_array(fields[kFirst], root / "messages"));
  Calls calls;
  size_t m = 0;
  for (const json::Value message : messages) AJAR_TRY(read_message(message, (root / "messages")[m++], calls, request));
  if (request.messages.empty()) return invalid("messages", "'messages' is empty; there is no model to load here");
  return request;
}

Result<Request> read_generate_request(std::string_view body) {
  static constexpr std::array<std::string_view, kCommon + 7> kNames = {
      "model", "format", "options", "stream", "think", "logprobs", "top_logprobs", "tools",
      "prompt", "system", "images", "suffix", "template", "raw", "context"};
  json::Document document;
  AJAR_ASSIGN(const auto object, document.parse_object(body));
  const Fields<kCommon + 7> fields(object, kNames);
  const Path root;
  Request request;
  AJAR_TRY(read_common(fields, request));
  // What speaks to the model below its chat template, which only the server of the model can do.
  for (const size_t i : {kFourth, kFifth}) {
    if (fields.has(i) && !json::as_string(fields[i]).value_or("x").empty()) {
      return fail(Code::kUnsupported, "a gateway cannot do what `" + std::string(kNames[i]) + "` asks", std::string(kNames[i]));
    }
  }
  if (fields.has(kSixth) && json::as_bool(fields[kSixth]).value_or(true)) {
    return fail(Code::kUnsupported, "a gateway cannot send a prompt around the model's template", "raw");
  }
  if (constexpr size_t kContext = kSixth + 1; fields.has(kContext) && json::raw(fields[kContext]) != "[]") {
    return fail(Code::kUnsupported, "tokens of an earlier answer mean nothing here; use /api/chat", "context");
  }
  if (fields.has(kSecond)) {
    AJAR_ASSIGN(const auto system, need_string(fields[kSecond], root / "system"));
    if (!system.empty()) {
      request.messages.push_back({.role = Role::kSystem, .parts = {Part{.text = std::string(system)}}, .plain_text = true});
    }
  }
  Message message{.role = Role::kUser};
  if (!fields.has(kFirst)) return invalid("prompt", "'prompt' is required; there is no model to load here");
  AJAR_ASSIGN(const auto prompt, need_string(fields[kFirst], root / "prompt"));
  if (!prompt.empty()) message.parts.push_back(Part{.text = std::string(prompt)});
  if (fields.has(kThird)) AJAR_TRY(read_images(fields[kThird], root / "images", message.parts));
  message.plain_text = message.parts.size() == 1 && message.parts[0].kind == PartKind::kText;
  if (message.parts.empty()) return invalid("prompt", "'prompt' is empty; there is no model to load here");
  request.messages.push_back(std::move(message));
  return request;
}

}  // namespace ajar::wire::ollama
