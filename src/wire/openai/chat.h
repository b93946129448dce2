#pragma once
// OpenAI Chat Completions, in both directions. Spec: https://platform.openai.com/docs/api-reference/chat

#include "wire/dialect.h"

namespace ajar::wire::openai {

// Client request. Errors are kInvalid with `field` such as "messages[2].content[0].type".
Result<Request> read_request(std::string_view body);
// Upstream request for any OpenAI-compatible server. Asks for usage in streams always. kUnsupported names a
// feature that Chat Completions cannot say.
Result<WireRequest> write_request(const Request& request, const TargetInfo& target);
// An upstream's error answer of any shape (JSON object, JSON string, HTML, nothing). Never fails.
Error read_error(int status, std::string_view content_type, std::string_view body);

std::unique_ptr<ReplyDecoder> new_decoder();
std::unique_ptr<ReplyEncoder> new_encoder(ReplyOptions options);
std::string write_reply(const Reply& reply, const ReplyOptions& options);
std::string write_error(const Error& error, int http_status, std::string_view request_id);

const Front& front();

}  // namespace ajar::wire::openai
