#pragma once
// A client's contents and parts to our types. https://ai.google.dev/api/caching#Content

#include <vector>

#include "wire/fields.h"

namespace ajar::wire::gemini {

Status read_system(const json::Value& value, const Path& path, std::vector<Message>& out);
// Calls without an id, which Gemini's mostly are, get one, and the responses that answer them the same: others find
// them by it.
Status read_contents(const json::Value& value, const Path& path, std::vector<Message>& out);

}  // namespace ajar::wire::gemini
