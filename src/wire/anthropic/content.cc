#include "wire/anthropic/content.h"

#include <algorithm>

#include "base/text.h"
#include "json/read.h"
#include "json/write.h"
#include "wire/outbound.h"

namespace ajar::wire::anthropic {
namespace {

using PartKind = Part::Kind;

constexpr std::string_view kFiller = ".";  // text blocks may not be empty

json::Writer next(std::string& blocks) {
  if (!blocks.empty()) blocks.push_back(',');
  return json::Writer(blocks);
}

// Ids must match ^[a-zA-Z0-9_-]+$; others have "functions.get:0" and the like.
std::string clean_id(std::string_view id) {
  std::string out(id);
  for (char& c : out) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-';
    if (!fine) c = '_';
  }
  return out;
}

struct Turn {
  bool assistant = false;
  std::string results;  // tool_result blocks, which the API wants first
  std::string blocks;
  bool starts_with_thought = false;
  bool has_calls = false;
  const Part* tail = nullptr;  // the text part written last, if nothing follows it
  size_t tail_at = 0;          // where its block begins in `blocks`
};

struct Call {
  std::string id;
  std::string name;
};

class Builder {
 public:
  Builder(const Request& request, std::vector<std::string>& dropped)
      : request_(request), dropped_(dropped) {}

  Result<Conversation> build() {
    size_t first = 0;
    while (first < request_.messages.size() && is_instruction(request_.messages[first])) ++first;
    const bool only_instructions = first == request_.messages.size();
    for (size_t m = 0; m < request_.messages.size(); ++m) {
      const Message& message = request_.messages[m];
      for (size_t p = 0; p < message.parts.size(); ++p) {
        const Part& part = message.parts[p];
        const bool more = !part.extra.empty() || !part.citations.empty();
        if (more && !ours(part)) drop_part_extra(part, part_field(request_.messages, m, p), dropped_);
      }
      if (!message.name.empty()) drop(dropped_, "messages.name");
      if (m < first && !only_instructions) {
        AJAR_TRY(instruction(message, m));
      } else if (m < first) {
        AJAR_TRY(user(message, m));
      } else if (is_instruction(message)) {
        AJAR_TRY(late_instruction(message, m));
      } else if (message.role == Role::kAssistant) {
        AJAR_TRY(assistant(message, m));
      } else {
        AJAR_TRY(user(message, m));
      }
    }
    return finish();
  }

 private:
  bool ours(const Part& part) const { return made_by(DialectId::kAnthropic, part, request_); }

  Turn& turn(bool assistant) {
    if (turns_.empty() || turns_.back().assistant != assistant) {
      if (turns_.empty() && assistant) {
        Turn& opening = turns_.emplace_back();
        text(opening, Part{.text = std::string(kFiller)});
      }
      if (assistant) open_calls_.clear();  // only the turn right before may be answered
      turns_.emplace_back().assistant = assistant;
    }
    return turns_.back();
  }

  void text(Turn& turn, const Part& part) {
    if (blank(part.text)) return;
    turn.tail_at = turn.blocks.size();
    json::Writer w = next(turn.blocks);
    write_text(w, part, part.text);
    turn.tail = &part;
  }
  void write_text(json::Writer& w, const Part& part, std::string_view text) {
    w.begin_object();
    w.field("type", "text");
    w.field("text", text);
    common(w, part);
    w.end_object();
  }
  // What any block may carry.
  void common(json::Writer& w, const Part& part) {
    if (!part.cache_control.empty()) w.raw_field("cache_control", part.cache_control);
    if (!ours(part)) return;
    if (!part.citations.empty()) w.raw_field("citations", part.citations);
    w.members(part.extra);
  }

  Status instruction(const Message& message, size_t m) {
    for (size_t p = 0; p < message.parts.size(); ++p) {
      const Part& part = message.parts[p];
      if (part.kind != PartKind::kText) {
        return fail(Code::kUnsupported, "instructions can only be text", part_field(request_.messages, m, p));
      }
      if (blank(part.text)) continue;
      json::Writer w = next(out_.system);
      write_text(w, part, part.text);
      out_.system_plain =
          part.cache_control.empty() && part.extra.empty() && out_.system_blocks == 0
              ? part.text
              : std::string();
      ++out_.system_blocks;
    }
    return {};
  }

  Status late_instruction(const Message& message, size_t m) {
    for (size_t p = 0; p < message.parts.size(); ++p) {
      Part part = message.parts[p];
      if (part.kind != PartKind::kText) {
        return fail(Code::kUnsupported, "instructions can only be text", part_field(request_.messages, m, p));
      }
      if (blank(part.text)) continue;
      part.text = system_as_user_text(part.text);
      Turn& turn = this->turn(false);
      text(turn, part);
      turn.tail = nullptr;
    }
    return {};
  }

  Status user(const Message& message, size_t m) {
    for (size_t p = 0; p < message.parts.size(); ++p) {
      const Part& part = message.parts[p];
      if (part.kind == PartKind::kToolResult) {
        AJAR_TRY(result(part, m, p));
      } else if (part.kind == PartKind::kText || part.kind == PartKind::kRefusal) {
        if (!blank(part.text)) text(turn(false), part);
      } else if (part.kind == PartKind::kToolCall || part.kind == PartKind::kThought) {
        drop(dropped_, part_field(request_.messages, m, p));
      } else {
        json::Writer w = next(turn(false).blocks);
        AJAR_TRY(media(w, part, part_field(request_.messages, m, p)));
      }
    }
    return {};
  }

  // Images, documents and Anthropic's own blocks.
  Status media(json::Writer& w, const Part& part, const std::string& field) {
    switch (part.kind) {
      case PartKind::kImage:
      case PartKind::kFile:
        return source_block(w, part, field);
      case PartKind::kOpaque:
        if (ours(part)) {
          w.raw(part.raw);
          return {};
        }
        return refuse_block(part, field);
      case PartKind::kAudio:
        return fail(Code::kUnsupported, "the target takes no audio", field);
      default:
        return fail(Code::kUnsupported, "this content cannot stand here", field);
    }
  }

  Status source_block(json::Writer& w, const Part& part, const std::string& field) {
    if (!part.raw.empty() && ours(part)) {
      w.raw(part.raw);
      return {};
    }
    std::string_view type = part.media_type;
    if (type.empty() || type == "application/octet-stream") type = sniff_media_type(part.data);
    if (type.empty()) type = guess_media_type(part.name.empty() ? part.url : part.name);
    const bool image =
        part.kind == PartKind::kImage || (part.kind == PartKind::kFile && type.starts_with("image/"));
    w.begin_object();
    w.field("type", image ? "image" : "document");
    w.key("source");
    w.begin_object();
    if (!part.file_id.empty()) {
      if (!ours(part)) {
        return fail(Code::kUnsupported, "file ids of another provider mean nothing to the target",
                    field);
      }
      w.field("type", "file");
      w.field("file_id", part.file_id);
      out_.uses_files = true;
    } else if (!part.url.empty()) {
      w.field("type", "url");
      w.field("url", part.url);
    } else if (!image && !part.text.empty()) {
      plain_text(w, part.text);
    } else if (!image && (type.starts_with("text/") || type == "application/json")) {
      const auto text = base64_decode(part.data);
      if (!text || !valid_utf8(*text)) return invalid(field, "the file is not text in base64");
      plain_text(w, *text);
    } else if (image || type == "application/pdf" || ours(part)) {
      w.field("type", "base64");
      w.field("media_type", type.empty() ? "image/png" : type);
      w.field("data", part.data);
    } else {
      return fail(Code::kUnsupported,
                  "the target reads PDF and text files, not " +
                      (type.empty() ? "this one" : std::string(type)),
                  field);
    }
    if (ours(part)) w.members(part.inner_extra);
    w.end_object();
    if (!image && !part.name.empty()) w.field("title", part.name);
    common(w, part);
    w.end_object();
    return {};
  }
  static void plain_text(json::Writer& w, std::string_view text) {
    w.field("type", "text");
    w.field("media_type", "text/plain");
    w.field("data", text);
  }

  Status result(const Part& part, size_t m, size_t p) {
    std::string id = clean_id(part.id);
    auto call = std::ranges::find(open_calls_, id, &Call::id);
    if (part.id.empty()) {  // dialects without ids answer by name, or in order
      call = std::ranges::find(open_calls_, part.name, &Call::name);
      if (call == open_calls_.end()) call = open_calls_.begin();
    }
    if (call == open_calls_.end()) return orphan(part, m, p);
    id = call->id;
    open_calls_.erase(call);
    Turn& turn = this->turn(false);
    json::Writer w = next(turn.results);
    w.begin_object();
    w.field("type", "tool_result");
    w.field("tool_use_id", id);
    AJAR_TRY(result_content(w, part, m, p));
    if (part.is_error) w.field("is_error", true);
    if (!part.cache_control.empty()) w.raw_field("cache_control", part.cache_control);
    if (ours(part)) w.members(part.extra);
    w.end_object();
    return {};
  }

  Status result_content(json::Writer& w, const Part& part, size_t m, size_t p) {
    const auto empty = [](const Part& inner) {
      return (inner.kind == PartKind::kText || inner.kind == PartKind::kRefusal) && blank(inner.text);
    };
    std::vector<const Part*> content;
    for (const Part& inner : part.content) {
      if (!empty(inner)) content.push_back(&inner);
    }
    if (content.empty()) return {};
    if (content.size() == 1 && content[0]->kind == PartKind::kText &&
        content[0]->cache_control.empty() && content[0]->extra.empty() &&
        content[0]->citations.empty()) {
      w.field("content", content[0]->text);
      return {};
    }
    w.key("content");
    w.begin_array();
    for (const Part* inner : content) {
      if (inner->kind == PartKind::kText || inner->kind == PartKind::kRefusal) {
        write_text(w, *inner, inner->text);
      } else {
        AJAR_TRY(media(w, *inner, part_field(request_.messages, m, p)));
      }
    }
    w.end_array();
    return {};
  }

  // A result without its call: the API would refuse it, the model may still need it.
  Status orphan(const Part& part, size_t m, size_t p) {
    Turn& turn = this->turn(false);
    std::string said =
        "[Result of an earlier tool call" + (part.name.empty() ? "" : " to " + part.name) + "]";
    for (const Part& inner : part.content) {
      if (inner.kind == PartKind::kText || inner.kind == PartKind::kRefusal) said += "\n" + inner.text;
    }
    text(turn, Part{.text = said, .cache_control = part.cache_control});
    turn.tail = nullptr;
    for (const Part& inner : part.content) {
      if (inner.kind == PartKind::kText || inner.kind == PartKind::kRefusal) continue;
      json::Writer w = next(turn.blocks);
      AJAR_TRY(media(w, inner, part_field(request_.messages, m, p)));
    }
    return {};
  }

  Status assistant(const Message& message, size_t m) {
    for (size_t p = 0; p < message.parts.size(); ++p) {
      const Part& part = message.parts[p];
      switch (part.kind) {
        case PartKind::kText:
        case PartKind::kRefusal:
          if (!blank(part.text)) text(turn(true), part);
          break;
        case PartKind::kThought:
          thought(part, m, p);
          break;
        case PartKind::kToolCall:
          tool_use(part);
          break;
        case PartKind::kOpaque:
          if (ours(part)) {
            next(block_of_assistant()).raw(part.raw);
          } else {
            drop(dropped_, part_field(request_.messages, m, p));
          }
          break;
        default:
          drop(dropped_, part_field(request_.messages, m, p));
      }
    }
    return {};
  }
  std::string& block_of_assistant() {
    Turn& turn = this->turn(true);
    turn.tail = nullptr;
    return turn.blocks;
  }

  void thought(const Part& part, size_t m, size_t p) {
    const bool proven = part.redacted ? !part.data.empty() : !part.signature.empty();
    if (!proven || !ours(part)) return drop(dropped_, part_field(request_.messages, m, p));
    Turn& turn = this->turn(true);
    turn.starts_with_thought = turn.starts_with_thought || turn.blocks.empty();
    json::Writer w = next(block_of_assistant());
    w.begin_object();
    if (part.redacted) {
      w.field("type", "redacted_thinking");
      w.field("data", part.data);
    } else {
      w.field("type", "thinking");
      w.field("thinking", part.text);
      w.field("signature", part.signature);
    }
    w.end_object();
  }

  void tool_use(const Part& part) {
    Turn& turn = this->turn(true);
    turn.has_calls = true;
    Call call{clean_id(part.id), part.name};
    if (call.id.empty()) call.id = "call_" + std::to_string(++made_ids_);
    json::Writer w = next(block_of_assistant());
    w.begin_object();
    w.field("type", "tool_use");
    w.field("id", call.id);
    w.field("name", part.name);
    w.raw_field("input", object_arguments(part.arguments));
    common(w, part);
    w.end_object();
    if (std::ranges::find(out_.called, part.name) == out_.called.end())
      out_.called.push_back(part.name);
    open_calls_.push_back(std::move(call));
  }

  Result<Conversation> finish() {
    // An assistant turn at the end is a prefill: the API wants it without trailing white space.
    if (!turns_.empty() && turns_.back().assistant && turns_.back().tail != nullptr) {
      Turn& last = turns_.back();
      const Part& tail = *last.tail;
      last.blocks.resize(last.tail_at);
      json::Writer w = next(last.blocks);
      write_text(w, tail, trim_right(tail.text));
    }
    std::erase_if(turns_,
                  [](const Turn& turn) { return turn.results.empty() && turn.blocks.empty(); });
    if (turns_.empty()) return invalid("messages", "there is nothing in them to answer");
    out_.prefill = turns_.back().assistant;
    if (turns_.size() >= 2 && !turns_.back().assistant && !turns_.back().results.empty()) {
      out_.tool_turn_without_thought = !turns_[turns_.size() - 2].starts_with_thought;
    }
    size_t bytes = 0;
    for (const Turn& turn : turns_) bytes += turn.results.size() + turn.blocks.size() + 48;
    out_.messages.reserve(bytes);
    for (const Turn& turn : turns_) {
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
  int made_ids_ = 0;
};

}  // namespace

Result<Conversation> write_conversation(const Request& request, std::vector<std::string>& dropped) {
  return Builder(request, dropped).build();
}

}  // namespace ajar::wire::anthropic
