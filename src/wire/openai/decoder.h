#pragma once
// chat.completion and chat.completion.chunk objects to events. One walk serves both: a whole
// message is a delta that comes at once.
// https://platform.openai.com/docs/api-reference/chat/streaming

#include <string>
#include <vector>

#include "json/read.h"
#include "wire/dialect.h"

namespace ajar::wire::openai {

class ChatDecoder : public ReplyDecoder {
 public:
  Status on_event(std::string_view name, std::string_view data, EventBatch& out) override;
  Status on_body(std::string_view body, EventBatch& out) override;
  Status on_end(EventBatch& out) override;
  bool done() const override { return done_; }

 private:
  enum class Form : uint8_t { kChunk, kWhole };
  static constexpr int64_t kNoIndex = -1, kLegacyIndex = -2;

  struct Call {
    int64_t index = kNoIndex;  // the provider's
    int32_t ours = 0;
    std::string id;
    std::string name;
    RawMembers extra;
    std::string signature;
    bool open = false;  // its kToolCall has gone out
  };
  struct ChoiceState {
    bool seen = false;
    bool stopped = false;
    std::string thought;    // text of the open thought
    std::string signature;  // of the last closed one: blocks and details may both tell of it
    std::vector<Call> calls;
    int32_t opened = 0;
    std::string last_extra;  // to say repeated members once
  };

  Status object(const json::Object& object, Form form, EventBatch& out);
  Status choice(const json::Value& value, Form form, EventBatch& out);
  Status message(const json::Object& object, Form form, int choice, EventBatch& out);
  void content(const json::Value& value, int choice, EventBatch& out);
  void thought(std::string_view text, int choice, EventBatch& out);
  void thought_end(std::string_view signature, DialectId origin, int choice, EventBatch& out);
  bool thinking_blocks(const json::Value& value, bool text_came, int choice, EventBatch& out);
  bool reasoning_details(const json::Value& value, bool text_came, int choice, EventBatch& out);
  void images(const json::Value& value, int choice, RawMembers& extra, EventBatch& out);
  void tool_call(const json::Object& object, Form form, int choice, EventBatch& out);
  void function_call(const json::Object& object, int choice, EventBatch& out);
  void open_call(Call& call, int choice, EventBatch& out);
  void call_text(Call& call, std::string_view text, int choice, EventBatch& out);
  void close_calls(int choice, EventBatch& out);
  void usage(const json::Value& value, EventBatch& out);
  Event& emit(Event::Kind kind, int choice, EventBatch& out);
  ChoiceState& state(int choice);

  std::vector<ChoiceState> choices_;
  std::string last_top_extra_, pending_extra_;
  Usage last_usage_;
  bool started_ = false, done_ = false, usage_seen_ = false;
};

}  // namespace ajar::wire::openai
