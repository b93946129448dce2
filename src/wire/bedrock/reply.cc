// Converse and ConverseStream replies -> events.
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
#include <algorithm>
#include <utility>

#include "json/read.h"
#include "json/write.h"
#include "wire/bedrock/bedrock.h"
#include "wire/bedrock/reply_parts.h"
#include "wire/fields.h"

namespace ajar::wire::bedrock {
namespace {

using Kind = Event::Kind;

// One content block between its start and its stop.
struct Block {
  enum class Type : uint8_t { kNone, kText, kThought, kToolUse, kOpaque };
  int64_t index = 0;
  Type type = Type::kNone;
  int32_t tool = 0;       // kToolUse: which call
  bool any_args = false;  // kToolUse: a fragment was emitted
  int64_t text_from = 0;  // kText: characters of the reply before it
  std::string held;       // kOpaque: fragments of the input of a tool that the provider runs itself
  std::string name;       // kOpaque: "toolUse", "toolResult", …
  RawMembers members;     // kOpaque
  std::vector<std::string> citations;  // raw, until the block's length is known
};

class Decoder final : public ReplyDecoder {
 public:
  Status on_event(std::string_view name, std::string_view data, EventBatch& out) override {
    if (data.empty()) return {};
    const auto payload = document_.parse_object(data);
    if (!payload) return unreadable(payload.error());
    if (!name.empty()) return event(name, *payload, out);
    for (const auto field : *payload) {
      if (const auto inner = json::as_object(field.value)) AJAR_TRY(event(field.key, *inner, out));
      if (done_) break;
    }
    return {};
  }

  Status on_body(std::string_view body, EventBatch& out) override {
    const auto reply = document_.parse_object(body);
    if (!reply) return unreadable(reply.error());
    const auto output = object_at(*reply, "output");
    const auto message = output ? object_at(*output, "message") : std::nullopt;
    if (!message) {
      if (json::find(*reply, "message")) return std::unexpected(error_of(*reply, "", 0));
      return fail(Code::kUpstream, "the provider's answer is not a reply of Converse");
    }
    start(out);
    const auto content = json::find(*message, "content");
    if (const auto blocks = content ? json::as_array(*content) : std::nullopt) {
      for (const json::Value value : *blocks) {
        whole_block(value, out);
      }
    }
    stop(*reply, out);
    metadata(*reply, out);
    done_ = true;
    return {};
  }

  // The counts come after the stop; a reply that has stopped is whole without them.
  Status on_end(EventBatch&) override {
    done_ = done_ || stopped_;
    if (done_) return {};
    return fail(Code::kCut, started_ ? "the provider's stream ended before its message did"
                                     : "the provider's stream ended before its message began");
  }
  bool done() const override { return done_; }

 private:
  static std::unexpected<Error> unreadable(const Error& why) {
    return fail(Code::kUpstream, "the provider's answer is not JSON: " + why.message);
  }
  static std::optional<json::Object> object_at(const json::Object& object, std::string_view key) {
    const auto value = json::find(object, key);
    return value ? json::as_object(*value) : std::nullopt;
  }
  Event& emit(EventBatch& out, Kind kind) {
    Event& event = out.emplace_back();
    event.kind = kind;
    event.origin = DialectId::kBedrock;
    return event;
  }
  void start(EventBatch& out) {
    if (!std::exchange(started_, true)) emit(out, Kind::kStart);  // neither id nor model is told
  }

  Status event(std::string_view name, const json::Object& payload, EventBatch& out) {
    if (name == "contentBlockDelta") {
      start(out);
      if (const auto delta = object_at(payload, "delta")) this->delta(block(payload), *delta, out);
    } else if (name == "contentBlockStart") {
      start(out);
      if (const auto begin = object_at(payload, "start")) start_block(block(payload), *begin, out);
    } else if (name == "contentBlockStop") {
      stop_block(json::int_or(payload, "contentBlockIndex"), out);
    } else if (name == "messageStart") {
      start(out);
    } else if (name == "messageStop") {
      start(out);
      stop(payload, out);
      done_ = measured_;
    } else if (name == "metadata") {
      start(out);
      metadata(payload, out);
      done_ = stopped_;
    } else if (json::find(payload, "message") || name.ends_with("Exception")) {
      return std::unexpected(error_of(payload, name, 0));
    }
    return {};  // events that are not born yet
  }

  Block& block(const json::Object& payload) {
    const int64_t index = json::int_or(payload, "contentBlockIndex");
    for (Block& block : blocks_) {
      if (block.index == index) return block;
    }
    Block& block = blocks_.emplace_back();
    block.index = index;
    return block;
  }

  void start_block(Block& block, const json::Object& start, EventBatch& out) {
    if (block.type != Block::Type::kNone) return;
    if (const auto call = object_at(start, "toolUse"); call && json::string_or(*call, "type") != "server_tool_use") {
      start_call(block, *call, out);
      return;
    }
    for (const auto field : start) {  // one member names the block's type
      block.type = Block::Type::kOpaque;
      block.name = field.key;
      block.members.clear();
      if (const auto members = json::as_object(field.value)) {
        for (const auto member : *members) add_member(block.members, member.key, member.value);
      }
    }
  }

  void start_call(Block& block, const json::Object& call, EventBatch& out) {
    block.type = Block::Type::kToolUse;
    block.tool = calls_++;
    Event& event = emit(out, Kind::kToolCall);
    event.index = block.tool;
    event.id = json::string_or(call, "toolUseId");
    event.name = json::string_or(call, "name");
  }

  void delta(Block& block, const json::Object& delta, EventBatch& out) {
    using Type = Block::Type;
    if (block.type == Type::kOpaque) return opaque_delta(block, delta);
    for (const auto field : delta) {
      if (field.key == "text") {
        open(block, Type::kText);
        text(json::as_string(field.value).value_or(""), out);
      } else if (field.key == "citation") {
        open(block, Type::kText);
        block.citations.push_back(json::raw(field.value));
      } else if (field.key == "reasoningContent") {
        open(block, Type::kThought);
        if (const auto thought = json::as_object(field.value)) this->thought(*thought, out);
      } else if (field.key == "toolUse" && block.type == Type::kToolUse) {
        const auto use = json::as_object(field.value);
        if (use) args(block, json::string_or(*use, "input"), out);
      }
    }
  }
  void open(Block& block, Block::Type type) {
    if (block.type != Block::Type::kNone) return;
    block.type = type;
    block.text_from = characters_;
  }

  static void opaque_delta(Block& block, const json::Object& delta) {
    for (const auto field : delta) {
      if (field.key != block.name) continue;
      const auto use = json::as_object(field.value);
      if (use) block.held += json::string_or(*use, "input");
      else merge_members(block.members, "\"content\":" + json::raw(field.value));
    }
  }

  void stop_block(int64_t index, EventBatch& out) {
    const auto found = std::ranges::find(blocks_, index, &Block::index);
    if (found == blocks_.end()) return;
    const Block block = std::move(*found);
    blocks_.erase(found);
    close(block, false, out);
  }

  // `broken`: the message ended while the block was open.
  void close(const Block& block, bool broken, EventBatch& out) {
    switch (block.type) {
      case Block::Type::kText:
        for (const std::string& citation : block.citations) {
          emit(out, Kind::kAnnotation).raw = annotation_of(citation, block.text_from, characters_);
        }
        break;
      case Block::Type::kToolUse:
        if (!block.any_args) {
          Event& event = emit(out, Kind::kToolArgs);
          event.index = block.tool;
          event.text = "{}";
        }
        break;
      case Block::Type::kOpaque: {
        if (broken) break;
        RawMembers members = block.members;
        if (!block.held.empty() && json::explain(block.held).empty()) merge_members(members, "\"input\":" + block.held);
        std::string& raw = emit(out, Kind::kOpaque).raw = "{";
        json::append_string(raw, block.name);
        raw.append(":{").append(members).append("}}");
        break;
      }
      case Block::Type::kThought:
      case Block::Type::kNone: break;
    }
  }

  void text(std::string_view text, EventBatch& out) {
    if (text.empty()) return;
    for (const char c : text) characters_ += (uint8_t(c) & 0xC0) != 0x80;
    emit(out, Kind::kText).text = text;
  }
  void args(Block& block, std::string_view fragment, EventBatch& out) {
    if (fragment.empty()) return;
    block.any_args = true;
    Event& event = emit(out, Kind::kToolArgs);
    event.index = block.tool;
    event.text = fragment;
  }
  // A piece of a thought, or all of it. Only Claude signs; its signatures hold on every platform that runs it.
  void thought(const json::Object& thought, EventBatch& out) {
    const auto whole = object_at(thought, "reasoningText");
    const json::Object& from = whole ? *whole : thought;
    if (const auto text = json::string_or(from, "text"); !text.empty()) emit(out, Kind::kThought).text = text;
    if (const auto proof = json::string_or(from, "signature"); !proof.empty()) {
      Event& end = emit(out, Kind::kThoughtEnd);
      end.text = proof;
      end.origin = DialectId::kAnthropic;
    }
    if (const auto hidden = json::string_or(thought, "redactedContent"); !hidden.empty()) {
      Event& end = emit(out, Kind::kThoughtEnd);
      end.redacted = true;
      end.raw = hidden;
      end.origin = DialectId::kAnthropic;
    }
  }

  void whole_block(const json::Value& value, EventBatch& out) {
    const auto object = json::as_object(value);
    if (!object) return;
    const json::Object& from = *object;
    Block block;
    block.text_from = characters_;
    if (const auto said = json::find(from, "text")) {
      text(json::as_string(*said).value_or(""), out);
    } else if (const auto thought = object_at(from, "reasoningContent")) {
      this->thought(*thought, out);
    } else if (const auto cited = object_at(from, "citationsContent")) {
      block.type = Block::Type::kText;
      const auto pieces = json::find(*cited, "content");
      if (const auto list = pieces ? json::as_array(*pieces) : std::nullopt) {
        for (const json::Value piece : *list) {
          if (const auto object = json::as_object(piece)) text(json::string_or(*object, "text"), out);
        }
      }
      const auto citations = json::find(*cited, "citations");
      if (const auto list = citations ? json::as_array(*citations) : std::nullopt) {
        for (const json::Value citation : *list) block.citations.push_back(json::raw(citation));
      }
      close(block, false, out);
    } else if (const auto call = object_at(from, "toolUse"); call && json::string_or(*call, "type") != "server_tool_use") {
      start_call(block, *call, out);
      if (const auto input = json::find(*call, "input")) args(block, json::raw(*input), out);
      close(block, false, out);
    } else if (from.size() > 0) {
      emit(out, Kind::kOpaque).raw = json::raw(value);
    }
  }

  void stop(const json::Object& from, EventBatch& out) {
    for (const Block& block : std::exchange(blocks_, {})) close(block, true, out);
    if (std::exchange(stopped_, true)) return;
    const std::string_view reason = json::string_or(from, "stopReason");
    Event& event = emit(out, Kind::kStop);
    event.finish = finish_of(reason, calls_ > 0);
    event.name = reason;
    if (const auto fields = object_at(from, "additionalModelResponseFields")) {
      event.text = json::string_or(*fields, "stop_sequence");
    }
  }

  void metadata(const json::Object& from, EventBatch& out) {
    measured_ = true;
    RawMembers extra;
    for (const char* name : {"trace", "performanceConfig", "metrics"}) {
      if (const auto value = json::find(from, name)) add_member(extra, name, *value);
    }
    const auto usage = object_at(from, "usage");
    if (!usage) return;
    Event& event = emit(out, Kind::kUsage);
    event.usage = usage_of(*usage);
    event.top_extra = std::move(extra);
  }

  json::Document document_;
  std::vector<Block> blocks_;  // open ones
  int64_t characters_ = 0;     // of text so far, as annotations count
  int32_t calls_ = 0;
  bool started_ = false, stopped_ = false, measured_ = false, done_ = false;
};

}  // namespace

std::unique_ptr<ReplyDecoder> new_decoder() { return std::make_unique<Decoder>(); }

}  // namespace ajar::wire::bedrock
