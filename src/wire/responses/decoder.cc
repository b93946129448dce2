#include "wire/responses/decoder.h"

#include <algorithm>

#include "base/text.h"
#include "wire/error_text.h"
#include "wire/fields.h"
#include "wire/openai_error.h"
#include "wire/responses/object.h"
#include "wire/responses/responses.h"

namespace ajar::wire::responses {
namespace {

using Kind = Event::Kind;

constexpr int64_t kMaxItems = 100'000;
// Of a response; the rest are its settings.
constexpr std::array<std::string_view, 9> kKnown = {"id",    "object", "created_at",         "model", "output",
                                                    "usage", "status", "incomplete_details", "error"};

Error nonsense(std::string_view what, std::string_view data) {
  Error error{.code = Code::kUpstream};
  error.message.append("the provider sent ").append(what).append(": ").append(readable_excerpt(data, 120));
  return error;
}

std::optional<json::Object> object_at(const json::Object& object, std::string_view name) {
  const auto value = json::find(object, name);
  return value ? json::as_object(*value) : std::nullopt;
}
std::optional<json::Array> array_at(const json::Object& object, std::string_view name) {
  const auto value = json::find(object, name);
  return value ? json::as_array(*value) : std::nullopt;
}

// Members of an item beyond those that events carry. A status that says nothing stays out.
template <size_t N>
RawMembers rest_of(const json::Object& item, const std::array<std::string_view, N>& known, bool status) {
  RawMembers out;
  for (const auto field : item) {
    if (std::ranges::find(known, field.key) != known.end()) continue;
    if (field.key == "status" && !status && json::as_string(field.value) == "completed") continue;
    add_member(out, field.key, field.value);
  }
  return out;
}

uint64_t hash_on(uint64_t hash, std::string_view bytes) {  // FNV-1a
  for (const char c : bytes) hash = (hash ^ uint8_t(c)) * 1099511628211u;
  return hash;
}

// The error of a response that failed, or of an `error` event, which has it beside its type or inside.
Error error_of(const json::Object& object) {
  if (auto error = openai::find_error(object, 0)) return *error;
  Error error{.code = Code::kUpstream};
  error.message = json::string_or(object, "message", "the provider gave an error without a message");
  error.type = json::string_or(object, "code");
  error.field = json::string_or(object, "param");
  error.code = openai::code_of(error.type).value_or(Code::kUpstream);
  return error;
}

}  // namespace

Event& ResponseDecoder::emit(Kind kind, EventBatch& out) {
  Event& event = out.emplace_back();
  event.kind = kind;
  event.origin = DialectId::kOpenAiResponses;
  return event;
}

ResponseDecoder::Item* ResponseDecoder::find(int64_t index) {
  for (auto item = items_.rbegin(); item != items_.rend(); ++item) {
    if (item->index == index) return &*item;
  }
  return nullptr;
}

ResponseDecoder::Piece& ResponseDecoder::piece(Item& item, int64_t index, bool content, bool refusal) {
  for (Piece& piece : item.pieces) {
    if (piece.index == index && piece.content == content) return piece;
  }
  return item.pieces.emplace_back(Piece{.content = content, .refusal = refusal, .index = index});
}

Status ResponseDecoder::on_event(std::string_view name, std::string_view data, EventBatch& out) {
  if (done_) return {};
  data = trim(data);
  if (data.empty() || data == "[DONE]") return {};
  const auto value = json::scratch().parse(data);
  const auto event = value ? json::as_object(*value) : std::nullopt;
  if (!event) return std::unexpected(nonsense("a stream event that is not a JSON object", data));
  const std::string_view type = json::string_or(*event, "type", name);
  if (type == "error" || (type.empty() && json::find(*event, "error"))) return std::unexpected(error_of(*event));
  if (!type.starts_with("response.")) return {};  // keep-alives and the like
  const std::string_view kind = type.substr(9);

  if (const auto response = object_at(*event, "response")) {
    start(*response, out);
    if (kind == "completed" || kind == "incomplete" || kind == "failed" || kind == "cancelled" || kind == "done") {
      return finish(*response, kind, false, out);
    }
    return {};  // created, queued, in_progress
  }
  const int64_t index = json::int_or(*event, "output_index");
  if (index < 0 || index > kMaxItems) return std::unexpected(nonsense("an output_index out of range", data));
  if (kind == "output_item.added" || kind == "output_item.done") {
    const auto item_value = json::find(*event, "item");
    const auto item = item_value ? json::as_object(*item_value) : std::nullopt;
    if (!item) return std::unexpected(nonsense("an item event without its item", data));
    kind == "output_item.done" ? ended(index, *item, *item_value, out) : added(index, *item, *item_value, out);
    return {};
  }
  const auto delta = json::find(*event, "delta");
  const std::string_view words = delta ? json::as_string(*delta).value_or("") : std::string_view();
  Item* item = find(index);
  const auto at = [&](std::string_view which) { return json::int_or(*event, which); };
  const auto is = [&](Type wanted) { return item != nullptr && item->type == wanted; };
  if (kind == "output_text.delta" || kind == "refusal.delta") {
    if (item == nullptr) {  // a server that forgot the beginning: text is still text
      item = &items_.emplace_back(Item{.index = index, .type = Type::kMessage});
      item->id = json::string_or(*event, "item_id");
    }
    if (item->type != Type::kMessage) return {};
    Piece& part = piece(*item, at("content_index"), false, kind.starts_with("refusal"));
    text(*item, part, words, out);
    logprobs(*item, part, *event, out);
  } else if (kind == "reasoning_summary_text.delta" && is(Type::kReasoning)) {
    text(*item, piece(*item, at("summary_index"), false, false), words, out);
  } else if (kind == "reasoning_text.delta" && is(Type::kReasoning)) {
    text(*item, piece(*item, at("content_index"), true, false), words, out);
  } else if (kind == "function_call_arguments.delta" || kind == "custom_tool_call_input.delta") {
    if (item != nullptr) args(*item, words, out);
  } else if (kind == "output_text.annotation.added" && is(Type::kMessage)) {
    Piece& part = piece(*item, at("content_index"), false, false);
    if (const auto note = json::find(*event, "annotation")) annotation(*item, part, *note, out);
  } else if (kind == "content_part.added" || kind == "content_part.done" || kind == "output_text.done" ||
             kind == "refusal.done" || kind.starts_with("reasoning_") || kind == "function_call_arguments.done" ||
             kind == "custom_tool_call_input.done" || kind.starts_with("output_text.annotation")) {
    // Said by other events, and by the item's end.
  } else {
    other(type, *event, out);
  }
  return {};
}

// Events of items that are only this dialect's: passed on, so that its clients see them.
void ResponseDecoder::other(std::string_view type, const json::Object& event, EventBatch& out) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'; };
  if (!std::ranges::all_of(type, plain)) return;  // it stands in a line of its own
  Event& extra = emit(Kind::kExtra, out);
  extra.name = type;
  RawMembers members;
  for (const auto field : event) {
    if (field.key == "type" || field.key == "sequence_number" || field.key == "obfuscation") continue;
    if (field.key == "output_index") {  // ours may count otherwise
      const Item* item = find(json::as_int(field.value).value_or(-1));
      if (item == nullptr || item->id.empty()) return void(out.pop_back());
      extra.id = item->id;
      continue;
    }
    add_member(members, field.key, field.value);
  }
  extra.raw = std::move(members);
}

void ResponseDecoder::start(const json::Object& response, EventBatch& out) {
  if (started_) return;
  started_ = true;
  Event& event = emit(Kind::kStart, out);
  event.id = json::string_or(response, "id");
  event.name = json::string_or(response, "model");
  event.created = json::int_or(response, "created_at");
  members_ = rest_of(response, kKnown, true);
  event.top_extra = members_;
}

void ResponseDecoder::added(int64_t index, const json::Object& object, const json::Value& value, EventBatch& out) {
  if (find(index) != nullptr) return;
  Item& item = items_.emplace_back(Item{.index = index});
  item.id = json::string_or(object, "id");
  item.item_id = item.id;
  const std::string_view type = json::string_or(object, "type");
  if (type == "message" || type == "reasoning") {
    item.type = type == "message" ? Type::kMessage : Type::kReasoning;
    if (item.id.empty()) item.id = "item_" + std::to_string(index);  // pieces of one item must be known as such
    static constexpr std::array<std::string_view, 7> kKnown = {"id",      "type",    "role", "status",
                                                               "content", "summary", "encrypted_content"};
    Event& event = emit(Kind::kExtra, out);
    event.id = item.id;
    event.name = type;
    event.part_extra = rest_of(object, kKnown, true);
  } else if (type == "function_call" || type == "custom_tool_call") {
    item.type = type == "function_call" ? Type::kFunction : Type::kCustom;
    if (!json::string_or(object, "name").empty()) open_call(item, object, out);
  } else {
    if (item.id.empty()) return;  // comes whole
    Event& event = emit(Kind::kOpaque, out);
    event.id = item.id;
    event.raw = json::raw(value);
  }
}

void ResponseDecoder::open_call(Item& item, const json::Object& object, EventBatch& out) {
  if (item.call >= 0) return;
  item.call = calls_++;
  const bool custom = item.type == Type::kCustom;
  Event& event = emit(Kind::kToolCall, out);
  event.index = item.call;
  event.id = json::string_or(object, "call_id");
  event.name = json::string_or(object, "name");
  static constexpr std::array<std::string_view, 6> kKnown = {"type", "call_id", "name", "arguments", "input", "status"};
  event.part_extra = rest_of(object, kKnown, true);
  if (custom) event.part_extra.insert(0, event.part_extra.empty() ? kCustomMark : std::string(kCustomMark) + ",");
  item.id = event.id;
  args(item, json::string_or(object, custom ? "input" : "arguments"), out);
}

void ResponseDecoder::text(Item& item, Piece& piece, std::string_view words, EventBatch& out) {
  if (words.empty()) return;
  const bool thought = item.type == Type::kReasoning;
  Event& event = emit(thought ? Kind::kThought : piece.refusal ? Kind::kRefusal : Kind::kText, out);
  event.id = item.id;
  event.index = int32_t(std::clamp<int64_t>(piece.index, 0, kMaxItems));
  if (thought && piece.content) event.name = kReasoningText;
  if (thought && piece.said == 0 && piece.index > 0) event.text = kPieceBreak;
  event.text += words;
  piece.said += words.size();
  piece.hash = hash_on(piece.hash, words);
}

// What the whole text says beyond its fragments: some servers send none, some recordings lack the last. A text that is
// not what the fragments said is let be: they are with the client already.
void ResponseDecoder::rest_of_text(Item& item, Piece& piece, std::string_view whole, EventBatch& out) {
  if (whole.size() <= piece.said) return;
  if (piece.said > 0 && hash_on(Piece{}.hash, whole.substr(0, piece.said)) != piece.hash) return;
  text(item, piece, whole.substr(piece.said), out);
}

void ResponseDecoder::logprobs(Item& item, Piece& piece, const json::Object& from, EventBatch& out) {
  const auto list = array_at(from, "logprobs");
  if (!list || list->size() == 0 || item.type != Type::kMessage) return;
  std::string raw = json::raw(*json::find(from, "logprobs"));
  emit(Kind::kLogprobs, out).raw = raw.substr(1, raw.size() - 2);
  piece.logprobs = true;
}

void ResponseDecoder::args(Item& item, std::string_view words, EventBatch& out) {
  if (words.empty() || item.call < 0) return;
  item.args = true;
  Event& event = emit(Kind::kToolArgs, out);
  event.index = item.call;
  event.text = words;
}

void ResponseDecoder::annotation(Item&, Piece& piece, const json::Value& value, EventBatch& out) {
  const auto note = json::as_object(value);
  if (!note) return;
  ++piece.annotations;
  emit(Kind::kAnnotation, out).raw = nested_annotation(*note);
}

// What of a message its events have not said.
void ResponseDecoder::rest_of_message(Item& item, const json::Object& object, EventBatch& out) {
  const auto content = array_at(object, "content");
  if (!content) return;
  int64_t index = -1;
  for (const auto value : *content) {
    ++index;
    const auto part = json::as_object(value);
    if (!part) continue;
    const std::string_view type = json::string_or(*part, "type");
    if (type != "output_text" && type != "refusal" && type != "text") continue;
    const bool refusal = type == "refusal";
    const std::string_view whole = json::string_or(*part, refusal ? "refusal" : "text");
    // vLLM counts pieces from one while it streams: what has been said is known by its text.
    const auto said = std::ranges::find_if(item.pieces, [&](const Piece& one) {
      return one.said == whole.size() && one.said > 0 && hash_on(Piece{}.hash, whole) == one.hash;
    });
    Piece& known = said != item.pieces.end() ? *said : piece(item, index, false, refusal);
    rest_of_text(item, known, whole, out);
    if (!known.logprobs) logprobs(item, known, *part, out);
    const auto notes = array_at(*part, "annotations");
    if (!notes) continue;
    size_t at = 0;
    for (const auto note : *notes) {
      if (at++ >= known.annotations) annotation(item, known, note, out);
    }
  }
}

void ResponseDecoder::rest_of_reasoning(Item& item, const json::Object& object, EventBatch& out) {
  for (const bool content : {false, true}) {
    const auto list = array_at(object, content ? "content" : "summary");
    if (!list) continue;
    int64_t index = 0;
    for (const auto value : *list) {
      Piece& known = piece(item, index++, content, false);
      const auto part = json::as_object(value);
      if (part) rest_of_text(item, known, json::string_or(*part, "text"), out);
    }
  }
}

void ResponseDecoder::ended(int64_t index, const json::Object& object, const json::Value& value, EventBatch& out) {
  const size_t before = out.size();
  added(index, object, value, out);
  Item& item = *find(index);
  if (item.done) return;
  if (item.type == Type::kOther && out.size() > before) out.pop_back();  // its beginning and end are one
  item.done = true;
  switch (item.type) {
    case Type::kMessage: {
      rest_of_message(item, object, out);
      static constexpr std::array<std::string_view, 4> kKnown = {"id", "type", "role", "content"};
      Event& event = emit(Kind::kExtra, out);
      event.id = item.id;
      event.name = "message";
      event.finish = Finish::kStop;
      event.part_extra = rest_of(object, kKnown, false);
      break;
    }
    case Type::kReasoning: {
      rest_of_reasoning(item, object, out);
      const std::string_view sealed = json::string_or(object, "encrypted_content");
      static constexpr std::array<std::string_view, 5> kKnown = {"id", "type", "summary", "content", "encrypted_content"};
      const auto content = array_at(object, "content");
      Event& event = emit(sealed.empty() ? Kind::kExtra : Kind::kThoughtEnd, out);
      event.id = item.id;
      event.text = sealed;
      if (sealed.empty()) event.name = "reasoning", event.finish = Finish::kStop;
      event.part_extra = rest_of(object, kKnown, true);
      if (content && content->size() == 0) add_member(event.part_extra, "content", "[]");  // as it came
      break;
    }
    case Type::kFunction:
    case Type::kCustom: {
      open_call(item, object, out);
      const bool custom = item.type == Type::kCustom;
      if (!item.args) args(item, json::string_or(object, custom ? "input" : "arguments"), out);
      static constexpr std::array<std::string_view, 6> kKnown = {"id", "type", "call_id", "name", "arguments", "input"};
      Event& event = emit(Kind::kExtra, out);
      event.id = item.id;
      event.index = item.call;
      event.name = custom ? "custom_tool_call" : "function_call";
      event.finish = Finish::kStop;
      event.part_extra = rest_of(object, kKnown, false);
      break;
    }
    case Type::kOther: {
      Event& event = emit(Kind::kOpaque, out);
      event.id = item.id;
      event.raw = json::raw(value);
      event.finish = Finish::kStop;
      break;
    }
  }
}

void ResponseDecoder::report(const json::Object& response, EventBatch& out) {
  const auto usage = object_at(response, "usage");
  if (!usage) return;
  RawMembers extra;
  const Usage counts = read_usage(*usage, extra);
  if (!counts.reported) return;
  Event& event = emit(Kind::kUsage, out);
  event.usage = counts;
  event.part_extra = std::move(extra);
}

Status ResponseDecoder::finish(const json::Object& response, std::string_view kind, bool whole, EventBatch& out) {
  const std::string_view status = json::string_or(response, "status", kind);
  if (status == "failed" || status == "cancelled") {
    report(response, out);
    if (json::find(response, "error")) return std::unexpected(error_of(response));
    return fail(Code::kUpstream, "the provider ended the response as " + std::string(status));
  }
  if (const auto output = array_at(response, "output")) {
    int64_t index = 0;
    const auto streamed = ptrdiff_t(items_.size());
    for (const auto value : *output) {
      const auto item = json::as_object(value);
      // Some count otherwise here than in their events, some use an id twice.
      const std::string_view id = item ? json::string_or(*item, "id") : std::string_view();
      const bool known = !id.empty() && find(index) == nullptr &&
                         std::any_of(items_.begin(), items_.begin() + streamed,
                                     [&](const Item& seen) { return seen.done && seen.item_id == id; });
      if (item && !known) ended(index, *item, value, out);
      ++index;
    }
  }
  report(response, out);
  Event& stop = emit(Kind::kStop, out);
  stop.name = status;
  stop.finish = calls_ > 0 ? Finish::kToolCalls : Finish::kStop;
  if (status == "incomplete") {
    const auto details = object_at(response, "incomplete_details");
    const std::string_view reason = details ? json::string_or(*details, "reason") : std::string_view();
    stop.finish = reason == "content_filter" ? Finish::kContentFilter : Finish::kLength;
    stop.name = reason.empty() ? status : reason;
  }
  if (!whole) {
    RawMembers members = rest_of(response, kKnown, true);
    if (members != members_) stop.top_extra = std::move(members);
  }
  done_ = true;
  return {};
}

Status ResponseDecoder::on_body(std::string_view body, EventBatch& out) {
  const auto value = json::scratch().parse(body);
  const auto response = value ? json::as_object(*value) : std::nullopt;
  if (!response) return std::unexpected(nonsense("an answer that is not a JSON object", body));
  const bool is_response = json::find(*response, "output").has_value();
  if (!is_response) {
    if (auto error = openai::find_error(*response, 0)) return std::unexpected(std::move(*error));
    return std::unexpected(nonsense("an answer without output", body));
  }
  start(*response, out);
  return finish(*response, "completed", true, out);
}

Status ResponseDecoder::on_end(EventBatch&) {
  if (done_) return {};
  return fail(Code::kCut, started_ ? "the provider's stream ended in the middle of its reply"
                                   : "the provider's stream ended before its reply began");
}

std::unique_ptr<ReplyDecoder> new_decoder() { return std::make_unique<ResponseDecoder>(); }

}  // namespace ajar::wire::responses
