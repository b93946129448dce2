#pragma once
// Errors as OpenAI and those who imitate it say them, in all of its APIs: Chat Completions, Responses, Completions.

#include <optional>

#include "base/error.h"
#include "core/event.h"
#include "json/read.h"

namespace ajar::wire::openai {

// The error that a JSON object is, or carries; nothing when it is an answer. `status` is 0 inside a
// 200.
std::optional<Error> find_error(const json::Object& object, int status);
// What a provider's own words for a fault mean, or nothing where they say too little.
std::optional<Code> code_of(std::string_view type);
// OpenAI's error.type and error.code for an error of ours.
std::string_view error_type(Code code);
std::string error_code(const Error& error);

// An upstream's error answer of any shape (JSON object, JSON string, HTML, nothing). Never fails.
Error read_error(int status, std::string_view content_type, std::string_view body);
// The error that a stream which did not complete ends with; `error` may be null. The code says how the stream ended,
// whatever the error's own words are; a time-out and a rate limit of the provider's keep theirs.
Error error_at_end(StreamEnd end, const Error* error);
std::string write_error(const Error& error, int http_status, std::string_view request_id);

}  // namespace ajar::wire::openai
