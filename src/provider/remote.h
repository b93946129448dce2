#pragma once
// A model behind someone else's HTTP server. Knows the dialects; knows nothing of routes, retries or money.

#include <memory>
#include <string>

#include "core/provider.h"
#include "http/client.h"
#include "provider/clients.h"
#include "provider/presets.h"
#include "wire/dialect.h"

namespace ajar {

// How to reach one server; checked when made.
struct Upstream {
  std::string provider;        // configured name, for messages
  DialectId dialect = DialectId::kOpenAiChat;
  Url base;                    // target = path prefix without a trailing slash
  Headers headers;             // credentials and configured headers
  TlsOptions tls;
  std::string api_key;         // to be taken out of what the server says
  std::string completions;     // UpstreamSpec::completions
  wire::TargetInfo info;       // model is filled per target
};

// What the configuration gives to make an Upstream.
struct UpstreamSpec {
  std::string provider, preset, base_url, api_key, api_version, ca_file;
  std::string completions;     // "native" or "chat"; empty: as the preset does
  std::vector<std::pair<std::string, std::string>> headers;
  bool keep_unknown = true;
  bool tls_insecure = false;
};
// kInvalid with `field` "preset", "base_url", "headers", ….
Result<std::shared_ptr<const Upstream>> make_upstream(const UpstreamSpec& spec);

class RemoteProvider final : public Provider {
 public:
  // `model` empty: the name in the request. `clients` must outlive this.
  RemoteProvider(std::shared_ptr<const Upstream> upstream, std::string model, int64_t default_max_tokens,
                 Clients& clients);

  Task<Status> complete(const Request& request, const AttemptLimits& limits, Context& context,
                        Sink& sink) override;
  Task<Result<EmbeddingReply>> embed(const EmbeddingRequest& request, const AttemptLimits& limits,
                                     Context& context) override;

 private:
  Task<Status> exchange(const Request& request, const AttemptLimits& limits, Context& context, Sink& sink);
  DialectId dialect_for(const Request& request, const std::string& model) const;
  wire::TargetInfo info_for(const std::string& requested_model) const;
  // Sends and gives the response of a 2xx; anything else is read, understood and returned as an error.
  Task<Result<ClientResponse>> send(wire::WireRequest wire, const AttemptLimits& limits, Context& context);

  const std::shared_ptr<const Upstream> upstream_;
  const std::string model_;
  const int64_t default_max_tokens_;
  Clients& clients_;
};

}  // namespace ajar
