#pragma once
// A reply's text, as a model generates it, to events: text, thoughts and tool calls. It never fails and loses nothing: what
// cannot be read as a call comes out as text. What may become a mark is held back until it is one or is not, so that the
// same reply makes the same events however it is cut into fragments (but for where text is cut).

#include <functional>
#include <string>
#include <string_view>

#include "chat/calls.h"
#include "chat/syntax.h"
#include "core/event.h"

namespace ajar::chat {

// How a reply begins, which the end of its prompt decides.
enum class ReplyStart : uint8_t { kContent, kThought, kCall };

class ReplyParser {
 public:
  // Without tools, what looks like a call is text. `new_id` names calls that the model gives no id; by default nine random
  // letters and digits, which is what the strictest template takes.
  ReplyParser(const ReplySyntax& syntax, KnownTools tools, ReplyStart start = ReplyStart::kContent,
              std::function<std::string()> new_id = {});

  // `text` holds the control tokens that the syntax names as they are written (<|channel|>, [TOOL_CALLS], ...), not those
  // that end the reply.
  void feed(std::string_view text, EventBatch& out);
  // The reply is over: says what was held back.
  void finish(EventBatch& out);

  int32_t calls() const { return calls_; }  // said so far: the reply ends with Finish::kToolCalls where it is not 0

 private:
  enum class State : uint8_t { kContent, kThought, kCall, kHeader, kHarmonyText, kHarmonyThought, kHarmonyCall, kBetween };

  void run(bool whole, EventBatch& out);
  bool content(bool whole, EventBatch& out);  // false: more is needed
  bool bare_json(bool whole, EventBatch& out);
  bool thought(bool whole, EventBatch& out);
  bool call(bool whole, EventBatch& out);
  bool header(bool whole, EventBatch& out);
  bool harmony_body(bool whole, EventBatch& out);
  bool harmony_call(bool whole, EventBatch& out);
  void say(std::string_view text, EventBatch& out);
  void think(std::string_view text, EventBatch& out);
  void say_calls(std::vector<ParsedCall> calls, EventBatch& out);
  bool harmony() const { return syntax_.tools.layout == CallLayout::kHarmony; }

  const ReplySyntax& syntax_;
  const KnownTools tools_;
  const bool with_tools_;
  std::function<std::string()> new_id_;
  State state_;
  std::string pending_;      // not read yet
  std::string held_;         // read, and said before the next text unless a call follows: white space, marks
  std::string mark_;         // that opened the call which is being read
  bool at_start_ = true;     // of the reply: a bare call may come
  bool skip_space_ = false;  // after a thought or a call
  size_t tried_ = 0;         // bytes of pending_ at the last try to read a call
  size_t fresh_ = 0;         // of its end that no try has seen
  int32_t calls_ = 0;
};

}  // namespace ajar::chat
