#pragma once
// JSON Schemas as Gemini takes them, in its two ways.

#include "core/request.h"

namespace ajar::wire::gemini {

// For parametersJsonSchema and responseJsonSchema: JSON Schema with $ref, less what the API refuses
// ($schema, empty strings in enums); const becomes an enum of one.
RawJson json_schema(const RawJson& schema);

// For parameters and responseSchema, a subset of OpenAPI 3.0: local $ref resolved (a recursive one
// becomes any object), type lists become nullable or anyOf, oneOf anyOf, allOf merged, enums
// strings, the rest left out. https://ai.google.dev/api/caching#Schema
RawJson openapi_schema(const RawJson& schema);

// An object without properties: function declarations leave it out altogether.
bool takes_nothing(const RawJson& schema);

}  // namespace ajar::wire::gemini
