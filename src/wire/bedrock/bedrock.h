#pragma once
// Amazon Bedrock's Converse and ConverseStream, outbound. Spec:
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html

#include "wire/dialect.h"

namespace ajar::wire::bedrock {

Result<WireRequest> write_request(const Request& request, const TargetInfo& target);
Error read_error(int status, std::string_view content_type, std::string_view body);
// Frames are named by the event or the exception (wire/aws_events.h); one without a name is {"NAME": payload}, as the
// API's documentation shows the stream.
std::unique_ptr<ReplyDecoder> new_decoder();

}  // namespace ajar::wire::bedrock
