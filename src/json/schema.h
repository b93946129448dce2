#pragma once
// Whether a JSON value is what a JSON Schema says (draft 2020-12, the keywords of structured outputs).
//
// Checked: type, enum, const, properties, required, additionalProperties, items, prefixItems, the bounds of numbers, texts, lists
// and objects, allOf, anyOf, oneOf, not, $ref within the schema. Not checked, and so never violated: pattern, format, and what
// else the standard calls annotations.

#include <string>

#include "json/read.h"

namespace ajar::json {

// Empty, or the place in the value and the keyword that it breaks: "$.items[2]: enum". A schema that is none at some place, or
// deeper than 64, is violated there.
std::string schema_violation(const Value& schema, const Value& value);

}  // namespace ajar::json
