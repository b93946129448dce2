// /api/chat replies -> events. https://github.com/ollama/ollama/blob/main/docs/api.md#response-10
#include <algorithm>
#include <ctime>

#include "base/text.h"
#include "json/read.h"
#include "wire/embedding_rows.h"
#include "wire/fields.h"
#include "wire/ollama/ollama.h"
#include "wire/outbound.h"

namespace ajar::wire::ollama {
namespace {

using Kind = Event::Kind;

// "2024-07-22T20:33:28.123648Z": whole seconds; 0 when it is something else.
int64_t unix_of(std::string_view text) {
  std::tm time{};
  if (text.size() < 20 || strptime(std::string(text.substr(0, 19)).c_str(), "%Y-%m-%dT%H:%M:%S", &time) == nullptr) return 0;
  return std::max<int64_t>(0, int64_t{timegm(&time)});
}

std::unexpected<Error> unreadable(const Error& why) {
  return fail(Code::kUpstream, "the provider's answer is not JSON: " + why.message);
}

// {"error": "…"}; newer servers add a status for errors of the cloud.
Error error_of(const json::Object& body, int status) {
  Error error;
  error.message = json::string_or(body, "error");
  if (status == 0) status = int(std::clamp<int64_t>(json::int_or(body, "status_code"), 0, 599));
  error.upstream_status = status;
  error.code = code_of_status(status);
  if (error.message.empty()) error.message = "the provider gave an error without a message";
  if (error.code == Code::kInvalid && error.message.find("context length") != std::string::npos) error.type = kContextTooLong;
  return error;
}

bool is_error(const json::Object& body) {
  return json::find(body, "error").has_value() && !json::find(body, "message");
}

class Decoder final : public ReplyDecoder {
 public:
  Status on_event(std::string_view, std::string_view data, EventBatch& out) override {
    if (data.empty()) return {};
    const auto chunk = document_.parse_object(data);
    if (!chunk) return unreadable(chunk.error());
    return this->chunk(*chunk, out);
  }
  Status on_body(std::string_view body, EventBatch& out) override {
    const auto chunk = document_.parse_object(body);
    if (!chunk) return unreadable(chunk.error());
    AJAR_TRY(this->chunk(*chunk, out));
    if (done_) return {};
    return fail(Code::kUpstream, "the provider's answer is not a finished chat reply");
  }
  Status on_end(EventBatch&) override {
    if (done_) return {};
    return fail(Code::kCut, started_ ? "the provider's stream ended before its reply was done"
                                     : "the provider's stream ended before its reply began");
  }
  bool done() const override { return done_; }

 private:
  Event& emit(EventBatch& out, Kind kind) {
    Event& event = out.emplace_back();
    event.kind = kind;
    event.origin = DialectId::kOllama;
    return event;
  }

  Status chunk(const json::Object& chunk, EventBatch& out) {
    if (done_) return {};
    if (is_error(chunk)) return std::unexpected(error_of(chunk, 0));
    const auto found = json::find(chunk, "message");
    const auto message = found ? json::as_object(*found) : std::nullopt;
    const auto finished = json::find(chunk, "done");
    if (!message && !finished) return fail(Code::kUpstream, "the provider's answer is not a chat reply");
    if (!started_) {
      started_ = true;
      Event& start = emit(out, Kind::kStart);
      start.name = json::string_or(chunk, "model");
      start.created = unix_of(json::string_or(chunk, "created_at"));
      for (const char c : json::string_or(chunk, "created_at")) {
        if (c >= '0' && c <= '9' && moment_.size() < 32) moment_.push_back(c);
      }
    }
    if (message) said(*message, out);
    if (const auto list = json::find(chunk, "logprobs")) logprobs(*list, out);
    if (finished && json::as_bool(*finished).value_or(false)) end(chunk, out);
    return {};
  }

  void said(const json::Object& message, EventBatch& out) {
    if (const auto text = json::string_or(message, "thinking"); !text.empty()) emit(out, Kind::kThought).text = text;
    if (const auto text = json::string_or(message, "content"); !text.empty()) emit(out, Kind::kText).text = text;
    const auto found = json::find(message, "tool_calls");
    const auto calls = found ? json::as_array(*found) : std::nullopt;
    if (!calls) return;
    for (const json::Value item : *calls) {
      const auto call = json::as_object(item);
      const auto inner = call ? json::find(*call, "function") : std::nullopt;
      const auto function = inner ? json::as_object(*inner) : std::nullopt;
      if (!function) continue;
      Event& open = emit(out, Kind::kToolCall);
      open.index = calls_;
      open.id = json::string_or(*call, "id");
      if (open.id.empty()) open.id = "call_" + moment_ + "_" + std::to_string(calls_);
      open.name = json::string_or(*function, "name");
      const auto arguments = json::find(*function, "arguments");
      Event& args = emit(out, Kind::kToolArgs);
      args.index = calls_++;
      args.text = arguments ? json::raw(*arguments) : "{}";
    }
  }

  void logprobs(const json::Value& list, EventBatch& out) {
    const std::string raw = json::raw(list);
    if (list.is_array() && raw.size() > 2) emit(out, Kind::kLogprobs).raw = raw.substr(1, raw.size() - 2);
  }

  void end(const json::Object& chunk, EventBatch& out) {
    done_ = true;
    const std::string_view reason = json::string_or(chunk, "done_reason");
    Event& stop = emit(out, Kind::kStop);
    stop.name = reason;
    stop.finish = reason == "length" ? Finish::kLength : calls_ > 0 ? Finish::kToolCalls : Finish::kStop;
    for (const char* name : {"total_duration", "load_duration", "prompt_eval_duration", "eval_duration"}) {
      if (const auto value = json::find(chunk, name)) add_member(stop.top_extra, name, *value);
    }
    if (!json::find(chunk, "eval_count") && !json::find(chunk, "prompt_eval_count")) return;
    const auto count = [&](const char* name) { return std::clamp<int64_t>(json::int_or(chunk, name), 0, int64_t(1) << 50); };
    Event& usage = emit(out, Kind::kUsage);
    usage.usage.input = count("prompt_eval_count");
    usage.usage.output = count("eval_count");
    usage.usage.reported = true;
  }

  json::Document document_;
  std::string moment_;  // the digits of the first created_at: calls of older servers have no ids of their own
  int32_t calls_ = 0;
  bool started_ = false, done_ = false;
};

}  // namespace

std::unique_ptr<ReplyDecoder> new_decoder() { return std::make_unique<Decoder>(); }

Error read_error(int status, std::string_view, std::string_view body) {
  json::Document document;
  const auto object = document.parse_object(body);
  if (!object || !json::find(*object, "error")) return opaque_error(status, body);
  return error_of(*object, status);
}

Result<EmbeddingReply> read_embedding_reply(std::string_view body) {
  json::Document document;
  const auto object = document.parse_object(body);
  if (!object) return unreadable(object.error());
  if (is_error(*object)) return std::unexpected(error_of(*object, 0));
  EmbeddingReply reply;
  const auto rows = json::find(*object, "embeddings");
  if (!rows) return fail(Code::kUpstream, "the provider's answer has no embeddings");
  AJAR_TRY(read_embedding_rows(*rows, reply));
  reply.model = json::string_or(*object, "model");
  if (const auto count = json::find(*object, "prompt_eval_count")) {
    reply.usage.input = std::clamp<int64_t>(json::as_int(*count).value_or(0), 0, int64_t(1) << 50);
    reply.usage.reported = true;
  }
  return reply;
}

}  // namespace ajar::wire::ollama
