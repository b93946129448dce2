#pragma once
// Pieces of the reply decoder that stand on their own.

#include <string>
#include <string_view>

#include "core/event.h"
#include "json/read.h"
#include "wire/dialect.h"

namespace ajar::wire::gemini {

// kNone for words that say the reply is not over.
Finish finish_of(std::string_view finish_reason, bool has_calls);

// usageMetadata in our canonical form; `reported` false when it holds no counts (Vertex's first
// chunks).
Usage usage_of(const json::Object& metadata);

// Whether a member of usageMetadata is a count that usage_of() gives back in full.
bool is_count(std::string_view member);

// {"error":{"code","message","status","details"}}. https://cloud.google.com/apis/design/errors
// `status` 0: it came inside a reply, whose own code then counts.
Error error_of(const json::Object& body, int status);

// The error in a body that is {"error":…} or [{"error":…}].
std::optional<json::Object> find_error(const json::Value& body);

// logprobsResult as comma-separated items of OpenAI's logprobs.content.
std::string logprobs_of(const json::Object& result);

// groundingMetadata as OpenAI annotations: one url_citation per web page and passage of `text`,
// where it counts characters and Gemini bytes.
std::vector<std::string> annotations_of(const json::Object& grounding, std::string_view text);

}  // namespace ajar::wire::gemini
