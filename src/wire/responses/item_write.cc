#include "wire/responses/item_write.h"

#include "base/random.h"
#include "wire/fields.h"
#include "wire/media.h"
#include "wire/outbound.h"
#include "wire/responses/object.h"

namespace ajar::wire::responses {
namespace {

using PartKind = Part::Kind;

std::string_view audio_format(std::string_view media_type) {
  if (media_type.starts_with("audio/")) media_type.remove_prefix(6);
  if (media_type == "mpeg") return "mp3";
  if (media_type == "x-wav" || media_type == "wave") return "wav";
  return media_type;
}

bool is_instructions(const Message& message) {
  return message.role == Role::kSystem && message.parts.size() == 1 && message.parts[0].detail == kInstructions;
}

}  // namespace

const Part* instructions_of(const Request& request) {
  for (const Message& message : request.messages) {
    if (is_instructions(message)) return &message.parts[0];
  }
  return nullptr;
}

void ItemWriter::extra(const Part& part, std::string_view members) {
  if (members.empty() || !ours(part)) return;
  if (style_.keep_unknown) return w_.members(members);
  for (const std::string& name : member_names(std::string(members))) drop(dropped_, "input." + name);
}

void ItemWriter::id(std::string_view given, std::string_view prefix, const RawMembers& extra) {
  if (!given.empty()) return w_.field("id", given);
  if (style_.with_ids && !has_member(extra, "id")) w_.field("id", new_id(prefix));
}

Status ItemWriter::write(const std::vector<Message>& messages) {
  for (size_t m = 0; m < messages.size(); ++m) {
    const Message& one = messages[m];
    if (is_instructions(one)) continue;
    if (!one.name.empty()) drop(dropped_, "messages.name");
    if (one.role == Role::kAssistant) {
      AJAR_TRY(assistant(one, m));
    } else {
      AJAR_TRY(message(one, m));
    }
  }
  return {};
}

// A turn of the client's side: results first, as in every dialect, then a message of what is left.
Status ItemWriter::message(const Message& message, size_t m) {
  size_t left = 0;
  for (const Part& part : message.parts) {
    if (part.kind == PartKind::kToolResult) {
      AJAR_TRY(result(message, part, m));
    } else if (part.kind == PartKind::kOpaque && ours(part)) {
      // A whole item, or a part of a message's content.
      if (message.parts.size() == 1 && message.extra.empty() && part.detail != kContentPart) {
        w_.raw(part.raw);
        return {};
      }
      ++left;
    } else if (part.kind == PartKind::kThought || part.kind == PartKind::kToolCall) {
      drop(dropped_, part_field(m, size_t(&part - message.parts.data())));
    } else {
      ++left;
    }
  }
  if (left == 0 && !message.parts.empty()) return {};
  w_.begin_object();
  w_.field("type", "message");
  w_.field("role", message.role == Role::kTool ? "user" : role_name(message.role));
  const bool ours = message.origin == DialectId::kOpenAiResponses;
  if (style_.with_ids && !has_member(message.extra, "id")) w_.field("id", new_id("msg_"));
  if (style_.with_ids && !has_member(message.extra, "status")) w_.field("status", "completed");
  w_.key("content");
  const bool plain = message.plain_text && message.role != Role::kTool && left == 1 && !style_.with_ids;
  if (plain && message.parts.size() == 1 && message.parts[0].kind == PartKind::kText) {
    w_.string(message.parts[0].text);
  } else {
    w_.begin_array();
    for (const Part& part : message.parts) {
      if (part.kind == PartKind::kToolResult || part.kind == PartKind::kThought || part.kind == PartKind::kToolCall) continue;
      AJAR_TRY(content_part(part, false, m));
    }
    w_.end_array();
  }
  if (ours && style_.keep_unknown) w_.members(message.extra);
  w_.end_object();
  return {};
}

Status ItemWriter::content_part(const Part& part, bool assistant, size_t m) {
  const auto refuse = [&](const char* why) { return fail(Code::kUnsupported, why, part_field(m, 0)); };
  if (!part.cache_control.empty()) drop(dropped_, "cache_control");
  switch (part.kind) {
    case PartKind::kText:
      w_.begin_object();
      w_.field("type", assistant ? "output_text" : "input_text");
      w_.field("text", part.text);
      if (assistant && !has_member(part.inner_extra, "annotations")) w_.raw_field("annotations", "[]");
      break;
    case PartKind::kRefusal:
      w_.begin_object();
      w_.field("type", assistant ? "refusal" : "input_text");
      w_.field(assistant ? "refusal" : "text", part.text);
      break;
    case PartKind::kImage:
      if (!part.file_id.empty() && !ours(part)) return refuse("file ids of another provider mean nothing to the target");
      w_.begin_object();
      w_.field("type", "input_image");
      if (!part.file_id.empty()) w_.field("file_id", part.file_id);
      if (!part.url.empty()) {
        w_.field("image_url", part.url);
      } else if (!part.data.empty()) {
        w_.field("image_url", join_data_uri(part.media_type.empty() ? "image/png" : part.media_type, part.data));
      }
      if (!part.detail.empty()) w_.field("detail", part.detail);
      break;
    case PartKind::kFile:
      if (!part.file_id.empty() && !ours(part) && part.origin != DialectId::kOpenAiChat) {
        return refuse("file ids of another provider mean nothing to the target");
      }
      if (!part.text.empty() && part.data.empty()) {  // a plain-text document
        w_.begin_object();
        w_.field("type", "input_text");
        w_.field("text", part.text);
        break;
      }
      w_.begin_object();
      w_.field("type", "input_file");
      if (!part.file_id.empty()) w_.field("file_id", part.file_id);
      if (!part.url.empty()) w_.field("file_url", part.url);
      if (!part.data.empty()) {
        w_.field("file_data", part.media_type.empty() ? part.data : join_data_uri(part.media_type, part.data));
      }
      if (!part.name.empty()) {
        w_.field("filename", part.name);
      } else if (!part.data.empty() && !ours(part)) {
        w_.field("filename", "file");  // the API wants one beside data
      }
      break;
    case PartKind::kAudio:
      if (part.data.empty()) return refuse("the target takes audio only as data");
      w_.begin_object();
      w_.field("type", "input_audio");
      w_.key("input_audio");
      w_.begin_object();
      w_.field("data", part.data);
      if (!part.media_type.empty()) w_.field("format", audio_format(part.media_type));
      w_.end_object();
      break;
    case PartKind::kOpaque:
      if (!ours(part)) return refuse("the target does not know this kind of content");
      w_.raw(part.raw);
      return {};
    default:
      return {};
  }
  extra(part, part.inner_extra);
  w_.end_object();
  return {};
}

void ItemWriter::begin_message(const Message&, const Part& part) {
  w_.begin_object();
  w_.field("type", "message");
  w_.field("role", "assistant");
  id(part.id, "msg_", part.extra);
  if (style_.with_ids && !has_member(part.extra, "status")) w_.field("status", "completed");
  if (ours(part)) extra(part, part.extra);
  w_.key("content");
}

// The model's side: a turn's parts as items in order. Text and refusals up to the next other thing are one message.
Status ItemWriter::assistant(const Message& message, size_t m) {
  bool open = false;
  const auto close = [&] {
    if (open) w_.end_array(), w_.end_object();
    open = false;
  };
  for (size_t p = 0; p < message.parts.size(); ++p) {
    const Part& part = message.parts[p];
    const bool item = part.detail == kMessageItem || part.detail == kStringItem;
    switch (part.kind) {
      case PartKind::kText:
      case PartKind::kRefusal: {
        if (item && ours(part)) close();
        const bool next_goes_on = p + 1 < message.parts.size() && message.parts[p + 1].detail.empty() &&
                                  (message.parts[p + 1].kind == PartKind::kText || message.parts[p + 1].kind == PartKind::kRefusal);
        if (!open && part.detail == kStringItem && !next_goes_on && !style_.with_ids) {
          begin_message(message, part);
          w_.string(part.text);
          w_.end_object();
          break;
        }
        if (!open && !item && part.text.empty()) break;  // other dialects' empty turns
        if (!open) begin_message(message, part), w_.begin_array();
        open = true;
        const bool empty_item = item && part.text.empty() && part.detail == kMessageItem;
        if (!empty_item) AJAR_TRY(content_part(part, true, m));
        break;
      }
      case PartKind::kThought:
        close();
        p = reasoning(message, p);
        break;
      case PartKind::kToolCall:
        close();
        call(part);
        break;
      case PartKind::kOpaque:
        if (!ours(part)) {
          drop(dropped_, part_field(m, p));
        } else if (open && part.detail == kContentPart) {
          AJAR_TRY(content_part(part, true, m));
        } else {
          close();
          w_.raw(part.raw);
        }
        break;
      default:
        drop(dropped_, part_field(m, p));
    }
  }
  close();
  return {};
}

// One reasoning item from all its pieces; returns the last of them. Unproven thoughts of others stay out: the API takes
// only its own.
size_t ItemWriter::reasoning(const Message& message, size_t from) {
  size_t last = from;
  const auto closed = [&](const Part& part) { return part.redacted || !part.signature.empty(); };
  while (last + 1 < message.parts.size() && !closed(message.parts[last])) {
    const Part& next = message.parts[last + 1];
    const bool back = message.parts[last].detail == kReasoningText && next.detail.empty();
    if (next.kind != PartKind::kThought || !next.name.empty() || next.id != message.parts[from].id || next.origin != message.parts[from].origin ||
        back) {
      break;
    }
    ++last;
  }
  const Part& end = message.parts[last];
  const bool mine = end.origin == DialectId::kOpenAiResponses;
  if (!mine && !style_.sealed) {
    drop(dropped_, "thinking");
    return last;
  }
  w_.begin_object();
  w_.field("type", "reasoning");
  id(message.parts[from].id, "rs_", end.extra);
  for (const bool content : {false, true}) {
    bool open = !content;
    if (open) w_.key("summary"), w_.begin_array();
    size_t pieces = 0;
    for (size_t p = from; p <= last; ++p) {
      const Part& part = message.parts[p];
      if ((part.detail == kReasoningText) != content || (part.text.empty() && from == last)) continue;
      if (!open) w_.key("content"), w_.begin_array();
      open = true;
      w_.begin_object();
      w_.field("type", content ? kReasoningText : "summary_text");
      w_.field("text", pieces++ > 0 ? without_break(part.text) : std::string_view(part.text));
      w_.end_object();
    }
    if (open) w_.end_array();
  }
  if (closed(end)) w_.field("encrypted_content", seal(end.signature, end.redacted, end.data, end.origin));
  extra(end, end.extra);
  w_.end_object();
  return last;
}

void ItemWriter::call(const Part& part) {
  const bool custom = is_custom(part.extra);
  w_.begin_object();
  w_.field("type", custom ? "custom_tool_call" : "function_call");
  const bool mine = ours(part) || (style_.sealed && part.origin == DialectId::kGemini);
  id({}, custom ? "ctc_" : "fc_", mine ? part.extra : RawMembers());
  w_.field("call_id", part.id);
  w_.field("name", part.name);
  w_.field(custom ? "input" : "arguments", part.arguments);
  if (style_.with_ids && !has_member(part.extra, "status")) w_.field("status", "completed");
  if (style_.sealed && !part.signature.empty() && part.origin == DialectId::kGemini) {
    w_.key("extra_content");
    w_.begin_object();
    w_.key("google");
    w_.begin_object();
    w_.field("thought_signature", part.signature);
    w_.end_object();
    w_.end_object();
  }
  const std::string_view rest = custom ? custom_rest(part.extra) : std::string_view(part.extra);
  if (ours(part)) {
    extra(part, rest);
  } else if (mine && !rest.empty()) {
    w_.members(rest);
  }
  w_.end_object();
}

Status ItemWriter::result(const Message& message, const Part& part, size_t m) {
  const bool custom = is_custom(part.extra);
  w_.begin_object();
  w_.field("type", custom ? "custom_tool_call_output" : "function_call_output");
  id({}, custom ? "ctco_" : "fco_", part.extra);
  w_.field("call_id", part.id);
  w_.key("output");
  std::string text;
  bool only_text = true;
  for (const Part& inner : part.content) {
    only_text = only_text && (inner.kind == PartKind::kText || inner.kind == PartKind::kRefusal);
    if (!text.empty() && !inner.text.empty()) text.push_back('\n');
    text += inner.text;
  }
  const bool list = ours(part) ? !message.plain_text && !part.content.empty() : !only_text;
  if (!list) {
    if (part.is_error && !ours(part)) text.insert(0, "Error: ");  // the API has no flag for it
    w_.string(text);
  } else {
    w_.begin_array();
    for (const Part& inner : part.content) AJAR_TRY(content_part(inner, false, m));
    w_.end_array();
  }
  if (style_.with_ids && !has_member(part.extra, "status")) w_.field("status", "completed");
  extra(part, custom ? custom_rest(part.extra) : std::string_view(part.extra));
  w_.end_object();
  return {};
}

}  // namespace ajar::wire::responses
