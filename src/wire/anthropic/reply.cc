// Messages replies -> events. https://docs.claude.com/en/docs/build-with-claude/streaming
#include "wire/anthropic/reply.h"

#include <algorithm>
#include <utility>

#include "json/read.h"
#include "json/write.h"
#include "wire/anthropic/anthropic.h"

namespace ajar::wire::anthropic {
namespace {

using Kind = Event::Kind;

// One content block between its start and its stop.
struct Block {
  enum class Type : uint8_t { kText, kThinking, kRedacted, kToolUse, kOpaque };
  int64_t index = 0;
  Type type = Type::kText;
  int32_t tool = 0;       // kToolUse: which call
  bool any_args = false;  // kToolUse: a fragment was emitted
  int64_t text_from = 0;  // kText: characters of the reply before it
  int32_t text_index = 0;  // kText: which block of text
  std::string held;       // signature; whole input of a call; input fragments of an opaque block
  RawMembers members;     // kOpaque: the block less its braces
  std::vector<std::string> citations;  // raw, until the block's length is known
};

class Decoder final : public ReplyDecoder {
 public:
  Status on_event(std::string_view, std::string_view data, EventBatch& out) override {
    if (data.empty() || data == "[DONE]") return {};
    const auto event = document_.parse_object(data);
    if (!event) return unreadable(event.error());
    const std::string_view type = json::string_or(*event, "type");
    if (type == "content_block_delta") {
      delta(*event, out);
    } else if (type == "content_block_start") {
      if (const auto block = object_at(*event, "content_block"))
        start_block(json::int_or(*event, "index"), *block, out);
    } else if (type == "content_block_stop") {
      stop_block(json::int_or(*event, "index"), out);
    } else if (type == "message_delta") {
      message_delta(*event, out);
    } else if (type == "message_start") {
      if (const auto message = object_at(*event, "message")) start_message(*message, out);
    } else if (type == "message_stop") {
      stop_message(out);
      done_ = true;
    } else if (type == "error" || (type.empty() && json::find(*event, "error"))) {
      return std::unexpected(error_of(*event, 0));
    }
    return {};  // pings, and events that are not born yet
  }

  Status on_body(std::string_view body, EventBatch& out) override {
    const auto message = document_.parse_object(body);
    if (!message) return unreadable(message.error());
    if (json::string_or(*message, "type") == "error" || json::find(*message, "error")) {
      return std::unexpected(error_of(*message, 0));
    }
    if (json::string_or(*message, "type") != "message") {
      return fail(Code::kUpstream, "the provider's answer is not a message");
    }
    start_message(*message, out);
    if (const auto content = json::find(*message, "content")) {
      if (const auto blocks = json::as_array(*content)) {
        int64_t index = 0;
        for (const json::Value value : *blocks) {
          if (const auto block = json::as_object(value)) {
            start_block(index, *block, out);
            stop_block(index, out);
          }
          ++index;
        }
      }
    }
    note_extra(*message);
    stop(*message, out);
    stop_message(out);
    done_ = true;
    return {};
  }

  Status on_end(EventBatch&) override {
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
    event.origin = DialectId::kAnthropic;
    return event;
  }

  // What has words of ours, and what belongs to the end of the message.
  static bool known_of_message(std::string_view key) {
    static constexpr std::string_view kKnown[] = {
        "id",    "type",         "role",      "model", "content", "stop_reason", "stop_sequence",
        "usage", "stop_details", "container", "context_management"};
    return std::ranges::find(kKnown, key) != std::end(kKnown);
  }

  // Some servers send message_start twice, or give up on a message and begin another in the same
  // stream: what was said is said, blocks left open are over, and numbering of calls goes on.
  void start_message(const json::Object& message, EventBatch& out) {
    if (started_) {
      blocks_.clear();
    } else {
      started_ = true;
      Event& start = emit(out, Kind::kStart);
      start.id = json::string_or(message, "id");
      start.name = json::string_or(message, "model");
      for (const auto field : message) {
        if (!known_of_message(field.key)) add_member(start.top_extra, field.key, field.value);
      }
    }
    if (const auto usage = object_at(message, "usage")) report(*usage, out);
  }

  void start_block(int64_t index, const json::Object& start, EventBatch& out) {
    stop_block(index, out);
    Block& block = blocks_.emplace_back();
    block.index = index;
    const std::string_view type = json::string_or(start, "type");
    if (type == "text") {
      block.text_from = characters_;
      block.text_index = texts_++;
      text(json::string_or(start, "text"), block.text_index, out);
      if (const auto list = json::find(start, "citations")) {
        if (const auto citations = json::as_array(*list)) {
          for (const json::Value citation : *citations)
            block.citations.push_back(json::raw(citation));
        }
      }
    } else if (type == "thinking") {
      block.type = Block::Type::kThinking;
      thought(json::string_or(start, "thinking"), out);
      block.held = json::string_or(start, "signature");
    } else if (type == "redacted_thinking") {
      block.type = Block::Type::kRedacted;
      Event& event = emit(out, Kind::kThoughtEnd);
      event.redacted = true;
      event.raw = json::string_or(start, "data");
    } else if (type == "tool_use") {
      start_call(block, start, out);
    } else {
      block.type = Block::Type::kOpaque;
      for (const auto field : start) add_member(block.members, field.key, field.value);
    }
  }

  void start_call(Block& block, const json::Object& start, EventBatch& out) {
    block.type = Block::Type::kToolUse;
    block.tool = calls_++;
    Event& call = emit(out, Kind::kToolCall);
    call.index = block.tool;
    for (const auto field : start) {
      if (field.key == "id") {
        call.id = json::as_string(field.value).value_or("");
      } else if (field.key == "name") {
        call.name = json::as_string(field.value).value_or("");
      } else if (field.key == "input") {
        block.held = json::raw(field.value);  // used when no fragments follow
      } else if (field.key != "type") {
        add_member(call.part_extra, field.key, field.value);
      }
    }
  }

  Block* find_block(int64_t index) {
    for (Block& block : blocks_) {
      if (block.index == index) return &block;
    }
    return nullptr;
  }

  void delta(const json::Object& event, EventBatch& out) {
    const auto delta = object_at(event, "delta");
    if (!delta) return;
    Block* block = find_block(json::int_or(event, "index"));
    const std::string_view type = json::string_or(*delta, "type");
    if (block == nullptr) {  // a server that forgot the start: text is still text
      if (type == "text_delta") text(json::string_or(*delta, "text"), texts_, out);
      return;
    }
    if (block->type == Block::Type::kOpaque) return opaque_delta(*block, *delta, type);
    if (type == "text_delta") {
      text(json::string_or(*delta, "text"), block->text_index, out);
    } else if (type == "thinking_delta") {
      thought(json::string_or(*delta, "thinking"), out);
    } else if (type == "input_json_delta") {
      const std::string_view fragment = json::string_or(*delta, "partial_json");
      if (!fragment.empty() && block->type == Block::Type::kToolUse) args(*block, fragment, out);
    } else if (type == "signature_delta") {
      block->held += json::string_or(*delta, "signature");
    } else if (type == "citations_delta") {
      if (const auto citation = json::find(*delta, "citation"))
        block->citations.push_back(json::raw(*citation));
    }
  }

  // Server tools stream their input like calls do; a compaction comes as the members that its block
  // lacked.
  static void opaque_delta(Block& block, const json::Object& delta, std::string_view type) {
    if (type == "input_json_delta") {
      block.held += json::string_or(delta, "partial_json");
      return;
    }
    RawMembers later;
    for (const auto field : delta) {
      if (field.key != "type") add_member(later, field.key, field.value);
    }
    merge_members(block.members, later);
  }

  void stop_block(int64_t index, EventBatch& out) {
    const auto found = std::ranges::find(blocks_, index, &Block::index);
    if (found == blocks_.end()) return;
    Block block = std::move(*found);
    blocks_.erase(found);
    close(block, false, out);
  }

  // `broken`: the message ended while the block was open.
  void close(Block& block, bool broken, EventBatch& out) {
    switch (block.type) {
      case Block::Type::kText:
        for (std::string& citation : block.citations) {
          Event& annotation = emit(out, Kind::kAnnotation);
          annotation.raw = annotation_of(citation, block.text_from, characters_);
          annotation.text = std::move(citation);
        }
        break;
      case Block::Type::kThinking:
        if (!block.held.empty()) emit(out, Kind::kThoughtEnd).text = block.held;
        break;
      case Block::Type::kToolUse:
        if (!block.any_args) args(block, block.held.empty() ? "{}" : block.held, out);
        break;
      case Block::Type::kOpaque: {
        if (!block.held.empty()) {
          json::Document document;
          const auto input = document.parse(block.held);
          RawMembers later;
          if (input) add_member(later, "input", *input);
          merge_members(block.members, later);
        }
        if (!broken) emit(out, Kind::kOpaque).raw = "{" + block.members + "}";
        break;
      }
      case Block::Type::kRedacted:
        break;
    }
  }

  void text(std::string_view text, int32_t index, EventBatch& out) {
    if (text.empty()) return;
    for (const char c : text) characters_ += (uint8_t(c) & 0xC0) != 0x80;
    Event& event = emit(out, Kind::kText);
    event.text = text;
    event.index = index;
  }
  void thought(std::string_view text, EventBatch& out) {
    if (!text.empty()) emit(out, Kind::kThought).text = text;
  }
  void args(Block& block, std::string_view fragment, EventBatch& out) {
    block.any_args = true;
    Event& event = emit(out, Kind::kToolArgs);
    event.index = block.tool;
    event.text = fragment;
  }
  static void add_member(RawMembers& members, std::string_view key, const json::Value& value) {
    if (!members.empty()) members.push_back(',');
    json::append_string(members, key);
    members.push_back(':');
    json::append_raw(members, value);
  }

  void message_delta(const json::Object& event, EventBatch& out) {
    for (Block& block : std::exchange(blocks_, {})) close(block, true, out);
    if (const auto usage = object_at(event, "usage")) report(*usage, out);
    note_extra(event);
    if (const auto delta = object_at(event, "delta")) {
      note_extra(*delta);
      stop(*delta, out);
    }
  }

  // Members of a message that have no word of ours and belong to its end.
  void note_extra(const json::Object& object) {
    for (const std::string_view key : {"stop_details", "container", "context_management"}) {
      RawMembers member;
      if (const auto value = json::find(object, key)) add_member(member, key, *value);
      merge_members(extra_, member);
    }
  }

  void stop(const json::Object& from, EventBatch& out) {
    const std::string_view reason = json::string_or(from, "stop_reason");
    if (reason.empty() || stopped_) return;
    stopped_ = true;
    if (reason == "refusal") {
      if (const auto details = object_at(from, "stop_details")) {
        const std::string_view why = json::string_or(*details, "explanation");
        if (!why.empty()) emit(out, Kind::kRefusal).text = why;
      }
    }
    Event& event = emit(out, Kind::kStop);
    event.finish = finish_of(reason);
    event.name = reason;
    event.text = json::string_or(from, "stop_sequence");
    event.top_extra = std::move(extra_);
  }

  void stop_message(EventBatch& out) {
    for (Block& block : std::exchange(blocks_, {})) close(block, true, out);
    if (stopped_) return;
    stopped_ = true;
    Event& event = emit(out, Kind::kStop);
    event.finish = calls_ > 0 ? Finish::kToolCalls : Finish::kStop;
    event.top_extra = std::move(extra_);
  }

  void report(const json::Object& usage, EventBatch& out) {
    RawMembers extra;  // billed apart from tokens, or only told
    for (const auto field : usage) {
      if (!UsageMeter::counts(field.key) && !field.value.is_null())
        add_member(extra, field.key, field.value);
    }
    if (!meter_.add(usage) && extra.empty()) return;
    Event& event = emit(out, Kind::kUsage);
    event.usage = meter_.usage();
    event.part_extra = std::move(extra);
  }

  json::Document document_;
  std::vector<Block> blocks_;  // open ones, hardly ever more than one
  UsageMeter meter_;
  RawMembers extra_;
  int64_t characters_ = 0;  // of text so far, as annotations count
  int32_t calls_ = 0, texts_ = 0;
  bool started_ = false, stopped_ = false, done_ = false;
};

}  // namespace

std::unique_ptr<ReplyDecoder> new_decoder() { return std::make_unique<Decoder>(); }

}  // namespace ajar::wire::anthropic
