// Clients that speak Gemini: the model and the method stand in the path.
// https://ai.google.dev/api/generate-content, https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
#include <algorithm>

#include "api/api.h"
#include "api/call_sink.h"
#include "api/gemini_path.h"
#include "base/text.h"
#include "wire/gemini/gemini.h"

namespace ajar::api {

using wire::gemini::write_error;

Task<> Api::gemini(Exchange& exchange, GeminiPath call) {
  HttpRequest& http = exchange.request();
  if (http.method != "POST") {
    co_return co_await send_error(exchange, Error{.code = Code::kMethod, .message = http.path + " takes POST, not " +
                                                                                     http.method}, write_error);
  }
  const bool stream = call.verb == "streamGenerateContent";
  if (stream || call.verb == "generateContent") {
    const bool array = stream && query_value(http.query, "alt") != "sse";
    co_return co_await converse(exchange, array ? wire::gemini::array_front() : wire::gemini::front(),
                                [model = std::move(call.model), stream](Request& request) -> Status {
                                  request.model = model;
                                  request.stream = stream;
                                  request.include_usage = true;
                                  return {};
                                });
  }
  if (call.verb == "countTokens") co_return co_await gemini_count(exchange, std::move(call.model));
  if (call.verb == "embedContent" || call.verb == "batchEmbedContents") {
    co_return co_await gemini_embed(exchange, std::move(call.model), call.verb == "batchEmbedContents");
  }
  co_await send_error(exchange, Error{.code = Code::kNotFound,
                                      .message = "models have no method ':" + call.verb + "' here",
                                      .type = "unknown_path"}, write_error);
}

Task<> Api::gemini_count(Exchange& exchange, std::string model) {
  HttpRequest& http = exchange.request();
  const auto key = admit(http);
  if (!key) co_return co_await send_error(exchange, key.error(), write_error);
  auto request = wire::gemini::read_count_request(http.body);
  if (!request) {
    parts_.metrics.refused("invalid");
    co_return co_await send_error(exchange, request.error(), write_error);
  }
  request->model = std::move(model);
  const auto count = parts_.gateway.count_tokens(*request, key->get());
  if (!count) co_return co_await send_error(exchange, count.error(), write_error);
  Headers headers{{"content-type", "application/json"}, {"x-request-id", exchange.id()}};
  const std::string body = wire::gemini::write_count(count->tokens);
  co_await exchange.send(200, std::move(headers), body);
}

Task<> Api::gemini_embed(Exchange& exchange, std::string model, bool batch) {
  HttpRequest& http = exchange.request();
  auto key = admit(http);
  if (!key) co_return co_await send_error(exchange, key.error(), write_error);
  auto request = wire::gemini::read_embedding_request(http.body, batch);
  if (!request) {
    parts_.metrics.refused("invalid");
    co_return co_await send_error(exchange, request.error(), write_error);
  }
  request->model = std::move(model);
  std::string().swap(http.body);

  Context context = new_context(exchange, *key, "embeddings");
  WholeSink sink(exchange, write_error);
  const auto reply = co_await parts_.gateway.embed(*request, std::move(*key), context, sink);
  if (!reply) co_return;  // the sink has said so
  const std::string body = wire::gemini::write_embedding_reply(*reply, batch);
  co_await exchange.send(200, sink.headers(), body);
}

// GET /v1beta/models, and one of them by name.
Task<> Api::gemini_models(Exchange& exchange, std::string_view name) {
  const auto key = authenticate(exchange.request());
  if (!key) co_return co_await send_error(exchange, key.error(), write_error);
  std::vector<std::string> names;
  for (const auto& route : parts_.gateway.snapshot()->routes()) {
    if (*key && !(*key)->may_use(route->config.name)) continue;
    names.push_back(route->config.name);
  }
  Headers headers{{"content-type", "application/json"}, {"x-request-id", exchange.id()}};
  if (name.empty()) {
    const std::string body = wire::gemini::write_models(names);
    co_await exchange.send(200, std::move(headers), body);
    co_return;
  }
  const std::string wanted = percent_decode(name).value_or(std::string(name));
  if (std::ranges::find(names, wanted) != names.end()) {
    const std::string body = wire::gemini::write_model(wanted);
    co_await exchange.send(200, std::move(headers), body);
    co_return;
  }
  co_await send_error(exchange, Error{.code = Code::kNotFound, .message = "the model '" + wanted + "' does not exist",
                                      .field = "model", .type = "model_not_found"}, write_error);
}

}  // namespace ajar::api
