// POST /v1/messages and POST /v1/messages/count_tokens: clients that speak Anthropic's Messages API.
#include "api/api.h"
#include "api/call_sink.h"
#include "base/text.h"
#include "wire/anthropic/anthropic.h"

namespace ajar::api {

Task<> Api::messages(Exchange& exchange) {
  std::string betas;  // may come in several lines
  for (const auto& [name, value] : exchange.request().headers) {
    if (!iequals(name, "anthropic-beta") || value.empty()) continue;
    if (!betas.empty()) betas.push_back(',');
    betas += value;
  }
  co_await converse(exchange, wire::anthropic::front(), [betas = std::move(betas)](Request& request) -> Status {
    request.betas = betas;
    return {};
  });
}

// No model is asked: the count is the tokenizer's or the estimate that budgets use.
Task<> Api::count_messages(Exchange& exchange) {
  const wire::Front& front = wire::anthropic::front();
  HttpRequest& http = exchange.request();
  const auto key = admit(http);
  if (!key) co_return co_await send_error(exchange, key.error(), front.write_error);
  const auto request = wire::anthropic::read_count_request(http.body);
  if (!request) {
    parts_.metrics.refused("invalid");
    co_return co_await send_error(exchange, request.error(), front.write_error);
  }
  const auto count = parts_.gateway.count_tokens(*request, key->get());
  if (!count) co_return co_await send_error(exchange, count.error(), front.write_error);
  Headers headers{{"content-type", "application/json"}, {"x-request-id", exchange.id()}, {"request-id", exchange.id()}};
  const std::string body = wire::anthropic::write_count(count->tokens);
  co_await exchange.send(200, std::move(headers), body);
}

}  // namespace ajar::api
