#pragma once
// What a streamed and a whole answer to an Anthropic client share.

#include <string>
#include <string_view>

#include "base/error.h"
#include "core/reply.h"
#include "json/write.h"

namespace ajar::wire::anthropic {

// The Messages API's word for how a reply ended. `native` is the provider's own word where the provider is Anthropic.
// A reply that calls tools says so, whatever its server called it.
std::string_view stop_reason(Finish finish, std::string_view native, std::string_view stop_sequence,
                             bool has_calls);

// A usage object: input less what the cache read and wrote. `extra` are the members of Anthropic's own usage that are
// not counts, or empty. https://docs.claude.com/en/api/messages
void write_usage(json::Writer& w, const Usage& usage, const RawMembers& extra);

// Content blocks. `own`: Anthropic made the reply, so that its unknown members are written again.
void write_tool_use(json::Writer& w, std::string_view id, std::string_view name, std::string_view input,
                    std::string_view signature, DialectId origin, const RawMembers& extra, bool own);
// A picture or sound that the model made; the API itself has no such block in answers.
void write_media(json::Writer& w, std::string_view media_type, std::string_view data);

// {"type","message"}, the inside of an error.
void write_error_object(json::Writer& w, const Error& error);

}  // namespace ajar::wire::anthropic
