#pragma once
// Pieces of a request that a response repeats.

#include "core/request.h"
#include "json/write.h"

namespace ajar::wire::responses {

// The values of "tools", "tool_choice", "text" and "reasoning" as this dialect has them. The request is of any dialect.
void write_function(json::Writer& w, const Tool& tool, bool ours);
void write_tool_choice(json::Writer& w, const ToolChoice& choice);
void write_text(json::Writer& w, const Request& request);
void write_format(json::Writer& w, const ResponseFormat& format, bool ours);

}  // namespace ajar::wire::responses
