#pragma once
// Events to chat.completion.chunk frames.

#include <string>
#include <vector>

#include "wire/dialect.h"

namespace ajar::wire::openai {

class ChatEncoder : public ReplyEncoder {
 public:
  explicit ChatEncoder(ReplyOptions options) : options_(std::move(options)) {}

  void encode(const EventBatch& events, std::string& out) override;
  void finish(StreamEnd end, const Error* error, std::string& out) override;

 private:
  struct ChoiceState {
    bool role_sent = false;
    bool used_tools = false;
    std::string thought;       // text of the open thought, for its block
    std::vector<bool> custom;  // per call: of a custom tool
  };

  void start(const Event& event);
  void begin(const Event& event,
             std::string& out);  // up to and with the opening brace of the delta
  void member(std::string_view name, std::string& out);  // in the delta
  void end(const Event& event, const Event* logprobs, std::string_view finish, std::string& out);
  void text_frame(std::string_view name, const Event& event, const Event* logprobs,
                  std::string& out);
  void thought_end(const Event& event, std::string& out);
  void tool_call(const Event& call, const Event* args, std::string& out);
  void tool_args(const Event& args, std::string& out);
  void media(const Event& event, std::string& out);
  void stop(const Event& event, std::string& out);
  void usage_frame(std::string& out);
  void members(const RawMembers& members, std::string& out);
  ChoiceState& state(int choice);

  ReplyOptions options_;
  std::string prefix_;  // `data: {"id":...,"object":...,"created":...,"model":...`
  std::vector<ChoiceState> choices_;
  DialectId origin_ =
      DialectId::kNone;  // whose extra members are written again: only our own dialect's
  Usage usage_;
  RawMembers usage_extra_;
  bool started_ = false, first_member_ = true, usage_seen_ = false;
};

// One element of `thinking_blocks` (LiteLLM's form), as JSON.
void append_thinking_block(std::string& out, std::string_view text, std::string_view signature,
                           bool redacted, std::string_view data, DialectId origin);

}  // namespace ajar::wire::openai
