#pragma once
// A model that runs in this process. Renders the model's own chat template, generates, and reads thoughts and tool calls out of
// the text; completions take the prompt as it is.

#include <memory>
#include <string>

#include "core/provider.h"
#include "provider/model_host.h"

namespace ajar {

class LocalProvider final : public Provider {
 public:
  // `model`: "MODEL" or "MODEL:ADAPTER"; empty: the name in the request. `host` must outlive this.
  LocalProvider(ModelHost& host, std::string model) : host_(host), model_(std::move(model)) {}

  Task<Status> complete(const Request& request, const AttemptLimits& limits, Context& context, Sink& sink) override;
  Task<Result<EmbeddingReply>> embed(const EmbeddingRequest& request, const AttemptLimits& limits, Context& context) override;
  // By the first layers of the encoder alone, for a model that learnt from these (engine::Encoder::run).
  Task<Result<EmbeddingReply>> embed_early(const EmbeddingRequest& request, int layers, const AttemptLimits& limits, Context& context);
  std::optional<Millis> expected_wait(const std::string& model) const override;
  Task<Result<RerankReply>> rerank(const RerankRequest& request, const AttemptLimits& limits, Context& context) override;

 private:
  const std::string& name_for(const std::string& requested) const { return model_.empty() ? requested : model_; }

  ModelHost& host_;
  const std::string model_;
};

}  // namespace ajar
