#pragma once
// JSON Schemas as the Messages API takes them.
// https://docs.claude.com/en/docs/build-with-claude/structured-outputs#json-schema-limitations

#include "core/request.h"

namespace ajar::wire::anthropic {

// For structured outputs and strict tools: every object closed (additionalProperties: false), and
// what the grammar compiler refuses (minimum, maxLength, ...) moved into the description. oneOf
// becomes anyOf.
RawJson strict_schema(const RawJson& schema);

// For a tool's input_schema: an object at the top, without oneOf, anyOf or allOf there. `lossy` is
// set when something had to go.
RawJson tool_schema(const RawJson& schema, bool& lossy);

}  // namespace ajar::wire::anthropic
