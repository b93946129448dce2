#pragma once

#include "core/request.h"
#include "json/read.h"

namespace ajar::wire::gemini {

// Gemini's Schema, a subset of OpenAPI 3.0, as the JSON Schema that everybody else takes: types in small letters,
// nullable as a type, counts as numbers. https://ai.google.dev/api/caching#Schema
RawJson schema_from_openapi(const json::Value& schema);

}  // namespace ajar::wire::gemini
