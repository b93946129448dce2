#pragma once
// Anthropic Messages, outbound. Spec: https://docs.anthropic.com/en/api/messages

#include "core/embedding.h"
#include "wire/dialect.h"

namespace ajar::wire::anthropic {

Result<WireRequest> write_request(const Request& request, const TargetInfo& target);
Error read_error(int status, std::string_view content_type, std::string_view body);
std::unique_ptr<ReplyDecoder> new_decoder();

}  // namespace ajar::wire::anthropic
