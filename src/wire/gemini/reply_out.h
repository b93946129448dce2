#pragma once
// What a streamed and a whole answer to a Gemini client share. https://ai.google.dev/api/generate-content

#include <string>
#include <string_view>

#include "base/error.h"
#include "core/reply.h"
#include "json/write.h"

namespace ajar::wire::gemini {

// One part of a candidate's content each, appended with a comma before it where there is one already. `signature` is
// marked (signature.h) or empty.
void add_text(std::string& parts, std::string_view text, bool thought, std::string_view signature);
void add_media(std::string& parts, std::string_view media_type, std::string_view data, std::string_view signature);
// `own`: Gemini made the call; ids that we made for those which have none are not its.
void add_call(std::string& parts, std::string_view name, std::string_view arguments, std::string_view id,
              std::string_view signature, bool own);

// `native`: the provider's own word where it is Gemini. https://ai.google.dev/api/generate-content#FinishReason
std::string_view finish_reason(Finish finish, std::string_view native);

// usageMetadata. `extra`: its members that are not counts of ours.
void write_usage(json::Writer& w, const Usage& usage, const RawMembers& extra);

// OpenAI's logprobs.content, comma-separated items, as a logprobsResult.
std::string logprobs_result(std::string_view items);

// {"code","message","status","details"}. `http_status` 200: it comes inside a stream, and the code says what its status
// would have been.
void write_error_object(json::Writer& w, const Error& error, int http_status, std::string_view request_id);

}  // namespace ajar::wire::gemini
