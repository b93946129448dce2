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

bool may_use(const Snapshot& snapshot, const std::shared_ptr<const Key>& key, const std::string& model) {
  const auto route = snapshot.find(model);
  return route && (!key || key->may_use(route->config.name));
}
Error not_found(const std::string& model) {
  return {.code = Code::kNotFound, .message = "model '" + model + "' not found"};
}

constexpr size_t kSaysNothing = 1024;  // a body that asks for no more than a load is smaller

}  // namespace

Task<> Api::ollama(Exchange& exchange) {
  const std::string_view path = exchange.request().path;
  const bool generate = path.starts_with("/api/generate");
  if (generate || path.starts_with("/api/chat")) {
    const wire::Front& front = generate ? wire::ollama::generate_front() : wire::ollama::chat_front();
    if (exchange.request().body.size() < kSaysNothing) {
      if (const auto load = wire::ollama::read_load_request(exchange.request().body)) co_return co_await ollama_load(exchange, *load, front);
    }
    co_return co_await converse(exchange, front, {});
  }
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
  if (!may_use(*snapshot, *key, *name)) {
    co_return co_await send_error(exchange, not_found(*name), wire::ollama::write_error);
  }
  const std::string body = wire::ollama::write_show(*name);
  co_await exchange.send(200, json_headers(exchange), body);
}

// What is behind a route is always there: the answer is what a server with the model in memory would say.
Task<> Api::ollama_load(Exchange& exchange, const wire::ollama::LoadRequest& load, const wire::Front& front) {
  const auto key = admit(exchange.request());
  if (!key) co_return co_await send_error(exchange, key.error(), front.write_error);
  if (!may_use(*parts_.gateway.snapshot(), *key, load.model)) {
    co_return co_await send_error(exchange, not_found(load.model), front.write_error);
  }
  const std::string body = wire::ollama::write_load_reply(load, front) + "\n";
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
