#include "wire/responses/item_read.h"

#include "wire/media.h"
#include "wire/responses/object.h"

namespace ajar::wire::responses {
namespace {

constexpr DialectId kOurs = DialectId::kOpenAiResponses;

enum ContentMember { kType, kText, kRefusal, kImageUrl, kFileId, kDetail, kFileData, kFileUrl, kFilename, kAudio, kContentCount };
constexpr std::array<std::string_view, kContentCount> kContentNames = {
    "type", "text", "refusal", "image_url", "file_id", "detail", "file_data", "file_url", "filename", "input_audio"};
using ContentFields = Fields<kContentCount>;

Status string_member(const ContentFields& fields, ContentMember which, const Path& path, std::string& out) {
  if (!fields.has(which)) return {};
  AJAR_ASSIGN(out, need_string(fields[which], path / kContentNames[which]));
  return {};
}

Status read_image(const ContentFields& fields, const Path& path, Part& part) {
  part.kind = Part::Kind::kImage;
  std::string url;
  AJAR_TRY(string_member(fields, kImageUrl, path, url));
  AJAR_TRY(string_member(fields, kFileId, path, part.file_id));
  AJAR_TRY(string_member(fields, kDetail, path, part.detail));
  if (url.empty() && part.file_id.empty()) {
    return invalid((path / "image_url").str(), "'" + path.str() + "' needs image_url or file_id");
  }
  if (!url.empty() && !split_data_uri(url, part.media_type, part.data)) part.url = std::move(url);
  return {};
}

Status read_file(const ContentFields& fields, const Path& path, Part& part) {
  part.kind = Part::Kind::kFile;
  std::string data;
  AJAR_TRY(string_member(fields, kFileData, path, data));
  AJAR_TRY(string_member(fields, kFileUrl, path, part.url));
  AJAR_TRY(string_member(fields, kFileId, path, part.file_id));
  AJAR_TRY(string_member(fields, kFilename, path, part.name));
  if (data.empty() && part.url.empty() && part.file_id.empty()) {
    return invalid(path.str(), "'" + path.str() + "' needs file_data, file_url or file_id");
  }
  if (!data.empty() && !split_data_uri(data, part.media_type, part.data)) part.data = std::move(data);
  if (fields.has(kDetail)) add_member(part.inner_extra, "detail", fields[kDetail]);
  return {};
}

Status read_audio(const ContentFields& fields, const Path& path, Part& part) {
  static constexpr std::array<std::string_view, 2> kNames = {"data", "format"};
  const Path at = path / "input_audio";
  if (!fields.has(kAudio)) return missing(at);
  part.kind = Part::Kind::kAudio;
  AJAR_ASSIGN(const auto object, need_object(fields[kAudio], at));
  const Fields<2> audio(object, kNames);
  if (!audio.has(0)) return missing(at / "data");
  AJAR_ASSIGN(part.data, need_string(audio[0], at / "data"));
  if (audio.has(1)) {
    AJAR_ASSIGN(const auto format, need_string(audio[1], at / "format"));
    part.media_type.assign("audio/").append(format);
  }
  return {};
}

// One content part of a message or of a tool's result. Members that are not ours go to inner_extra.
Status read_content_part(const json::Value& value, const Path& path, Part& part) {
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const ContentFields fields(object, kContentNames);
  if (!fields.has(kType)) return missing(path / "type");
  AJAR_ASSIGN(const auto type, need_string(fields[kType], path / "type"));
  part.origin = kOurs;
  if (type == "input_text" || type == "output_text" || type == "text") {
    if (!fields.has(kText)) return missing(path / "text");
    AJAR_TRY(string_member(fields, kText, path, part.text));
  } else if (type == "refusal") {
    if (!fields.has(kRefusal)) return missing(path / "refusal");
    part.kind = Part::Kind::kRefusal;
    AJAR_TRY(string_member(fields, kRefusal, path, part.text));
  } else if (type == "input_image") {
    AJAR_TRY(read_image(fields, path, part));
  } else if (type == "input_file") {
    AJAR_TRY(read_file(fields, path, part));
  } else if (type == "input_audio") {
    AJAR_TRY(read_audio(fields, path, part));
  } else {
    part.kind = Part::Kind::kOpaque;
    part.raw = json::raw(value);
    part.detail = kContentPart;
    return {};
  }
  if (!fields.has_unknown()) return {};
  for (const auto& [name, member] : fields.unknown()) {
    // Empty lists of what stands beside an answer's text say nothing.
    const auto list = json::as_array(member);
    const bool bare = (name == "annotations" || name == "logprobs") && (member.is_null() || (list && list->size() == 0));
    if (!bare) add_member(part.inner_extra, name, member);
  }
  return {};
}

// A string or a list of parts. True in `plain` for a string.
Status read_content(const json::Value& value, const Path& path, std::vector<Part>& parts, bool& plain) {
  if (const auto text = json::as_string(value)) {
    plain = true;
    Part& part = parts.emplace_back();
    part.origin = kOurs;
    part.text = *text;
    return {};
  }
  const auto array = json::as_array(value);
  if (!array) return wrong_type(path, "a string or an array of parts", value);
  size_t index = 0;
  for (const auto item : *array) {
    AJAR_TRY(read_content_part(item, path[index], parts.emplace_back()));
    ++index;
  }
  return {};
}

// Items that the client's side makes, among those that we do not know.
bool of_client(std::string_view type) {
  return type.ends_with("_output") || type.ends_with("_response") || type == "item_reference" ||
         type == "compaction_trigger" || type == "additional_tools";
}

}  // namespace

Message& ItemReader::add(Role role) {
  Message& message = out_.emplace_back();
  message.role = role;
  message.origin = kOurs;
  return message;
}

Message& ItemReader::assistant() {
  if (!out_.empty() && out_.back().role == Role::kAssistant && out_.back().origin == kOurs) return out_.back();
  return add(Role::kAssistant);
}

Status ItemReader::read_all(const json::Value& items, const Path& path) {
  AJAR_ASSIGN(const auto array, need_array(items, path));
  out_.reserve(out_.size() + array.size());
  size_t index = 0;
  for (const auto item : array) {
    AJAR_TRY(read(item, path[index]));
    ++index;
  }
  return {};
}

Status ItemReader::read(const json::Value& item, const Path& path) {
  AJAR_ASSIGN(const auto object, need_object(item, path));
  const auto value = json::find(object, "type");
  if (!value) {  // an easy message, or a reference without its type
    if (!json::find(object, "role") && json::find(object, "id")) return opaque(item, "item_reference"), Status();
    return message(object, path);
  }
  AJAR_ASSIGN(const auto type, need_string(*value, path / "type"));
  if (type == "message") return message(object, path);
  if (type == "reasoning") return reasoning(object, path);
  if (type == "function_call") return call(object, path, false);
  if (type == "function_call_output") return result(object, path, false);
  if (type == "custom_tool_call") return call(object, path, true);
  if (type == "custom_tool_call_output") return result(object, path, true);
  opaque(item, type);
  return {};
}

Status ItemReader::message(const json::Object& item, const Path& path) {
  static constexpr std::array<std::string_view, 5> kNames = {"type", "role", "content", "id", "status"};
  const Fields<5> fields(item, kNames);
  if (!fields.has(1)) return missing(path / "role");
  AJAR_ASSIGN(const auto role, need_string(fields[1], path / "role"));
  std::string id;
  if (fields.has(3)) {
    AJAR_ASSIGN(id, need_string(fields[3], path / "id"));
  }
  RawMembers extra = fields.extra();
  if (fields.has(4)) add_member(extra, "status", fields[4]);
  if (!fields.has(2)) return missing(path / "content");
  const Path at = path / "content";
  if (role == "assistant") {
    Message& message = assistant();
    const size_t first = message.parts.size();
    bool plain = false;
    AJAR_TRY(read_content(fields[2], at, message.parts, plain));
    if (message.parts.size() == first) message.parts.emplace_back().origin = kOurs;
    if (message.parts[first].kind == Part::Kind::kOpaque) {  // the item's own members need a part of ours
      message.parts.insert(message.parts.begin() + ptrdiff_t(first), Part{.origin = kOurs});
    }
    Part& opening = message.parts[first];
    opening.detail = plain ? kStringItem : kMessageItem;
    opening.id = std::move(id);
    opening.extra = std::move(extra);
    return {};
  }
  Role of = Role::kUser;
  if (role == "system") {
    of = Role::kSystem;
  } else if (role == "developer") {
    of = Role::kDeveloper;
  } else if (role != "user") {
    return invalid((path / "role").str(),
                   "'" + (path / "role").str() + "' must be user, assistant, system or developer");
  }
  Message& message = add(of);
  if (!id.empty()) add_member(message.extra, "id", fields[3]);
  if (!extra.empty()) message.extra += (message.extra.empty() ? "" : ",") + extra;
  return read_content(fields[2], at, message.parts, message.plain_text);
}

Status ItemReader::reasoning(const json::Object& item, const Path& path) {
  static constexpr std::array<std::string_view, 5> kNames = {"type", "id", "summary", "content", "encrypted_content"};
  const Fields<5> fields(item, kNames);
  std::string id;
  if (fields.has(1)) {
    AJAR_ASSIGN(id, need_string(fields[1], path / "id"));
  }
  Message& message = assistant();
  const size_t first = message.parts.size();
  for (const size_t which : {size_t(2), size_t(3)}) {
    if (!fields.has(which)) continue;
    const Path at = path / kNames[which];
    AJAR_ASSIGN(const auto list, need_array(fields[which], at));
    size_t index = 0;
    for (const auto piece : list) {
      const Path here = at[index++];
      AJAR_ASSIGN(const auto object, need_object(piece, here));
      const auto text = json::find(object, "text");
      if (!text) return missing(here / "text");
      AJAR_ASSIGN(const auto words, need_string(*text, here / "text"));
      Part& part = message.parts.emplace_back(Part{.kind = Part::Kind::kThought, .origin = kOurs});
      part.detail = which == 3 ? kReasoningText : "";
      part.text.append(index > 1 ? kPieceBreak : "").append(words);
      part.id = id;
    }
  }
  if (message.parts.size() == first) {
    message.parts.emplace_back(Part{.kind = Part::Kind::kThought, .origin = kOurs}).id = id;
  }
  message.parts[first].name = kReasoningItem;
  Part& last = message.parts.back();
  last.extra = fields.extra();
  if (fields.has(3) && json::as_array(fields[3])->size() == 0) add_member(last.extra, "content", fields[3]);
  if (fields.has(4)) {
    AJAR_ASSIGN(const auto sealed, need_string(fields[4], path / "encrypted_content"));
    unseal(sealed, last);
  }
  return {};
}

Status ItemReader::call(const json::Object& item, const Path& path, bool custom) {
  static constexpr std::array<std::string_view, 5> kNames = {"type", "call_id", "name", "arguments", "extra_content"};
  static constexpr std::array<std::string_view, 5> kCustom = {"type", "call_id", "name", "input", "extra_content"};
  const Fields<5> fields(item, custom ? kCustom : kNames);
  Part part{.kind = Part::Kind::kToolCall, .origin = kOurs};
  if (!fields.has(1)) return missing(path / "call_id");
  AJAR_ASSIGN(part.id, need_string(fields[1], path / "call_id"));
  if (!fields.has(2)) return missing(path / "name");
  AJAR_ASSIGN(part.name, need_string(fields[2], path / "name"));
  const Path at = path / (custom ? "input" : "arguments");
  if (fields.has(3)) {
    AJAR_ASSIGN(part.arguments, need_string(fields[3], at));
  } else if (custom) {
    return missing(at);
  }
  if (part.arguments.empty() && !custom) part.arguments = "{}";
  if (custom) part.extra = kCustomMark;
  for (const auto& [name, value] : fields.unknown()) add_member(part.extra, name, value);
  if (fields.has(4)) {
    // Google's place for a signature of a call, which we use here, too.
    const auto outer = json::as_object(fields[4]);
    const auto google = outer ? json::find(*outer, "google") : std::nullopt;
    const auto inner = google ? json::as_object(*google) : std::nullopt;
    if (inner) part.signature = json::string_or(*inner, "thought_signature");
    if (part.signature.empty()) {
      add_member(part.extra, "extra_content", fields[4]);
    } else {
      part.origin = DialectId::kGemini;
    }
  }
  calls_.emplace_back(part.id, part.name);
  assistant().parts.push_back(std::move(part));
  return {};
}

Status ItemReader::result(const json::Object& item, const Path& path, bool custom) {
  static constexpr std::array<std::string_view, 3> kNames = {"type", "call_id", "output"};
  const Fields<3> fields(item, kNames);
  if (!fields.has(1)) return missing(path / "call_id");
  if (!fields.has(2)) return missing(path / "output");
  Message& message = add(Role::kTool);
  Part& part = message.parts.emplace_back(Part{.kind = Part::Kind::kToolResult, .origin = kOurs});
  AJAR_ASSIGN(part.id, need_string(fields[1], path / "call_id"));
  for (auto call = calls_.rbegin(); call != calls_.rend() && part.name.empty(); ++call) {
    if (call->first == part.id) part.name = call->second;
  }
  if (custom) part.extra = kCustomMark;
  for (const auto& [name, value] : fields.unknown()) add_member(part.extra, name, value);
  return read_content(fields[2], path / "output", part.content, message.plain_text);
}

void ItemReader::opaque(const json::Value& item, std::string_view type) {
  Message& message = of_client(type) ? add(Role::kUser) : assistant();
  Part& part = message.parts.emplace_back(Part{.kind = Part::Kind::kOpaque, .origin = kOurs});
  part.raw = json::raw(item);
  if (type == "item_reference") {
    if (const auto object = json::as_object(item)) part.id = json::string_or(*object, "id");
    part.detail = type;
  }
}

void name_results(std::vector<Message>& messages) {
  std::vector<std::pair<std::string_view, std::string_view>> calls;
  for (Message& message : messages) {
    for (Part& part : message.parts) {
      if (part.kind == Part::Kind::kToolCall) calls.emplace_back(part.id, part.name);
      if (part.kind != Part::Kind::kToolResult || !part.name.empty()) continue;
      for (auto call = calls.rbegin(); call != calls.rend() && part.name.empty(); ++call) {
        if (call->first == part.id) part.name = call->second;
      }
    }
  }
}

}  // namespace ajar::wire::responses
