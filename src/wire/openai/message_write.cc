#include "wire/openai/message_write.h"

#include <algorithm>

#include "base/random.h"
#include "wire/fields.h"
#include "wire/media.h"
#include "wire/outbound.h"

namespace ajar::wire::openai {
namespace {

constexpr std::string_view kCustomMark = "\"type\":\"custom\"";

bool is_content(const Part& part) {
  switch (part.kind) {
    case Part::Kind::kText:
    case Part::Kind::kImage:
    case Part::Kind::kAudio:
    case Part::Kind::kFile:
    case Part::Kind::kOpaque:
      return true;
    case Part::Kind::kRefusal:
      return part.detail != "refusal";
    case Part::Kind::kThought:
      return part.detail == "content";
    case Part::Kind::kToolCall:
    case Part::Kind::kToolResult:
      return false;
  }
  return false;
}

bool is_block(const Part& part) {
  return part.kind == Part::Kind::kThought &&
         (part.redacted || !part.signature.empty() || part.detail == "thinking_blocks");
}

std::string_view audio_format(std::string_view media_type) {
  if (media_type.starts_with("audio/")) media_type.remove_prefix(6);
  if (media_type == "mpeg") return "mp3";
  if (media_type == "x-wav" || media_type == "wave") return "wav";
  return media_type;
}

}  // namespace

bool is_custom(const RawMembers& call_extra) { return call_extra.starts_with(kCustomMark); }

std::string_view custom_rest(const RawMembers& call_extra) {
  std::string_view rest = call_extra;
  rest.remove_prefix(kCustomMark.size());
  if (rest.starts_with(',')) rest.remove_prefix(1);
  return rest;
}

void MessageWriter::drop(std::string_view what) {
  std::string name = message_field(*messages_, at_) + "." + std::string(what);
  if (std::ranges::find(dropped_, name) == dropped_.end()) dropped_.push_back(std::move(name));
}

// Mistral wants nine letters and digits; others' ids become some that are always the same.
std::string MessageWriter::call_id(const std::string& id) const {
  const auto fine = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!preset_.mistral || (id.size() == 9 && std::ranges::all_of(id, fine))) return id;
  return sha256_hex(id).substr(0, 9);
}

void MessageWriter::refuse(std::unexpected<Error> why) {
  if (refused_) refused_ = std::move(why);
}

std::string MessageWriter::field() const {
  const std::string field = message_field(*messages_, at_);
  return field + ((*messages_)[at_].origin == DialectId::kGemini ? ".parts" : ".content");
}

void MessageWriter::extra(const Message& message, const RawMembers& members) {
  if (members.empty()) return;
  if (keep_unknown_ && message.origin == DialectId::kOpenAiChat) {
    w_.members(members);
  } else {
    for (const std::string& name : member_names(members)) {
      const bool item_id = name == "id" && message.origin == DialectId::kOpenAiResponses;  // it only names the item
      if (!item_id) drop(name);
    }
  }
}

void MessageWriter::cache_control(const Part& part) {
  if (part.cache_control.empty()) return;
  if (preset_.cache_control) {
    w_.raw_field("cache_control", part.cache_control);
  } else {
    drop("cache_control");
  }
}

Status MessageWriter::write(const std::vector<Message>& messages) {
  messages_ = &messages;
  for (at_ = 0; at_ < messages.size(); ++at_) {
    const Message& m = messages[at_];
    const bool has_results = std::ranges::any_of(
        m.parts, [](const Part& part) { return part.kind == Part::Kind::kToolResult; });
    if (!has_results) flush_pictures();
    if (has_results) tool_results(m);
    const bool rest = std::ranges::any_of(
        m.parts, [](const Part& part) { return part.kind != Part::Kind::kToolResult; });
    if (has_results && rest) flush_pictures();
    if (!has_results || rest) message(m);
  }
  at_ = messages.empty() ? 0 : messages.size() - 1;
  flush_pictures();
  return refused_;
}

// Every result is a message of its own; what a tool message cannot hold follows in a user turn.
void MessageWriter::tool_results(const Message& m) {
  bool first = true;
  for (const Part& result : m.parts) {
    if (result.kind != Part::Kind::kToolResult) continue;
    w_.begin_object();
    w_.field("role", "tool");
    w_.field("tool_call_id", call_id(result.id));
    if (m.role == Role::kTool && first && !m.name.empty()) w_.field("name", m.name);
    w_.key("content");
    if (m.origin == DialectId::kOpenAiChat) {
      content(m, result.content);
    } else {
      if (result.is_error) drop("is_error");
      std::string text;
      for (const Part& part : result.content) {
        if (part.kind == Part::Kind::kText) {
          if (!text.empty()) text.push_back('\n');
          text += part.text;
        } else if (part.kind == Part::Kind::kImage || part.kind == Part::Kind::kFile) {
          pictures_.push_back(&part);
        } else if (part.kind == Part::Kind::kOpaque) {
          refuse(refuse_block(part, field()));
        } else {
          drop("content");
        }
      }
      w_.string(text);
    }
    cache_control(result);
    if (m.role == Role::kTool && first) extra(m, m.extra);
    w_.end_object();
    first = false;
  }
}

void MessageWriter::flush_pictures() {
  if (pictures_.empty()) return;
  Message from;
  w_.begin_object();
  w_.field("role", "user");
  w_.key("content");
  w_.begin_array();
  for (const Part* picture : pictures_) part(from, *picture);
  w_.end_array();
  w_.end_object();
  pictures_.clear();
}

void MessageWriter::message(const Message& m) {
  const bool assistant = m.role == Role::kAssistant;
  w_.begin_object();
  w_.field("role", m.role == Role::kDeveloper && !preset_.developer_role ? "system"
                   : m.role == Role::kTool                               ? "user"
                                                                         : role_name(m.role));
  if (!m.name.empty()) w_.field("name", m.name);
  bool any_content = m.plain_text || !assistant;
  for (const Part& part : m.parts) {
    any_content = any_content || is_content(part);
    if (!assistant && (part.kind == Part::Kind::kToolCall || part.kind == Part::Kind::kThought))
      drop("content");
  }
  w_.key("content");
  if (any_content) {
    content(m, m.parts);
  } else {
    w_.null();
  }
  // A string content has no place for it, the message has.
  if (m.plain_text) {
    for (const Part& part : m.parts) {
      if (part.kind == Part::Kind::kText) cache_control(part);
    }
  }
  if (assistant) assistant_members(m);
  if (assistant && preset_.thoughts != Preset::Thoughts::kAsWritten) {
    // The same thoughts under other names: the server has its own place for them, or none.
    RawMembers rest = without_member(without_member(m.extra, "reasoning_content"), "reasoning");
    if (preset_.thoughts == Preset::Thoughts::kRefused)
      rest = without_member(rest, "reasoning_details");
    extra(m, rest);
  } else {
    extra(m, m.extra);
  }
  w_.end_object();
}

void MessageWriter::content(const Message& m, const std::vector<Part>& parts) {
  const bool all_text = std::ranges::all_of(parts, [](const Part& part) {
    return !is_content(part) || (part.kind == Part::Kind::kText && part.cache_control.empty());
  });
  // Many servers know only strings, so arrays are for those who wrote them and for what strings
  // cannot hold.
  if (m.plain_text || (m.origin != DialectId::kOpenAiChat && all_text)) {
    const Part* only = nullptr;
    size_t texts = 0;
    for (const Part& part : parts) {
      if (part.kind == Part::Kind::kText) only = &part, ++texts;
    }
    if (texts == 1) return w_.string(only->text);
    std::string text;
    for (const Part& part : parts) {
      if (part.kind != Part::Kind::kText) continue;
      if (!text.empty()) text += "\n\n";
      text += part.text;
    }
    return w_.string(text);
  }
  w_.begin_array();
  for (const Part& p : parts) {
    if (is_content(p) ||
        (preset_.thoughts == Preset::Thoughts::kInContent && p.kind == Part::Kind::kThought)) {
      part(m, p);
    }
  }
  w_.end_array();
}

void MessageWriter::part(const Message& m, const Part& p) {
  if (!p.file_id.empty() && p.origin != DialectId::kOpenAiChat && m.origin != DialectId::kOpenAiChat) {
    return refuse(fail(Code::kUnsupported, "file ids of another provider mean nothing to the target", field()));
  }
  switch (p.kind) {
    case Part::Kind::kText:
      w_.begin_object();
      w_.field("type", "text");
      w_.field("text", p.text);
      break;
    case Part::Kind::kRefusal:
      w_.begin_object();
      w_.field("type", "refusal");
      w_.field("refusal", p.text);
      break;
    case Part::Kind::kImage:
      if (p.url.empty() && p.data.empty()) return drop("content");
      w_.begin_object();
      w_.field("type", "image_url");
      w_.key("image_url");
      w_.begin_object();
      w_.field("url", p.url.empty() ? join_data_uri(p.media_type, p.data) : p.url);
      if (!p.detail.empty()) w_.field("detail", p.detail);
      extra(m, p.inner_extra);
      w_.end_object();
      break;
    case Part::Kind::kAudio:
      if (p.data.empty()) return drop("content");
      w_.begin_object();
      w_.field("type", "input_audio");
      w_.key("input_audio");
      w_.begin_object();
      w_.field("data", p.data);
      if (!p.media_type.empty()) w_.field("format", audio_format(p.media_type));
      extra(m, p.inner_extra);
      w_.end_object();
      break;
    case Part::Kind::kFile:
      if (!p.citations.empty()) drop("citations");
      if (!p.text.empty() && p.data.empty()) {  // a plain-text document
        w_.begin_object();
        w_.field("type", "text");
        w_.field("text", p.text);
        break;
      }
      w_.begin_object();
      if (preset_.mistral && (!p.url.empty() || !p.data.empty())) {
        w_.field("type", "document_url");
        w_.field("document_url", p.url.empty() ? join_data_uri(p.media_type.empty() ? "application/pdf" : p.media_type, p.data)
                                               : p.url);
        if (!p.name.empty()) w_.field("document_name", p.name);
        break;
      }
      w_.field("type", "file");
      w_.key("file");
      w_.begin_object();
      if (!p.url.empty())
        w_.field("file_data", p.url);
      else if (!p.data.empty())
        w_.field("file_data", p.media_type.empty() ? p.data : join_data_uri(p.media_type, p.data));
      if (!p.file_id.empty()) w_.field("file_id", p.file_id);
      if (!p.name.empty()) w_.field("filename", p.name);
      extra(m, p.inner_extra);
      w_.end_object();
      break;
    case Part::Kind::kThought:
      if (p.redacted) return drop("thinking");
      w_.begin_object();
      w_.field("type", "thinking");
      w_.key("thinking");
      w_.begin_array();
      w_.begin_object();
      w_.field("type", "text");
      w_.field("text", p.text);
      w_.end_object();
      w_.end_array();
      break;
    case Part::Kind::kOpaque:
      if (p.origin != DialectId::kOpenAiChat && m.role != Role::kAssistant) return refuse(refuse_block(p, field()));
      if (p.origin != DialectId::kOpenAiChat || p.raw.empty() || !keep_unknown_)
        return drop("content");
      return w_.raw(p.raw);
    case Part::Kind::kToolCall:
    case Part::Kind::kToolResult:
      return;
  }
  cache_control(p);
  extra(m, p.extra);
  w_.end_object();
}

void MessageWriter::assistant_members(const Message& m) {
  using Thoughts = Preset::Thoughts;
  std::string plain, member;
  bool blocks = false, calls = false;
  for (const Part& p : m.parts) {
    if (p.kind == Part::Kind::kRefusal && p.detail == "refusal") w_.field("refusal", p.text);
    calls = calls || p.kind == Part::Kind::kToolCall;
    if (p.kind != Part::Kind::kThought || p.detail == "content" ||
        preset_.thoughts == Thoughts::kInContent)
      continue;
    if (is_block(p) && preset_.thoughts == Thoughts::kAsWritten) {
      blocks = true;
      continue;
    }
    plain += p.text;
    member = p.detail == "reasoning" ? "reasoning" : "reasoning_content";
  }
  if (!member.empty()) {
    switch (preset_.thoughts) {
      case Thoughts::kRefused:
        drop("reasoning_content");
        break;
      case Thoughts::kReasoning:
        w_.field("reasoning", plain);
        break;
      case Thoughts::kReasoningContent:
        w_.field("reasoning_content", plain);
        break;
      case Thoughts::kAsWritten:
        w_.field(member, plain);
        break;
      case Thoughts::kInContent:
        break;
    }
  }
  if (blocks) thinking_blocks(m);
  if (!calls) return;
  w_.key("tool_calls");
  w_.begin_array();
  for (const Part& p : m.parts) {
    if (p.kind == Part::Kind::kToolCall) tool_call(m, p);
  }
  w_.end_array();
}

void MessageWriter::thinking_blocks(const Message& m) {
  w_.key("thinking_blocks");
  w_.begin_array();
  for (const Part& p : m.parts) {
    if (!is_block(p)) continue;
    w_.begin_object();
    w_.field("type", p.redacted ? "redacted_thinking" : "thinking");
    if (p.redacted)
      w_.field("data", p.data);
    else
      w_.field("thinking", p.text);
    if (!p.signature.empty()) w_.field("signature", p.signature);
    if (p.origin != DialectId::kAnthropic && p.origin != DialectId::kNone)
      w_.field("provider", dialect_name(p.origin));
    cache_control(p);
    extra(m, p.extra);
    w_.end_object();
  }
  w_.end_array();
}

void MessageWriter::tool_call(const Message& m, const Part& call) {
  const bool custom = is_custom(call.extra);
  w_.begin_object();
  w_.field("id", call_id(call.id));
  w_.field("type", custom ? "custom" : "function");
  w_.key(custom ? "custom" : "function");
  w_.begin_object();
  w_.field("name", call.name);
  w_.field(custom ? "input" : "arguments", call.arguments);
  extra(m, call.inner_extra);
  w_.end_object();
  if (!call.signature.empty() && call.origin == DialectId::kGemini &&
      !has_member(call.extra, "extra_content")) {
    w_.key("extra_content");
    w_.begin_object();
    w_.key("google");
    w_.begin_object();
    w_.field("thought_signature", call.signature);
    w_.end_object();
    w_.end_object();
  }
  cache_control(call);
  extra(m, custom ? std::string(custom_rest(call.extra)) : call.extra);
  w_.end_object();
}

}  // namespace ajar::wire::openai
