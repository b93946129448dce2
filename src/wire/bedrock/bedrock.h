#pragma once
// Amazon Bedrock's Converse and ConverseStream, outbound. Spec:
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html

#include "core/embedding.h"
#include "wire/dialect.h"

namespace ajar::wire::bedrock {

Result<WireRequest> write_request(const Request& request, const TargetInfo& target);
Error read_error(int status, std::string_view content_type, std::string_view body);
// Frames are named by the event or the exception (wire/aws_events.h); one without a name is {"NAME": payload}, as the
// API's documentation shows the stream.
std::unique_ptr<ReplyDecoder> new_decoder();

// POST /model/{id}/invoke of Titan, Nova and Cohere models. The first two embed one text per request, more is kUnsupported,
// as are token inputs.
Result<WireRequest> write_embedding_request(const EmbeddingRequest& request, const TargetInfo& target);
Result<EmbeddingReply> read_embedding_reply(std::string_view body);

}  // namespace ajar::wire::bedrock
