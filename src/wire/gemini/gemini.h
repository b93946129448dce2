#pragma once
// Gemini generateContent and streamGenerateContent, in both directions. Spec:
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

// Client request; the model and whether to stream stand in the URL and are the caller's to set. Errors are kInvalid with
// `field` such as "contents[2].parts[0].inlineData".
Result<Request> read_request(std::string_view body);
// The body of :countTokens: contents, or a whole generateContentRequest. https://ai.google.dev/api/tokens
Result<Request> read_count_request(std::string_view body);
std::string write_count(int64_t tokens);

std::string write_reply(const Reply& reply, const ReplyOptions& options);
std::string write_error(const Error& error, int http_status, std::string_view request_id);

const Front& front();        // ?alt=sse
const Front& array_front();  // a stream as one JSON array, element after element

// :embedContent and :batchEmbedContents. https://ai.google.dev/api/embeddings
Result<EmbeddingRequest> read_embedding_request(std::string_view body, bool batch);
std::string write_embedding_reply(const EmbeddingReply& reply, bool batch);

// GET /v1beta/models and /v1beta/models/{name}. https://ai.google.dev/api/models
std::string write_models(const std::vector<std::string>& names);
std::string write_model(std::string_view name);

}  // namespace ajar::wire::gemini
