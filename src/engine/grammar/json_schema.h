#pragma once
// JSON Schema (draft 2020-12, what older drafts share with it, OpenAI's subset) as a grammar of compact JSON texts.
//
// Enforced: type, enum, const, properties, required, additionalProperties, items, prefixItems, minItems, maxItems, minLength,
// maxLength, pattern, format (date, time, date-time, duration, uuid, email, hostname, ipv4, ipv6, uri; others say nothing),
// minimum, maximum and their exclusive forms, multipleOf (1, 0.1, 0.01, ...), anyOf, allOf, $ref within the schema, minProperties
// and maxProperties where no property is named, nullable. oneOf is read as anyOf. What else would change the meaning is refused
// by its place in the schema.
//
// Narrower than the schema, never wider: properties come in the schema's order; an object that names properties and says nothing
// of others has no others; other keys have no escapes and come last; numbers have at most 17 digits before and after the point.

#include <string_view>

#include "base/error.h"
#include "engine/grammar/grammar.h"

namespace ajar::engine {

struct SchemaLimits {
  size_t bytes = 512 << 10;
  int depth = 200;             // of schemas within schemas, references included
  size_t schemas = 20'000;     // read, each combination of anyOf with what stands beside it counting as one
};

// kInvalid: no schema; kUnsupported: a keyword; kTooLarge: a limit. The message begins with the JSON pointer.
Result<Grammar::Node> add_json_schema(Grammar& grammar, std::string_view schema, const SchemaLimits& limits = {});
Grammar::Node add_json_object(Grammar& grammar);  // any object

}  // namespace ajar::engine
