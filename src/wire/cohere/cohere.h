#pragma once
// Cohere's API, version 2, outbound. Spec: https://docs.cohere.com/reference/chat

#include "core/embedding.h"
#include "wire/dialect.h"

namespace ajar::wire::cohere {

// POST /v2/chat.
Result<WireRequest> write_request(const Request& request, const TargetInfo& target);
Error read_error(int status, std::string_view content_type, std::string_view body);
std::unique_ptr<ReplyDecoder> new_decoder();

// POST /v2/embed, as documents to be searched unless the client says otherwise in "input_type". Token inputs are
// kUnsupported.
Result<WireRequest> write_embedding_request(const EmbeddingRequest& request, const TargetInfo& target);
Result<EmbeddingReply> read_embedding_reply(std::string_view body);

}  // namespace ajar::wire::cohere
