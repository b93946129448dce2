#pragma once
// The `messages` of a Chat Completions request.

#include <vector>

#include "core/request.h"
#include "wire/fields.h"

namespace ajar::wire::openai {

Status read_messages(const json::Value& value, const Path& path, std::vector<Message>& out);

}  // namespace ajar::wire::openai
