#pragma once
// A client's messages and content blocks to our types. https://docs.claude.com/en/api/messages

#include <vector>

#include "wire/fields.h"

namespace ajar::wire::anthropic {

// `system`: a string or text blocks, as the conversation's first message.
Status read_system(const json::Value& value, const Path& path, std::vector<Message>& out);
Status read_messages(const json::Value& value, const Path& path, std::vector<Message>& out);

}  // namespace ajar::wire::anthropic
