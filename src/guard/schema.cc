#include "guard/schema.h"

#include <algorithm>

#include "json/read.h"

namespace ajar::guard {
namespace {

constexpr int kMaxDepth = 64;

bool is_of_type(const json::Value& value, std::string_view type) {
  switch (value.type()) {
    case json::Type::OBJECT:
      return type == "object";
    case json::Type::ARRAY:
      return type == "array";
    case json::Type::STRING:
      return type == "string";
    case json::Type::BOOL:
      return type == "boolean";
    case json::Type::NULL_VALUE:
      return type == "null";
    case json::Type::INT64:
    case json::Type::UINT64:
      return type == "integer" || type == "number";
    case json::Type::DOUBLE:
      return type == "number" || (type == "integer" && json::as_int(value));
    default:
      return false;
  }
}

// Characters rather than bytes, as JSON Schema counts.
int64_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

Status check(const json::Value& value, const json::Value& schema, const std::string& place, int depth);

Status check_object(const json::Object& object, const json::Object& rules, const std::string& place, int depth) {
  const auto properties_value = json::find(rules, "properties");
  const auto properties = properties_value ? json::as_object(*properties_value) : std::nullopt;
  if (const auto required = json::find(rules, "required"); required && json::as_array(*required)) {
    const json::Array names = *json::as_array(*required);
    for (const json::Value& name : names) {
      const auto text = json::as_string(name);
      json::Value member;
      if (text && object.at_key(*text).get(member) != simdjson::SUCCESS)
        return invalid(place, "\"" + std::string(*text) + "\" is missing");
    }
  }
  const auto more = json::find(rules, "additionalProperties");
  for (const auto member : object) {
    const std::string name(member.key);
    const auto rule = properties ? json::find(*properties, name) : std::nullopt;
    if (rule) {
      AJAR_TRY(check(member.value, *rule, place + "." + name, depth));
    } else if (more) {
      if (json::as_bool(*more) == false) return invalid(place, "has a member that is not allowed");
      if (json::as_object(*more)) AJAR_TRY(check(member.value, *more, place + "." + name, depth));
    }
  }
  return {};
}

Status check_array(const json::Array& array, const json::Object& rules, const std::string& place, int depth) {
  const auto size = static_cast<int64_t>(array.size());
  if (size < json::int_or(rules, "minItems", 0) || size > json::int_or(rules, "maxItems", INT64_MAX))
    return invalid(place, "has the wrong number of items");
  const auto items = json::find(rules, "items");
  if (!items || !json::as_object(*items)) return {};
  size_t i = 0;
  for (const json::Value& item : array) {
    AJAR_TRY(check(item, *items, place + "[" + std::to_string(i++) + "]", depth));
  }
  return {};
}

Status check(const json::Value& value, const json::Value& schema, const std::string& place, int depth) {
  const auto rules = json::as_object(schema);
  if (!rules || depth > kMaxDepth) return {};
  if (const auto type = json::find(*rules, "type")) {
    bool ok = false;
    if (const auto one = json::as_string(*type))
      ok = is_of_type(value, *one);
    else if (const auto several = json::as_array(*type)) {
      const json::Array types = *several;
      for (const json::Value& t : types) ok |= is_of_type(value, json::as_string(t).value_or(""));
    }
    if (!ok) return invalid(place, "is " + std::string(json::type_name(value)) + ", which the schema does not allow");
  }
  if (const auto allowed = json::find(*rules, "enum"); allowed && json::as_array(*allowed)) {
    const json::Array values = *json::as_array(*allowed);
    if (std::none_of(values.begin(), values.end(),
                     [&](const json::Value& v) { return json::raw(v) == json::raw(value); })) {
      return invalid(place, "is none of the values that the schema allows");
    }
  }
  if (const auto constant = json::find(*rules, "const"); constant && json::raw(*constant) != json::raw(value))
    return invalid(place, "is not the schema's constant");
  if (const auto number = json::as_double(value)) {
    const auto least = json::find(*rules, "minimum"), most = json::find(*rules, "maximum");
    if ((least && *number < json::as_double(*least).value_or(*number)) ||
        (most && *number > json::as_double(*most).value_or(*number))) {
      return invalid(place, "is out of range");
    }
  }
  if (const auto text = json::as_string(value)) {
    const int64_t n = characters(*text);
    if (n < json::int_or(*rules, "minLength", 0) || n > json::int_or(*rules, "maxLength", INT64_MAX))
      return invalid(place, "has the wrong length");
  }
  if (const auto object = json::as_object(value)) AJAR_TRY(check_object(*object, *rules, place, depth + 1));
  if (const auto array = json::as_array(value)) AJAR_TRY(check_array(*array, *rules, place, depth + 1));
  if (const auto all = json::find(*rules, "allOf"); all && json::as_array(*all)) {
    const json::Array parts = *json::as_array(*all);
    for (const json::Value& part : parts) AJAR_TRY(check(value, part, place, depth + 1));
  }
  if (const auto any = json::find(*rules, "anyOf"); any && json::as_array(*any)) {
    const json::Array parts = *json::as_array(*any);
    if (std::none_of(parts.begin(), parts.end(),
                     [&](const json::Value& part) { return check(value, part, place, depth + 1).has_value(); })) {
      return invalid(place, "fits none of the schema's alternatives");
    }
  }
  return {};
}

}  // namespace

Status fits_schema(std::string_view text, std::string_view schema) {
  json::Document document, rules;
  auto value = document.parse(text);
  if (!value) return invalid("$", "is no JSON");
  AJAR_ASSIGN(const json::Value rule, rules.parse(schema));
  return check(*value, rule, "$", 0);
}

}  // namespace ajar::guard
