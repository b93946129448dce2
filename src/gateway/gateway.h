#pragma once
// One request's line: admit, recall, climb, finish, record. A new feature is a new step, rung or policy here, not a branch in
// an old one.

#include <atomic>
#include <memory>

#include "gateway/access_log.h"
#include "gateway/audit.h"
#include "gateway/call.h"
#include "gateway/climb.h"
#include "gateway/metrics.h"
#include "gateway/privacy.h"
#include "gateway/recall.h"
#include "gateway/route.h"
#include "gateway/shadow.h"
#include "gateway/tenants.h"
#include "gateway/token_count.h"
#include "store/store.h"

namespace ajar {

// What the line needs; owned by `app`, outlives the gateway.
struct GatewayParts {
  Tenants& tenants;
  store::Store& store;
  Metrics& metrics;
  AccessLog& access_log;
  Memory& memory;
  Auditor& auditor;
  Shadows& shadows;
  const Privacy& privacy;
};

class Gateway {
 public:
  Gateway(GatewayParts parts, std::shared_ptr<const Snapshot> snapshot) : parts_(parts) {
    swap(std::move(snapshot));
  }

  std::shared_ptr<const Snapshot> snapshot() const { return snapshot_.load(); }
  // New requests see it at once; running ones keep theirs.
  void swap(std::shared_ptr<const Snapshot> snapshot);

  // Answers a chat request through `client`, which is always finished, whatever happens. `key` is null on an open
  // server. The request may be changed on the way.
  Task<> chat(Request& request, std::shared_ptr<const Key> key, Context& context, ReplySink& client);

  // The same line for embeddings. `client` gets no events but its finish is called; the reply is given back.
  Task<Result<EmbeddingReply>> embed(EmbeddingRequest& request, std::shared_ptr<const Key> key,
                                     Context& context, ReplySink& client);

  // The same for reranking.
  Task<Result<RerankReply>> rerank(RerankRequest& request, std::shared_ptr<const Key> key, Context& context,
                                   ReplySink& client);

  // The same for a request that keeps its form: `client` gets the answer's bytes as kOpaque events.
  Task<> forward(ForwardRequest& request, std::shared_ptr<const Key> key, Context& context, ReplySink& client);

  // A call that no model answers, as a search of documents: it counts against the limits of its key (kRateLimit) and is written
  // down as a free one. `status`: what the client got.
  Result<Reservation> admit_free(const std::shared_ptr<const Key>& key) const;
  void finish_free(Reservation held, const Context& context, const Status& outcome, int status);

  // The input's size in tokens, for the first target of the route that the request names: by its vocabulary where one
  // is configured, otherwise estimated by what it has reported so far. No model is asked. `key` may be null.
  Result<TokenCount> count_tokens(const Request& request, const Key* key) const;

 private:
  Task<Status> run(CallState& call, const std::string& model, int64_t max_output, store::CallRow& row,
                   TryTarget try_target);
  Status admit(CallState& call, const std::string& model, int64_t max_output);
  void raise_class(CallState& call, const Request& request) const;
  void note_trial(const CallState& call);
  void audit(const CallState& call, const Request& request, const Climb& climb);
  Task<Given> finish(CallState& call, const Status& status, store::CallRow& row, const AttemptSink* winner);

  GatewayParts parts_;
  std::atomic<std::shared_ptr<const Snapshot>> snapshot_;
};

}  // namespace ajar
