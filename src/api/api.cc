#include "api/api.h"

#include <openssl/crypto.h>

#include "api/fronts.h"
#include "api/status.h"
#include "base/text.h"
#include "json/write.h"
#include "wire/anthropic/anthropic.h"
#include "wire/openai/chat.h"
#include "wire/openai/embeddings.h"
#include "wire/openai/forward.h"

namespace ajar::api {

std::string query_value(std::string_view query, std::string_view name) {
  for (const auto pair : split(query, '&')) {
    const size_t equals = pair.find('=');
    if (pair.substr(0, equals) != name) continue;
    std::string value(equals == pair.npos ? "" : pair.substr(equals + 1));
    for (char& c : value) {
      if (c == '+') c = ' ';
    }
    return percent_decode(value).value_or(value);
  }
  return {};
}

std::string bearer_of(const Headers& headers) {
  const std::string_view authorization = headers.get("authorization");
  if (authorization.size() > 7 && iequals(authorization.substr(0, 7), "bearer ")) {
    return std::string(trim(authorization.substr(7)));
  }
  for (const char* name : {"x-api-key", "api-key", "x-goog-api-key"}) {
    if (const auto value = trim(headers.get(name)); !value.empty()) return std::string(value);
  }
  return {};
}

Task<> send_error(Exchange& exchange, Error error, wire::WriteError write_error) {
  const int status = http_status(error);
  Headers headers{{"content-type", "application/json"}, {"x-request-id", exchange.id()}};
  add_error_headers(error, headers);
  const std::string body = write_error(error, status, exchange.id());
  co_await exchange.send(status, std::move(headers), body);
}

Task<> send_error(Exchange& exchange, Error error) {
  return send_error(exchange, std::move(error), front_of(exchange.request().path).write_error);
}

ErrorBody Api::error_body(const Error& error, std::string_view path) {
  return {.content_type = "application/json",
          .body = front_of(path).write_error(error, http_status(error), "")};
}

Result<std::shared_ptr<const Key>> Api::authenticate(const HttpRequest& request) const {
  std::string secret = bearer_of(request.headers);
  if (secret.empty() && is_gemini(request.path)) secret = query_value(request.query, "key");
  const bool open = parts_.gateway.snapshot()->config().server.auth == "open";
  if (secret.empty()) {
    if (open) return std::shared_ptr<const Key>();
    parts_.metrics.refused("no_key");
    return fail(Code::kUnauthenticated,
                "no API key was given: send it as 'Authorization: Bearer sk-ajar-…' (make one with "
                "`ajar keys create`)");
  }
  auto key = parts_.tenants.authenticate(secret);
  if (key) return key;
  if (open) return std::shared_ptr<const Key>();
  parts_.metrics.refused("unknown_key");
  return key;
}

bool Api::is_admin(const HttpRequest& request) const {
  const std::string given = bearer_of(request.headers);
  // Of equal length or not, the time says nothing about the token.
  return !parts_.admin_token.empty() && given.size() == parts_.admin_token.size() &&
         CRYPTO_memcmp(given.data(), parts_.admin_token.data(), given.size()) == 0;
}

Task<> Api::handle(Exchange& exchange) {
  const HttpRequest& request = exchange.request();
  std::string_view path = request.path;
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const auto wants = [&](std::string_view method) { return request.method == method; };

  struct Endpoint {
    std::string_view path, method;
    Task<> (Api::*handler)(Exchange&);
  };
  static constexpr Endpoint kEndpoints[] = {
      {"/v1/chat/completions", "POST", &Api::chat},  {"/chat/completions", "POST", &Api::chat},
      {"/v1/completions", "POST", &Api::completions}, {"/completions", "POST", &Api::completions},
      {"/v1/responses", "POST", &Api::responses},    {"/responses", "POST", &Api::responses},
      {"/v1/embeddings", "POST", &Api::embeddings},  {"/embeddings", "POST", &Api::embeddings},
      {"/v1/models", "GET", &Api::models},           {"/models", "GET", &Api::models},
      {"/v1/rerank", "POST", &Api::rerank},          {"/v2/rerank", "POST", &Api::rerank},
      {"/rerank", "POST", &Api::rerank},
      {"/v1/messages", "POST", &Api::messages},      {"/anthropic/v1/messages", "POST", &Api::messages},
      {"/v1/messages/count_tokens", "POST", &Api::count_messages},
      {"/anthropic/v1/messages/count_tokens", "POST", &Api::count_messages},
      {"/v1/feedback", "POST", &Api::feedback},      {"/feedback", "POST", &Api::feedback},
      {"/metrics", "GET", &Api::metrics},
      {"/api/chat", "POST", &Api::ollama},           {"/api/generate", "POST", &Api::ollama},
      {"/api/embed", "POST", &Api::ollama},          {"/api/embeddings", "POST", &Api::ollama},
      {"/api/tags", "GET", &Api::ollama},            {"/api/show", "POST", &Api::ollama},
      {"/api/version", "GET", &Api::ollama},         {"/api/ps", "GET", &Api::ollama},
  };
  const auto wrong_method = [&](std::string_view right) {
    return Error{.code = Code::kMethod,
                 .message = std::string(path) + " takes " + std::string(right) + ", not " + request.method};
  };
  for (const Endpoint& endpoint : kEndpoints) {
    if (path != endpoint.path) continue;
    if (wants(endpoint.method)) co_return co_await (this->*endpoint.handler)(exchange);
    co_return co_await send_error(exchange, wrong_method(endpoint.method));
  }
  if (const auto kind = wire::openai::forward_kind(path)) {
    if (wants("POST")) co_return co_await forward(exchange, *kind);
    co_return co_await send_error(exchange, wrong_method("POST"));
  }
  // /v1/files/{id}/{verb}, /v1/batches/{id}/{verb}
  for (const auto& [root, handler] : {std::pair{std::string_view("/v1/files"), &Api::files},
                                      std::pair{std::string_view("/v1/batches"), &Api::batches}}) {
    if (!path.starts_with(root) || (path.size() > root.size() && path[root.size()] != '/')) continue;
    const auto parts = split(path.substr(std::min(root.size() + 1, path.size())), '/');
    if (parts.size() > 2) break;
    co_return co_await (this->*handler)(exchange, std::string(parts[0]), parts.size() > 1 ? std::string(parts[1]) : "");
  }
  if (path == "/v1/vector_stores" || path.starts_with("/v1/vector_stores/") || path.starts_with("/v1/rag/")) co_return co_await documents(exchange);
  if (path == "/healthz" || path == "/readyz") co_return co_await health(exchange, path == "/readyz");
  if (auto call = gemini_path(path)) co_return co_await gemini(exchange, std::move(*call));
  if (wants("GET") && path == "/v1beta/models") co_return co_await gemini_models(exchange, {});
  constexpr std::string_view kOneModel = "/v1beta/models/";
  if (wants("GET") && path.starts_with(kOneModel)) co_return co_await gemini_models(exchange, path.substr(kOneModel.size()));
  if (path.starts_with("/v1/models/")) co_return co_await models(exchange);
  if (path.starts_with("/v1/responses/") || path.starts_with("/responses/")) co_return co_await kept_response(exchange);
  if (path.starts_with("/admin/")) co_return co_await admin(exchange);
  if (path == "/") {
    Headers headers{{"content-type", "text/plain; charset=utf-8"}};
    co_await exchange.send(200, std::move(headers),
                           "Ajar " + parts_.version +
                               "\n\nPOST /v1/chat/completions   POST /v1/responses   POST /v1/embeddings   GET /v1/models\n"
                               "POST /v1/messages   POST /v1beta/models/{model}:generateContent\n"
                               "GET /healthz   GET /readyz   GET /metrics   /admin/…\n");
    co_return;
  }
  co_await send_error(exchange, Error{.code = Code::kNotFound,
                                      .message = "there is nothing at " + std::string(path),
                                      .type = "unknown_path"});
}

namespace {

std::string anthropic_models(const std::vector<wire::openai::ModelEntry>& entries) {
  std::vector<wire::anthropic::ModelEntry> models;
  for (const auto& entry : entries) models.push_back({.id = entry.id, .created = entry.created});
  return wire::anthropic::write_models(models);
}

}  // namespace

Task<> Api::models(Exchange& exchange) {
  const HttpRequest& request = exchange.request();
  // One path, three dialects: the others' clients are known by their headers.
  if (request.headers.has("x-goog-api-key")) {
    constexpr std::string_view kList = "/v1/models";
    const std::string_view path = request.path;
    co_return co_await gemini_models(exchange, path.starts_with("/v1/models/") ? path.substr(kList.size() + 1) : "");
  }
  const bool anthropic = request.headers.has("anthropic-version");
  const wire::WriteError write_error = anthropic ? wire::anthropic::write_error : front_of(request.path).write_error;
  const auto key = authenticate(request);
  if (!key) co_return co_await send_error(exchange, key.error(), write_error);
  const auto snapshot = parts_.gateway.snapshot();
  std::vector<wire::openai::ModelEntry> entries;
  for (const auto& route : snapshot->routes()) {
    if (*key && !(*key)->may_use(route->config.name)) continue;
    entries.push_back({.id = route->config.name, .created = 1'700'000'000,
                       .owned_by = route->simulator() ? "ajar-simulator" : "ajar"});
  }
  Headers headers{{"content-type", "application/json"}, {"x-request-id", exchange.id()}};
  constexpr std::string_view kOne = "/v1/models/";
  if (!std::string_view(request.path).starts_with(kOne)) {
    const std::string body = anthropic ? anthropic_models(entries) : wire::openai::write_models(entries);
    co_await exchange.send(200, std::move(headers), body);
    co_return;
  }
  const auto id = percent_decode(std::string_view(request.path).substr(kOne.size()));
  for (const auto& entry : entries) {
    if (!id || entry.id != *id) continue;
    const std::string body = anthropic ? wire::anthropic::write_model({.id = entry.id, .created = entry.created})
                                       : wire::openai::write_model(entry);
    co_await exchange.send(200, std::move(headers), body);
    co_return;
  }
  co_await send_error(exchange, Error{.code = Code::kNotFound,
                                      .message = "the model '" + id.value_or("") + "' does not exist",
                                      .field = "model", .type = "model_not_found"}, write_error);
}

Task<> Api::metrics(Exchange& exchange) {
  const auto snapshot = parts_.gateway.snapshot();
  if (snapshot->config().server.metrics == "admin" && !is_admin(exchange.request())) {
    co_return co_await send_error(exchange, Error{.code = Code::kUnauthenticated,
                                                  .message = "/metrics needs the admin token here"});
  }
  // What is a state rather than an event is read when asked for.
  const int64_t now_ms = unix_millis();
  for (const auto& key : parts_.tenants.keys()) {
    const auto limits = key->account->limits();
    if (key->row.revoked_ms != 0 || !limits.has_money_budget()) continue;
    parts_.metrics.remaining_budget(false, key->row.name, double(key->account->available(now_ms).usd) / 1e9);
  }
  for (const auto& team : parts_.tenants.teams()) {
    if (!team->account->limits().has_money_budget()) continue;
    parts_.metrics.remaining_budget(true, team->row.name, double(team->account->available(now_ms).usd) / 1e9);
  }
  for (const auto& route : snapshot->routes()) {
    for (const auto& target : route->targets) {
      const auto state = target.health->state(now());
      parts_.metrics.breaker(route->config.name, target.name,
                             state == Health::State::kOpen ? 2 : state == Health::State::kHalfOpen ? 1 : 0);
      if (!target.watch) continue;
      const auto view = target.watch->view();
      parts_.metrics.rung(route->config.name, target.name, view.accept, view.error_rate.low, view.error_rate.high, view.alarmed);
    }
  }
  for (const auto& route : snapshot->routes()) {
    if (!route->canary) continue;
    const auto view = route->canary->canary->view();
    parts_.metrics.canary(route->config.name, route->canary->target.name, int(view.state), view.usual.errors.rate(), view.candidate.errors.rate());
  }
  for (const auto& [model, quality] : snapshot->token_models().qualities()) {
    if (quality.samples >= 10) parts_.metrics.token_estimate(model, quality.error);
  }
  const auto stats = parts_.store.stats();
  parts_.metrics.store_stats(stats.waiting, stats.written, stats.dropped, stats.failed);
  const auto kept = parts_.memory.answers.stats();
  parts_.metrics.cache_size(kept.entries, kept.bytes, kept.evicted);
  parts_.metrics.connections().Set(double(parts_.connections()));
  parts_.metrics.engine(parts_.engine_models());
  Headers headers{{"content-type", "text/plain; version=0.0.4; charset=utf-8"}};
  const std::string body = parts_.metrics.expose();
  co_await exchange.send(200, std::move(headers), body);
}

Task<> Api::health(Exchange& exchange, bool readiness) {
  const bool ready = !readiness || !draining_;
  std::string body;
  json::Writer w(body);
  w.begin_object();
  w.field("status", ready ? "ok" : "draining");
  w.field("version", parts_.version);
  w.field("config_version", parts_.gateway.snapshot()->version());
  w.end_object();
  Headers headers{{"content-type", "application/json"}};
  co_await exchange.send(ready ? 200 : 503, std::move(headers), body);
}

}  // namespace ajar::api
