#pragma once
// Pieces of the reply decoder that stand on their own.

#include <string>
#include <string_view>

#include "core/event.h"
#include "json/read.h"
#include "wire/dialect.h"

namespace ajar::wire::bedrock {

Finish finish_of(std::string_view stop_reason, bool called);

// {"message": …} of an HTTP status or of an exception in a stream, whose name says the status that it stands for.
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html#API_runtime_ConverseStream_Errors
Error error_of(const json::Object& body, std::string_view exception, int status);

// A citation as an OpenAI annotation over the characters [from, to) of the answer.
std::string annotation_of(const std::string& citation, int64_t from, int64_t to);

// The API's inputTokens leave out what the cache read and wrote; ours include them.
Usage usage_of(const json::Object& usage);

}  // namespace ajar::wire::bedrock
