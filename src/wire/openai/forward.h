#pragma once
// Endpoints whose requests and answers keep their form: OpenAI's Moderations, Images and Audio, which every server that
// offers them speaks. https://platform.openai.com/docs/api-reference/{moderations,images,audio}

#include <optional>

#include "core/forward.h"
#include "wire/dialect.h"

namespace ajar::wire::openai {

// "moderations", "images/generations", …: the path behind /v1/, also the endpoint in call rows.
std::string_view forward_path(ForwardKind kind);
// What a whole path such as "/v1/images/edits" asks for, if anything.
std::optional<ForwardKind> forward_kind(std::string_view path);

// JSON for moderations, generations and speech, multipart/form-data for what carries files (images/edits takes either).
// kInvalid names the field; kUnsupported a body of the wrong media type.
Result<ForwardRequest> read_forward_request(ForwardKind kind, std::string_view content_type, std::string_view body);
// For an OpenAI-compatible server.
Result<WireRequest> write_forward_request(const ForwardRequest& request, const TargetInfo& target);

// An error object inside a 200, or a body that is not JSON, as an error.
Status check_forward_reply(std::string_view body);
// What an answer says of its own size. `text`: a JSON body, or the data of one server-sent event; what is neither says
// nothing. Falls back on what the request planned.
Usage read_forward_usage(const ForwardRequest& request, std::string_view text);
// The media type of an answer that is JSON or events, and so may tell its usage.
bool may_tell_usage(std::string_view content_type);

}  // namespace ajar::wire::openai
