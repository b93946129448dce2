#pragma once
// The HTTP surface: paths, keys, and the shape of answers. One Api serves every loop; it holds no request's state.

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "gateway/gateway.h"
#include "http/server.h"
#include "net/blocking.h"
#include "wire/dialect.h"

namespace ajar::wire::ollama {
struct LoadRequest;
}

namespace ajar::api {

struct ApiParts {
  Gateway& gateway;
  Tenants& tenants;
  store::Store& store;
  Metrics& metrics;
  BlockingPool& blocking;
  // Reads the configuration again and swaps it in; the error says file:line:column. Blocks.
  std::function<Result<int64_t>()> reload;
  std::function<size_t()> connections;   // open client connections
  std::string admin_token;
  std::string version;
};

class Api {
 public:
  explicit Api(ApiParts parts) : parts_(std::move(parts)) {}

  Task<> handle(Exchange& exchange);
  void set_draining() { draining_ = true; }  // /readyz says no from now on
  // The JSON body of what the HTTP layer itself refuses.
  static ErrorBody error_body(const Error& error, std::string_view path);

 private:
  // The caller's key; null on an open server without one.
  Result<std::shared_ptr<const Key>> authenticate(const HttpRequest& request) const;
  // The same, once the rest of the head is right, too.
  Result<std::shared_ptr<const Key>> admit(const HttpRequest& request) const;
  bool is_admin(const HttpRequest& request) const;

  // One chat call in any dialect, from bytes to the gateway's line and back. `adjust`, if any, sets on the request
  // what the URL says; its error is the client's.
  Task<> converse(Exchange& exchange, const wire::Front& front, std::function<Status(Request&)> adjust);
  static wire::ReplyOptions reply_options(const Request& request, Exchange& exchange);

  Task<> chat(Exchange& exchange);
  Task<> embeddings(Exchange& exchange);
  Task<> models(Exchange& exchange);
  Task<> ollama(Exchange& exchange);
  Task<> ollama_embed(Exchange& exchange, bool single);
  Task<> ollama_load(Exchange& exchange, const wire::ollama::LoadRequest& load, const wire::Front& front);
  Task<> metrics(Exchange& exchange);
  Task<> health(Exchange& exchange, bool readiness);
  Task<> admin(Exchange& exchange);

  ApiParts parts_;
  std::atomic<bool> draining_ = false;
};

// Sends an error in the client's dialect.
Task<> send_error(Exchange& exchange, const Error& error, wire::WriteError write_error);
Task<> send_error(Exchange& exchange, const Error& error);  // the path tells which
// Splits "a=1&b=%20" into decoded pairs; the first value of a name.
std::string query_value(std::string_view query, std::string_view name);
std::string bearer_of(const Headers& headers);  // the credential in the request, or empty

}  // namespace ajar::api
