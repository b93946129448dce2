#pragma once
// Errors as OpenAI and those who imitate it say them.

#include <optional>

#include "base/error.h"
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

}  // namespace ajar::wire::openai
