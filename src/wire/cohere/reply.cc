// /v2/chat replies, streamed or whole -> events. https://docs.cohere.com/v2/docs/streaming
#include <algorithm>
#include <utility>

#include "json/read.h"
#include "json/write.h"
#include "wire/cohere/cohere.h"
#include "wire/fields.h"
#include "wire/outbound.h"

namespace ajar::wire::cohere {
namespace {

using Kind = Event::Kind;

Finish finish_of(std::string_view reason) {
  if (reason == "MAX_TOKENS") return Finish::kLength;
  if (reason == "TOOL_CALL") return Finish::kToolCalls;
  if (reason == "ERROR_TOXIC") return Finish::kContentFilter;
  return Finish::kStop;
}

std::optional<json::Object> inner(const json::Object& object, std::string_view key) {
  const auto value = json::find(object, key);
  return value ? json::as_object(*value) : std::nullopt;
}

// A citation as an OpenAI annotation. Its places count characters of the answer already.
std::string annotation_of(const json::Object& citation) {
  std::string url, title;
  if (const auto sources = json::find(citation, "sources")) {
    if (const auto list = json::as_array(*sources)) {
      for (const json::Value item : *list) {
        const auto source = json::as_object(item);
        const auto document = source ? inner(*source, "document") : std::nullopt;
        if (!document || !url.empty()) continue;
        url = json::string_or(*document, "url");
        title = json::string_or(*document, "title");
      }
    }
  }
  const char* type = url.empty() ? "file_citation" : "url_citation";
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("type", type);
  w.key(type);
  w.begin_object();
  w.field("start_index", json::int_or(citation, "start"));
  w.field("end_index", json::int_or(citation, "end"));
  if (!url.empty()) {
    w.field("url", url);
    w.field("title", title);
  } else {
    for (const char* name : {"text", "sources"}) {
      if (const auto value = json::find(citation, name)) w.raw_field(name, json::raw(*value));
    }
  }
  w.end_object();
  w.end_object();
  return out;
}

// {"message": "…"}. https://docs.cohere.com/reference/errors
Error error_of(const json::Object& body, int status) {
  Error error{.upstream_status = status};
  error.message = json::string_or(body, "message");
  error.code = code_of_status(status);
  if (status == 498) error.code = Code::kInvalid;  // what the API calls a blocked token
  if (status == 499) error.code = Code::kUpstream;
  if (error.message.empty()) error.message = "the provider gave an error without a message";
  if (error.code == Code::kInvalid && error.message.find("too many tokens") != std::string::npos) error.type = kContextTooLong;
  return error;
}

class Decoder final : public ReplyDecoder {
 public:
  Status on_event(std::string_view, std::string_view data, EventBatch& out) override {
    if (data.empty() || data == "[DONE]") return {};
    const auto event = document_.parse_object(data);
    if (!event) return unreadable(event.error());
    const std::string_view type = json::string_or(*event, "type");
    const auto delta = inner(*event, "delta");
    const auto message = delta ? inner(*delta, "message") : std::nullopt;
    if (type == "message-start") {
      start(*event, out);
    } else if (type == "content-start" || type == "content-delta") {
      start({}, out);
      if (const auto content = message ? inner(*message, "content") : std::nullopt) said(*content, out);
    } else if (type == "tool-plan-delta") {
      start({}, out);
      if (message) thought(json::string_or(*message, "tool_plan"), out);
    } else if (type == "tool-call-start") {
      start({}, out);
      if (const auto call = message ? inner(*message, "tool_calls") : std::nullopt) start_call(json::int_or(*event, "index"), *call, out);
    } else if (type == "tool-call-delta") {
      const auto call = message ? inner(*message, "tool_calls") : std::nullopt;
      const auto function = call ? inner(*call, "function") : std::nullopt;
      if (function) args(json::int_or(*event, "index"), json::string_or(*function, "arguments"), out);
    } else if (type == "tool-call-end") {
      end_call(json::int_or(*event, "index"), out);
    } else if (type == "citation-start") {
      start({}, out);
      if (const auto citation = message ? inner(*message, "citations") : std::nullopt) emit(out, Kind::kAnnotation).raw = annotation_of(*citation);
    } else if (type == "message-end") {
      start({}, out);
      if (delta) return end(*delta, out);
      return end({}, out);
    } else if (type.empty() && json::find(*event, "message")) {
      return std::unexpected(error_of(*event, 0));
    }
    return {};  // ends of contents and citations, and events that are not born yet
  }

  Status on_body(std::string_view body, EventBatch& out) override {
    const auto reply = document_.parse_object(body);
    if (!reply) return unreadable(reply.error());
    const auto message = inner(*reply, "message");
    if (!message) {
      if (json::find(*reply, "message")) return std::unexpected(error_of(*reply, 0));
      return fail(Code::kUpstream, "the provider's answer is not a chat reply");
    }
    start(*reply, out);
    thought(json::string_or(*message, "tool_plan"), out);
    for_each(*message, "content", [&](const json::Object& block) { said(block, out); });
    for_each(*message, "tool_calls", [&](const json::Object& call) {
      const int64_t index = calls_;
      start_call(index, call, out);
      end_call(index, out);
    });
    for_each(*message, "citations", [&](const json::Object& citation) {
      emit(out, Kind::kAnnotation).raw = annotation_of(citation);
    });
    return end(*reply, out);
  }

  Status on_end(EventBatch&) override {
    if (done_) return {};
    return fail(Code::kCut, started_ ? "the provider's stream ended before its message did"
                                     : "the provider's stream ended before its message began");
  }
  bool done() const override { return done_; }

 private:
  static std::unexpected<Error> unreadable(const Error& why) {
    return fail(Code::kUpstream, "the provider's answer is not JSON: " + why.message);
  }
  template <class F>
  static void for_each(const json::Object& object, std::string_view key, F use) {
    const auto value = json::find(object, key);
    const auto list = value ? json::as_array(*value) : std::nullopt;
    if (!list) return;
    for (const json::Value item : *list) {
      if (const auto one = json::as_object(item)) use(*one);
    }
  }
  Event& emit(EventBatch& out, Kind kind) {
    Event& event = out.emplace_back();
    event.kind = kind;
    event.origin = DialectId::kCohere;
    return event;
  }
  // The model is not told.
  void start(const std::optional<json::Object>& from, EventBatch& out) {
    if (std::exchange(started_, true)) return;
    Event& event = emit(out, Kind::kStart);
    if (from) event.id = json::string_or(*from, "id");
  }
  void said(const json::Object& content, EventBatch& out) {
    if (const auto text = json::string_or(content, "text"); !text.empty()) emit(out, Kind::kText).text = text;
    thought(json::string_or(content, "thinking"), out);
  }
  void thought(std::string_view text, EventBatch& out) {
    if (!text.empty()) emit(out, Kind::kThought).text = text;
  }

  struct Call {
    int64_t index = 0;
    int32_t number = 0;
    bool any = false;
  };
  void start_call(int64_t index, const json::Object& call, EventBatch& out) {
    end_call(index, out);
    open_.push_back({.index = index, .number = calls_++});
    Event& event = emit(out, Kind::kToolCall);
    event.index = open_.back().number;
    event.id = json::string_or(call, "id");
    const auto function = inner(call, "function");
    if (!function) return;
    event.name = json::string_or(*function, "name");
    args(index, json::string_or(*function, "arguments"), out);
  }
  void args(int64_t index, std::string_view fragment, EventBatch& out) {
    const auto call = std::ranges::find(open_, index, &Call::index);
    if (call == open_.end() || fragment.empty() || (!call->any && fragment == "null")) return;  // null: no arguments
    call->any = true;
    Event& event = emit(out, Kind::kToolArgs);
    event.index = call->number;
    event.text = fragment;
  }
  void end_call(int64_t index, EventBatch& out) {
    const auto call = std::ranges::find(open_, index, &Call::index);
    if (call == open_.end()) return;
    if (!call->any) {
      Event& event = emit(out, Kind::kToolArgs);
      event.index = call->number;
      event.text = "{}";
    }
    open_.erase(call);
  }

  Status end(const std::optional<json::Object>& from, EventBatch& out) {
    while (!open_.empty()) end_call(open_.front().index, out);
    const std::string_view reason = from ? json::string_or(*from, "finish_reason") : std::string_view();
    const auto usage = from ? inner(*from, "usage") : std::nullopt;
    if (usage) report(*usage, out);
    if (reason == "ERROR" || reason == "TIMEOUT") {
      Error error{.code = reason == "TIMEOUT" ? Code::kTimeout : Code::kUpstream, .type = std::string(reason)};
      error.message = json::string_or(*from, "error", "the provider gave up on its reply");
      return std::unexpected(std::move(error));
    }
    done_ = true;
    Event& stop = emit(out, Kind::kStop);
    stop.finish = reason.empty() && calls_ > 0 ? Finish::kToolCalls : finish_of(reason);
    stop.name = reason;
    return {};
  }

  // What is billed leaves out the provider's own preamble, which `tokens` counts.
  void report(const json::Object& usage, EventBatch& out) {
    const auto billed = inner(usage, "billed_units"), all = inner(usage, "tokens");
    const auto& from = billed ? billed : all;
    if (!from) return;
    const auto count = [&](const char* key) { return std::clamp<int64_t>(json::int_or(*from, key), 0, int64_t(1) << 50); };
    Event& event = emit(out, Kind::kUsage);
    event.usage.input = count("input_tokens");
    event.usage.output = count("output_tokens");
    event.usage.reported = true;
    for (const char* name : {"tokens", "cached_tokens"}) {
      if (const auto value = json::find(usage, name)) add_member(event.part_extra, name, *value);
    }
  }

  json::Document document_;
  std::vector<Call> open_;
  int32_t calls_ = 0;
  bool started_ = false, done_ = false;
};

}  // namespace

std::unique_ptr<ReplyDecoder> new_decoder() { return std::make_unique<Decoder>(); }

Error read_error(int status, std::string_view, std::string_view body) {
  json::Document document;
  const auto object = document.parse_object(body);
  if (!object || !json::find(*object, "message")) return opaque_error(status, body);
  return error_of(*object, status);
}

}  // namespace ajar::wire::cohere
