// The endpoints whose requests keep their form (moderations, images, audio), and reranking.
#include "api/api.h"
#include "api/call_sink.h"
#include "wire/openai/chat.h"
#include "wire/openai/forward.h"
#include "wire/rerank/rerank.h"

namespace ajar::api {
namespace {

// The client's side of a forwarded call: bytes as they come. A body that came in one piece is answered with its
// length; a longer one flows.
class ForwardSink final : public ReplySink {
 public:
  explicit ForwardSink(Exchange& exchange) : exchange_(exchange), whole_(exchange, wire::openai::write_error) {}

  void begin(const Answered& answered) override { whole_.begin(answered); }

  Task<Status> write(EventBatch& events) override {
    for (Event& event : events) {
      if (event.kind != Event::Kind::kOpaque) continue;
      if (!type_.empty() || !held_.empty()) {
        AJAR_CO_TRY(co_await flow(event.raw));
        continue;
      }
      type_ = event.name.empty() ? "application/octet-stream" : event.name;
      held_ = std::move(event.raw);
    }
    co_return Status();
  }

  Task<int> finish(StreamEnd end, const Error* error, const store::CallRow& call) override {
    if (!exchange_.started() && (error != nullptr || held_.empty())) co_return co_await whole_.finish(end, error, call);
    if (error == nullptr) {
      if (exchange_.started()) {
        co_await exchange_.finish();
      } else {
        Headers headers = whole_.headers_for(type_, call.cost);
        co_await exchange_.send(200, std::move(headers), held_);
      }
      co_return 200;
    }
    // What broke off must not look whole: events say so, anything else just ends without its end.
    if (end == StreamEnd::kCancelled || !type_.starts_with("text/event-stream")) {
      exchange_.abort();
      co_return end == StreamEnd::kCancelled ? 499 : 200;
    }
    std::string last;
    wire::openai::new_encoder({})->finish(end, error, last);
    co_await exchange_.finish(last);
    co_return 200;
  }

 private:
  Task<Status> flow(std::string_view bytes) {
    if (!exchange_.started()) {
      Headers headers = whole_.headers_for(type_, -1);
      AJAR_CO_TRY(co_await exchange_.start(200, std::move(headers)));
      AJAR_CO_TRY(co_await exchange_.write(held_));
    }
    co_return co_await exchange_.write(bytes);
  }

  Exchange& exchange_;
  WholeSink whole_;
  std::string type_, held_;
};

}  // namespace

Task<> Api::forward(Exchange& exchange, ForwardKind kind) {
  HttpRequest& http = exchange.request();
  auto key = admit(http);
  if (!key) co_return co_await send_error(exchange, key.error());
  if (kind == ForwardKind::kModeration && co_await moderate_here(exchange)) co_return;
  auto request = wire::openai::read_forward_request(kind, http.headers.get("content-type"), http.body);
  if (!request) {
    parts_.metrics.refused("invalid");
    co_return co_await send_error(exchange, request.error());
  }
  std::string().swap(http.body);

  Context context = new_context(exchange, *key, wire::openai::forward_path(kind));
  ForwardSink sink(exchange);
  co_await parts_.gateway.forward(*request, std::move(*key), context, sink);
}

Task<> Api::rerank(Exchange& exchange) {
  HttpRequest& http = exchange.request();
  auto key = admit(http);
  if (!key) co_return co_await send_error(exchange, key.error());
  auto request = wire::rerank::read_request(http.body);
  if (!request) {
    parts_.metrics.refused("invalid");
    co_return co_await send_error(exchange, request.error());
  }
  std::string().swap(http.body);

  Context context = new_context(exchange, *key, "rerank");
  WholeSink sink(exchange, wire::openai::write_error);
  const auto reply = co_await parts_.gateway.rerank(*request, std::move(*key), context, sink);
  if (!reply) co_return;  // the sink has said so
  const std::string body = wire::rerank::write_reply(*reply, *request);
  co_await exchange.send(200, sink.headers(), body);
}

}  // namespace ajar::api
