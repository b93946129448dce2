#include "wire/gemini/schema_read.h"

#include "base/text.h"
#include "json/write.h"
#include "wire/fields.h"

namespace ajar::wire::gemini {
namespace {

void convert(json::Writer& w, const json::Value& schema);

void convert_list(json::Writer& w, const json::Value& list) {
  const auto items = json::as_array(list);
  if (!items) return w.raw(json::raw(list));
  w.begin_array();
  for (const json::Value item : *items) convert(w, item);
  w.end_array();
}

void convert_map(json::Writer& w, const json::Value& map) {
  const auto members = json::as_object(map);
  if (!members) return w.raw(json::raw(map));
  w.begin_object();
  for (const auto member : *members) {
    w.key(member.key);
    convert(w, member.value);
  }
  w.end_object();
}

// proto3's int64 is a string in JSON.
void write_count(json::Writer& w, const json::Value& value) {
  const auto text = json::as_string(value);
  const auto number = text ? parse_int(*text) : std::nullopt;
  if (number) {
    w.integer(*number);
  } else {
    w.raw(json::raw(value));
  }
}

void write_type(json::Writer& w, const json::Value& value, bool nullable) {
  const auto type = json::as_string(value);
  if (!type) return w.raw_field("type", json::raw(value));
  const std::string small = to_lower(*type);
  if (small == "type_unspecified") return;
  if (!nullable) return w.field("type", small);
  w.key("type");
  w.begin_array();
  w.string(small);
  w.string("null");
  w.end_array();
}

void convert(json::Writer& w, const json::Value& schema) {
  const auto object = json::as_object(schema);
  if (!object) return w.raw(json::raw(schema));
  const auto flag = json::find(*object, "nullable");
  const bool nullable = flag && json::as_bool(*flag).value_or(false);
  const auto named = [](std::string_view key, auto... names) { return (CamelName::same(names, key) || ...); };
  w.begin_object();
  for (const auto field : *object) {
    const std::string_view key = field.key;
    if (key == "nullable" || named(key, "propertyOrdering")) continue;
    if (key == "type") {
      write_type(w, field.value, nullable);
    } else if (key == "properties" || key == "$defs" || key == "defs") {
      w.key(key);
      convert_map(w, field.value);
    } else if (key == "items") {
      w.key(key);
      convert(w, field.value);
    } else if (named(key, "anyOf")) {
      w.key("anyOf");
      convert_list(w, field.value);
    } else if (named(key, "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")) {
      for (const std::string_view name :
           {"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"}) {
        if (!named(key, name)) continue;
        w.key(name);
        write_count(w, field.value);
      }
    } else if (key == "example") {
      w.raw_field("examples", "[" + json::raw(field.value) + "]");
    } else {
      w.raw_field(key, json::raw(field.value));
    }
  }
  w.end_object();
}

}  // namespace

RawJson schema_from_openapi(const json::Value& schema) {
  std::string out;
  json::Writer w(out);
  convert(w, schema);
  return out;
}

}  // namespace ajar::wire::gemini
