// Predictions and their streams -> events. https://replicate.com/docs/topics/predictions/streaming
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "json/read.h"
#include "wire/outbound.h"
#include "wire/replicate/replicate.h"

namespace ajar::wire::replicate {
namespace {

using Kind = Event::Kind;

std::optional<json::Object> inner(const json::Object& object, std::string_view key) {
  const auto value = json::find(object, key);
  return value ? json::as_object(*value) : std::nullopt;
}

std::unexpected<Error> unreadable(const Error& why) {
  return fail(Code::kUpstream, "the provider's answer is not JSON: " + why.message);
}

Result<Prediction> prediction_of(const json::Object& object) {
  Prediction out;
  out.status = json::string_or(object, "status");
  if (out.status.empty() || !json::find(object, "id")) {
    return fail(Code::kUpstream, "the provider's answer is not a prediction");
  }
  if (const auto urls = inner(object, "urls")) {
    out.get_url = json::string_or(*urls, "get");
    out.cancel_url = json::string_or(*urls, "cancel");
    out.stream_url = json::string_or(*urls, "stream");
  }
  if (!out.ended() || out.status == "succeeded") return out;
  std::string why(json::string_or(object, "error"));
  if (why.empty()) why = "the prediction ended as '" + out.status + "'";
  Error error{.code = Code::kUpstream, .message = std::move(why), .type = out.status};
  return std::unexpected(std::move(error));
}

Usage usage_of(const json::Object& prediction) {
  Usage usage;
  const auto metrics = inner(prediction, "metrics");
  if (!metrics || !json::find(*metrics, "output_token_count")) return usage;
  const auto count = [&](const char* name) { return std::clamp<int64_t>(json::int_or(*metrics, name), 0, int64_t(1) << 50); };
  usage.input = count("input_token_count");
  usage.output = count("output_token_count");
  usage.reported = true;
  return usage;
}

class Decoder final : public ReplyDecoder {
 public:
  Status on_event(std::string_view name, std::string_view data, EventBatch& out) override {
    // The data is the text itself, which no JSON reader has checked.
    if (!valid_utf8(data)) return fail(Code::kUpstream, "the provider's stream is not UTF-8");
    if (name == "output") {
      start({}, out);
      text(data, out);
    } else if (name == "error") {
      json::Document document;
      const auto object = document.parse_object(data);
      const std::string detail(object ? json::string_or(*object, "detail") : data);
      return fail(Code::kUpstream, detail.empty() ? "the provider gave an error without a message" : detail);
    } else if (name == "done") {
      json::Document document;
      const auto object = document.parse_object(data);
      const std::string reason(object ? json::string_or(*object, "reason") : std::string_view());
      if (!reason.empty()) return fail(Code::kUpstream, "the prediction ended early: " + reason);
      start({}, out);
      stop(out);
    }
    return {};  // logs, and events that are not born yet
  }

  Status on_body(std::string_view body, EventBatch& out) override {
    const auto object = json::scratch().parse_object(body);
    if (!object) return unreadable(object.error());
    AJAR_ASSIGN(const Prediction prediction, prediction_of(*object));
    if (prediction.status != "succeeded") return fail(Code::kUpstream, "the provider's prediction has not ended");
    return whole(*object, out);
  }

  // A prediction that has succeeded.
  Status whole(const json::Object& object, EventBatch& out) {
    start(json::string_or(object, "id"), out);
    if (const auto output = json::find(object, "output")) {
      if (const auto list = json::as_array(*output)) {
        std::string joined;  // hundreds of pieces, a token each, that nobody waits for one by one
        for (const json::Value piece : *list) joined += json::as_string(piece).value_or("");
        text(joined, out);
      } else if (const auto whole = json::as_string(*output)) {
        text(*whole, out);
      } else {
        return fail(Code::kUpstream, "the output of the provider's prediction is not text");
      }
    }
    stop(out);
    if (const Usage usage = usage_of(object); usage.reported) emit(out, Kind::kUsage).usage = usage;
    return {};
  }

  Status on_end(EventBatch&) override {
    if (done_) return {};
    return fail(Code::kCut, "the provider's stream ended before its prediction did");
  }
  bool done() const override { return done_; }

 private:
  static Event& emit(EventBatch& out, Kind kind) {
    Event& event = out.emplace_back();
    event.kind = kind;
    event.origin = DialectId::kReplicate;
    return event;
  }
  void start(std::string_view id, EventBatch& out) {
    if (!std::exchange(started_, true)) emit(out, Kind::kStart).id = id;
  }
  static void text(std::string_view text, EventBatch& out) {
    if (!text.empty()) emit(out, Kind::kText).text = text;
  }
  void stop(EventBatch& out) {
    if (std::exchange(done_, true)) return;
    emit(out, Kind::kStop).finish = Finish::kStop;
  }

  bool started_ = false, done_ = false;
};

}  // namespace

std::unique_ptr<ReplyDecoder> new_decoder() { return std::make_unique<Decoder>(); }

Result<Prediction> read_prediction(std::string_view body, EventBatch& out) {
  const auto object = json::scratch().parse_object(body);
  if (!object) return unreadable(object.error());
  AJAR_ASSIGN(Prediction prediction, prediction_of(*object));
  if (prediction.status == "succeeded") AJAR_TRY(Decoder().whole(*object, out));
  return prediction;
}

void read_usage(std::string_view body, EventBatch& out) {
  const auto object = json::scratch().parse_object(body);
  if (!object) return;
  const Usage usage = usage_of(*object);
  if (!usage.reported) return;
  Event& event = out.emplace_back();
  event.kind = Kind::kUsage;
  event.origin = DialectId::kReplicate;
  event.usage = usage;
}

// {"title","detail","status"}, as https://www.rfc-editor.org/rfc/rfc7807 says problems.
Error read_error(int status, std::string_view, std::string_view body) {
  const auto object = json::scratch().parse_object(body);
  if (!object || !(json::find(*object, "detail") || json::find(*object, "title"))) return opaque_error(status, body);
  Error error{.code = code_of_status(status), .upstream_status = status};
  error.message = json::string_or(*object, "detail");
  if (error.message.empty()) error.message = json::string_or(*object, "title");
  if (const int64_t wait = json::int_or(*object, "retry_after", -1); wait >= 0 && wait < 86'400) error.retry_after_ms = wait * 1000;
  return error;
}

}  // namespace ajar::wire::replicate
