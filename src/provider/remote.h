#pragma once
// A model behind someone else's HTTP server. Knows the dialects; knows nothing of routes, retries or money.

#include <memory>
#include <string>

#include "core/provider.h"
#include "provider/clients.h"
#include "provider/upstream.h"
#include "wire/dialect.h"

namespace ajar {

class RemoteProvider final : public Provider {
 public:
  // `model` empty: the name in the request. `clients` must outlive this.
  RemoteProvider(std::shared_ptr<const Upstream> upstream, std::string model, int64_t default_max_tokens,
                 Clients& clients);

  Task<Status> complete(const Request& request, const AttemptLimits& limits, Context& context,
                        Sink& sink) override;
  Task<Result<EmbeddingReply>> embed(const EmbeddingRequest& request, const AttemptLimits& limits,
                                     Context& context) override;
  Task<Status> forward(const ForwardRequest& request, const AttemptLimits& limits, Context& context,
                       Sink& sink) override;
  Task<Result<RerankReply>> rerank(const RerankRequest& request, const AttemptLimits& limits,
                                   Context& context) override;

 private:
  Task<Status> exchange(const Request& request, const AttemptLimits& limits, Context& context, Sink& sink);
  Task<Status> forward_exchange(const ForwardRequest& request, const AttemptLimits& limits, Context& context,
                                Sink& sink);
  wire::TargetInfo info_for(const std::string& requested_model) const;
  // Sends and gives the response of a 2xx; anything else is read, understood and returned as an error.
  Task<Result<ClientResponse>> send(wire::WireRequest wire, const AttemptLimits& limits, Context& context);
  Task<Result<ClientResponse>> send(std::string method, Url url, std::vector<std::pair<std::string, std::string>> more,
                                    std::string body, const AttemptLimits& limits, Context& context);
  // Reads a reply, framed as its content type says, and writes its events.
  Task<Status> relay(ClientResponse& response, wire::ReplyDecoder& decoder, bool stream, const AttemptLimits& limits,
                     Context& context, Sink& sink);
  Task<Status> predict(wire::WireRequest wire, bool stream, const AttemptLimits& limits, Context& context, Sink& sink);

  const std::shared_ptr<const Upstream> upstream_;
  const std::string model_;
  const int64_t default_max_tokens_;
  Clients& clients_;
};

// An address that a server answered with, where it may be followed: at the host of `base`, or beside it in its domain.
Result<Url> follow(const Url& base, std::string_view text);

}  // namespace ajar
