// Ollama's API: chats and embeddings through the gateway's line, and what its clients ask of a server beside them.
#include "api/api.h"
#include "api/call_sink.h"
#include "wire/ollama/ollama.h"

namespace ajar::api {
namespace {

// The version of Ollama's API that is spoken here; clients ask for it to know what they may send.
constexpr std::string_view kVersion = R"({"version":"0.13.0"})";

Headers json_headers(Exchange& exchange) {
  return Headers{{"content-type", "application/json"}, {"x-request-id", exchange.id()}};
}

}  // namespace

Task<> Api::ollama(Exchange& exchange) {
  const std::string_view path = exchange.request().path;
  if (path.starts_with("/api/chat")) co_return co_await converse(exchange, wire::ollama::chat_front(), {});
  if (path.starts_with("/api/generate")) co_return co_await converse(exchange, wire::ollama::generate_front(), {});
  if (path.starts_with("/api/embed")) co_return co_await ollama_embed(exchange, path.starts_with("/api/embeddings"));

  const auto key = admit(exchange.request());
  if (!key) co_return co_await send_error(exchange, key.error(), wire::ollama::write_error);
  if (path.starts_with("/api/version")) co_return (void)co_await exchange.send(200, json_headers(exchange), kVersion);
  if (path.starts_with("/api/ps")) {  // what is loaded where is not ours to know
    co_return (void)co_await exchange.send(200, json_headers(exchange), R"({"models":[]})");
  }
  std::vector<std::string> models;
  const auto snapshot = parts_.gateway.snapshot();
  for (const auto& route : snapshot->routes()) {
    if (!*key || (*key)->may_use(route->config.name)) models.push_back(route->config.name);
  }
  if (path.starts_with("/api/tags")) {
    const std::string body = wire::ollama::write_tags(models);
    co_return (void)co_await exchange.send(200, json_headers(exchange), body);
  }
  const auto name = wire::ollama::read_show_request(exchange.request().body);
  if (!name) co_return co_await send_error(exchange, name.error(), wire::ollama::write_error);
  const auto route = snapshot->find(*name);
  if (!route || (*key && !(*key)->may_use(route->config.name))) {
    co_return co_await send_error(exchange, Error{.code = Code::kNotFound, .message = "model '" + *name + "' not found"},
                                  wire::ollama::write_error);
  }
  const std::string body = wire::ollama::write_show(*name);
  co_await exchange.send(200, json_headers(exchange), body);
}

// `single`: the older form, of one prompt.
Task<> Api::ollama_embed(Exchange& exchange, bool single) {
  HttpRequest& http = exchange.request();
  auto key = admit(http);
  if (!key) co_return co_await send_error(exchange, key.error(), wire::ollama::write_error);
  auto request = single ? wire::ollama::read_single_embedding_request(http.body)
                        : wire::ollama::read_embedding_request(http.body);
  if (!request) {
    parts_.metrics.refused("invalid");
    co_return co_await send_error(exchange, request.error(), wire::ollama::write_error);
  }
  std::string().swap(http.body);

  Context context = new_context(exchange, *key, "ollama_embed");
  WholeSink sink(exchange, wire::ollama::write_error);
  const auto reply = co_await parts_.gateway.embed(*request, std::move(*key), context, sink);
  if (!reply) co_return;  // the sink has said so
  const std::string body = single ? wire::ollama::write_single_embedding_reply(*reply)
                                  : wire::ollama::write_embedding_reply(*reply, *request);
  co_await exchange.send(200, sink.headers(), body);
}

}  // namespace ajar::api
