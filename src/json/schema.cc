#include "json/schema.h"

#include <algorithm>
#include <cmath>

namespace ajar::json {
namespace {

constexpr int kMaxDepth = 64;  // of schemas within schemas, references included

bool is_type(std::string_view name, const Value& value) {
  switch (value.type()) {
    case Type::OBJECT: return name == "object";
    case Type::ARRAY: return name == "array";
    case Type::STRING: return name == "string";
    case Type::BOOL: return name == "boolean";
    case Type::NULL_VALUE: return name == "null";
    case Type::INT64:
    case Type::UINT64: return name == "number" || name == "integer";
    case Type::DOUBLE: {
      const double number = *as_double(value);
      return name == "number" || (name == "integer" && number == std::floor(number));
    }
    default: return false;
  }
}

bool equal(const Value& a, const Value& b) {
  const auto x = as_double(a), y = as_double(b);
  return x && y ? *x == *y : raw(a) == raw(b);
}

size_t characters(std::string_view text) {
  return size_t(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

class Check {
 public:
  explicit Check(const Value& root) : root_(root) {}

  std::string run(const Value& schema, const Value& value, const std::string& at, int depth) const {
    if (depth > kMaxDepth) return at + ": the schema is too deep";
    if (const auto flag = as_bool(schema)) return *flag ? "" : at + ": false";
    const auto object = as_object(schema);
    if (!object) return at + ": the schema is no object";
    const auto bad = [&](std::string_view keyword) { return at + ": " + std::string(keyword); };
    if (const auto ref = find(*object, "$ref")) {
      const auto path = as_string(*ref);
      Value target = root_;
      if (!path || !path->starts_with('#')) return bad("$ref outside the schema");
      if (path->size() > 1 && root_.at_pointer(path->substr(1)).get(target) != simdjson::SUCCESS) return bad("$ref to nothing");
      if (auto why = run(target, value, at, depth + 1); !why.empty()) return why;
    }
    if (const auto type = find(*object, "type")) {
      bool fits = false;
      if (const auto names = as_array(*type)) {
        for (const Value name : *names) fits = fits || is_type(as_string(name).value_or(""), value);
      } else {
        fits = is_type(as_string(*type).value_or(""), value);
      }
      if (!fits && !(value.is_null() && find(*object, "nullable"))) return bad("type");
    }
    if (const auto list = list_at(*object, "enum")) {
      if (!std::ranges::any_of(list->begin(), list->end(), [&](const Value item) { return equal(item, value); })) return bad("enum");
    }
    if (Value constant; object->at_key("const").get(constant) == simdjson::SUCCESS && !equal(constant, value)) return bad("const");
    if (auto why = combined(*object, value, at, depth); !why.empty()) return why;
    if (const auto number = as_double(value)) return number_rules(*object, *number, at);
    if (const auto text = as_string(value)) {
      const auto size = double(characters(*text));
      if (const auto n = number_at(*object, "minLength"); n && size < *n) return bad("minLength");
      if (const auto n = number_at(*object, "maxLength"); n && size > *n) return bad("maxLength");
    }
    if (const auto items = as_array(value)) return item_rules(*object, *items, at, depth);
    if (const auto members = as_object(value)) return member_rules(*object, *members, at, depth);
    return "";
  }

 private:
  static std::optional<Array> list_at(const Object& object, std::string_view key) {
    const auto value = find(object, key);
    return value ? as_array(*value) : std::nullopt;
  }
  static std::optional<double> number_at(const Object& object, std::string_view key) {
    const auto value = find(object, key);
    return value ? as_double(*value) : std::nullopt;
  }

  std::string combined(const Object& object, const Value& value, const std::string& at, int depth) const {
    if (const auto list = list_at(object, "allOf")) {
      for (const Value item : *list) {
        if (auto why = run(item, value, at, depth + 1); !why.empty()) return why;
      }
    }
    for (const std::string_view keyword : {"anyOf", "oneOf"}) {
      const auto list = list_at(object, keyword);
      if (!list) continue;
      const auto fits = std::ranges::count_if(list->begin(), list->end(), [&](const Value item) { return run(item, value, at, depth + 1).empty(); });
      if (fits == 0 || (keyword == "oneOf" && fits > 1)) return at + ": " + std::string(keyword);
    }
    if (const auto never = find(object, "not"); never && run(*never, value, at, depth + 1).empty()) return at + ": not";
    return "";
  }

  static std::string number_rules(const Object& object, double number, const std::string& at) {
    if (const auto n = number_at(object, "minimum"); n && number < *n) return at + ": minimum";
    if (const auto n = number_at(object, "maximum"); n && number > *n) return at + ": maximum";
    if (const auto n = number_at(object, "exclusiveMinimum"); n && number <= *n) return at + ": exclusiveMinimum";
    if (const auto n = number_at(object, "exclusiveMaximum"); n && number >= *n) return at + ": exclusiveMaximum";
    if (const auto n = number_at(object, "multipleOf"); n && *n > 0) {
      const double times = number / *n;
      if (std::abs(times - std::round(times)) > 1e-9 * std::max(1.0, std::abs(times))) return at + ": multipleOf";
    }
    return "";
  }

  std::string item_rules(const Object& object, const Array& items, const std::string& at, int depth) const {
    if (const auto n = number_at(object, "minItems"); n && double(items.size()) < *n) return at + ": minItems";
    if (const auto n = number_at(object, "maxItems"); n && double(items.size()) > *n) return at + ": maxItems";
    const auto prefix = list_at(object, "prefixItems");
    const auto rest = find(object, "items");
    size_t i = 0;
    for (const Value item : items) {
      const std::string here = at + "[" + std::to_string(i) + "]";
      std::string why;
      if (prefix && i < prefix->size()) why = run(prefix->at(i).value_unsafe(), item, here, depth + 1);
      else if (rest) why = run(*rest, item, here, depth + 1);
      if (!why.empty()) return why;
      ++i;
    }
    return "";
  }

  std::string member_rules(const Object& object, const Object& members, const std::string& at, int depth) const {
    const auto declared = find(object, "properties");
    const auto properties = declared ? as_object(*declared) : std::nullopt;
    const auto others = find(object, "additionalProperties");
    size_t count = 0;
    for (const auto member : members) {
      ++count;
      const std::string here = at + "." + std::string(member.key);
      Value property;
      std::string why;
      if (properties && properties->at_key(member.key).get(property) == simdjson::SUCCESS) why = run(property, member.value, here, depth + 1);
      else if (others) why = run(*others, member.value, here, depth + 1);
      if (!why.empty()) return why;
    }
    if (const auto required = list_at(object, "required")) {
      for (const Value name : *required) {
        Value present;
        if (members.at_key(as_string(name).value_or("")).get(present) != simdjson::SUCCESS) return at + ": required " + raw(name);
      }
    }
    if (const auto n = number_at(object, "minProperties"); n && double(count) < *n) return at + ": minProperties";
    if (const auto n = number_at(object, "maxProperties"); n && double(count) > *n) return at + ": maxProperties";
    return "";
  }

  const Value& root_;
};

}  // namespace

std::string schema_violation(const Value& schema, const Value& value) { return Check(schema).run(schema, value, "$", 0); }

}  // namespace ajar::json
