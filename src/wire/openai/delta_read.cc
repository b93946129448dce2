// The inside of a choice: delta or message.
#include "wire/fields.h"
#include "wire/media.h"
#include "wire/openai/decoder.h"

namespace ajar::wire::openai {
namespace {

enum Member {
  kRole,
  kContent,
  kRefusal,
  kToolCalls,
  kFunctionCall,
  kReasoningContent,
  kReasoning,
  kThinkingBlocks,
  kReasoningDetails,
  kAnnotations,
  kImages,
  kMemberCount
};
constexpr std::array<std::string_view, kMemberCount> kMembers = {
    "role",        "content",         "refusal",
    "tool_calls",  "function_call",   "reasoning_content",
    "reasoning",   "thinking_blocks", "reasoning_details",
    "annotations", "images"};

DialectId origin_of_format(std::string_view format) {  // OpenRouter's reasoning_details[].format
  if (format.starts_with("anthropic")) return DialectId::kAnthropic;
  if (format.starts_with("google")) return DialectId::kGemini;
  return DialectId::kOpenAiChat;
}

}  // namespace

Status ChatDecoder::message(const json::Object& object, Form form, int choice, EventBatch& out) {
  const Fields<kMemberCount> fields(object, kMembers);
  const size_t first = out.size();
  RawMembers extra;
  if (fields.has_unknown()) extra = fields.extra();
  const auto text = [&](Member which) {
    return fields.has(which) ? json::as_string(fields[which]).value_or("") : std::string_view();
  };
  const std::string_view reasoning =
      !text(kReasoningContent).empty() ? text(kReasoningContent) : text(kReasoning);
  // A whole message repeats in reasoning_content what its blocks hold piece by piece.
  bool blocks = false;
  if (form == Form::kWhole && fields.has(kThinkingBlocks)) {
    blocks = thinking_blocks(fields[kThinkingBlocks], false, choice, out);
  } else if (form == Form::kWhole && fields.has(kReasoningDetails)) {
    blocks = reasoning_details(fields[kReasoningDetails], false, choice, out);
  }
  if (!blocks) {
    thought(reasoning, choice, out);
    if (form == Form::kChunk) {
      if (fields.has(kThinkingBlocks)) {
        blocks = thinking_blocks(fields[kThinkingBlocks], !reasoning.empty(), choice, out);
      }
      if (fields.has(kReasoningDetails) && !blocks) {
        reasoning_details(fields[kReasoningDetails], !reasoning.empty(), choice, out);
      }
    }
  }
  if (fields.has(kReasoningDetails))
    add_member(extra, kMembers[kReasoningDetails], fields[kReasoningDetails]);
  if (fields.has(kContent)) content(fields[kContent], choice, out);
  if (const auto refusal = text(kRefusal); !refusal.empty())
    emit(Event::Kind::kRefusal, choice, out).text = refusal;
  if (fields.has(kToolCalls)) {
    if (const auto calls = json::as_array(fields[kToolCalls])) {
      for (const auto call : *calls) {
        if (const auto call_object = json::as_object(call))
          tool_call(*call_object, form, choice, out);
      }
    }
  }
  if (fields.has(kFunctionCall)) {
    if (const auto call = json::as_object(fields[kFunctionCall])) function_call(*call, choice, out);
  }
  if (fields.has(kImages)) images(fields[kImages], choice, extra, out);
  if (fields.has(kAnnotations)) {
    if (const auto list = json::as_array(fields[kAnnotations])) {
      for (const auto item : *list)
        emit(Event::Kind::kAnnotation, choice, out).raw = json::raw(item);
    }
  }
  if (!extra.empty()) {
    // Not on a tool call's events: their part_extra is the call's own.
    size_t carrier = first;
    while (carrier < out.size() && (out[carrier].kind == Event::Kind::kToolCall ||
                                    out[carrier].kind == Event::Kind::kToolArgs)) {
      ++carrier;
    }
    if (carrier == out.size()) emit(Event::Kind::kExtra, choice, out);
    out[carrier].part_extra = std::move(extra);
  }
  return {};
}

// A string, or Mistral's list of blocks.
void ChatDecoder::content(const json::Value& value, int choice, EventBatch& out) {
  const auto say = [&](std::string_view text) {
    if (text.empty()) return;
    state(choice).thought.clear();
    emit(Event::Kind::kText, choice, out).text = text;
  };
  if (const auto text = json::as_string(value)) return say(*text);
  const auto list = json::as_array(value);
  if (!list) return;
  for (const auto item : *list) {
    const auto object = json::as_object(item);
    if (!object) continue;
    const auto type = json::string_or(*object, "type");
    if (type == "text") {
      say(json::string_or(*object, "text"));
    } else if (type == "thinking") {
      const auto inner = json::find(*object, "thinking");
      if (!inner) continue;
      if (const auto text = json::as_string(*inner)) thought(*text, choice, out);
      const auto chunks = json::as_array(*inner);
      if (!chunks) continue;
      for (const auto chunk : *chunks) {
        if (const auto chunk_object = json::as_object(chunk)) {
          thought(json::string_or(*chunk_object, "text"), choice, out);
        }
      }
    } else {
      emit(Event::Kind::kOpaque, choice, out).raw = json::raw(item);
    }
  }
}

void ChatDecoder::thought(std::string_view text, int choice, EventBatch& out) {
  if (text.empty()) return;
  state(choice).thought += text;
  emit(Event::Kind::kThought, choice, out).text = text;
}

void ChatDecoder::thought_end(std::string_view signature, DialectId origin, int choice,
                              EventBatch& out) {
  state(choice).thought.clear();
  state(choice).signature = signature;
  Event& end = emit(Event::Kind::kThoughtEnd, choice, out);
  end.text = signature;
  end.origin = origin;
}

// LiteLLM's blocks. In a stream a block may repeat the text that came (ours do) or be the only
// place of it.
bool ChatDecoder::thinking_blocks(const json::Value& value, bool text_came, int choice,
                                  EventBatch& out) {
  const auto list = json::as_array(value);
  if (!list) return false;
  bool any = false;
  for (const auto item : *list) {
    const auto object = json::as_object(item);
    if (!object) continue;
    any = true;
    const DialectId provider = dialect_of_name(json::string_or(*object, "provider"));
    const DialectId origin = provider == DialectId::kNone ? DialectId::kAnthropic : provider;
    if (json::string_or(*object, "type") == "redacted_thinking") {
      thought_end({}, origin, choice, out);
      out.back().redacted = true;
      out.back().raw = json::string_or(*object, "data");
      continue;
    }
    const auto text = json::string_or(*object, "thinking");
    const auto signature = json::string_or(*object, "signature");
    if (!signature.empty() && signature == state(choice).signature) continue;
    if (!text_came && text != state(choice).thought) thought(text, choice, out);
    if (!signature.empty()) thought_end(signature, origin, choice, out);
  }
  return any;
}

// OpenRouter's list of {type: reasoning.text | reasoning.summary | reasoning.encrypted, ...}.
bool ChatDecoder::reasoning_details(const json::Value& value, bool text_came, int choice,
                                    EventBatch& out) {
  const auto list = json::as_array(value);
  if (!list) return false;
  bool any = false;
  for (const auto item : *list) {
    const auto object = json::as_object(item);
    if (!object) continue;
    const auto type = json::string_or(*object, "type");
    const DialectId origin = origin_of_format(json::string_or(*object, "format"));
    if (type == "reasoning.text" || type == "reasoning.summary") {
      const auto text = json::string_or(*object, type == "reasoning.text" ? "text" : "summary");
      any = any || !text.empty();
      const auto signature = json::string_or(*object, "signature");
      if (!signature.empty() && signature == state(choice).signature) continue;
      if (!text_came) thought(text, choice, out);
      if (!signature.empty()) thought_end(signature, origin, choice, out);
    } else if (type == "reasoning.encrypted" && origin == DialectId::kAnthropic) {
      any = true;
      thought_end({}, origin, choice, out);
      out.back().redacted = true;
      out.back().raw = json::string_or(*object, "data");
    }
  }
  return any;
}

void ChatDecoder::images(const json::Value& value, int choice, RawMembers& extra, EventBatch& out) {
  const auto list = json::as_array(value);
  if (!list) return;
  EventBatch media;
  for (const auto item : *list) {
    const auto object = json::as_object(item);
    const auto inner = object ? json::find(*object, "image_url") : std::nullopt;
    const auto inner_object = inner ? json::as_object(*inner) : std::nullopt;
    Event& event = emit(Event::Kind::kMedia, choice, media);
    if (!inner_object ||
        !split_data_uri(json::string_or(*inner_object, "url"), event.name, event.text)) {
      return add_member(extra, "images", value);  // not bytes: kept as they came
    }
  }
  for (Event& event : media) out.push_back(std::move(event));
}

void ChatDecoder::open_call(Call& call, int choice, EventBatch& out) {
  if (call.open) return;
  call.open = true;
  state(choice).thought.clear();
  call.ours = state(choice).opened++;
  Event& event = emit(Event::Kind::kToolCall, choice, out);
  event.index = call.ours;
  event.id = call.id;
  event.name = call.name;
  event.part_extra = std::move(call.extra);
  if (call.signature.empty()) return;
  event.text = call.signature;
  event.origin = DialectId::kGemini;  // whose signature it is
}

void ChatDecoder::call_text(Call& call, std::string_view text, int choice, EventBatch& out) {
  if (text.empty()) return;
  open_call(call, choice, out);
  Event& event = emit(Event::Kind::kToolArgs, choice, out);
  event.index = call.ours;
  event.text = text;
}

// Calls of which the name never came still happened.
void ChatDecoder::close_calls(int choice, EventBatch& out) {
  for (size_t i = 0; i < state(choice).calls.size(); ++i)
    open_call(state(choice).calls[i], choice, out);
}

void ChatDecoder::tool_call(const json::Object& object, Form form, int choice, EventBatch& out) {
  static constexpr std::array<std::string_view, 6> kNames = {"index",    "id",     "type",
                                                             "function", "custom", "extra_content"};
  const Fields<6> fields(object, kNames);
  const auto id = fields.has(1) ? json::as_string(fields[1]).value_or("") : std::string_view();
  const bool custom = fields.has(4);
  std::string_view name, args;
  std::string args_object;
  if (const auto body =
          fields.has(custom ? 4 : 3) ? json::as_object(fields[custom ? 4 : 3]) : std::nullopt) {
    name = json::string_or(*body, "name");
    args = json::string_or(*body, custom ? "input" : "arguments");
    if (const auto value = json::find(*body, "arguments"); value && json::as_object(*value)) {
      args = args_object = json::raw(*value);  // an object where a string should be
    }
  }
  const int64_t index = fields.has(0) ? json::as_int(fields[0]).value_or(kNoIndex) : kNoIndex;

  // Which call is it? Its index says, unless there is none, or one server numbers all of them 0:
  // then a new id with a name begins a new call. An id without a name continues (some servers
  // change it with every chunk).
  std::vector<Call>& calls = state(choice).calls;
  Call* call = nullptr;
  if (form == Form::kChunk) {
    for (auto known = calls.rbegin(); known != calls.rend() && call == nullptr; ++known) {
      if (index == kNoIndex ? (id.empty() || known->id == id || name.empty())
                            : known->index == index)
        call = &*known;
    }
    if (call != nullptr && !id.empty() && !name.empty() && !call->id.empty() && call->id != id)
      call = nullptr;
  }
  if (call == nullptr) {
    call = &calls.emplace_back();
    call->index = index;
  }
  if (call->id.empty()) call->id = id;
  if (call->name.empty()) call->name = name;
  if (fields.has(5)) {
    if (const auto outer = json::as_object(fields[5])) {
      const auto google = json::find(*outer, "google");
      const auto inner = google ? json::as_object(*google) : std::nullopt;
      if (inner) call->signature = json::string_or(*inner, "thought_signature");
    }
  }
  RawMembers extra = fields.extra();
  if (!call->open) {
    if (custom && call->extra.empty()) call->extra = "\"type\":\"custom\"";
    merge_members(call->extra, extra);
    if (!call->name.empty()) open_call(*call, choice, out);
  } else if (!extra.empty()) {
    Event& event = emit(Event::Kind::kToolArgs, choice, out);
    event.index = call->ours;
    event.part_extra = std::move(extra);
  }
  call_text(*call, args, choice, out);
}

// What tools were before they were tools: one call per message, without an id.
void ChatDecoder::function_call(const json::Object& object, int choice, EventBatch& out) {
  std::vector<Call>& calls = state(choice).calls;
  if (calls.empty() || calls.back().index != kLegacyIndex) calls.push_back({.index = kLegacyIndex});
  Call& call = calls.back();
  if (call.name.empty()) call.name = json::string_or(object, "name");
  if (!call.name.empty()) open_call(call, choice, out);
  call_text(call, json::string_or(object, "arguments"), choice, out);
}

}  // namespace ajar::wire::openai
