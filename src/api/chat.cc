// POST /v1/chat/completions, /v1/completions and /v1/embeddings, and the prologue that all endpoints with a model behind them share.
#include "api/api.h"
#include "api/call_sink.h"
#include "api/fronts.h"
#include "base/text.h"
#include "wire/completions/completions.h"
#include "wire/openai/chat.h"
#include "wire/openai/embeddings.h"

namespace ajar::api {
namespace {

Status check_encoding(const Headers& headers) {
  const std::string_view encoding = trim(headers.get("content-encoding"));
  if (encoding.empty() || iequals(encoding, "identity")) return {};
  return fail(Code::kUnsupported, "the content-encoding '" + std::string(encoding) +
                                      "' is not supported; send the body as it is");
}

}  // namespace

Result<std::shared_ptr<const Key>> Api::admit(const HttpRequest& http) const {
  AJAR_ASSIGN(auto key, authenticate(http));
  AJAR_TRY(check_encoding(http.headers));
  return key;
}

wire::ReplyOptions Api::reply_options(const wire::Front& front, const Request& request, Exchange& exchange) {
  return options_of(front, request, exchange.id());
}

// `adjust` sets what the URL says.
Task<> Api::converse(Exchange& exchange, const wire::Front& front, std::function<Status(Request&)> adjust) {
  HttpRequest& http = exchange.request();
  auto key = admit(http);
  if (!key) co_return co_await send_error(exchange, key.error(), front.write_error);
  auto request = front.read_request(http.body);
  Status adjusted = request && adjust ? adjust(*request) : Status();
  if (!request || !adjusted) {
    parts_.metrics.refused("invalid");
    co_return co_await send_error(exchange, !request ? request.error() : adjusted.error(), front.write_error);
  }
  std::string().swap(http.body);  // a large body must not live as long as its answer

  Context context = new_context(exchange, *key, front.endpoint);
  ChatSink sink(exchange, front, context, request->stream, reply_options(front, *request, exchange));
  co_await parts_.gateway.chat(*request, std::move(*key), context, sink);
}

Task<> Api::chat(Exchange& exchange) { co_await converse(exchange, wire::openai::front(), {}); }

Task<> Api::completions(Exchange& exchange) { co_await converse(exchange, wire::completions::front(), {}); }

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

  Context context = new_context(exchange, *key, "embeddings");
  WholeSink sink(exchange, wire::openai::write_error);
  const auto reply = co_await parts_.gateway.embed(*request, std::move(*key), context, sink);
  if (!reply) co_return;  // the sink has said so
  const std::string body = wire::openai::write_embedding_reply(*reply, *request);
  co_await exchange.send(200, sink.headers(), body);
}

}  // namespace ajar::api
