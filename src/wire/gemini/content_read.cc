#include "wire/gemini/content_read.h"

#include <algorithm>
#include <optional>

#include "wire/gemini/signature.h"

namespace ajar::wire::gemini {
namespace {

enum Member {
  kText,
  kThought,
  kSignature,
  kInlineData,
  kFileData,
  kFunctionCall,
  kFunctionResponse,
  kMemberCount
};
constexpr std::array<std::string_view, kMemberCount> kMembers = {
    "text",     "thought",      "thoughtSignature", "inlineData",
    "fileData", "functionCall", "functionResponse"};
using PartFields = Fields<kMemberCount, CamelName>;

struct Call {
  std::string id;
  std::string name;
};
struct Calls {
  std::vector<Call> open;  // not answered yet
  size_t made = 0;         // ids that we made up
};

template <size_t N>
Status string_field(const Fields<N, CamelName>& fields, size_t which, const Path& path, std::string& out) {
  if (!fields.has(which)) return {};
  AJAR_ASSIGN(out, need_string(fields[which], path));
  return {};
}

Part::Kind kind_of(std::string_view media_type) {
  if (media_type.starts_with("image/")) return Part::Kind::kImage;
  if (media_type.starts_with("audio/")) return Part::Kind::kAudio;
  return Part::Kind::kFile;
}

Status read_inline(const json::Value& value, const Path& path, Part& part) {
  static constexpr std::array<std::string_view, 3> kNames = {"mimeType", "data", "displayName"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<3, CamelName> fields(object, kNames);
  if (!fields.has(1)) return missing(path / "data");
  AJAR_TRY(string_field(fields, 0, path / "mimeType", part.media_type));
  AJAR_TRY(string_field(fields, 1, path / "data", part.data));
  AJAR_TRY(string_field(fields, 2, path / "displayName", part.name));
  part.kind = kind_of(part.media_type);
  part.inner_extra = fields.extra();
  return {};
}

// A file of Google's own (its Files API, Cloud Storage), or an address that anybody may read.
Status read_file(const json::Value& value, const Path& path, Part& part) {
  static constexpr std::array<std::string_view, 3> kNames = {"mimeType", "fileUri", "displayName"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<3, CamelName> fields(object, kNames);
  if (!fields.has(1)) return missing(path / "fileUri");
  AJAR_TRY(string_field(fields, 0, path / "mimeType", part.media_type));
  AJAR_TRY(string_field(fields, 2, path / "displayName", part.name));
  std::string uri;
  AJAR_TRY(string_field(fields, 1, path / "fileUri", uri));
  const bool web = uri.starts_with("http") && uri.find("generativelanguage.googleapis.com") == uri.npos;
  (web ? part.url : part.file_id) = std::move(uri);
  part.kind = kind_of(part.media_type);
  part.inner_extra = fields.extra();
  return {};
}

Status read_call(const json::Value& value, const Path& path, Calls& calls, Part& part) {
  static constexpr std::array<std::string_view, 3> kNames = {"id", "name", "args"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<3, CamelName> fields(object, kNames);
  part.kind = Part::Kind::kToolCall;
  if (!fields.has(1)) return missing(path / "name");
  AJAR_TRY(string_field(fields, 0, path / "id", part.id));
  AJAR_TRY(string_field(fields, 1, path / "name", part.name));
  part.arguments = "{}";
  if (fields.has(2)) {
    AJAR_TRY(need_object(fields[2], path / "args"));
    part.arguments = json::raw(fields[2]);
  }
  part.inner_extra = fields.extra();
  if (part.id.empty()) part.id = "call_" + std::to_string(++calls.made);
  calls.open.push_back({part.id, part.name});
  return {};
}

Status read_part(const json::Value& item, const Path& path, Calls& calls, Part& part);

Status read_response(const json::Value& value, const Path& path, Calls& calls, Part& part) {
  static constexpr std::array<std::string_view, 4> kNames = {"id", "name", "response", "parts"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<4, CamelName> fields(object, kNames);
  part.kind = Part::Kind::kToolResult;
  AJAR_TRY(string_field(fields, 0, path / "id", part.id));
  AJAR_TRY(string_field(fields, 1, path / "name", part.name));
  if (part.id.empty() && part.name.empty()) return missing(path / "name");
  auto call = std::ranges::find(calls.open, part.id, &Call::id);
  if (part.id.empty()) {
    call = std::ranges::find(calls.open, part.name, &Call::name);
    part.id = call == calls.open.end() ? "call_" + std::to_string(++calls.made) : call->id;
  }
  if (call != calls.open.end()) {
    if (part.name.empty()) part.name = call->name;
    calls.open.erase(call);
  }
  if (fields.has(2)) {
    AJAR_TRY(need_object(fields[2], path / "response"));
    Part& text = part.content.emplace_back();
    text.origin = DialectId::kGemini;
    text.text = json::raw(fields[2]);
  }
  if (fields.has(3)) {
    const Path at = path / "parts";
    AJAR_ASSIGN(const auto list, need_array(fields[3], at));
    size_t index = 0;
    for (const auto inner : list) {
      AJAR_TRY(read_part(inner, at[index], calls, part.content.emplace_back()));
      ++index;
    }
  }
  part.inner_extra = fields.extra();
  return {};
}

Status read_part(const json::Value& item, const Path& path, Calls& calls, Part& part) {
  AJAR_ASSIGN(const auto object, need_object(item, path));
  const PartFields fields(object, kMembers);
  part.origin = DialectId::kGemini;
  bool thought = false;
  if (fields.has(kThought)) {
    AJAR_ASSIGN(thought, need_bool(fields[kThought], path / "thought"));
  }
  if (fields.has(kFunctionCall)) {
    AJAR_TRY(read_call(fields[kFunctionCall], path / "functionCall", calls, part));
  } else if (fields.has(kFunctionResponse)) {
    AJAR_TRY(read_response(fields[kFunctionResponse], path / "functionResponse", calls, part));
  } else if (fields.has(kInlineData)) {
    AJAR_TRY(read_inline(fields[kInlineData], path / "inlineData", part));
  } else if (fields.has(kFileData)) {
    AJAR_TRY(read_file(fields[kFileData], path / "fileData", part));
  } else if (fields.has(kText)) {
    AJAR_ASSIGN(part.text, need_string(fields[kText], path / "text"));
    if (thought) part.kind = Part::Kind::kThought;
  } else if (!fields.has_unknown() && fields.has(kSignature)) {
    part.kind = thought ? Part::Kind::kThought : Part::Kind::kText;
  } else if (object.size() == 0) {
    return invalid(path.str(), "'" + path.str() + "' has no content");
  } else {  // executableCode, codeExecutionResult and what is not born yet
    part = Part{.kind = Part::Kind::kOpaque, .origin = DialectId::kGemini};
    part.raw = json::raw(item);
    return {};
  }
  if (fields.has(kSignature)) {
    AJAR_ASSIGN(const auto text, need_string(fields[kSignature], path / "thoughtSignature"));
    Signature signature = read_signature(text);
    part.signature = std::move(signature.text);
    if (part.kind == Part::Kind::kThought) {
      part.origin = signature.origin;
      part.redacted = signature.redacted;
      if (part.redacted) part.data = std::exchange(part.signature, {});
    } else if (signature.origin != DialectId::kGemini) {
      part.signature.clear();
    }
  }
  if (fields.has_unknown()) part.extra = fields.extra();
  return {};
}

// The pieces of a thought that came in a stream: the last one is signed for all.
void join_thoughts(std::vector<Part>& parts) {
  if (parts.size() < 2 || parts.back().kind != Part::Kind::kThought || parts.back().redacted ||
      parts.back().origin == DialectId::kGemini || parts.back().signature.empty())
    return;
  Part whole = std::move(parts.back());
  parts.pop_back();
  while (!parts.empty() && parts.back().kind == Part::Kind::kThought && parts.back().signature.empty() &&
         !parts.back().redacted) {
    whole.text.insert(0, parts.back().text);
    parts.pop_back();
  }
  parts.push_back(std::move(whole));
}

Status read_content(const json::Value& value, const Path& path, Calls& calls, std::vector<Message>& out) {
  static constexpr std::array<std::string_view, 2> kNames = {"role", "parts"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<2> fields(object, kNames);
  Role role = Role::kUser;
  if (fields.has(0)) {
    AJAR_ASSIGN(const auto word, need_string(fields[0], path / "role"));
    if (word == "model") {
      role = Role::kAssistant;
    } else if (word != "user" && word != "function" && !word.empty()) {
      return invalid((path / "role").str(), "'" + (path / "role").str() + "' must be user or model");
    }
  }
  // A client that stores a streamed reply piece by piece sends it as several contents.
  const bool joins = role == Role::kAssistant && !out.empty() && out.back().role == Role::kAssistant;
  Message& message = joins ? out.back() : out.emplace_back();
  message.role = role;
  message.origin = DialectId::kGemini;
  if (!fields.has(1)) return {};  // a model that said nothing
  const Path at = path / "parts";
  AJAR_ASSIGN(const auto list, need_array(fields[1], at));
  size_t index = 0;
  for (const auto item : list) {
    AJAR_TRY(read_part(item, at[index], calls, message.parts.emplace_back()));
    join_thoughts(message.parts);
    ++index;
  }
  return {};
}

}  // namespace

Status read_system(const json::Value& value, const Path& path, std::vector<Message>& out) {
  Calls calls;
  if (const auto text = json::as_string(value)) {
    if (text->empty()) return {};
    Message& message = out.emplace_back();
    message.parts.emplace_back().text = *text;
  } else {
    AJAR_ASSIGN(const auto object, need_object(value, path));
    Message& message = out.emplace_back();
    const auto list = json::find(object, "parts");
    if (list) {
      const Path at = path / "parts";
      if (list->is_object()) {  // proto3's JSON takes one for a list of one
        AJAR_TRY(read_part(*list, at, calls, message.parts.emplace_back()));
      } else {
        AJAR_ASSIGN(const auto parts, need_array(*list, at));
        size_t index = 0;
        for (const auto item : parts) {
          AJAR_TRY(read_part(item, at[index], calls, message.parts.emplace_back()));
          ++index;
        }
      }
    }
    for (const Part& part : message.parts) {
      if (part.kind != Part::Kind::kText)
        return invalid(path.str(), "'" + path.str() + "' can only hold text");
    }
  }
  Message& message = out.back();
  message.role = Role::kSystem;
  message.origin = DialectId::kGemini;
  for (Part& part : message.parts) part.origin = DialectId::kGemini;
  if (message.parts.empty()) out.pop_back();
  return {};
}

Status read_contents(const json::Value& value, const Path& path, std::vector<Message>& out) {
  Calls calls;
  if (const auto text = json::as_string(value)) {
    Message& message = out.emplace_back();
    message.origin = DialectId::kGemini;
    Part& part = message.parts.emplace_back();
    part.text = *text;
    part.origin = DialectId::kGemini;
    return {};
  }
  if (value.is_object()) return read_content(value, path, calls, out);
  AJAR_ASSIGN(const auto array, need_array(value, path));
  if (array.begin() == array.end()) return invalid(path.str(), "'contents' must not be empty");
  out.reserve(out.size() + array.size());
  size_t index = 0;
  for (const auto item : array) {
    AJAR_TRY(read_content(item, path[index], calls, out));
    ++index;
  }
  return {};
}

}  // namespace ajar::wire::gemini
