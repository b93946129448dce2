// POST /v1/chat/completions and POST /v1/embeddings: from bytes to the gateway's line and back.
#include "api/api.h"
#include "api/status.h"
#include "base/text.h"
#include "core/reply.h"
#include "wire/openai/chat.h"
#include "wire/openai/embeddings.h"

namespace ajar::api {
namespace {

constexpr size_t kMaxFolded = 64 << 20;  // a whole reply that is held for a client that does not stream

Context new_context(Exchange& exchange, const std::shared_ptr<const Key>& key) {
  Context context;
  context.id = exchange.id();
  context.cancel = &exchange.cancel();
  if (key) context.caller = {.key_id = key->row.id, .key_name = key->row.name, .team = key->row.team};
  return context;
}

Status check_encoding(const Headers& headers) {
  const std::string_view encoding = trim(headers.get("content-encoding"));
  if (encoding.empty() || iequals(encoding, "identity")) return {};
  return fail(Code::kUnsupported, "the content-encoding '" + std::string(encoding) +
                                      "' is not supported; send the body as it is");
}

// What both endpoints say about a call in headers.
class CallHeaders {
 public:
  explicit CallHeaders(Exchange& exchange) : exchange_(exchange) {}

  void begin(const Route& route, const Target& target, size_t attempts) {
    route_ = route.config.name;
    target_ = target.name;
    attempts_ = attempts;
    simulator_ = target.simulator;
  }
  Headers make(std::string_view content_type) const {
    Headers headers{{"content-type", content_type}, {"x-request-id", exchange_.id()}};
    if (!target_.empty()) {
      headers.add("x-ajar-route", route_);
      headers.add("x-ajar-target", target_);
      if (attempts_ > 1) headers.add("x-ajar-attempts", std::to_string(attempts_));
      if (simulator_) headers.add("x-ajar-simulator", "true");
    }
    return headers;
  }

 private:
  Exchange& exchange_;
  std::string route_, target_;
  size_t attempts_ = 0;
  bool simulator_ = false;
};

std::string dollars(int64_t nano) {
  std::string fraction = std::to_string(nano % 1'000'000'000);
  fraction.insert(0, 9 - fraction.size(), '0');
  return std::to_string(nano / 1'000'000'000) + "." + fraction;
}

// The client's side of a chat call: streams events as they come, or folds them into one answer.
class ChatSink final : public ReplySink {
 public:
  ChatSink(Exchange& exchange, bool stream, wire::ReplyOptions options)
      : exchange_(exchange), headers_(exchange), stream_(stream), options_(std::move(options)) {
    if (stream_) encoder_ = wire::openai::new_encoder(options_);
  }

  void begin(const Route& route, const Target& target, size_t attempts) override {
    headers_.begin(route, target, attempts);
  }

  Task<Status> write(EventBatch& events) override {
    if (!stream_) {
      fold_.add(events);
      if (fold_.bytes() > kMaxFolded) {
        co_return fail(Code::kUpstream, "the reply is larger than 64 MiB; ask for it as a stream");
      }
      co_return Status();
    }
    if (!exchange_.started()) {
      Headers headers = headers_.make("text/event-stream; charset=utf-8");
      headers.add("cache-control", "no-cache");
      headers.add("x-accel-buffering", "no");
      AJAR_CO_TRY(co_await exchange_.start(200, std::move(headers)));
    }
    bytes_.clear();
    encoder_->encode(events, bytes_);
    if (bytes_.empty()) co_return Status();
    co_return co_await exchange_.write(bytes_);
  }

  Task<int> finish(StreamEnd end, const Error* error, const store::CallRow& call) override {
    if (end == StreamEnd::kCancelled) {
      exchange_.abort();
      co_return 499;
    }
    if (!exchange_.started() && error != nullptr) {
      const int status = http_status(*error);
      Headers headers = headers_.make("application/json");
      add_error_headers(*error, headers);
      const std::string body = wire::openai::write_error(*error, status, exchange_.id());
      co_await exchange_.send(status, std::move(headers), body);
      co_return status;
    }
    if (!stream_) {
      const std::string body = wire::openai::write_reply(fold_.take(), options_);
      Headers headers = headers_.make("application/json");
      headers.add("x-ajar-cost-usd", dollars(call.cost));
      co_await exchange_.send(200, std::move(headers), body);
      co_return 200;
    }
    bytes_.clear();
    encoder_->finish(end, error, bytes_);
    co_await exchange_.finish(bytes_);
    co_return 200;
  }

 private:
  Exchange& exchange_;
  CallHeaders headers_;
  const bool stream_;
  const wire::ReplyOptions options_;
  std::unique_ptr<wire::ReplyEncoder> encoder_;
  Fold fold_;
  std::string bytes_;
};

// Embeddings come whole; only the end of the call matters here.
class EmbeddingSink final : public ReplySink {
 public:
  explicit EmbeddingSink(Exchange& exchange) : headers_(exchange), exchange_(exchange) {}
  void begin(const Route& route, const Target& target, size_t attempts) override {
    headers_.begin(route, target, attempts);
  }
  Task<Status> write(EventBatch& events) override { co_return Status(); }
  Task<int> finish(StreamEnd end, const Error* error, const store::CallRow& call) override {
    cost_ = call.cost;
    if (error == nullptr) co_return 200;
    if (end == StreamEnd::kCancelled) {
      exchange_.abort();
      co_return 499;
    }
    const int status = http_status(*error);
    Headers headers = headers_.make("application/json");
    add_error_headers(*error, headers);
    const std::string body = wire::openai::write_error(*error, status, exchange_.id());
    co_await exchange_.send(status, std::move(headers), body);
    co_return status;
  }
  Headers headers() const {
    Headers headers = headers_.make("application/json");
    headers.add("x-ajar-cost-usd", dollars(cost_));
    return headers;
  }

 private:
  CallHeaders headers_;
  Exchange& exchange_;
  int64_t cost_ = 0;
};

}  // namespace

Result<std::shared_ptr<const Key>> Api::admit(const HttpRequest& http) const {
  AJAR_ASSIGN(auto key, authenticate(http));
  AJAR_TRY(check_encoding(http.headers));
  return key;
}

Task<> Api::chat(Exchange& exchange) {
  HttpRequest& http = exchange.request();
  auto key = admit(http);
  if (!key) co_return co_await send_error(exchange, key.error());
  auto request = wire::openai::read_request(http.body);
  if (!request) {
    parts_.metrics.refused("invalid");
    co_return co_await send_error(exchange, request.error());
  }
  std::string().swap(http.body);  // a large body must not live as long as its answer

  Context context = new_context(exchange, *key);
  ChatSink sink(exchange, request->stream,
                {.include_usage = request->include_usage, .model = request->model,
                 .legacy_functions = request->legacy_functions});
  co_await parts_.gateway.chat(*request, std::move(*key), context, sink);
}

Task<> Api::embeddings(Exchange& exchange) {
  HttpRequest& http = exchange.request();
  auto key = admit(http);
  if (!key) co_return co_await send_error(exchange, key.error());
  auto request = wire::openai::read_embedding_request(http.body);
  if (!request) {
    parts_.metrics.refused("invalid");
    co_return co_await send_error(exchange, request.error());
  }
  std::string().swap(http.body);

  Context context = new_context(exchange, *key);
  EmbeddingSink sink(exchange);
  const auto reply = co_await parts_.gateway.embed(*request, std::move(*key), context, sink);
  if (!reply) co_return;  // the sink has said so
  const std::string body = wire::openai::write_embedding_reply(*reply, *request);
  co_await exchange.send(200, sink.headers(), body);
}

}  // namespace ajar::api
