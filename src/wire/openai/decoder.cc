#include "wire/openai/decoder.h"

#include <algorithm>

#include "base/text.h"
#include "wire/error_text.h"
#include "wire/fields.h"
#include "wire/openai/chat.h"
#include "wire/openai_error.h"
#include "wire/openai_usage.h"

namespace ajar::wire::openai {
namespace {

enum Top { kId, kObject, kCreated, kModel, kChoices, kUsage, kGroq, kObfuscation, kTopCount };
// `obfuscation` is padding that hides the length of tokens on the provider's line; it says nothing
// on ours.
constexpr std::array<std::string_view, kTopCount> kTopNames = {
    "id", "object", "created", "model", "choices", "usage", "x_groq", "obfuscation"};

enum ChoiceMember {
  kIndex,
  kDelta,
  kMessage,
  kFinishReason,
  kLogprobs,
  kChoiceError,
  kChoiceUsage,
  kChoiceCount
};
constexpr std::array<std::string_view, kChoiceCount> kChoiceNames = {
    "index", "delta", "message", "finish_reason", "logprobs", "error", "usage"};

constexpr int kMaxChoices = 128;

Error nonsense(std::string_view what, std::string_view data) {
  Error error{.code = Code::kUpstream};
  error.message.append("the provider sent ")
      .append(what)
      .append(": ")
      .append(readable_excerpt(data, 120));
  return error;
}

}  // namespace

Event& ChatDecoder::emit(Event::Kind kind, int choice, EventBatch& out) {
  Event& event = out.emplace_back();
  event.kind = kind;
  event.choice = choice;
  event.origin = DialectId::kOpenAiChat;
  return event;
}

ChatDecoder::ChoiceState& ChatDecoder::state(int choice) {
  if (choices_.size() <= size_t(choice)) choices_.resize(size_t(choice) + 1);
  return choices_[size_t(choice)];
}

Status ChatDecoder::on_event(std::string_view name, std::string_view data, EventBatch& out) {
  if (done_) return {};
  data = trim(data);
  if (data.empty()) return {};
  if (data == "[DONE]") {
    const bool any = std::ranges::any_of(choices_, &ChoiceState::seen);
    if (!any) return fail(Code::kUpstream, "the provider's stream ended without any reply");
    done_ = true;
    return {};
  }
  const auto value = json::scratch().parse(data);
  const auto object = value ? json::as_object(*value) : std::nullopt;
  if (name == "error") {
    if (object) {
      if (auto error = find_error(*object, 0)) return std::unexpected(std::move(*error));
      Error error{.code = Code::kUpstream,
                  .message = std::string(json::string_or(*object, "message"))};
      if (error.message.empty()) error.message = readable_excerpt(data, 1000);
      return std::unexpected(std::move(error));
    }
    return fail(Code::kUpstream, readable_excerpt(data, 1000));
  }
  if (!object) return std::unexpected(nonsense("a stream event that is not a JSON object", data));
  return this->object(*object, Form::kChunk, out);
}

Status ChatDecoder::on_body(std::string_view body, EventBatch& out) {
  const auto value = json::scratch().parse(body);
  const auto object = value ? json::as_object(*value) : std::nullopt;
  if (!object) return std::unexpected(nonsense("an answer that is not a JSON object", body));
  if (auto error = find_error(*object, 0)) return std::unexpected(std::move(*error));
  const auto choices = json::find(*object, "choices");
  const auto list = choices ? json::as_array(*choices) : std::nullopt;
  if (!list || list->begin() == list->end()) {
    return std::unexpected(nonsense("an answer without choices", body));
  }
  AJAR_TRY(this->object(*object, Form::kWhole, out));
  for (size_t c = 0; c < choices_.size(); ++c) {
    if (!choices_[c].seen || choices_[c].stopped) continue;  // the body is whole, so this choice is
    choices_[c].stopped = true;
    emit(Event::Kind::kStop, int(c), out).finish = Finish::kStop;
  }
  done_ = true;
  return {};
}

Status ChatDecoder::on_end(EventBatch& out) {
  if (done_) return {};
  bool any = false, all = true;
  for (const ChoiceState& choice : choices_) {
    any = any || choice.seen;
    all = all && (!choice.seen || choice.stopped);
  }
  if (any && all) {  // some servers leave out [DONE]
    done_ = true;
    return {};
  }
  return fail(Code::kCut, any ? "the provider's stream ended in the middle of its reply"
                              : "the provider's stream ended before its reply began");
}

Status ChatDecoder::object(const json::Object& object, Form form, EventBatch& out) {
  const Fields<kTopCount> fields(object, kTopNames);
  if (fields.has_unknown()) {
    if (auto error = find_error(object, 0)) return std::unexpected(std::move(*error));
    RawMembers extra = fields.extra();
    if (fields.has(kGroq)) add_member(extra, kTopNames[kGroq], fields[kGroq]);
    if (extra != last_top_extra_) {
      last_top_extra_ = extra;
      merge_members(pending_extra_, extra);
    }
  } else if (fields.has(kGroq)) {
    RawMembers extra;
    add_member(extra, kTopNames[kGroq], fields[kGroq]);
    merge_members(pending_extra_, extra);
  }
  const auto text = [&](Top which) {
    return fields.has(which) ? json::as_string(fields[which]).value_or("") : std::string_view();
  };
  const auto choices = fields.has(kChoices) ? json::as_array(fields[kChoices]) : std::nullopt;
  const size_t first = out.size();
  if (!started_) {
    // Azure begins with an empty chunk about the prompt, without id and model: the next one is the
    // start.
    if (text(kId).empty() && text(kModel).empty() &&
        !(choices && choices->begin() != choices->end()))
      return {};
    started_ = true;
    Event& start = emit(Event::Kind::kStart, 0, out);
    start.id = text(kId);
    start.name = text(kModel);
    if (fields.has(kCreated)) start.created = json::as_int(fields[kCreated]).value_or(0);
  }
  if (choices) {
    for (const auto item : *choices) AJAR_TRY(choice(item, form, out));
  }
  if (fields.has(kUsage)) {
    usage(fields[kUsage], out);
  } else if (fields.has(kGroq)) {
    if (const auto groq = json::as_object(fields[kGroq])) {
      if (const auto inner = json::find(*groq, "usage")) usage(*inner, out);
    }
  }
  if (!pending_extra_.empty()) {
    if (out.size() == first) emit(Event::Kind::kExtra, 0, out);
    out[first].top_extra = std::move(pending_extra_);
    pending_extra_.clear();
  }
  return {};
}

Status ChatDecoder::choice(const json::Value& value, Form form, EventBatch& out) {
  const auto object = json::as_object(value);
  if (!object) return std::unexpected(nonsense("a choice that is not an object", json::raw(value)));
  const Fields<kChoiceCount> fields(*object, kChoiceNames);
  const int64_t index = fields.has(kIndex) ? json::as_int(fields[kIndex]).value_or(0) : 0;
  if (index < 0 || index >= kMaxChoices) {
    return std::unexpected(nonsense("a choice whose index is out of range", std::to_string(index)));
  }
  if (fields.has(kChoiceError)) {
    if (auto error = find_error(*object, 0)) return std::unexpected(std::move(*error));
  }
  const int at = int(index);
  const size_t first = out.size();
  state(at).seen = true;
  const auto said = fields.has(kDelta)     ? json::as_object(fields[kDelta])
                    : fields.has(kMessage) ? json::as_object(fields[kMessage])
                                           : std::nullopt;
  if (said) AJAR_TRY(message(*said, form, at, out));

  RawMembers extra;
  if (fields.has_unknown()) extra = fields.extra();
  if (fields.has(kLogprobs)) {
    const auto logprobs = json::as_object(fields[kLogprobs]);
    const auto items = logprobs ? json::find(*logprobs, "content") : std::nullopt;
    const auto list = items ? json::as_array(*items) : std::nullopt;
    bool only_content = list.has_value();
    if (logprobs) {
      for (const auto field : *logprobs)
        only_content = only_content && (field.key == "content" || field.value.is_null());
    }
    if (only_content) {
      std::string raw = json::raw(*items);
      if (raw.size() > 2) emit(Event::Kind::kLogprobs, at, out).raw = raw.substr(1, raw.size() - 2);
    } else {  // of refusals, or of another make
      add_member(extra, "logprobs", fields[kLogprobs]);
    }
  }
  if (!extra.empty() && extra != state(at).last_extra) {
    state(at).last_extra = extra;
  } else {
    extra.clear();
  }
  if (fields.has(kFinishReason) && !state(at).stopped) {
    if (const auto word = json::as_string(fields[kFinishReason]); word && !word->empty()) {
      close_calls(at, out);
      state(at).stopped = true;
      Event& stop = emit(Event::Kind::kStop, at, out);
      stop.finish = read_finish(*word);
      stop.name = *word;
      stop.text = json::string_or(*object, "stop_reason");  // vLLM: the stop string that matched
    }
  }
  if (!extra.empty()) {
    if (out.size() == first) emit(Event::Kind::kExtra, at, out);
    out[first].choice_extra = std::move(extra);
  }
  if (fields.has(kChoiceUsage)) usage(fields[kChoiceUsage], out);  // Moonshot puts it here
  return {};
}

void ChatDecoder::usage(const json::Value& value, EventBatch& out) {
  const auto object = json::as_object(value);
  if (!object) return;
  RawMembers extra;
  const Usage counts = read_usage(*object, extra);
  if (!counts.reported || (usage_seen_ && counts == last_usage_)) return;
  usage_seen_ = true;
  last_usage_ = counts;
  Event& event = emit(Event::Kind::kUsage, 0, out);
  event.usage = counts;
  event.part_extra = std::move(extra);
}

std::unique_ptr<ReplyDecoder> new_decoder() { return std::make_unique<ChatDecoder>(); }

}  // namespace ajar::wire::openai
