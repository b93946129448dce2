// A whole reply as a chat.completion object.
// https://platform.openai.com/docs/api-reference/chat/object
#include "base/clock.h"
#include "base/random.h"
#include "json/write.h"
#include "wire/fields.h"
#include "wire/media.h"
#include "wire/openai/chat.h"
#include "wire/openai/encoder.h"
#include "wire/openai/message_write.h"
#include "wire/openai/usage.h"

namespace ajar::wire::openai {
namespace {

class ReplyWriter {
 public:
  ReplyWriter(const Reply& reply, const ReplyOptions& options, std::string& out)
      : reply_(reply), options_(options), own_(reply.origin == DialectId::kOpenAiChat), w_(out) {}

  void write() {
    w_.begin_object();
    w_.field("id", reply_.id.empty() ? new_id("chatcmpl-") : reply_.id);
    w_.field("object", "chat.completion");
    w_.field("created", reply_.created > 0 ? reply_.created : unix_seconds());
    w_.field("model", reply_.model.empty() ? options_.model : reply_.model);
    w_.key("choices");
    w_.begin_array();
    for (size_t i = 0; i < reply_.choices.size(); ++i) choice(reply_.choices[i], int64_t(i));
    w_.end_array();
    w_.key("usage");
    write_usage(w_, reply_.usage, own_ ? reply_.usage_extra : RawMembers());
    if (own_) w_.members(reply_.extra);
    w_.end_object();
  }

 private:
  void choice(const Choice& choice, int64_t index) {
    w_.begin_object();
    w_.field("index", index);
    message(choice);
    if (!own_ || !has_member(choice.extra, "logprobs")) {
      w_.key("logprobs");
      if (choice.logprobs.empty())
        w_.null();
      else
        w_.raw("{\"content\":[" + choice.logprobs + "],\"refusal\":null}");
    }
    w_.key("finish_reason");
    if (choice.finish == Finish::kNone)
      w_.null();
    else if (options_.legacy_functions && choice.finish == Finish::kToolCalls)
      w_.string("function_call");
    else
      w_.string(finish_name(choice.finish));
    if (own_) w_.members(choice.extra);
    w_.end_object();
  }

  void message(const Choice& choice) {
    using Kind = Part::Kind;
    std::string text, refusal, thoughts;
    bool has_text = false, blocks = false, calls = false, opaque = false, images = false;
    const Part* audio = nullptr;
    for (const Part& part : choice.parts) {
      switch (part.kind) {
        case Kind::kText:
          text += part.text, has_text = true;
          break;
        case Kind::kRefusal:
          refusal += part.text;
          break;
        case Kind::kThought:
          thoughts += part.text;
          blocks = blocks || part.redacted || !part.signature.empty();
          break;
        case Kind::kToolCall:
          calls = true;
          break;
        case Kind::kImage:
        case Kind::kFile:
          images = true;
          break;
        case Kind::kAudio:
          audio = &part;
          break;
        case Kind::kOpaque:
          opaque = opaque || part.origin == DialectId::kOpenAiChat;
          break;
        case Kind::kToolResult:
          break;
      }
    }
    w_.key("message");
    w_.begin_object();
    w_.field("role", "assistant");
    w_.key("content");
    if (opaque)
      content_list(choice);
    else if (has_text || (!calls && refusal.empty()))
      w_.string(text);
    else
      w_.null();
    w_.key("refusal");
    if (refusal.empty())
      w_.null();
    else
      w_.string(refusal);
    if (!thoughts.empty()) w_.field("reasoning_content", thoughts);
    if (blocks) thinking_blocks(choice);
    if (calls) tool_calls(choice);
    if (images) image_list(choice);
    if (audio != nullptr && !(own_ && has_member(choice.message_extra, "audio"))) {
      w_.key("audio");
      w_.begin_object();
      w_.field("data", audio->data);
      w_.end_object();
    }
    if (!choice.annotations.empty()) {
      w_.key("annotations");
      w_.begin_array();
      for (const RawJson& annotation : choice.annotations) w_.raw(annotation);
      w_.end_array();
    }
    if (own_) w_.members(choice.message_extra);
    w_.end_object();
  }

  void content_list(const Choice& choice) {
    w_.begin_array();
    for (const Part& part : choice.parts) {
      if (part.kind == Part::Kind::kText) {
        w_.begin_object();
        w_.field("type", "text");
        w_.field("text", part.text);
        w_.end_object();
      } else if (part.kind == Part::Kind::kOpaque && part.origin == DialectId::kOpenAiChat) {
        w_.raw(part.raw);
      }
    }
    w_.end_array();
  }

  void thinking_blocks(const Choice& choice) {
    w_.key("thinking_blocks");
    w_.begin_array();
    for (const Part& part : choice.parts) {
      if (part.kind != Part::Kind::kThought) continue;
      std::string block;
      append_thinking_block(block, part.text, part.signature, part.redacted, part.data,
                            part.origin);
      w_.raw(block);
    }
    w_.end_array();
  }

  void tool_calls(const Choice& choice) {
    if (options_.legacy_functions) {
      for (const Part& part : choice.parts) {
        if (part.kind != Part::Kind::kToolCall) continue;
        w_.key("function_call");
        w_.begin_object();
        w_.field("name", part.name);
        w_.field("arguments", part.arguments);
        w_.end_object();
        return;  // there was room for one
      }
    }
    w_.key("tool_calls");
    w_.begin_array();
    for (const Part& part : choice.parts) {
      if (part.kind == Part::Kind::kToolCall) tool_call(part);
    }
    w_.end_array();
  }

  void tool_call(const Part& call) {
    const bool custom = own_ && is_custom(call.extra);
    w_.begin_object();
    w_.field("id", call.id.empty() ? new_id("call_") : call.id);
    w_.field("type", custom ? "custom" : "function");
    w_.key(custom ? "custom" : "function");
    w_.begin_object();
    w_.field("name", call.name);
    w_.field(custom ? "input" : "arguments", call.arguments);
    w_.end_object();
    if (!call.signature.empty() && call.origin == DialectId::kGemini) {
      w_.key("extra_content");
      w_.begin_object();
      w_.key("google");
      w_.begin_object();
      w_.field("thought_signature", call.signature);
      w_.end_object();
      w_.end_object();
    }
    if (own_) w_.members(custom ? custom_rest(call.extra) : call.extra);
    w_.end_object();
  }

  void image_list(const Choice& choice) {
    w_.key("images");
    w_.begin_array();
    for (const Part& part : choice.parts) {
      if (part.kind != Part::Kind::kImage && part.kind != Part::Kind::kFile) continue;
      w_.begin_object();
      w_.field("type", "image_url");
      w_.key("image_url");
      w_.begin_object();
      w_.field("url", join_data_uri(part.media_type, part.data));
      w_.end_object();
      w_.end_object();
    }
    w_.end_array();
  }

  const Reply& reply_;
  const ReplyOptions& options_;
  const bool own_;
  json::Writer w_;
};

}  // namespace

std::string write_reply(const Reply& reply, const ReplyOptions& options) {
  size_t size = 512;
  for (const Choice& choice : reply.choices) {
    for (const Part& part : choice.parts) size += part.text.size() + part.arguments.size() + 128;
  }
  std::string out;
  out.reserve(size);
  ReplyWriter(reply, options, out).write();
  return out;
}

}  // namespace ajar::wire::openai
