#include "wire/anthropic/encoder.h"

#include <algorithm>

#include "base/random.h"
#include "json/read.h"
#include "wire/anthropic/anthropic.h"
#include "wire/anthropic/origin.h"
#include "wire/anthropic/reply_out.h"
#include "wire/fields.h"

namespace ajar::wire::anthropic {

using Kind = Event::Kind;
using json::append_int;
using json::append_string;

void Encoder::encode(const EventBatch& events, std::string& out) {
  for (const Event& event : events) this->event(event, out);
}

void Encoder::event(const Event& event, std::string& out) {
  if (event.choice > 0) return;  // the API knows one answer
  using Type = Block::Type;
  const bool own = event.origin == DialectId::kAnthropic;
  if (origin_ == DialectId::kNone) origin_ = event.origin;
  switch (event.kind) {
    case Kind::kStart:
      if (begun_) return;
      id_ = event.id;
      model_ = event.name;
      origin_ = event.origin;
      if (own) start_extra_ = event.top_extra;
      return;
    case Kind::kUsage:
      usage_.merge(event.usage);
      if (own) merge_members(usage_extra_, event.part_extra);
      return;
    case Kind::kText:
      return fill(block(Type::kText, event.index, out), event.text, out);
    case Kind::kRefusal:
      // Anthropic's own explanation stands in stop_details.
      if (origin_ == DialectId::kAnthropic) return;
      refused_ = true;
      return fill(block(Type::kText, -1, out), event.text, out);
    case Kind::kThought:
      return fill(block(Type::kThinking, 0, out), event.text, out);
    case Kind::kThoughtEnd: {
      const std::string mark = mark_signature(event.origin, event.redacted ? event.raw : event.text);
      if (event.redacted) {
        Block whole{.type = Type::kWhole};
        json::Writer w(whole.held);
        w.begin_object();
        w.field("type", "redacted_thinking");
        w.field("data", mark);
        w.end_object();
        append(std::move(whole), out);
        return;
      }
      Block& thought = block(Type::kThinking, 0, out);
      thought.ended = true;
      if (is_open(thought)) {
        delta("signature_delta", "signature", mark, out);
      } else {
        thought.signature = mark;
      }
      return;
    }
    case Kind::kToolCall: {
      has_calls_ = true;
      Block call{.type = Type::kTool, .index = event.index, .id = event.id, .name = event.name};
      if (own && origin_ == DialectId::kAnthropic) call.members = event.part_extra;
      if (!event.text.empty() && event.origin == DialectId::kGemini)
        call.members = google_extra(event.text);
      append(std::move(call), out);
      return;
    }
    case Kind::kToolArgs: {
      const auto call = std::ranges::find_if(blocks_, [&](const Block& block) {
        return block.type == Type::kTool && block.index == event.index;
      });
      if (call == blocks_.end()) return;
      call->json.feed(event.text);
      fill(*call, event.text, out);
      return advance(false, out);
    }
    case Kind::kAnnotation:
      if (!own || event.text.empty() || blocks_.empty()) return;
      if (Block& text = blocks_.back(); text.type != Type::kText) {
        return;
      } else if (is_open(text)) {
        out += "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":";
        append_int(out, number_);
        out.append(",\"delta\":{\"type\":\"citations_delta\",\"citation\":").append(event.text);
        out += "}}\n\n";
      } else {
        text.citations.push_back(event.text);
      }
      return;
    case Kind::kMedia: {
      Block whole{.type = Type::kWhole};
      json::Writer w(whole.held);
      write_media(w, event.name, event.text);
      append(std::move(whole), out);
      return;
    }
    case Kind::kOpaque:
      if (own) opaque(event, out);
      return;
    case Kind::kStop:
      finish_ = event.finish;
      if (own) {
        native_finish_ = event.name;
        end_extra_ = event.top_extra;
      }
      stop_sequence_ = event.text;
      return advance(true, out);
    case Kind::kLogprobs:
    case Kind::kExtra:
      return;
  }
}

// A whole block, told as the API tells it: the input of a server's tool comes in a delta.
void Encoder::opaque(const Event& event, std::string& out) {
  Block whole{.type = Block::Type::kWhole};
  json::Document document;
  const auto object = document.parse_object(event.raw);
  if (object && json::find(*object, "input") && json::find(*object, "name")) {
    RawMembers members;
    for (const auto field : *object) {
      if (field.key == "input") {
        whole.signature = json::raw(field.value);
        add_member(members, "input", "{}");
      } else {
        add_member(members, field.key, field.value);
      }
    }
    whole.held = "{" + members + "}";
  } else {
    whole.held = event.raw;
  }
  append(std::move(whole), out);
}

// Nothing is written before something is said, so that the start can tell what the provider has reported by then.
void Encoder::begin(std::string& out) {
  if (begun_) return;
  begun_ = true;
  Usage usage = usage_;
  if (usage.input == 0) usage.input = options_.input_estimate;
  out += "event: message_start\ndata: ";
  json::Writer w(out);
  w.begin_object();
  w.field("type", "message_start");
  w.key("message");
  w.begin_object();
  w.field("id", id_.empty() ? new_id("msg_") : id_);
  w.field("type", "message");
  w.field("role", "assistant");
  w.field("model", model_.empty() ? options_.model : model_);
  w.raw_field("content", "[]");
  w.null_field("stop_reason");
  w.null_field("stop_sequence");
  w.key("usage");
  write_usage(w, usage, usage_extra_);
  w.members(start_extra_);
  w.end_object();
  w.end_object();
  out += "\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n";
}

// The last block where what comes belongs into it, otherwise a new one.
Encoder::Block& Encoder::block(Block::Type type, int32_t index, std::string& out) {
  if (!blocks_.empty()) {
    Block& last = blocks_.back();
    if (last.type == type && last.index == index && !last.ended) return last;
  }
  return append(Block{.type = type, .index = index}, out);
}

Encoder::Block& Encoder::append(Block block, std::string& out) {
  begin(out);
  blocks_.push_back(std::move(block));
  if (blocks_.size() == 1) {
    open(blocks_.front(), out);
  } else {
    advance(false, out);
  }
  return blocks_.back();
}

void Encoder::fill(Block& block, std::string_view text, std::string& out) {
  if (text.empty()) return;
  if (!is_open(block)) {
    block.held += text;
    return;
  }
  block.any = true;
  switch (block.type) {
    case Block::Type::kText:
      return delta("text_delta", "text", text, out);
    case Block::Type::kThinking:
      return delta("thinking_delta", "thinking", text, out);
    case Block::Type::kTool:
      return delta("input_json_delta", "partial_json", text, out);
    case Block::Type::kWhole:
      return;
  }
}

// Closes the open block once another waits behind it and nothing can come for it any more, and so on. A call is
// only over when its arguments are a whole JSON value, because providers may write several calls at once.
void Encoder::advance(bool all, std::string& out) {
  while (!blocks_.empty()) {
    Block& front = blocks_.front();
    const bool over = front.type != Block::Type::kTool || front.json.reached();
    if (!all && (blocks_.size() == 1 || !over)) return;
    close(front, out);
    blocks_.pop_front();
    if (!blocks_.empty()) open(blocks_.front(), out);
  }
}

void Encoder::open(Block& block, std::string& out) {
  ++number_;
  out += "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":";
  append_int(out, number_);
  out += ",\"content_block\":";
  switch (block.type) {
    case Block::Type::kText:
      out += R"({"type":"text","text":""})";
      break;
    case Block::Type::kThinking:
      out += R"({"type":"thinking","thinking":"","signature":""})";
      break;
    case Block::Type::kTool: {
      json::Writer w(out);
      w.begin_object();
      w.field("type", "tool_use");
      w.field("id", block.id.empty() ? new_id("toolu_") : block.id);
      w.field("name", block.name);
      w.raw_field("input", "{}");
      w.members(block.members);
      w.end_object();
      break;
    }
    case Block::Type::kWhole:
      out += block.held;
      break;
  }
  out += "}\n\n";
  if (block.type == Block::Type::kWhole) {
    if (!block.signature.empty()) delta("input_json_delta", "partial_json", block.signature, out);
    return;
  }
  fill(block, block.held, out);
  block.held.clear();
  for (const std::string& citation : block.citations) {
    out += "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":";
    append_int(out, number_);
    out.append(",\"delta\":{\"type\":\"citations_delta\",\"citation\":").append(citation);
    out += "}}\n\n";
  }
  if (!block.signature.empty()) delta("signature_delta", "signature", block.signature, out);
}

void Encoder::close(Block& block, std::string& out) {
  if (block.type == Block::Type::kTool && !block.any)
    delta("input_json_delta", "partial_json", "{}", out);
  out += "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":";
  append_int(out, number_);
  out += "}\n\n";
}

void Encoder::delta(std::string_view type, std::string_view member, std::string_view text,
                    std::string& out) {
  out += "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":";
  append_int(out, number_);
  out.append(",\"delta\":{\"type\":\"").append(type).append("\",\"").append(member).append("\":");
  append_string(out, text);
  out += "}}\n\n";
}

void Encoder::finish(StreamEnd end, const Error* error, std::string& out) {
  if (end != StreamEnd::kComplete) {
    Error told = error != nullptr ? *error
                                  : Error{.code = Code::kUpstream,
                                          .message = "the stream did not end properly"};
    // The type says how the stream ended, whatever the error's own words are.
    if (end == StreamEnd::kCut) told.code = Code::kCut;
    if (end == StreamEnd::kFiltered && told.code != Code::kBudget) told.code = Code::kFiltered;
    out += "event: error\ndata: ";
    out += write_error(told, 200, options_.id);
    out += "\n\n";
    return;
  }
  begin(out);
  advance(true, out);
  if (refused_ && finish_ == Finish::kStop) finish_ = Finish::kRefusal;
  const std::string_view reason = stop_reason(finish_, native_finish_, stop_sequence_, has_calls_);
  out += "event: message_delta\ndata: ";
  json::Writer w(out);
  w.begin_object();
  w.field("type", "message_delta");
  w.key("delta");
  w.begin_object();
  w.field("stop_reason", reason);
  if (reason == "stop_sequence") {
    w.field("stop_sequence", stop_sequence_);
  } else {
    w.null_field("stop_sequence");
  }
  w.members(without_member(end_extra_, "context_management"));
  w.end_object();
  w.key("usage");
  write_usage(w, usage_, usage_extra_);
  if (has_member(end_extra_, "context_management")) w.members(only_member(end_extra_, "context_management"));
  w.end_object();
  out += "\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
}

std::unique_ptr<ReplyEncoder> new_encoder(ReplyOptions options) {
  return std::make_unique<Encoder>(std::move(options));
}

}  // namespace ajar::wire::anthropic
