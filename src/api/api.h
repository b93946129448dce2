#pragma once
// The HTTP surface: paths, keys, and the shape of answers. One Api serves every loop; it holds no request's state.

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "api/gemini_path.h"
#include "gateway/gateway.h"
#include "http/server.h"
#include "net/blocking.h"
#include "rag/library.h"
#include "store/blobs.h"
#include "wire/dialect.h"

namespace ajar::wire::ollama {
struct LoadRequest;
}

namespace ajar::api {

class BatchRunner;

struct ApiParts {
  Gateway& gateway;
  Tenants& tenants;
  store::Store& store;
  Metrics& metrics;
  Memory& memory;
  const Privacy& privacy;
  BlockingPool& blocking;
  const store::Blobs& blobs;
  BatchRunner* runner;
  rag::Library& library;
  BlockingPool& searches;    // of documents: they may wait for models
  BlockingPool& documents;   // where files are read: for minutes, behind which nobody else waits
  // Reads the configuration again and swaps it in; the error says file:line:column. Blocks.
  std::function<Result<int64_t>()> reload;
  std::function<size_t()> connections;   // open client connections
  std::function<std::vector<Metrics::EngineModel>()> engine_models;  // of the embedded engine
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
  // Puts the items that the request refers to in their places. Gives what is to be kept of its own input.
  Task<Result<std::string>> gather(Request& request, const Context& context);
  static wire::ReplyOptions reply_options(const wire::Front& front, const Request& request, Exchange& exchange);

  Task<> chat(Exchange& exchange);
  Task<> completions(Exchange& exchange);
  Task<> responses(Exchange& exchange);
  Task<> kept_response(Exchange& exchange);  // /v1/responses/{id}…
  Task<> embeddings(Exchange& exchange);
  Task<> forward(Exchange& exchange, ForwardKind kind);
  Task<bool> moderate_here(Exchange& exchange);  // false: a route is there for its model
  Task<> rerank(Exchange& exchange);
  // `id` and `verb`: the parts of the path behind /v1/files and /v1/batches, empty where there are none.
  Task<> files(Exchange& exchange, std::string id, std::string verb);
  Task<> upload_file(Exchange& exchange, std::string owner);
  Task<> batches(Exchange& exchange, std::string id, std::string verb);
  Task<> create_batch(Exchange& exchange, std::shared_ptr<const Key> key, std::string owner);
  Task<> documents(Exchange& exchange);  // /v1/vector_stores…, /v1/rag/…
  Task<> feedback(Exchange& exchange);
  Task<> messages(Exchange& exchange);
  Task<> count_messages(Exchange& exchange);
  Task<> gemini(Exchange& exchange, GeminiPath call);
  Task<> gemini_count(Exchange& exchange, std::string model);
  Task<> gemini_embed(Exchange& exchange, std::string model, bool batch);
  Task<> gemini_models(Exchange& exchange, std::string_view name);  // empty: all
  Task<> models(Exchange& exchange);
  Task<> ollama(Exchange& exchange);
  Task<> ollama_embed(Exchange& exchange, bool single);
  Task<> ollama_load(Exchange& exchange, const wire::ollama::LoadRequest& load, const wire::Front& front);
  Task<> metrics(Exchange& exchange);
  Task<> health(Exchange& exchange, bool readiness);
  Task<> admin(Exchange& exchange);
  Task<> admin_cache(Exchange& exchange);   // GET: its size; DELETE ?id= &tag= &prefix= &route=: purges
  Task<> admin_rungs(Exchange& exchange);     // judged rungs and what audits say of them
  Task<> admin_evidence(Exchange& exchange);  // ?route= &target= &source= &limit=
  Task<> admin_feedback(Exchange& exchange);  // ?from= &limit=
  // `name` is a route's, `verb` what is to be done; both empty: all are listed.
  Task<> admin_canaries(Exchange& exchange, std::string name, std::string verb);
  Task<> admin_shadows(Exchange& exchange, std::string name, std::string verb);
  // Empty, or why keys cannot have this class.
  Status check_key_class(const std::string& data_class) const;
  Task<> admin_decide(Exchange& exchange);  // a chat request, in OpenAI's form: what would become of it

  ApiParts parts_;
  std::atomic<bool> draining_ = false;
};

// Sends an error in the client's dialect. By value: a caller may hand in a temporary and await later.
Task<> send_error(Exchange& exchange, Error error, wire::WriteError write_error);
Task<> send_error(Exchange& exchange, Error error);  // the path tells which
// Splits "a=1&b=%20" into decoded pairs; the first value of a name.
std::string query_value(std::string_view query, std::string_view name);
std::string bearer_of(const Headers& headers);  // the credential in the request, or empty

}  // namespace ajar::api
