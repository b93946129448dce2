#include "wire/bedrock/content.h"

#include <algorithm>

#include "base/text.h"
#include "json/read.h"
#include "json/write.h"
#include "wire/outbound.h"

namespace ajar::wire::bedrock {
namespace {

using PartKind = Part::Kind;

constexpr std::string_view kFiller = ".";  // text blocks may not be empty

// "image/jpeg" as "jpeg"; nothing when the API has no such format.
std::string_view format_of(std::string_view type) {
  static constexpr std::pair<std::string_view, std::string_view> kFormats[] = {
      {"image/png", "png"}, {"image/jpeg", "jpeg"}, {"image/jpg", "jpeg"}, {"image/gif", "gif"}, {"image/webp", "webp"},
      {"application/pdf", "pdf"}, {"text/csv", "csv"}, {"application/msword", "doc"},
      {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
      {"application/vnd.ms-excel", "xls"},
      {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"}, {"text/html", "html"},
      {"text/plain", "txt"}, {"application/json", "txt"}, {"text/markdown", "md"}, {"video/mp4", "mp4"},
      {"video/quicktime", "mov"}, {"video/webm", "webm"}, {"video/x-matroska", "mkv"}, {"video/mpeg", "mpeg"},
      {"video/x-flv", "flv"}, {"video/x-ms-wmv", "wmv"}, {"video/3gpp", "three_gp"}};
  for (const auto& [name, format] : kFormats) {
    if (name == type) return format;
  }
  return {};
}

// Ids match [a-zA-Z0-9_-]+ and have at most 64 characters.
std::string clean_id(std::string_view id) {
  std::string out(id.substr(0, 64));
  for (char& c : out) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!fine) c = '_';
  }
  return out;
}

// Names of documents take letters, digits, single spaces, hyphens, parentheses and square brackets.
std::string document_name(std::string_view name, int number) {
  if (const size_t dot = name.rfind('.'); dot != name.npos && dot > 0) name = name.substr(0, dot);
  std::string out;
  for (const char c : name) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      std::string_view("-()[]").find(c) != std::string_view::npos;
    if (fine) out.push_back(c);
    else if (!out.empty() && out.back() != ' ') out.push_back(' ');
  }
  out = trim(out);
  return out.empty() ? "document " + std::to_string(number) : out;
}

struct Turn {
  bool assistant = false;
  std::string results;  // toolResult blocks, first in the turn
  std::string blocks;
  bool starts_with_thought = false;
  bool has_document = false, has_text = false;
};

struct Call {
  std::string id, name;
};

class Builder {
 public:
  Builder(const Request& request, std::vector<std::string>& dropped) : request_(request), dropped_(dropped) {}

  Result<Conversation> build() {
    const auto& messages = request_.messages;
    size_t first = 0;
    while (first < messages.size() && is_instruction(messages[first])) ++first;
    const bool only_instructions = first == messages.size();
    for (size_t m = 0; m < messages.size(); ++m) {
      const Message& message = messages[m];
      if (!message.name.empty()) drop(dropped_, "messages.name");
      if (is_instruction(message) && !(m < first && only_instructions)) AJAR_TRY(instruction(message, m, m >= first));
      else if (message.role == Role::kAssistant) AJAR_TRY(assistant(message, m));
      else AJAR_TRY(user(message, m));
    }
    return finish();
  }

 private:
  // Claude's signatures hold on every platform that runs it.
  bool ours(const Part& part) const {
    return made_by(DialectId::kBedrock, part, request_) || made_by(DialectId::kAnthropic, part, request_);
  }

  Turn& turn(bool assistant) {
    if (turns_.empty() || turns_.back().assistant != assistant) {
      if (turns_.empty() && assistant) text(turns_.emplace_back(), kFiller);
      if (assistant) open_calls_.clear();  // only the turn right before may be answered
      turns_.emplace_back().assistant = assistant;
    }
    return turns_.back();
  }
  static json::Writer next(std::string& blocks) {
    if (!blocks.empty()) blocks.push_back(',');
    return json::Writer(blocks);
  }
  static void text_block(std::string& blocks, std::string_view text) {
    json::Writer w = next(blocks);
    w.begin_object();
    w.field("text", text);
    w.end_object();
  }
  static void text(Turn& turn, std::string_view text) {
    turn.has_text = true;
    text_block(turn.blocks, text);
  }
  static void cache(std::string& blocks, const Part& part) {
    const std::string point = cache_point(part.cache_control);
    if (!point.empty()) next(blocks).raw(point);
  }

  Status instruction(const Message& message, size_t m, bool late) {
    for (size_t p = 0; p < message.parts.size(); ++p) {
      const Part& part = message.parts[p];
      if (part.kind != PartKind::kText) return fail(Code::kUnsupported, "instructions can only be text", part_field(m, p));
      if (blank(part.text)) continue;
      if (late) text(turn(false), system_as_user_text(part.text));
      else text_block(out_.system, part.text);
      cache(late ? turn(false).blocks : out_.system, part);
    }
    return {};
  }

  Status user(const Message& message, size_t m) {
    for (size_t p = 0; p < message.parts.size(); ++p) {
      const Part& part = message.parts[p];
      if (part.kind == PartKind::kToolResult) {
        AJAR_TRY(result(part, m, p));
      } else if (part.kind == PartKind::kText || part.kind == PartKind::kRefusal) {
        if (blank(part.text)) continue;
        text(turn(false), part.text);
        cache(turn(false).blocks, part);
      } else if (part.kind == PartKind::kToolCall || part.kind == PartKind::kThought) {
        drop(dropped_, part_field(m, p));
      } else {
        Turn& turn = this->turn(false);
        turn.has_document = turn.has_document || part.kind == PartKind::kFile;
        AJAR_TRY(media(turn.blocks, part, part_field(m, p)));
        cache(turn.blocks, part);
      }
    }
    return {};
  }

  Status media(std::string& blocks, const Part& part, const std::string& field) {
    if (part.kind == PartKind::kOpaque) {
      if (part.origin == DialectId::kBedrock) return next(blocks).raw(part.raw), Status();
      return fail(Code::kUnsupported, "the target does not know this kind of content", field);
    }
    if (part.kind == PartKind::kAudio) return fail(Code::kUnsupported, "the target takes no audio", field);
    std::string_view type = part.media_type;
    if (type.empty() || type == "application/octet-stream") type = sniff_media_type(part.data);
    if (type.empty()) type = guess_media_type(part.name.empty() ? part.url : part.name);
    if (type.empty() && !part.text.empty()) type = "text/plain";
    const bool stored = part.url.starts_with("s3://");
    if (!part.file_id.empty() || (!part.url.empty() && !stored)) {
      return fail(Code::kUnsupported, "the target takes data or an s3:// URL, no other URL and no id", field);
    }
    const std::string_view format = format_of(type);
    if (format.empty()) {
      return fail(Code::kUnsupported, "the target has no format for '" + std::string(type) + "'", field);
    }
    const bool image = type.starts_with("image/"), video = type.starts_with("video/");
    if (part.kind == PartKind::kImage && !image) return fail(Code::kUnsupported, "the target reads png, jpeg, gif and webp", field);
    json::Writer w = next(blocks);
    w.begin_object();
    w.key(image ? "image" : video ? "video" : "document");
    w.begin_object();
    w.field("format", format);
    if (!image && !video) w.field("name", document_name(part.name, ++documents_));
    w.key("source");
    w.begin_object();
    if (stored) {
      w.key("s3Location");
      w.begin_object();
      w.field("uri", part.url);
      w.end_object();
    } else {
      w.field("bytes", part.text.empty() ? part.data : base64_encode(part.text));
    }
    w.end_object();
    if (!image && !video && !part.citations.empty()) w.raw_field("citations", part.citations);
    w.end_object();
    w.end_object();
    return {};
  }

  Status result(const Part& part, size_t m, size_t p) {
    std::string id = clean_id(part.id);
    auto call = std::ranges::find(open_calls_, id, &Call::id);
    if (part.id.empty()) {  // dialects without ids answer by name, or in order
      call = std::ranges::find(open_calls_, part.name, &Call::name);
      if (call == open_calls_.end()) call = open_calls_.begin();
    }
    const bool orphan = call == open_calls_.end();
    if (!orphan) {
      id = call->id;
      open_calls_.erase(call);
    }
    std::string content;
    for (const Part& inner : part.content) {
      if (inner.kind != PartKind::kText && inner.kind != PartKind::kRefusal) AJAR_TRY(media(content, inner, part_field(m, p)));
      else if (!blank(inner.text)) text_block(content, inner.text);
    }
    Turn& turn = this->turn(false);
    if (orphan) {  // the API would refuse it, the model may still need it
      text(turn, "[Result of an earlier tool call" + (part.name.empty() ? "" : " to " + part.name) + "]");
      if (!content.empty()) next(turn.blocks).raw(content);
      return {};
    }
    json::Writer w = next(turn.results);
    w.begin_object();
    w.key("toolResult");
    w.begin_object();
    w.field("toolUseId", id);
    w.raw_field("content", "[" + content + "]");
    if (part.is_error) w.field("status", "error");
    w.end_object();
    w.end_object();
    cache(turn.results, part);
    return {};
  }

  Status assistant(const Message& message, size_t m) {
    for (size_t p = 0; p < message.parts.size(); ++p) {
      const Part& part = message.parts[p];
      switch (part.kind) {
        case PartKind::kText:
        case PartKind::kRefusal:
          if (blank(part.text)) break;
          // What is to be continued must not end in white space.
          text(turn(true), m + 1 == request_.messages.size() && p + 1 == message.parts.size() ? trim_right(part.text)
                                                                                            : std::string_view(part.text));
          cache(turn(true).blocks, part);
          break;
        case PartKind::kThought: thought(part, m, p); break;
        case PartKind::kToolCall: tool_use(part); break;
        case PartKind::kOpaque:
          if (part.origin == DialectId::kBedrock) next(turn(true).blocks).raw(part.raw);
          else drop(dropped_, part_field(m, p));
          break;
        default: drop(dropped_, part_field(m, p));
      }
    }
    return {};
  }

  void thought(const Part& part, size_t m, size_t p) {
    const bool proven = part.redacted ? !part.data.empty() : !part.signature.empty();
    if (!proven || !ours(part)) return drop(dropped_, part_field(m, p));
    Turn& turn = this->turn(true);
    turn.starts_with_thought = turn.starts_with_thought || turn.blocks.empty();
    json::Writer w = next(turn.blocks);
    w.begin_object();
    w.key("reasoningContent");
    w.begin_object();
    if (part.redacted) {
      w.field("redactedContent", part.data);
    } else {
      w.key("reasoningText");
      w.begin_object();
      w.field("text", part.text);
      w.field("signature", part.signature);
      w.end_object();
    }
    w.end_object();
    w.end_object();
  }

  void tool_use(const Part& part) {
    Call call{clean_id(part.id), part.name};
    if (call.id.empty()) call.id = "call_" + std::to_string(++made_ids_);
    Turn& turn = this->turn(true);
    json::Writer w = next(turn.blocks);
    w.begin_object();
    w.key("toolUse");
    w.begin_object();
    w.field("toolUseId", call.id);
    w.field("name", part.name);
    w.raw_field("input", object_arguments(part.arguments));
    w.end_object();
    w.end_object();
    cache(turn.blocks, part);
    if (std::ranges::find(out_.called, part.name) == out_.called.end()) out_.called.push_back(part.name);
    open_calls_.push_back(std::move(call));
  }

  Result<Conversation> finish() {
    std::erase_if(turns_, [](const Turn& turn) { return turn.results.empty() && turn.blocks.empty(); });
    if (turns_.empty()) return invalid("messages", "there is nothing in them to answer");
    out_.prefill = turns_.back().assistant;
    if (turns_.size() >= 2 && !turns_.back().results.empty()) {
      out_.tool_turn_without_thought = !turns_[turns_.size() - 2].starts_with_thought;
    }
    for (Turn& turn : turns_) {
      if (turn.has_document && !turn.has_text) text(turn, kFiller);  // the API wants a text beside a document
      json::Writer w = next(out_.messages);
      w.begin_object();
      w.field("role", turn.assistant ? "assistant" : "user");
      w.key("content");
      w.begin_array();
      w.members(turn.results);
      w.members(turn.blocks);
      w.end_array();
      w.end_object();
    }
    return std::move(out_);
  }

  const Request& request_;
  std::vector<std::string>& dropped_;
  Conversation out_;
  std::vector<Turn> turns_;
  std::vector<Call> open_calls_;  // of the assistant's last turn, not answered yet
  int made_ids_ = 0, documents_ = 0;
};

}  // namespace

std::string cache_point(const RawJson& cache_control) {
  if (cache_control.empty()) return {};
  const bool hour = cache_control.find("\"1h\"") != std::string::npos;
  return hour ? R"({"cachePoint":{"type":"default","ttl":"1h"}})" : R"({"cachePoint":{"type":"default"}})";
}

Result<Conversation> write_conversation(const Request& request, std::vector<std::string>& dropped) {
  return Builder(request, dropped).build();
}

}  // namespace ajar::wire::bedrock
