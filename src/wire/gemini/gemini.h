#pragma once
// Gemini generateContent and streamGenerateContent, outbound. Spec:
// https://ai.google.dev/api/generate-content

#include "core/embedding.h"
#include "wire/dialect.h"

namespace ajar::wire::gemini {

Result<WireRequest> write_request(const Request& request, const TargetInfo& target);
Error read_error(int status, std::string_view content_type, std::string_view body);
std::unique_ptr<ReplyDecoder> new_decoder();

// :batchEmbedContents. Token inputs are kUnsupported.
Result<WireRequest> write_embedding_request(const EmbeddingRequest& request,
                                            const TargetInfo& target);
Result<EmbeddingReply> read_embedding_reply(std::string_view body);

}  // namespace ajar::wire::gemini
