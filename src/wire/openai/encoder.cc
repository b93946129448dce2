#include "wire/openai/encoder.h"

#include "base/clock.h"
#include "base/random.h"
#include "json/write.h"
#include "wire/media.h"
#include "wire/openai/chat.h"
#include "wire/openai_error.h"
#include "wire/openai/message_write.h"
#include "wire/openai_usage.h"

namespace ajar::wire::openai {

using json::append_int;
using json::append_string;

ChatEncoder::ChoiceState& ChatEncoder::state(int choice) {
  const size_t at = choice < 0 ? 0 : size_t(choice);
  if (choices_.size() <= at) choices_.resize(at + 1);
  return choices_[at];
}

// Fixes id, created and model for the whole stream; a start that comes late changes nothing.
void ChatEncoder::start(const Event& event) {
  if (started_) return;
  started_ = true;
  origin_ = event.origin;
  const bool is_start = event.kind == Event::Kind::kStart;
  prefix_ = "data: {\"id\":";
  append_string(prefix_, is_start && !event.id.empty() ? event.id : new_id("chatcmpl-"));
  prefix_ += ",\"object\":\"chat.completion.chunk\",\"created\":";
  append_int(prefix_, is_start && event.created > 0 ? event.created : unix_seconds());
  prefix_ += ",\"model\":";
  append_string(prefix_, is_start && !event.name.empty() ? event.name : options_.model);
}

void ChatEncoder::members(const RawMembers& members, std::string& out) {
  if (members.empty() || origin_ != DialectId::kOpenAiChat) return;
  out.push_back(',');
  out += members;
}

void ChatEncoder::begin(const Event& event, std::string& out) {
  out += prefix_;
  members(event.top_extra, out);
  out += ",\"choices\":[{\"index\":";
  append_int(out, event.choice);
  out += ",\"delta\":{";
  first_member_ = true;
  ChoiceState& choice = state(event.choice);
  if (choice.role_sent) return;
  choice.role_sent = true;
  out += "\"role\":\"assistant\"";
  first_member_ = false;
}

void ChatEncoder::member(std::string_view name, std::string& out) {
  if (!first_member_) out.push_back(',');
  first_member_ = false;
  out.push_back('"');
  out += name;
  out += "\":";
}

void ChatEncoder::end(const Event& event, const Event* logprobs, std::string_view finish,
                      std::string& out) {
  const bool own = event.kind != Event::Kind::kToolCall && event.kind != Event::Kind::kToolArgs &&
                   event.kind != Event::Kind::kUsage;
  if (own && !event.part_extra.empty() && origin_ == DialectId::kOpenAiChat) {
    if (!first_member_) out.push_back(',');
    out += event.part_extra;
  }
  out.push_back('}');
  if (logprobs != nullptr) {
    out += ",\"logprobs\":{\"content\":[";
    out += logprobs->raw;
    out += "]}";
  }
  members(event.choice_extra, out);
  if (logprobs != nullptr && logprobs != &event) members(logprobs->choice_extra, out);
  if (finish.empty()) {
    out += ",\"finish_reason\":null}]";
  } else {
    out += ",\"finish_reason\":\"";
    out += finish;
    out += "\"}]";
  }
  out += options_.include_usage ? ",\"usage\":null}\n\n" : "}\n\n";
}

void ChatEncoder::text_frame(std::string_view name, const Event& event, const Event* logprobs,
                             std::string& out) {
  begin(event, out);
  member(name, out);
  append_string(out, event.text);
  end(event, logprobs, {}, out);
}

void append_thinking_block(std::string& out, std::string_view text, std::string_view signature,
                           bool redacted, std::string_view data, DialectId origin) {
  json::Writer w(out);
  w.begin_object();
  w.field("type", redacted ? "redacted_thinking" : "thinking");
  if (redacted)
    w.field("data", data);
  else
    w.field("thinking", text);
  if (!signature.empty()) w.field("signature", signature);
  if (origin != DialectId::kAnthropic && origin != DialectId::kNone)
    w.field("provider", dialect_name(origin));  // so that it returns to its maker only
  w.end_object();
}

void ChatEncoder::thought_end(const Event& event, std::string& out) {
  ChoiceState& choice = state(event.choice);
  if (event.redacted || !event.text.empty()) {
    begin(event, out);
    member("thinking_blocks", out);
    out.push_back('[');
    append_thinking_block(out, choice.thought, event.text, event.redacted, event.raw, event.origin);
    out.push_back(']');
    end(event, nullptr, {}, out);
  }
  choice.thought.clear();
}

void ChatEncoder::tool_call(const Event& call, const Event* args, std::string& out) {
  ChoiceState& choice = state(call.choice);
  choice.used_tools = true;
  const bool custom = is_custom(call.part_extra);
  const size_t index = call.index < 0 ? 0 : size_t(call.index);
  if (custom) {
    if (choice.custom.size() <= index) choice.custom.resize(index + 1);
    choice.custom[index] = true;
  }
  const std::string_view text = args != nullptr ? std::string_view(args->text) : std::string_view();
  begin(call, out);
  if (options_.legacy_functions) {
    member("function_call", out);
    out += "{\"name\":";
    append_string(out, call.name);
    out += ",\"arguments\":";
    append_string(out, text);
    out.push_back('}');
    return end(call, nullptr, {}, out);
  }
  member("tool_calls", out);
  out += "[{\"index\":";
  append_int(out, int64_t(index));
  out += ",\"id\":";
  append_string(out, call.id.empty() ? new_id("call_") : call.id);
  out += custom ? ",\"type\":\"custom\",\"custom\":{\"name\":"
                : ",\"type\":\"function\",\"function\":{\"name\":";
  append_string(out, call.name);
  out += custom ? ",\"input\":" : ",\"arguments\":";
  append_string(out, text);
  out.push_back('}');
  if (!call.text.empty() && call.origin == DialectId::kGemini) {
    out += ",\"extra_content\":{\"google\":{\"thought_signature\":";
    append_string(out, call.text);
    out += "}}";
  }
  members(custom ? std::string(custom_rest(call.part_extra)) : call.part_extra, out);
  out += "}]";
  end(call, nullptr, {}, out);
}

void ChatEncoder::tool_args(const Event& args, std::string& out) {
  const ChoiceState& choice = state(args.choice);
  const size_t index = args.index < 0 ? 0 : size_t(args.index);
  const bool custom = index < choice.custom.size() && choice.custom[index];
  begin(args, out);
  if (options_.legacy_functions) {
    member("function_call", out);
    out += "{\"arguments\":";
    append_string(out, args.text);
    out.push_back('}');
    return end(args, nullptr, {}, out);
  }
  member("tool_calls", out);
  out += "[{\"index\":";
  append_int(out, int64_t(index));
  out += custom ? ",\"custom\":{\"input\":" : ",\"function\":{\"arguments\":";
  append_string(out, args.text);
  out.push_back('}');
  members(args.part_extra, out);
  out += "}]";
  end(args, nullptr, {}, out);
}

void ChatEncoder::media(const Event& event, std::string& out) {
  begin(event, out);
  if (event.name.starts_with("audio/")) {
    member("audio", out);
    out += "{\"data\":";
    append_string(out, event.text);
    out.push_back('}');
  } else {  // the form of OpenRouter and LiteLLM
    member("images", out);
    out += "[{\"type\":\"image_url\",\"image_url\":{\"url\":";
    append_string(out, join_data_uri(event.name, event.text));
    out += "}}]";
  }
  end(event, nullptr, {}, out);
}

void ChatEncoder::stop(const Event& event, std::string& out) {
  begin(event, out);
  std::string_view finish =
      finish_name(event.finish == Finish::kNone ? Finish::kStop : event.finish);
  if (options_.legacy_functions && event.finish == Finish::kToolCalls) finish = "function_call";
  end(event, nullptr, finish, out);
}

void ChatEncoder::encode(const EventBatch& events, std::string& out) {
  using Kind = Event::Kind;
  for (size_t i = 0; i < events.size(); ++i) {
    const Event& event = events[i];
    const bool was_started = started_;
    if (!started_) start(event);
    // The next event, if it belongs into the same frame.
    const auto next = [&](Kind kind) -> const Event* {
      if (i + 1 >= events.size()) return nullptr;
      const Event& after = events[i + 1];
      const bool same = after.kind == kind && after.choice == event.choice &&
                        after.top_extra.empty() && after.part_extra.empty();
      return same ? &events[++i] : nullptr;
    };
    switch (event.kind) {
      case Kind::kStart:
        if (was_started && event.top_extra.empty()) break;
        begin(event, out);
        if (!was_started) member("content", out), out += "\"\"";
        end(event, nullptr, {}, out);
        break;
      case Kind::kText:
        text_frame("content", event, next(Kind::kLogprobs), out);
        break;
      case Kind::kRefusal:
        text_frame("refusal", event, next(Kind::kLogprobs), out);
        break;
      case Kind::kThought:
        state(event.choice).thought += event.text;
        text_frame("reasoning_content", event, nullptr, out);
        break;
      case Kind::kThoughtEnd:
        thought_end(event, out);
        break;
      case Kind::kToolCall: {
        const bool fuse = i + 1 < events.size() && events[i + 1].index == event.index;
        tool_call(event, fuse ? next(Kind::kToolArgs) : nullptr, out);
        break;
      }
      case Kind::kToolArgs:
        tool_args(event, out);
        break;
      case Kind::kMedia:
        media(event, out);
        break;
      case Kind::kLogprobs:
        begin(event, out);
        end(event, &event, {}, out);
        break;
      case Kind::kAnnotation:
        begin(event, out);
        member("annotations", out);
        out.append("[").append(event.raw).append("]");
        end(event, nullptr, {}, out);
        break;
      case Kind::kOpaque:
        if (event.origin != DialectId::kOpenAiChat) break;
        begin(event, out);
        member("content", out);
        out.append("[").append(event.raw).append("]");
        end(event, nullptr, {}, out);
        break;
      case Kind::kUsage:
        usage_.merge(event.usage);
        usage_seen_ = true;
        if (origin_ == DialectId::kOpenAiChat) merge_members(usage_extra_, event.part_extra);
        if (event.top_extra.empty() && event.choice_extra.empty()) break;
        [[fallthrough]];
      case Kind::kExtra:
        if (origin_ != DialectId::kOpenAiChat) break;
        begin(event, out);
        end(event, nullptr, {}, out);
        break;
      case Kind::kStop:
        stop(event, out);
        break;
    }
  }
}

void ChatEncoder::usage_frame(std::string& out) {
  if (!started_) start(Event{});
  out += prefix_;
  out += ",\"choices\":[],\"usage\":";
  json::Writer w(out);
  write_usage(w, usage_, usage_extra_);
  out += "}\n\n";
}

void ChatEncoder::finish(StreamEnd end, const Error* error, std::string& out) {
  if (end == StreamEnd::kComplete) {
    if (options_.include_usage && usage_seen_) usage_frame(out);
    out += "data: [DONE]\n\n";
    return;
  }
  out += "data: ";
  out += write_error(error_at_end(end, error), 200, {});
  out += "\n\n";
}

std::unique_ptr<ReplyEncoder> new_encoder(ReplyOptions options) {
  return std::make_unique<ChatEncoder>(std::move(options));
}

}  // namespace ajar::wire::openai
