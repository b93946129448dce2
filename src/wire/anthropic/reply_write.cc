// A whole reply as a message. https://docs.claude.com/en/api/messages
#include "base/random.h"
#include "json/write.h"
#include "wire/anthropic/anthropic.h"
#include "wire/anthropic/origin.h"
#include "wire/anthropic/reply_out.h"
#include "wire/outbound.h"

namespace ajar::wire::anthropic {
namespace {

using PartKind = Part::Kind;

class ReplyWriter {
 public:
  ReplyWriter(const Reply& reply, const ReplyOptions& options, std::string& out)
      : reply_(reply), options_(options), own_(reply.origin == DialectId::kAnthropic), w_(out) {}

  void write() {
    static const Choice kNone;
    const Choice& choice = reply_.choices.empty() ? kNone : reply_.choices.front();
    w_.begin_object();
    w_.field("id", reply_.id.empty() ? new_id("msg_") : reply_.id);
    w_.field("type", "message");
    w_.field("role", "assistant");
    w_.field("model", reply_.model.empty() ? options_.model : reply_.model);
    w_.key("content");
    w_.begin_array();
    for (const Part& part : choice.parts) block(part);
    w_.end_array();
    Finish finish = choice.finish;
    if (refused_ && finish == Finish::kStop) finish = Finish::kRefusal;
    const std::string_view reason =
        stop_reason(finish, own_ ? std::string_view(choice.native_finish) : std::string_view(),
                    choice.stop_sequence, has_calls_);
    w_.field("stop_reason", reason);
    if (reason == "stop_sequence") {
      w_.field("stop_sequence", choice.stop_sequence);
    } else {
      w_.null_field("stop_sequence");
    }
    w_.key("usage");
    write_usage(w_, reply_.usage, own_ ? reply_.usage_extra : RawMembers());
    if (own_) w_.members(reply_.extra);
    w_.end_object();
  }

 private:
  void block(const Part& part) {
    switch (part.kind) {
      case PartKind::kText:
        text(part);
        break;
      case PartKind::kRefusal:  // Anthropic's own stands in stop_details
        refused_ = true;
        if (!own_) text(part);
        break;
      case PartKind::kThought:
        thought(part);
        break;
      case PartKind::kToolCall:
        has_calls_ = true;
        write_tool_use(w_, part.id, part.name, object_arguments(part.arguments), part.signature,
                       part.origin, part.extra, own_ && part.origin == DialectId::kAnthropic);
        break;
      case PartKind::kImage:
      case PartKind::kAudio:
      case PartKind::kFile:
        write_media(w_, part.media_type, part.data);
        break;
      case PartKind::kOpaque:
        if (part.origin == DialectId::kAnthropic) w_.raw(part.raw);
        break;
      case PartKind::kToolResult:
        break;  // not something a model says
    }
  }

  void text(const Part& part) {
    w_.begin_object();
    w_.field("type", "text");
    w_.field("text", part.text);
    if (!part.citations.empty() && part.origin == DialectId::kAnthropic)
      w_.raw_field("citations", part.citations);
    w_.end_object();
  }

  void thought(const Part& part) {
    w_.begin_object();
    w_.field("type", part.redacted ? "redacted_thinking" : "thinking");
    if (part.redacted) {
      w_.field("data", mark_signature(part.origin, part.data));
    } else {
      w_.field("thinking", part.text);
      w_.field("signature", mark_signature(part.origin, part.signature));
    }
    w_.end_object();
  }

  const Reply& reply_;
  const ReplyOptions& options_;
  const bool own_;
  json::Writer w_;
  bool has_calls_ = false, refused_ = false;
};

}  // namespace

std::string write_reply(const Reply& reply, const ReplyOptions& options) {
  std::string out;
  ReplyWriter(reply, options, out).write();
  return out;
}

}  // namespace ajar::wire::anthropic
