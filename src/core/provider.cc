#include "core/provider.h"

namespace ajar {

Task<Status> Provider::forward(const ForwardRequest&, const AttemptLimits&, Context&, Sink&) {
  co_return fail(Code::kUnsupported, "this model's server offers no such endpoint");
}

Task<Result<RerankReply>> Provider::rerank(const RerankRequest&, const AttemptLimits&, Context&) {
  co_return fail(Code::kUnsupported, "this model's server does not offer reranking");
}

}  // namespace ajar
