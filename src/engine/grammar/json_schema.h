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

#include <string>
#include <string_view>
#include <vector>

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

// How the members of an object are written by models that write the arguments of a call one by one:
//   <parameter=city>
//   Oslo
//   </parameter>
// Texts are as the grammar takes them (TokenTrie::mark).
struct ArgumentForm {
  struct Around {
    std::string key_begin, key_end, value_end;
  };
  Around json;                           // of values in JSON
  Around text;                           // of those whose type is "string" by the schema's own `properties`, which stand as they are
  bool raw = true;                       // without: all values are JSON
  std::vector<std::string> never = {};   // marks that may not stand in a raw value (raw_text.h)
  std::string between;                   // members
};

// The members of the object that `schema` describes, in the schema's order. Names are letters, digits, _ and -; anyOf and
// oneOf of the whole are refused. Where the schema names no property: any members.
Result<Grammar::Node> add_json_arguments(Grammar& grammar, std::string_view schema, const ArgumentForm& form, const SchemaLimits& limits = {});

}  // namespace ajar::engine
