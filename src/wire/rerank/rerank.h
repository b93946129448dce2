#pragma once
// Reranking in the forms of Cohere (https://docs.cohere.com/reference/rerank) and Jina (https://api.jina.ai/redoc),
// which vLLM, llama.cpp, TEI, Together, Voyage and others follow.

#include "core/rerank.h"
#include "wire/dialect.h"

namespace ajar::wire::rerank {

// Either form. kInvalid names the field.
Result<RerankRequest> read_request(std::string_view body);
// `dialect` of the server: Cohere's own path is /v2/rerank, everybody else's base + /rerank.
Result<WireRequest> write_request(const RerankRequest& request, const TargetInfo& target, DialectId dialect);
// Results come best first, whatever order the server chose; kUpstream when they cannot be read or name no document.
Result<RerankReply> read_reply(std::string_view body, const RerankRequest& request);
// Has the members that clients of either form look for.
std::string write_reply(const RerankReply& reply, const RerankRequest& request);

}  // namespace ajar::wire::rerank
