#include "wire/anthropic/schema.h"

#include <algorithm>
#include <initializer_list>

#include "json/read.h"
#include "json/write.h"

namespace ajar::wire::anthropic {
namespace {

bool one_of(std::string_view key, std::initializer_list<std::string_view> list) {
  return std::ranges::find(list, key) != list.end();
}

// Refused by the grammar compiler.
bool unsupported(std::string_view key, const json::Value& value) {
  if (key == "minItems") return json::as_int(value).value_or(9) > 1;
  if (key == "format") {
    return !one_of(json::as_string(value).value_or(""),
                   {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4",
                    "ipv6", "uuid"});
  }
  if (key == "pattern") {  // no look-around, back-references or word boundaries
    const std::string_view pattern = json::as_string(value).value_or("");
    if (pattern.find("(?") != std::string_view::npos) return true;
    for (size_t at = pattern.find('\\'); at != std::string_view::npos && at + 1 < pattern.size();
         at = pattern.find('\\', at + 2)) {
      const char c = pattern[at + 1];
      if (c == 'b' || c == 'B' || (c >= '1' && c <= '9')) return true;
    }
    return false;
  }
  return one_of(key, {"minimum",
                      "maximum",
                      "exclusiveMinimum",
                      "exclusiveMaximum",
                      "multipleOf",
                      "minLength",
                      "maxLength",
                      "maxItems",
                      "uniqueItems",
                      "contains",
                      "minContains",
                      "maxContains",
                      "minProperties",
                      "maxProperties",
                      "patternProperties",
                      "propertyNames",
                      "unevaluatedProperties",
                      "unevaluatedItems",
                      "dependentRequired",
                      "dependentSchemas",
                      "not",
                      "if",
                      "then",
                      "else",
                      "$schema",
                      "$id",
                      "$comment",
                      "examples",
                      "deprecated",
                      "readOnly",
                      "writeOnly",
                      "contentEncoding",
                      "contentMediaType"});
}

bool is_object_schema(const json::Object& schema) {
  const auto type = json::find(schema, "type");
  if (!type) return json::find(schema, "properties").has_value();
  if (json::as_string(*type) == "object") return true;
  if (const auto list = json::as_array(*type)) {
    for (const json::Value item : *list) {
      if (json::as_string(item) == "object") return true;
    }
  }
  return false;
}

void write_strict(json::Writer& w, const json::Value& value);

void write_map(json::Writer& w, std::string_view key, const json::Value& value) {
  w.key(key);
  const auto object = json::as_object(value);
  if (!object) return w.raw(json::raw(value));
  w.begin_object();
  for (const auto field : *object) {
    w.key(field.key);
    write_strict(w, field.value);
  }
  w.end_object();
}

void write_list(json::Writer& w, std::string_view key, const json::Value& value) {
  w.key(key);
  const auto array = json::as_array(value);
  if (!array) return write_strict(w, value);
  w.begin_array();
  for (const json::Value item : *array) write_strict(w, item);
  w.end_array();
}

void write_strict(json::Writer& w, const json::Value& value) {
  const auto schema = json::as_object(value);
  if (!schema) return w.raw(json::raw(value));  // true, or nonsense that the API shall judge
  std::string lost;  // what the grammar cannot hold, told to the model instead
  w.begin_object();
  for (const auto field : *schema) {
    const std::string_view key = field.key;
    if (unsupported(key, field.value) || (key == "oneOf" && json::find(*schema, "anyOf"))) {
      if (key.starts_with('$') || one_of(key, {"examples", "deprecated", "readOnly", "writeOnly"}))
        continue;
      if (!lost.empty()) lost += ", ";
      lost.append(key).append(": ").append(json::raw(field.value));
      continue;
    }
    if (key == "additionalProperties" || key == "description") continue;
    if (one_of(key, {"properties", "$defs", "definitions"})) {
      write_map(w, key, field.value);
    } else if (key == "oneOf") {
      write_list(w, "anyOf", field.value);
    } else if (one_of(key, {"anyOf", "allOf", "items", "prefixItems"})) {
      write_list(w, key, field.value);
    } else {
      w.raw_field(key, json::raw(field.value));
    }
  }
  std::string description(json::string_or(*schema, "description"));
  if (!lost.empty()) description += (description.empty() ? "{" : " {") + lost + "}";
  if (!description.empty()) w.field("description", description);
  if (is_object_schema(*schema)) w.field("additionalProperties", false);
  w.end_object();
}

}  // namespace

RawJson strict_schema(const RawJson& schema) {
  json::Document document;
  const auto value = document.parse(schema);
  if (!value) return schema;
  std::string out;
  json::Writer w(out);
  write_strict(w, *value);
  return out;
}

RawJson tool_schema(const RawJson& schema, bool& lossy) {
  if (schema.empty()) return R"({"type":"object"})";
  json::Document document;
  const auto object = document.parse_object(schema);
  if (!object) return R"({"type":"object"})";
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("type", "object");
  for (const auto field : *object) {
    if (one_of(field.key, {"oneOf", "anyOf", "allOf"})) {
      lossy = true;
    } else if (field.key != "type") {
      w.raw_field(field.key, json::raw(field.value));
    }
  }
  w.end_object();
  return out;
}

}  // namespace ajar::wire::anthropic
