#include "wire/anthropic/message_read.h"

#include <optional>

#include "wire/anthropic/origin.h"

namespace ajar::wire::anthropic {
namespace {

enum Member {
  kType,
  kText,
  kCacheControl,
  kCitations,
  kSource,
  kTitle,
  kThinking,
  kSignature,
  kData,
  kId,
  kName,
  kInput,
  kToolUseId,
  kContent,
  kIsError,
  kMemberCount
};
constexpr std::array<std::string_view, kMemberCount> kMembers = {
    "type", "text", "cache_control", "citations", "source",      "title",   "thinking", "signature",
    "data", "id",   "name",          "input",     "tool_use_id", "content", "is_error"};
using BlockFields = Fields<kMemberCount>;

// Which call has which name.
using Calls = std::vector<std::pair<std::string, std::string>>;

Status read_content(const json::Value& value, const Path& path, Calls& calls,
                    std::vector<Part>& parts, bool& plain_text);

Status string_field(const BlockFields& fields, Member which, const Path& path, std::string& out) {
  if (!fields.has(which)) return missing(path / kMembers[which]);
  AJAR_ASSIGN(out, need_string(fields[which], path / kMembers[which]));
  return {};
}

// A block that we know only as a whole; no other dialect is sent it.
void opaque(const json::Value& block, Part& part) {
  part = Part{.kind = Part::Kind::kOpaque, .origin = DialectId::kAnthropic};
  part.raw = json::raw(block);
}

// A document made of blocks: its text for others, the whole of it for the Messages API itself, which counts citations
// in blocks. With anything but text inside it is only for that.
Status read_block_document(const json::Value& content, const json::Value& block, const Path& path,
                           Part& part) {
  if (const auto text = json::as_string(content)) {
    part.text = *text;
  } else {
    AJAR_ASSIGN(const auto list, need_array(content, path));
    for (const auto item : list) {
      const auto object = json::as_object(item);
      if (!object || json::string_or(*object, "type") != "text") {
        opaque(block, part);
        return {};
      }
      if (!part.text.empty()) part.text.push_back('\n');
      part.text += json::string_or(*object, "text");
    }
  }
  part.raw = json::raw(block);
  return {};
}

// {"type": "base64" | "url" | "file" | "text" | "content", ...} of an image or a document.
Status read_source(const json::Value& value, const json::Value& block, const Path& path,
                   Part& part) {
  static constexpr std::array<std::string_view, 6> kNames = {"type", "media_type", "data",
                                                             "url",  "file_id",    "content"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<6> fields(object, kNames);
  const auto text = [&](size_t which, std::string& out) -> Status {
    if (!fields.has(which)) return missing(path / kNames[which]);
    AJAR_ASSIGN(out, need_string(fields[which], path / kNames[which]));
    return {};
  };
  if (!fields.has(0)) return missing(path / "type");
  AJAR_ASSIGN(const auto type, need_string(fields[0], path / "type"));
  part.inner_extra = fields.extra();
  if (type == "base64") {
    AJAR_TRY(text(1, part.media_type));
    return text(2, part.data);
  }
  if (type == "url") return text(3, part.url);
  if (type == "file") return text(4, part.file_id);
  if (type == "text" && part.kind == Part::Kind::kFile) {
    if (fields.has(1)) AJAR_TRY(text(1, part.media_type));
    return text(2, part.text);
  }
  if (type == "content" && part.kind == Part::Kind::kFile) {
    if (!fields.has(5)) return missing(path / "content");
    return read_block_document(fields[5], block, path / "content", part);
  }
  return invalid((path / "type").str(),
                 "'" + (path / "type").str() + "' must be base64, url, file" +
                     (part.kind == Part::Kind::kFile ? ", text or content" : ""));
}

Status read_tool_use(const BlockFields& fields, const Path& path, Calls& calls, Part& part) {
  part.kind = Part::Kind::kToolCall;
  AJAR_TRY(string_field(fields, kId, path, part.id));
  AJAR_TRY(string_field(fields, kName, path, part.name));
  part.arguments = "{}";
  if (fields.has(kInput)) {
    if (!fields[kInput].is_object()) return wrong_type(path / "input", "an object", fields[kInput]);
    part.arguments = json::raw(fields[kInput]);
  }
  calls.emplace_back(part.id, part.name);
  // Where our own answers put a signature of Gemini's, as its OpenAI-compatible endpoint does.
  for (const auto& [name, value] : fields.unknown()) {
    if (name != "extra_content") continue;
    if (auto signature = google_signature(value); !signature.empty()) {
      part.signature = std::move(signature);
      part.origin = DialectId::kGemini;
    }
  }
  return {};
}

Status read_tool_result(const BlockFields& fields, const Path& path, Calls& calls, Part& part) {
  part.kind = Part::Kind::kToolResult;
  AJAR_TRY(string_field(fields, kToolUseId, path, part.id));
  for (auto call = calls.rbegin(); call != calls.rend() && part.name.empty(); ++call) {
    if (call->first == part.id) part.name = call->second;
  }
  if (fields.has(kIsError)) {
    AJAR_ASSIGN(part.is_error, need_bool(fields[kIsError], path / "is_error"));
  }
  if (!fields.has(kContent)) return {};
  bool plain = false;
  return read_content(fields[kContent], path / "content", calls, part.content, plain);
}

Status read_block(const json::Value& item, const Path& path, Calls& calls, Part& part) {
  AJAR_ASSIGN(const auto object, need_object(item, path));
  const BlockFields fields(object, kMembers);
  if (!fields.has(kType)) return missing(path / "type");
  AJAR_ASSIGN(const auto type, need_string(fields[kType], path / "type"));
  part.origin = DialectId::kAnthropic;
  if (type == "text") {
    AJAR_TRY(string_field(fields, kText, path, part.text));
  } else if (type == "image" || type == "document") {
    part.kind = type == "image" ? Part::Kind::kImage : Part::Kind::kFile;
    if (!fields.has(kSource)) return missing(path / "source");
    if (fields.has(kTitle)) {
      AJAR_ASSIGN(part.name, need_string(fields[kTitle], path / "title"));
    }
    AJAR_TRY(read_source(fields[kSource], item, path / "source", part));
    if (part.kind == Part::Kind::kOpaque) return {};
  } else if (type == "thinking") {
    part.kind = Part::Kind::kThought;
    AJAR_TRY(string_field(fields, kThinking, path, part.text));
    if (fields.has(kSignature)) {
      AJAR_ASSIGN(const auto signature, need_string(fields[kSignature], path / "signature"));
      part.origin = unmark_signature(signature, part.signature);
    }
  } else if (type == "redacted_thinking") {
    part.kind = Part::Kind::kThought;
    part.redacted = true;
    std::string data;
    AJAR_TRY(string_field(fields, kData, path, data));
    part.origin = unmark_signature(data, part.data);
  } else if (type == "tool_use") {
    AJAR_TRY(read_tool_use(fields, path, calls, part));
  } else if (type == "tool_result") {
    AJAR_TRY(read_tool_result(fields, path, calls, part));
  } else {  // search results, server tools and what is not born yet
    opaque(item, part);
    return {};
  }
  if (fields.has(kCacheControl)) part.cache_control = json::raw(fields[kCacheControl]);
  if (fields.has(kCitations)) part.citations = json::raw(fields[kCitations]);
  if (fields.has_unknown()) part.extra = fields.extra();
  if (part.origin == DialectId::kGemini) part.extra = without_member(part.extra, "extra_content");
  return {};
}

// `content`: a string or an array of blocks.
Status read_content(const json::Value& value, const Path& path, Calls& calls,
                    std::vector<Part>& parts, bool& plain_text) {
  if (const auto text = json::as_string(value)) {
    plain_text = true;
    if (text->empty()) return {};
    Part& part = parts.emplace_back();
    part.origin = DialectId::kAnthropic;
    part.text = *text;
    return {};
  }
  const auto array = json::as_array(value);
  if (!array) return wrong_type(path, "a string or an array of blocks", value);
  parts.reserve(array->size());
  size_t index = 0;
  for (const auto item : *array) {
    AJAR_TRY(read_block(item, path[index], calls, parts.emplace_back()));
    ++index;
  }
  return {};
}

Status read_message(const json::Value& value, const Path& path, Calls& calls, Message& message) {
  static constexpr std::array<std::string_view, 2> kNames = {"role", "content"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<2> fields(object, kNames);
  message.origin = DialectId::kAnthropic;
  if (fields.has_unknown()) message.extra = fields.extra();
  if (!fields.has(0)) return missing(path / "role");
  AJAR_ASSIGN(const auto role, need_string(fields[0], path / "role"));
  if (role == "assistant") {
    message.role = Role::kAssistant;
  } else if (role == "system") {  // https://docs.claude.com/en/api/messages: between turns, in newer models
    message.role = Role::kSystem;
  } else if (role != "user") {
    return invalid((path / "role").str(),
                   "'" + (path / "role").str() + "' must be user, assistant or system");
  }
  if (!fields.has(1)) return missing(path / "content");
  return read_content(fields[1], path / "content", calls, message.parts, message.plain_text);
}

}  // namespace

Status read_system(const json::Value& value, const Path& path, std::vector<Message>& out) {
  Message message;
  message.role = Role::kSystem;
  message.origin = DialectId::kAnthropic;
  Calls calls;
  AJAR_TRY(read_content(value, path, calls, message.parts, message.plain_text));
  size_t index = 0;
  for (const Part& part : message.parts) {
    if (part.kind != Part::Kind::kText) {
      return invalid((path[index] / "type").str(), "'" + path.str() + "' can only hold text blocks");
    }
    ++index;
  }
  if (!message.parts.empty()) out.push_back(std::move(message));
  return {};
}

Status read_messages(const json::Value& value, const Path& path, std::vector<Message>& out) {
  AJAR_ASSIGN(const auto array, need_array(value, path));
  if (array.begin() == array.end()) return invalid(path.str(), "'messages' must not be empty");
  out.reserve(out.size() + array.size());
  Calls calls;
  size_t index = 0;
  for (const auto item : array) {
    AJAR_TRY(read_message(item, path[index], calls, out.emplace_back()));
    ++index;
  }
  return {};
}

}  // namespace ajar::wire::anthropic
