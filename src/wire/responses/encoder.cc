#include "wire/responses/encoder.h"

#include <algorithm>

#include "base/clock.h"
#include "base/random.h"
#include "json/members.h"
#include "json/read.h"
#include "json/write.h"
#include "wire/fields.h"
#include "wire/openai_error.h"
#include "wire/responses/object.h"
#include "wire/responses/responses.h"

namespace ajar::wire::responses {
namespace {

using json::append_int;
using json::append_string;

// A member's string value among raw members, which loses it.
std::string take_string(RawMembers& members, std::string_view name) {
  if (!has_member(members, name)) return {};
  json::Document document;
  const auto object = document.parse_object("{" + members + "}");
  std::string out(object ? json::string_or(*object, name) : std::string_view());
  members = without_member(members, name);
  return out;
}

std::string_view failure_code(Code code) {
  switch (code) {
    case Code::kRateLimit:
      return "rate_limit_exceeded";
    case Code::kInvalid:
    case Code::kFiltered:
      return "invalid_prompt";
    default:
      return "server_error";
  }
}

}  // namespace

void ResponseEncoder::begin(std::string_view type, std::string& out) {
  out.append("event: ").append(type).append("\ndata: {\"type\":\"").append(type).append("\",\"sequence_number\":");
  append_int(out, sequence_++);
}

void ResponseEncoder::where(const Item& item, std::string& out) {
  out += ",\"item_id\":";
  append_string(out, item.id);
  out += ",\"output_index\":";
  append_int(out, item.index);
}

// What Ajar itself answers for is said by Ajar, the rest by the provider where it speaks this dialect.
void ResponseEncoder::merge(const RawMembers& provider) {
  if (!own_ || provider.empty()) return;
  if (options_.echo.empty()) return merge_members(members_, provider);
  RawMembers others;
  for (std::string_view rest = provider; const auto member = json::next_member(rest);) {
    static constexpr std::string_view kOurs[] = {R"("store")", R"("previous_response_id")", R"("instructions")", R"("metadata")"};
    if (std::ranges::find(kOurs, member->key) != std::end(kOurs)) continue;
    others.append(others.empty() ? "" : ",").append(member->key).append(":").append(member->value);
  }
  merge_members(members_, others);
}

void ResponseEncoder::start(const Event& event, std::string& out) {
  if (started_) return;
  started_ = true;
  const bool is_start = event.kind == Event::Kind::kStart;
  own_ = event.origin == DialectId::kOpenAiResponses;
  id_ = options_.reply_id;
  if (id_.empty() && is_start && own_) id_ = event.id;
  if (id_.empty()) id_ = event.id.empty() || own_ ? new_id("resp_") : "resp_" + event.id;
  created_ = is_start && event.created > 0 ? event.created : unix_seconds();
  model_ = is_start && !event.name.empty() ? event.name : options_.model;
  members_ = options_.echo;
  if (members_.empty() && !own_) members_ = echo(Request{});
  if (is_start) merge(event.top_extra);
  response_frame("response.created", "in_progress", nullptr, out);
  response_frame("response.in_progress", "in_progress", nullptr, out);
}

void ResponseEncoder::response_frame(std::string_view type, std::string_view status, const Error* error,
                                     std::string& out) {
  if (quiet_) return;
  begin(type, out);
  out += ",\"response\":";
  response(status, error, out);
  out += "}\n\n";
}

// https://platform.openai.com/docs/api-reference/responses/object
void ResponseEncoder::response(std::string_view status, const Error* error, std::string& out) {
  json::Writer w(out);
  w.begin_object();
  w.field("id", id_);
  w.field("object", "response");
  w.field("created_at", created_);
  w.field("status", status);
  w.key("error");
  if (error == nullptr) {
    w.null();
  } else {
    w.begin_object();
    w.field("code", failure_code(error->code));
    w.field("message", error->message);
    w.end_object();
  }
  w.key("incomplete_details");
  if (status == "incomplete") {
    w.begin_object();
    w.field("reason", reason_);
    w.end_object();
  } else {
    w.null();
  }
  w.field("model", model_);
  w.key("output");
  w.begin_array();
  for (const Item& item : items_) {
    if (!item.json.empty()) w.raw(item.json);
  }
  w.end_array();
  w.members(members_);
  w.key("usage");
  if (usage_seen_ && status != "in_progress") {
    write_usage(w, usage_, usage_extra_);
  } else {
    w.null();
  }
  w.end_object();
}

// ---- Items

// Unique as the response's own id is.
std::string ResponseEncoder::item_id(std::string_view prefix, int64_t index) const {
  std::string_view tail = id_;
  if (tail.starts_with("resp_")) tail.remove_prefix(5);
  std::string out(prefix);
  out.append(tail).append("_");
  append_int(out, index);
  return out;
}

ResponseEncoder::Item* ResponseEncoder::find(std::string_view key) {
  if (key.empty()) return nullptr;
  for (auto item = items_.rbegin(); item != items_.rend(); ++item) {
    if (item->key == key) return &*item;
  }
  return nullptr;
}

ResponseEncoder::Item& ResponseEncoder::open(Type type, const Event& event, std::string& out) {
  const bool follows = type == Type::kMessage || type == Type::kReasoning;
  if (current_ != nullptr && current_->key.empty()) {
    close(*current_, out);
    current_ = nullptr;
  }
  Item& item = items_.emplace_back();
  item.type = type;
  item.index = int64_t(items_.size()) - 1;
  if (follows) {
    item.key = event.id;
    item.id = event.id.empty() ? item_id(type == Type::kMessage ? "msg_" : "rs_", item.index) : event.id;
    if (event.kind == Event::Kind::kExtra) item.extra = event.part_extra;
    current_ = &item;
    if (!quiet_) {
      std::string json;
      item_json(item, "in_progress", json);
      added(item, json, out);
    }
  }
  return item;
}

ResponseEncoder::Item& ResponseEncoder::item_for(Type type, const Event& event, std::string& out) {
  if (event.id.empty()) {
    if (current_ != nullptr && current_->type == type && !current_->done) return *current_;
  } else if (Item* known = find(event.id); known != nullptr && known->type == type && !known->done) {
    current_ = known;
    return *known;
  }
  return open(type, event, out);
}

void ResponseEncoder::added(const Item& item, std::string_view json, std::string& out) {
  if (quiet_) return;
  begin("response.output_item.added", out);
  out += ",\"output_index\":";
  append_int(out, item.index);
  out.append(",\"item\":").append(json).append("}\n\n");
}

void ResponseEncoder::item_json(const Item& item, std::string_view status, std::string& out) const {
  json::Writer w(out);
  const bool done = status != "in_progress";
  const auto status_field = [&] {
    if (!done || !has_member(item.extra, "status")) w.field("status", status);
  };
  w.begin_object();
  w.field("id", item.id);
  switch (item.type) {
    case Type::kMessage:
      w.field("type", "message");
      status_field();
      w.key("content");
      w.begin_array();
      w.members(item.content);
      w.end_array();
      w.field("role", "assistant");
      break;
    case Type::kReasoning:
      w.field("type", "reasoning");
      w.key("summary");
      w.begin_array();
      w.members(item.summary);
      w.end_array();
      if (item.contents > 0) {
        w.key("content");
        w.begin_array();
        w.members(item.content);
        w.end_array();
      }
      if (!item.sealed.empty()) w.field("encrypted_content", item.sealed);
      break;
    case Type::kCall:
    case Type::kCustom: {
      const bool custom = item.type == Type::kCustom;
      w.field("type", custom ? "custom_tool_call" : "function_call");
      status_field();
      w.field(custom ? "input" : "arguments", item.text);
      w.field("call_id", item.call_id);
      w.field("name", item.name);
      break;
    }
    case Type::kOther:
      break;  // written whole
  }
  w.members(done ? item.extra : without_member(item.extra, "status"));
  w.end_object();
}

void ResponseEncoder::close(Item& item, std::string& out, bool incomplete) {
  if (item.done) return;
  if (item.type == Type::kMessage && item.contents == 0 && !item.open) open_piece(item, Sort::kText, 0, out);
  if (item.open) close_piece(item, out);
  item.done = true;
  if (item.type == Type::kOther) return;
  if (item.type == Type::kCall && item.text.empty()) item.text = "{}";
  item.json.reserve(item.content.size() + item.summary.size() + item.text.size() + 256);
  item_json(item, incomplete ? "incomplete" : "completed", item.json);
  const bool call = item.type == Type::kCall || item.type == Type::kCustom;
  if (!quiet_ && call) {
    begin(item.type == Type::kCall ? "response.function_call_arguments.done" : "response.custom_tool_call_input.done", out);
    where(item, out);
    if (item.type == Type::kCall) {
      out += ",\"name\":";
      append_string(out, item.name);
    }
    out += item.type == Type::kCall ? ",\"arguments\":" : ",\"input\":";
    append_string(out, item.text);
    out += "}\n\n";
  }
  if (!quiet_) {
    begin("response.output_item.done", out);
    out += ",\"output_index\":";
    append_int(out, item.index);
    out.append(",\"item\":").append(item.json).append("}\n\n");
  }
  // Nothing of it is needed any more but its JSON.
  for (std::string* held : {&item.content, &item.summary, &item.text, &item.sealed}) std::string().swap(*held);
}

void ResponseEncoder::close_all(std::string& out) {
  const bool short_of = finish_ == Finish::kLength || finish_ == Finish::kContentFilter;
  for (Item& item : items_) close(item, out, short_of && &item == &items_.back());
  current_ = nullptr;
}

// ---- Pieces: parts of a message's content, of a reasoning item's summary or content

void ResponseEncoder::piece_json(const Item& item, std::string& out) {
  json::Writer w(out);
  w.begin_object();
  switch (item.sort) {
    case Sort::kText:
      w.field("type", "output_text");
      w.raw_field("annotations", "[" + item.annotations + "]");
      w.raw_field("logprobs", "[" + item.logprobs + "]");
      w.field("text", item.text);
      break;
    case Sort::kRefusal:
      w.field("type", "refusal");
      w.field("refusal", item.text);
      break;
    case Sort::kSummary:
      w.field("type", "summary_text");
      w.field("text", item.text);
      break;
    case Sort::kContent:
      w.field("type", kReasoningText);
      w.field("text", item.text);
      break;
  }
  w.end_object();
}

void ResponseEncoder::open_piece(Item& item, Sort sort, int32_t index, std::string& out) {
  item.open = true;
  item.sort = sort;
  item.piece = index;
  item.text.clear();
  if (quiet_) return;
  const bool summary = sort == Sort::kSummary;
  item.tail.clear();
  where(item, item.tail);
  item.tail += summary ? ",\"summary_index\":" : ",\"content_index\":";
  append_int(item.tail, summary ? item.summaries : item.contents);
  begin(summary ? "response.reasoning_summary_part.added" : "response.content_part.added", out);
  out += item.tail;
  out += ",\"part\":";
  piece_json(item, out);
  out += "}\n\n";
  item.tail += ",\"delta\":";
}

void ResponseEncoder::close_piece(Item& item, std::string& out) {
  const bool summary = item.sort == Sort::kSummary;
  if (!quiet_) {
    const std::string_view at = std::string_view(item.tail).substr(0, item.tail.size() - std::string_view(",\"delta\":").size());
    begin(item.sort == Sort::kText      ? "response.output_text.done"
          : item.sort == Sort::kRefusal ? "response.refusal.done"
          : summary                     ? "response.reasoning_summary_text.done"
                                        : "response.reasoning_text.done",
          out);
    out += at;
    out += item.sort == Sort::kRefusal ? ",\"refusal\":" : ",\"text\":";
    append_string(out, item.text);
    if (item.sort == Sort::kText) out.append(",\"logprobs\":[").append(item.logprobs).append("]");
    out += "}\n\n";
    begin(summary ? "response.reasoning_summary_part.done" : "response.content_part.done", out);
    out += at;
    out += ",\"part\":";
  }
  std::string& list = summary ? item.summary : item.content;
  if (!list.empty()) list.push_back(',');
  const size_t from = list.size();
  piece_json(item, list);
  if (!quiet_) out.append(list, from).append("}\n\n");
  ++(summary ? item.summaries : item.contents);
  item.open = false;
  item.text.clear();
  item.annotations.clear();
  item.logprobs.clear();
  item.notes = 0;
}

void ResponseEncoder::delta(Item& item, std::string_view text, std::string_view logprobs, std::string& out) {
  item.text += text;
  if (!logprobs.empty()) item.logprobs.append(item.logprobs.empty() ? "" : ",").append(logprobs);
  if (quiet_) return;
  begin(item.sort == Sort::kText      ? "response.output_text.delta"
        : item.sort == Sort::kRefusal ? "response.refusal.delta"
        : item.sort == Sort::kSummary ? "response.reasoning_summary_text.delta"
                                      : "response.reasoning_text.delta",
        out);
  out += item.tail;
  append_string(out, text);
  if (item.sort == Sort::kText) out.append(",\"logprobs\":[").append(logprobs).append("]");
  out += "}\n\n";
}

void ResponseEncoder::words(const Event& event, const Event* logprobs, std::string& out) {
  const bool thought = event.kind == Event::Kind::kThought;
  const Sort sort = !thought                        ? (event.kind == Event::Kind::kRefusal ? Sort::kRefusal : Sort::kText)
                    : event.name == kReasoningText ? Sort::kContent
                                                   : Sort::kSummary;
  Item& item = item_for(thought ? Type::kReasoning : Type::kMessage, event, out);
  std::string_view text = event.text;
  const bool same = item.open && item.sort == sort && (event.id.empty() || item.piece == event.index);
  if (!same) {
    if (item.open) close_piece(item, out);
    const int64_t before = sort == Sort::kSummary ? item.summaries : item.contents;
    open_piece(item, sort, event.index, out);
    if (thought && !event.id.empty() && before > 0) text = without_break(text);
    if (sort == Sort::kText) {
      for (Event held; std::string& raw : std::exchange(pending_, {})) held.raw.swap(raw), annotation(held, out);
    }
  }
  delta(item, text, logprobs != nullptr ? std::string_view(logprobs->raw) : std::string_view(), out);
}

void ResponseEncoder::logprobs(const Event& event, std::string& out) {
  if (current_ == nullptr || !current_->open || current_->sort != Sort::kText) return;
  delta(*current_, {}, event.raw, out);
}

void ResponseEncoder::annotation(const Event& event, std::string& out) {
  if (current_ == nullptr || !current_->open || current_->sort != Sort::kText) {
    pending_.push_back(event.raw);
    return;
  }
  Item& item = *current_;
  const std::string flat = flat_annotation(event.raw);
  if (!item.annotations.empty()) item.annotations.push_back(',');
  item.annotations += flat;
  const int64_t note = item.notes++;
  if (quiet_) return;
  begin("response.output_text.annotation.added", out);
  out.append(item.tail, 0, item.tail.size() - std::string_view(",\"delta\":").size());
  out += ",\"annotation_index\":";
  append_int(out, note);
  out.append(",\"annotation\":").append(flat).append("}\n\n");
}

// ---- Calls and what else there is

void ResponseEncoder::tool_call(const Event& event, std::string& out) {
  Item& item = open(is_custom(event.part_extra) ? Type::kCustom : Type::kCall, event, out);
  const bool custom = item.type == Type::kCustom;
  item.call = event.index;
  item.call_id = event.id.empty() ? new_id("call_") : event.id;
  item.key = event.id;
  item.name = event.name;
  if (event.origin == DialectId::kOpenAiResponses) {
    item.extra = custom ? std::string(custom_rest(event.part_extra)) : event.part_extra;
    item.id = take_string(item.extra, "id");
  }
  if (item.id.empty()) item.id = item_id(custom ? "ctc_" : "fc_", item.index);
  if (!event.text.empty() && event.origin == DialectId::kGemini) {
    item.extra = "\"extra_content\":{\"google\":{\"thought_signature\":";
    append_string(item.extra, event.text);
    item.extra += "}}";
  }
  if (quiet_) return;
  where(item, item.tail);
  item.tail += ",\"delta\":";
  std::string json;
  item_json(item, "in_progress", json);
  added(item, json, out);
}

void ResponseEncoder::tool_args(const Event& event, std::string& out) {
  for (auto item = items_.rbegin(); item != items_.rend(); ++item) {
    if (item->call != event.index || item->done) continue;
    item->text += event.text;
    if (quiet_ || event.text.empty()) return;
    begin(item->type == Type::kCall ? "response.function_call_arguments.delta" : "response.custom_tool_call_input.delta", out);
    out += item->tail;
    append_string(out, event.text);
    out += "}\n\n";
    return;
  }
}

// A picture is what the API's own image tool gives. Audio is not asked for in this API.
void ResponseEncoder::media(const Event& event, std::string& out) {
  if (!event.name.starts_with("image/")) return;
  Item& item = open(Type::kOther, event, out);
  item.id = item_id("ig_", item.index);
  item.done = true;
  const auto write = [&](std::string& into, const char* status, bool result) {
    json::Writer w(into);
    w.begin_object();
    w.field("id", item.id);
    w.field("type", "image_generation_call");
    w.field("status", status);
    w.key("result");
    result ? w.string(event.text) : w.null();
    if (result) w.field("output_format", std::string_view(event.name).substr(6));
    w.end_object();
  };
  std::string began;
  write(began, "in_progress", false);
  added(item, began, out);
  write(item.json, "completed", true);
  if (quiet_) return;
  begin("response.output_item.done", out);
  out += ",\"output_index\":";
  append_int(out, item.index);
  out.append(",\"item\":").append(item.json).append("}\n\n");
}

void ResponseEncoder::opaque(const Event& event, std::string& out) {
  if (event.origin != DialectId::kOpenAiResponses) return;
  Item* item = find(event.id);
  if (item == nullptr || item->type != Type::kOther || item->done) {
    item = &open(Type::kOther, event, out);
    item->key = event.id;
    added(*item, event.raw, out);
  }
  if (!event.id.empty() && event.finish == Finish::kNone) return;
  item->done = true;
  item->json = event.raw;
  if (quiet_) return;
  begin("response.output_item.done", out);
  out += ",\"output_index\":";
  append_int(out, item->index);
  out.append(",\"item\":").append(event.raw).append("}\n\n");
}

void ResponseEncoder::extra(const Event& event, std::string& out) {
  if (event.origin != DialectId::kOpenAiResponses) return;
  if (event.name.starts_with("response.")) {  // of an item that only this dialect knows
    const Item* item = find(event.id);
    if (quiet_ || (item == nullptr && !event.id.empty())) return;
    begin(event.name, out);
    if (item != nullptr) out += ",\"output_index\":", append_int(out, item->index);
    if (!event.raw.empty()) out.append(",").append(event.raw);
    out += "}\n\n";
    return;
  }
  if (event.id.empty()) return;
  const bool message = event.name == "message", reasoning = event.name == "reasoning";
  if (message || reasoning) {
    Item& item = item_for(message ? Type::kMessage : Type::kReasoning, event, out);
    merge_members(item.extra, event.part_extra);
    if (event.finish == Finish::kNone) return;
    close(item, out);
    if (current_ == &item) current_ = nullptr;
    return;
  }
  for (Item& item : items_) {
    if (item.call < 0 || item.call != event.index || item.done) continue;
    merge_members(item.extra, event.part_extra);
    return close(item, out);
  }
}

void ResponseEncoder::encode(const EventBatch& events, std::string& out) {
  using Kind = Event::Kind;
  for (size_t i = 0; i < events.size(); ++i) {
    const Event& event = events[i];
    if (event.choice != 0) continue;  // the API has one answer
    start(event, out);
    switch (event.kind) {
      case Kind::kStart:
        break;
      case Kind::kText:
      case Kind::kRefusal:
      case Kind::kThought: {
        const bool fuse = event.kind == Kind::kText && i + 1 < events.size() && events[i + 1].kind == Kind::kLogprobs;
        words(event, fuse ? &events[i + 1] : nullptr, out);
        i += fuse ? 1 : 0;
        break;
      }
      case Kind::kThoughtEnd: {
        if (event.redacted && event.id.empty()) {  // one of its own
          if (current_ != nullptr && current_->type == Type::kReasoning) close(*current_, out), current_ = nullptr;
        }
        Item& item = item_for(Type::kReasoning, event, out);
        item.sealed = seal(event.text, event.redacted, event.raw, event.origin);
        if (!event.id.empty()) merge_members(item.extra, event.part_extra);
        close(item, out);
        if (current_ == &item) current_ = nullptr;
        break;
      }
      case Kind::kToolCall:
        tool_call(event, out);
        break;
      case Kind::kToolArgs:
        tool_args(event, out);
        break;
      case Kind::kMedia:
        media(event, out);
        break;
      case Kind::kLogprobs:
        logprobs(event, out);
        break;
      case Kind::kAnnotation:
        annotation(event, out);
        break;
      case Kind::kOpaque:
        opaque(event, out);
        break;
      case Kind::kUsage:
        usage_.merge(event.usage);
        usage_seen_ = usage_seen_ || event.usage.reported;
        if (own_) merge_members(usage_extra_, event.part_extra);
        break;
      case Kind::kExtra:
        extra(event, out);
        break;
      case Kind::kStop:
        finish_ = event.finish;
        if (event.origin == DialectId::kOpenAiResponses) reason_ = event.name;
        merge(event.top_extra);
        stopped_ = true;
        close_all(out);
        break;
    }
  }
}

void ResponseEncoder::finish(StreamEnd end, const Error* error, std::string& out) {
  start(Event{}, out);
  if (end == StreamEnd::kComplete && finish_ != Finish::kError) {
    close_all(out);
    const bool filtered = finish_ == Finish::kContentFilter || finish_ == Finish::kRefusal;
    const bool incomplete = filtered || finish_ == Finish::kLength;
    if (!incomplete) {
      reason_.clear();
    } else if (!own_ || reason_.empty() || reason_ == "incomplete") {
      reason_ = filtered ? "content_filter" : "max_output_tokens";
    }
    response(incomplete ? "incomplete" : "completed", nullptr, reply_);
    if (quiet_) return;
    begin(incomplete ? "response.incomplete" : "response.completed", out);
    out.append(",\"response\":").append(reply_).append("}\n\n");
    return;
  }
  const Error told = openai::error_at_end(end, error);
  if (quiet_) return response("failed", &told, reply_);
  begin("error", out);
  const auto words = [&](std::string_view name, std::string_view value) {
    out.append(",\"").append(name).append("\":");
    value.empty() ? void(out += "null") : append_string(out, value);
  };
  const std::string code = openai::error_code(told);
  words("code", code);
  words("message", told.message);
  words("param", told.field);
  out.append(",\"error\":{\"type\":\"").append(openai::error_type(told.code)).append("\"");
  words("code", code);
  words("message", told.message);
  words("param", told.field);
  out += "}}\n\n";
  response_frame("response.failed", "failed", &told, out);
}

std::unique_ptr<ReplyEncoder> new_encoder(ReplyOptions options) {
  return std::make_unique<ResponseEncoder>(std::move(options), false);
}

std::string write_reply(const Reply& reply, const ReplyOptions& options) {
  ResponseEncoder encoder(options, true);
  std::string nothing;
  encoder.encode(unfold(reply), nothing);
  encoder.finish(StreamEnd::kComplete, nullptr, nothing);
  return encoder.take_reply();
}

}  // namespace ajar::wire::responses
