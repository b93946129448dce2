#include "wire/gemini/schema.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "json/read.h"
#include "json/write.h"

namespace ajar::wire::gemini {
namespace {

bool one_of(std::string_view key, std::initializer_list<std::string_view> list) {
  return std::ranges::find(list, key) != list.end();
}

std::optional<json::Object> object_at(const json::Object& object, std::string_view key) {
  const auto value = json::find(object, key);
  return value ? json::as_object(*value) : std::nullopt;
}
std::optional<json::Array> array_at(const json::Object& object, std::string_view key) {
  const auto value = json::find(object, key);
  return value ? json::as_array(*value) : std::nullopt;
}

void write_json_schema(json::Writer& w, const json::Value& value);

void write_schema_map(json::Writer& w, const json::Value& value) {
  const auto object = json::as_object(value);
  if (!object) return w.raw(json::raw(value));
  w.begin_object();
  for (const auto field : *object) {
    w.key(field.key);
    write_json_schema(w, field.value);
  }
  w.end_object();
}

// The values of an enum without empty strings, which the API refuses; nothing when none is left.
std::string clean_enum(const json::Value& value, bool as_strings) {
  std::string out;
  const auto array = json::as_array(value);
  if (!array) return out;
  for (const json::Value item : *array) {
    const auto text = json::as_string(item);
    if (text && text->empty()) continue;
    if (as_strings && item.is_null()) continue;
    out += out.empty() ? "[" : ",";
    if (as_strings && !text) {
      json::append_string(out, json::raw(item));
    } else {
      json::append_raw(out, item);
    }
  }
  if (!out.empty()) out.push_back(']');
  return out;
}

void write_json_schema(json::Writer& w, const json::Value& value) {
  if (const auto list = json::as_array(value)) {
    w.begin_array();
    for (const json::Value item : *list) write_json_schema(w, item);
    w.end_array();
    return;
  }
  const auto schema = json::as_object(value);
  if (!schema) return w.raw(json::raw(value));
  w.begin_object();
  for (const auto field : *schema) {
    const std::string_view key = field.key;
    if (one_of(key, {"$schema", "$id", "$comment", "strict"})) continue;
    if (key == "const") {
      if (!json::find(*schema, "enum")) w.raw_field("enum", "[" + json::raw(field.value) + "]");
    } else if (key == "enum") {
      if (const std::string values = clean_enum(field.value, false); !values.empty())
        w.raw_field("enum", values);
    } else if (one_of(key, {"properties", "$defs", "definitions", "patternProperties"})) {
      w.key(key);
      write_schema_map(w, field.value);
    } else if (one_of(key, {"items", "prefixItems", "anyOf", "oneOf", "allOf", "not",
                            "additionalProperties"})) {
      w.key(key);
      write_json_schema(w, field.value);
    } else {
      w.raw_field(key, json::raw(field.value));
    }
  }
  w.end_object();
}

// Writes the OpenAPI subset. Work is bounded: references that meet again, or too many of them,
// become {}.
class OpenApi {
 public:
  explicit OpenApi(const json::Value& root) : root_(root) {}

  void write(json::Writer& w, const json::Value& value, bool nullable = false) {
    const auto schema = json::as_object(value);
    if (!schema || --budget_ < 0) return any(w);
    if (const auto ref = json::find(*schema, "$ref"))
      return reference(w, json::as_string(*ref).value_or(""), nullable);
    if (const auto type = json::find(*schema, "type"); type && type->is_array()) {
      return type_list(w, *schema, *json::as_array(*type), nullable);
    }
    if (const auto all = json::find(*schema, "allOf")) {
      if (all_of(w, *schema, *all, nullable)) return;
    }
    w.begin_object();
    body(w, *schema, json::string_or(*schema, "type"), nullable);
    w.end_object();
  }

 private:
  static void any(json::Writer& w) { w.raw(R"({"type":"object"})"); }

  void reference(json::Writer& w, std::string_view pointer, bool nullable) {
    const bool again = std::ranges::find(path_, pointer) != path_.end();
    json::Value target;
    if (again || path_.size() > 30 || !pointer.starts_with('#') ||
        root_.at_pointer(pointer.substr(1)).get(target) != simdjson::SUCCESS) {
      return any(w);
    }
    path_.emplace_back(pointer);
    write(w, target, nullable);
    path_.pop_back();
  }

  // ["string","null"] is a nullable string; several types are alternatives.
  void type_list(json::Writer& w, const json::Object& schema, const json::Array& types,
                 bool nullable) {
    std::vector<std::string_view> names;
    for (const json::Value item : types) {
      const std::string_view name = json::as_string(item).value_or("");
      if (name == "null") {
        nullable = true;
      } else {
        names.push_back(name);
      }
    }
    w.begin_object();
    if (names.size() == 1) {
      body(w, schema, names[0], nullable);
    } else {
      if (nullable) w.field("nullable", true);
      const std::string_view description = json::string_or(schema, "description");
      if (!description.empty()) w.field("description", description);
      w.key("anyOf");
      w.begin_array();
      for (const std::string_view name : names) {
        w.begin_object();
        body(w, schema, name, false);
        w.end_object();
      }
      w.end_array();
    }
    w.end_object();
  }

  // One alternative is the schema itself; several objects become one with all their properties.
  bool all_of(json::Writer& w, const json::Object& schema, const json::Value& all, bool nullable) {
    const auto list = json::as_array(all);
    if (!list || list->size() == 0 || json::find(schema, "properties")) return false;
    if (list->size() == 1) {
      write(w, list->at(0).value_unsafe(), nullable);
      return true;
    }
    std::string properties, required;
    json::Writer inner(properties);
    for (const json::Value item : *list) {
      json::Value part = item;
      const auto object = json::as_object(item);
      if (!object) continue;
      if (const auto ref = json::find(*object, "$ref")) {
        const std::string_view pointer = json::as_string(*ref).value_or("");
        if (!pointer.starts_with('#') ||
            root_.at_pointer(pointer.substr(1)).get(part) != simdjson::SUCCESS)
          continue;
      }
      const auto resolved = json::as_object(part);
      if (!resolved) continue;
      if (const auto map = object_at(*resolved, "properties")) {
        for (const auto field : *map) {
          inner.key(field.key);
          write(inner, field.value);
        }
      }
      if (const auto names = array_at(*resolved, "required")) {
        for (const json::Value name : *names) {
          if (!required.empty()) required.push_back(',');
          json::append_raw(required, name);
        }
      }
    }
    w.begin_object();
    w.field("type", "object");
    if (nullable) w.field("nullable", true);
    w.raw_field("properties", "{" + properties + "}");
    if (!required.empty()) w.raw_field("required", "[" + required + "]");
    w.end_object();
    return true;
  }

  void body(json::Writer& w, const json::Object& schema, std::string_view type, bool nullable) {
    const auto constant = json::find(schema, "const");
    const auto values = json::find(schema, "enum");
    std::string list = values ? clean_enum(*values, true) : std::string();
    if (constant && list.empty()) {
      const auto text = json::as_string(*constant);
      list = "[";
      json::append_string(list, text ? std::string(*text) : json::raw(*constant));
      list += "]";
    }
    if (!list.empty()) type = "string";
    const auto choices =
        json::find(schema, "anyOf") ? json::find(schema, "anyOf") : json::find(schema, "oneOf");
    if (type.empty() && json::find(schema, "properties")) type = "object";
    if (!type.empty()) w.field("type", type);
    if (!list.empty()) w.raw_field("enum", list);
    if (choices && choices->is_array())
      nullable = write_choices(w, *json::as_array(*choices)) || nullable;
    for (const auto field : schema) {
      const std::string_view key = field.key;
      if (key == "nullable") {
        nullable = nullable || json::as_bool(field.value).value_or(false);
      } else if (const auto map = json::as_object(field.value); key == "properties" && map) {
        w.key(key);
        w.begin_object();
        for (const auto property : *map) {
          w.key(property.key);
          write(w, property.value);
        }
        w.end_object();
      } else if (key == "required") {
        required(w, schema, field.value);
      } else if (key == "items" && type == "array") {
        w.key(key);
        write(w, field.value);
      } else if (key == "format") {
        if (one_of(json::as_string(field.value).value_or(""),
                   {"enum", "date-time", "float", "double", "int32", "int64"})) {
          w.raw_field(key, json::raw(field.value));
        }
      } else if (one_of(key, {"title", "description", "minItems", "maxItems", "minProperties",
                              "maxProperties", "minLength", "maxLength", "pattern", "minimum",
                              "maximum", "propertyOrdering", "default", "example"})) {
        w.raw_field(key, json::raw(field.value));
      }
    }
    if (type == "array" && !json::find(schema, "items"))
      w.raw_field("items", R"({"type":"string"})");
    if (nullable) w.field("nullable", true);
  }

  // Returns whether null was one of them.
  bool write_choices(json::Writer& w, const json::Array& choices) {
    bool null = false;
    w.key("anyOf");
    w.begin_array();
    for (const json::Value choice : choices) {
      const auto object = json::as_object(choice);
      if (object && json::string_or(*object, "type") == "null") {
        null = true;
      } else {
        write(w, choice);
      }
    }
    w.end_array();
    return null;
  }

  // Names that are not properties are refused.
  static void required(json::Writer& w, const json::Object& schema, const json::Value& names) {
    const auto list = json::as_array(names);
    const auto map = object_at(schema, "properties");
    if (!list || !map) return;
    std::string kept;
    for (const json::Value name : *list) {
      json::Value found;
      const auto text = json::as_string(name);
      if (!text || map->at_key(*text).get(found) != simdjson::SUCCESS) continue;
      if (!kept.empty()) kept.push_back(',');
      json::append_string(kept, *text);
    }
    if (!kept.empty()) w.raw_field("required", "[" + kept + "]");
  }

  const json::Value root_;
  std::vector<std::string> path_;  // references being resolved
  int budget_ = 4000;              // schemas that may still be written
};

}  // namespace

RawJson json_schema(const RawJson& schema) {
  json::Document document;
  const auto value = document.parse(schema);
  if (!value) return R"({"type":"object"})";
  std::string out;
  json::Writer w(out);
  write_json_schema(w, *value);
  return out;
}

RawJson openapi_schema(const RawJson& schema) {
  json::Document document;
  const auto value = document.parse(schema);
  if (!value) return R"({"type":"object"})";
  std::string out;
  json::Writer w(out);
  OpenApi(*value).write(w, *value);
  return out;
}

bool takes_nothing(const RawJson& schema) {
  if (schema.empty()) return true;
  json::Document document;
  const auto object = document.parse_object(schema);
  if (!object) return true;
  if (const auto map = object_at(*object, "properties")) return map->size() == 0;
  for (const auto field : *object) {
    if (one_of(field.key,
               {"$ref", "anyOf", "oneOf", "allOf", "additionalProperties", "patternProperties"}) &&
        !field.value.is_bool()) {
      return false;
    }
  }
  return true;
}

}  // namespace ajar::wire::gemini
