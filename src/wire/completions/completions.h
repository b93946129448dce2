#pragma once
// OpenAI's legacy Completions, in both directions. Spec: https://platform.openai.com/docs/api-reference/completions
//
// A prompt is one user turn in our words, so that any chat model can answer it; what only this API can say (`prompt` as
// written, `suffix`, `echo`, `logprobs`, `best_of`) stays in `extra` and goes to servers that have this API themselves.
// refuse_foreign() (outbound.h) says no for the others.

#include "wire/dialect.h"

namespace ajar::wire::completions {

Result<Request> read_request(std::string_view body);
// For servers with a /completions of their own: everything as the client wrote it.
Result<WireRequest> write_request(const Request& request, const TargetInfo& target);
std::unique_ptr<ReplyDecoder> new_decoder();
std::unique_ptr<ReplyEncoder> new_encoder(ReplyOptions options);
std::string write_reply(const Reply& reply, const ReplyOptions& options);
// The prompt, where it is to be repeated in front of the answer.
RawMembers echo(const Request& request);

const Front& front();

}  // namespace ajar::wire::completions
