#pragma once
// One attempt at one model. No retry, no fallback, no metering inside: that is the gateway's line.

#include <memory>
#include <optional>

#include "base/error.h"
#include "core/context.h"
#include "core/embedding.h"
#include "core/event.h"
#include "core/forward.h"
#include "core/request.h"
#include "core/rerank.h"
#include "net/task.h"

namespace ajar {

// Takes events. `write` may change or take the batch; it suspends while the client is slow and fails with
// kCancelled once it is gone, kFiltered when a policy stops the reply.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Task<Status> write(EventBatch& events) = 0;
};

// How long one attempt may take at each stage. Zero means no limit of its own; the context's deadline stands.
struct AttemptLimits {
  Millis connect{5'000};
  Millis first_token{60'000};  // from the request's last byte to the reply's first
  Millis gap{60'000};          // between two reads of a reply
  int64_t max_reply_bytes = 64 << 20;
};

// Immutable and shared by all threads; every call runs on the loop that makes it.
class Provider {
 public:
  virtual ~Provider() = default;

  // Sends the request and writes the reply's events to `sink`. Ok means the reply was whole. Errors: kUpstream,
  // kRateLimit, kInvalid … as the upstream said; kUnavailable not connected; kTimeout; kCut the reply broke off;
  // kCancelled; kUnsupported the model's API cannot express the request; whatever `sink` failed with.
  virtual Task<Status> complete(const Request& request, const AttemptLimits& limits, Context& context,
                                     Sink& sink) = 0;

  virtual Task<Result<EmbeddingReply>> embed(const EmbeddingRequest& request,
                                                  const AttemptLimits& limits, Context& context) = 0;

  // Passes a request on. `sink` gets kStart, the body as kOpaque pieces (name: its media type, raw: its bytes) as they
  // come, kUsage and kStop. Ok and errors as of complete(); kUnsupported unless a provider says otherwise.
  virtual Task<Status> forward(const ForwardRequest& request, const AttemptLimits& limits, Context& context,
                               Sink& sink);

  // Least confidence (Context::confidence) from which this model's answers were proven right often enough when it was made.
  virtual std::optional<double> proven_confidence() const { return std::nullopt; }

  // How long a request that came now would wait for its first token behind others; nothing where that is not known.
  virtual std::optional<Millis> expected_wait(const std::string& model) const { return std::nullopt; }

  // kUnsupported unless a provider says otherwise.
  virtual Task<Result<RerankReply>> rerank(const RerankRequest& request, const AttemptLimits& limits,
                                           Context& context);
};

}  // namespace ajar
