#include "wire/openai/message_read.h"

#include <optional>

#include "wire/media.h"

namespace ajar::wire::openai {
namespace {

enum Member {
  kRole,
  kContent,
  kName,
  kToolCalls,
  kToolCallId,
  kFunctionCall,
  kRefusal,
  kReasoningContent,
  kReasoning,
  kThinkingBlocks,
  kCacheControl,
  kMemberCount
};
constexpr std::array<std::string_view, kMemberCount> kMembers = {
    "role",    "content",           "name",      "tool_calls",      "tool_call_id", "function_call",
    "refusal", "reasoning_content", "reasoning", "thinking_blocks", "cache_control"};
using MessageFields = Fields<kMemberCount>;

enum PartMember {
  kType,
  kText,
  kRefusalText,
  kImageUrl,
  kInputAudio,
  kFile,
  kPartCache,
  kThinkingText,
  kPartCount
};
constexpr std::array<std::string_view, kPartCount> kPartMembers = {
    "type", "text", "refusal", "image_url", "input_audio", "file", "cache_control", "thinking"};

// What this reader knows of the conversation so far: which call has which name, and the ids that
// legacy function calls, which have none, were given.
struct Seen {
  std::vector<std::pair<std::string, std::string>> calls;  // id, name
  size_t legacy = 0;

  std::string name_of(std::string_view id) const {
    for (auto call = calls.rbegin(); call != calls.rend(); ++call) {
      if (call->first == id) return call->second;
    }
    return {};
  }
  std::string id_of(std::string_view name) const {
    for (auto call = calls.rbegin(); call != calls.rend(); ++call) {
      if (call->second == name) return call->first;
    }
    return {};
  }
};

Status read_image(const json::Value& value, const Path& path, Part& part) {
  static constexpr std::array<std::string_view, 2> kNames = {"url", "detail"};
  part.kind = Part::Kind::kImage;
  std::string_view url;
  if (const auto text = json::as_string(value)) {  // Mistral's short form
    url = *text;
  } else {
    const auto object = json::as_object(value);
    if (!object) return wrong_type(path, "an object", value);
    const Fields<2> fields(*object, kNames);
    if (!fields.has(0)) return missing(path / "url");
    AJAR_ASSIGN(url, need_string(fields[0], path / "url"));
    if (fields.has(1)) {
      AJAR_ASSIGN(part.detail, need_string(fields[1], path / "detail"));
    }
    part.inner_extra = fields.extra();
  }
  if (url.empty()) return invalid((path / "url").str(), "the image has an empty url");
  if (!split_data_uri(url, part.media_type, part.data)) part.url = url;
  return {};
}

Status read_audio(const json::Value& value, const Path& path, Part& part) {
  static constexpr std::array<std::string_view, 2> kNames = {"data", "format"};
  part.kind = Part::Kind::kAudio;
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<2> fields(object, kNames);
  if (!fields.has(0)) return missing(path / "data");
  AJAR_ASSIGN(part.data, need_string(fields[0], path / "data"));
  if (fields.has(1)) {
    AJAR_ASSIGN(const auto format, need_string(fields[1], path / "format"));
    part.media_type.assign("audio/").append(format);
  }
  part.inner_extra = fields.extra();
  return {};
}

Status read_file(const json::Value& value, const Path& path, Part& part) {
  static constexpr std::array<std::string_view, 3> kNames = {"file_data", "file_id", "filename"};
  part.kind = Part::Kind::kFile;
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<3> fields(object, kNames);
  if (fields.has(0)) {
    AJAR_ASSIGN(const auto data, need_string(fields[0], path / "file_data"));
    if (data.starts_with("http://") || data.starts_with("https://")) {
      part.url = data;
    } else if (!split_data_uri(data, part.media_type, part.data)) {
      part.data = data;
    }
  }
  if (fields.has(1)) {
    AJAR_ASSIGN(part.file_id, need_string(fields[1], path / "file_id"));
  }
  if (fields.has(2)) {
    AJAR_ASSIGN(part.name, need_string(fields[2], path / "filename"));
  }
  if (!fields.has(0) && !fields.has(1)) {
    return invalid(path.str(), "'" + path.str() + "' needs file_data or file_id");
  }
  part.inner_extra = fields.extra();
  return {};
}

// Mistral's {"type":"thinking","thinking":[{"type":"text","text":"..."}]}, the only thought inside
// content.
bool read_content_thought(const json::Value& value, Part& part) {
  const auto chunks = json::as_array(value);
  if (!chunks) return false;
  for (const auto chunk : *chunks) {
    const auto object = json::as_object(chunk);
    if (!object || json::string_or(*object, "type") != "text") return false;
    part.text += json::string_or(*object, "text");
  }
  part.kind = Part::Kind::kThought;
  part.detail = "content";
  return true;
}

Status read_part(const json::Value& item, const Path& path, Part& part) {
  AJAR_ASSIGN(const auto object, need_object(item, path));
  const Fields<kPartCount> fields(object, kPartMembers);
  if (!fields.has(kType)) return missing(path / "type");
  AJAR_ASSIGN(const auto type, need_string(fields[kType], path / "type"));
  part.origin = DialectId::kOpenAiChat;
  const auto need = [&](PartMember which) -> Status {
    if (!fields.has(which)) return missing(path / kPartMembers[which]);
    return {};
  };
  if (type == "text") {
    AJAR_TRY(need(kText));
    AJAR_ASSIGN(part.text, need_string(fields[kText], path / "text"));
  } else if (type == "refusal") {
    AJAR_TRY(need(kRefusalText));
    part.kind = Part::Kind::kRefusal;
    AJAR_ASSIGN(part.text, need_string(fields[kRefusalText], path / "refusal"));
  } else if (type == "image_url") {
    AJAR_TRY(need(kImageUrl));
    AJAR_TRY(read_image(fields[kImageUrl], path / "image_url", part));
  } else if (type == "input_audio") {
    AJAR_TRY(need(kInputAudio));
    AJAR_TRY(read_audio(fields[kInputAudio], path / "input_audio", part));
  } else if (type == "file") {
    AJAR_TRY(need(kFile));
    AJAR_TRY(read_file(fields[kFile], path / "file", part));
  } else if (type == "thinking" && fields.has(kThinkingText) &&
             read_content_thought(fields[kThinkingText], part)) {
  } else {  // blocks of other servers: video_url, document_url, reference, ...
    part = Part{.kind = Part::Kind::kOpaque, .origin = DialectId::kOpenAiChat};
    part.raw = json::raw(item);
    return {};
  }
  if (fields.has(kPartCache)) part.cache_control = json::raw(fields[kPartCache]);
  part.extra = fields.extra();
  return {};
}

// `content`: a string, an array of parts, or null.
Status read_content(const json::Value& value, const Path& path, std::vector<Part>& parts,
                    bool& plain_text) {
  if (const auto text = json::as_string(value)) {
    plain_text = true;
    if (!text->empty()) {
      Part& part = parts.emplace_back();
      part.origin = DialectId::kOpenAiChat;
      part.text = *text;
    }
    return {};
  }
  const auto array = json::as_array(value);
  if (!array) return wrong_type(path, "a string or an array of parts", value);
  size_t index = 0;
  for (const auto item : *array) {
    AJAR_TRY(read_part(item, path[index], parts.emplace_back()));
    ++index;
  }
  return {};
}

std::string_view signature_of(const json::Value& extra_content) {
  const auto outer = json::as_object(extra_content);
  if (!outer) return {};
  const auto google = json::find(*outer, "google");
  const auto inner = google ? json::as_object(*google) : std::nullopt;
  return inner ? json::string_or(*inner, "thought_signature") : std::string_view();
}

// {"id","type","function":{"name","arguments"}}; extra_content is Google's place for a signature.
Status read_tool_call(const json::Value& item, const Path& path, Part& part) {
  static constexpr std::array<std::string_view, 4> kNames = {"id", "type", "function",
                                                             "cache_control"};
  static constexpr std::array<std::string_view, 2> kFunction = {"name", "arguments"};
  static constexpr std::array<std::string_view, 2> kCustom = {"name", "input"};
  AJAR_ASSIGN(const auto object, need_object(item, path));
  const Fields<4> fields(object, kNames);
  part.kind = Part::Kind::kToolCall;
  part.origin = DialectId::kOpenAiChat;
  if (fields.has(0)) {
    AJAR_ASSIGN(part.id, need_string(fields[0], path / "id"));
  }
  bool custom = false;
  if (fields.has(1)) {
    AJAR_ASSIGN(const auto type, need_string(fields[1], path / "type"));
    custom = type == "custom";
    if (!custom && type != "function") {
      return invalid((path / "type").str(), "a tool call is a \"function\" or \"custom\"");
    }
  }
  const std::string_view kind = custom ? "custom" : "function";
  const Path at = path / kind;
  std::optional<json::Value> body;
  if (!custom && fields.has(2)) body = fields[2];
  for (const auto& [name, value] : fields.unknown()) {
    if (custom && name == "custom") body = value;
  }
  if (!body) return missing(at);
  AJAR_ASSIGN(const auto inner_object, need_object(*body, at));
  const Fields<2> inner(inner_object, custom ? kCustom : kFunction);
  if (!inner.has(0)) return missing(at / "name");
  AJAR_ASSIGN(part.name, need_string(inner[0], at / "name"));
  if (inner.has(1)) {
    if (const auto text = json::as_string(inner[1])) {
      part.arguments = *text;
    } else if (!custom && json::as_object(inner[1])) {
      part.arguments = json::raw(inner[1]);  // Ollama's habit
    } else {
      return wrong_type(at / (custom ? "input" : "arguments"), "a string", inner[1]);
    }
  }
  if (part.arguments.empty() && !custom) part.arguments = "{}";
  part.inner_extra = inner.extra();
  if (custom) part.extra = "\"type\":\"custom\"";
  for (const auto& [name, value] : fields.unknown()) {
    if (custom && name == "custom") continue;
    if (name == "extra_content") {
      if (const auto signature = signature_of(value); !signature.empty()) {
        part.signature = signature;
        part.origin = DialectId::kGemini;
        if (json::Object(value.get_object().value_unsafe()).size() == 1 &&
            json::Object(
                value.get_object().value_unsafe().at_key("google").get_object().value_unsafe())
                    .size() == 1) {
          continue;  // nothing but the signature
        }
      }
    }
    add_member(part.extra, name, value);
  }
  if (fields.has(3)) part.cache_control = json::raw(fields[3]);
  return {};
}

// LiteLLM's thinking_blocks. `provider` is ours: whose signature it is, where it is not
// Anthropic's.
Status read_thinking_blocks(const json::Value& value, const Path& path, std::vector<Part>& parts) {
  static constexpr std::array<std::string_view, 6> kNames = {"type", "thinking",      "signature",
                                                             "data", "cache_control", "provider"};
  AJAR_ASSIGN(const auto array, need_array(value, path));
  size_t index = 0;
  for (const auto item : array) {
    const Path at = path[index++];
    AJAR_ASSIGN(const auto object, need_object(item, at));
    const Fields<6> fields(object, kNames);
    Part& part = parts.emplace_back();
    part.kind = Part::Kind::kThought;
    part.detail = "thinking_blocks";
    part.origin = DialectId::kAnthropic;
    if (fields.has(5)) {
      AJAR_ASSIGN(const auto provider, need_string(fields[5], at / "provider"));
      const DialectId maker = dialect_of_name(provider);
      part.origin = maker == DialectId::kNone ? DialectId::kAnthropic : maker;
    }
    if (!fields.has(0)) return missing(at / "type");
    AJAR_ASSIGN(const auto type, need_string(fields[0], at / "type"));
    part.redacted = type == "redacted_thinking";
    if (fields.has(1)) {
      AJAR_ASSIGN(part.text, need_string(fields[1], at / "thinking"));
    }
    if (fields.has(2)) {
      AJAR_ASSIGN(part.signature, need_string(fields[2], at / "signature"));
    }
    if (fields.has(3)) {
      AJAR_ASSIGN(part.data, need_string(fields[3], at / "data"));
    }
    if (fields.has(4)) part.cache_control = json::raw(fields[4]);
    part.extra = fields.extra();
  }
  return {};
}

// Thoughts stand before the text. One of the forms becomes parts; the others repeat it and are only
// kept.
Status read_thoughts(const MessageFields& fields, const Path& path, Message& message) {
  bool taken = false;
  if (fields.has(kThinkingBlocks)) {
    AJAR_TRY(
        read_thinking_blocks(fields[kThinkingBlocks], path / "thinking_blocks", message.parts));
    taken = !message.parts.empty();
  }
  for (const Member which : {kReasoningContent, kReasoning}) {
    if (!fields.has(which)) continue;
    const auto text = json::as_string(fields[which]);
    if (!text || taken) {
      add_member(message.extra, kMembers[which], fields[which]);
      continue;
    }
    taken = true;
    Part& part = message.parts.emplace_back();
    part.kind = Part::Kind::kThought;
    part.origin = DialectId::kOpenAiChat;
    part.text = *text;
    part.detail = kMembers[which];
  }
  return {};
}

Status read_calls(const MessageFields& fields, const Path& path, Message& message, Seen& seen) {
  if (fields.has(kToolCalls)) {
    const Path at = path / "tool_calls";
    AJAR_ASSIGN(const auto calls, need_array(fields[kToolCalls], at));
    size_t index = 0;
    for (const auto call : calls) {
      Part& part = message.parts.emplace_back();
      AJAR_TRY(read_tool_call(call, at[index], part));
      seen.calls.emplace_back(part.id, part.name);
      ++index;
    }
  }
  if (fields.has(kFunctionCall)) {  // before tools there were functions
    const Path at = path / "function_call";
    AJAR_ASSIGN(const auto object, need_object(fields[kFunctionCall], at));
    const auto name = json::find(object, "name");
    if (!name) return missing(at / "name");
    Part& part = message.parts.emplace_back();
    part.kind = Part::Kind::kToolCall;
    part.origin = DialectId::kOpenAiChat;
    AJAR_ASSIGN(part.name, need_string(*name, at / "name"));
    part.arguments = json::string_or(object, "arguments", "{}");
    part.id = "call_function_" + std::to_string(seen.legacy++);
    seen.calls.emplace_back(part.id, part.name);
  }
  return {};
}

Status read_tool_message(const MessageFields& fields, const Path& path, bool legacy,
                         const Seen& seen, Message& message) {
  message.role = Role::kTool;
  Part result{.kind = Part::Kind::kToolResult, .origin = DialectId::kOpenAiChat};
  if (legacy) {
    if (message.name.empty()) return missing(path / "name");
    result.name = std::move(message.name);
    message.name.clear();
    result.id = seen.id_of(result.name);
  } else {
    if (!fields.has(kToolCallId)) return missing(path / "tool_call_id");
    AJAR_ASSIGN(result.id, need_string(fields[kToolCallId], path / "tool_call_id"));
    result.name = seen.name_of(result.id);
    if (result.name.empty()) result.name = message.name;
  }
  if (fields.has(kContent)) {
    AJAR_TRY(read_content(fields[kContent], path / "content", result.content, message.plain_text));
  } else {
    message.plain_text = true;
  }
  if (fields.has(kCacheControl)) result.cache_control = json::raw(fields[kCacheControl]);
  message.parts.push_back(std::move(result));
  return {};
}

Status read_message(const json::Value& value, const Path& path, Seen& seen, Message& message) {
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const MessageFields fields(object, kMembers);
  message.origin = DialectId::kOpenAiChat;
  if (!fields.has(kRole)) return missing(path / "role");
  AJAR_ASSIGN(const auto role, need_string(fields[kRole], path / "role"));
  message.extra = fields.extra();
  if (fields.has(kName)) {
    AJAR_ASSIGN(message.name, need_string(fields[kName], path / "name"));
  }
  if (role == "tool" || role == "function") {
    return read_tool_message(fields, path, role == "function", seen, message);
  }
  if (role == "system")
    message.role = Role::kSystem;
  else if (role == "developer")
    message.role = Role::kDeveloper;
  else if (role == "user")
    message.role = Role::kUser;
  else if (role == "assistant")
    message.role = Role::kAssistant;
  else {
    return invalid((path / "role").str(),
                   "'" + (path / "role").str() +
                       "' must be system, developer, user, assistant, tool or function");
  }
  const bool assistant = message.role == Role::kAssistant;
  if (assistant) AJAR_TRY(read_thoughts(fields, path, message));
  if (fields.has(kContent)) {
    AJAR_TRY(read_content(fields[kContent], path / "content", message.parts, message.plain_text));
  } else if (!assistant) {
    return missing(path / "content");
  }
  if (assistant) {
    if (fields.has(kRefusal)) {
      Part& part = message.parts.emplace_back();
      part.kind = Part::Kind::kRefusal;
      part.origin = DialectId::kOpenAiChat;
      part.detail = "refusal";
      AJAR_ASSIGN(part.text, need_string(fields[kRefusal], path / "refusal"));
    }
    AJAR_TRY(read_calls(fields, path, message, seen));
  }
  // On a message it means "up to here", which is the last part.
  if (fields.has(kCacheControl) && !message.parts.empty() &&
      message.parts.back().cache_control.empty()) {
    message.parts.back().cache_control = json::raw(fields[kCacheControl]);
  }
  return {};
}

}  // namespace

Status read_messages(const json::Value& value, const Path& path, std::vector<Message>& out) {
  AJAR_ASSIGN(const auto array, need_array(value, path));
  if (array.begin() == array.end()) return invalid(path.str(), "'messages' must not be empty");
  out.reserve(array.size());
  Seen seen;
  size_t index = 0;
  for (const auto item : array) {
    AJAR_TRY(read_message(item, path[index], seen, out.emplace_back()));
    ++index;
  }
  return {};
}

}  // namespace ajar::wire::openai
