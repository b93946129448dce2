#pragma once
// `usage` objects of Chat Completions and of Completions, and their words for the end. https://platform.openai.com/docs/api-reference/chat/object#chat/object-usage

#include "core/event.h"
#include "json/read.h"
#include "json/write.h"

namespace ajar::wire::openai {

// Canonical counts; members we do not count go to `extra` (those of the details objects nested).
Usage read_usage(const json::Object& object, RawMembers& extra);
// The value of "usage". `extra` as read_usage left it.
void write_usage(json::Writer& w, const Usage& usage, const RawMembers& extra);

// finish_reason in OpenAI's words or a compatible server's.
Finish read_finish(std::string_view word);

}  // namespace ajar::wire::openai
