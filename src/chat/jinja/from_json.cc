#include "chat/jinja/from_json.h"

namespace ajar::jinja {

Value from_json(const json::Value& value) {
  switch (value.type()) {
    case json::Type::ARRAY: {
      std::vector<Value> items;
      for (const json::Value item : json::Array(value)) items.push_back(from_json(item));
      return Value::list(std::move(items));
    }
    case json::Type::OBJECT: {
      Dict dict;
      for (const auto [key, item] : json::Object(value)) dict.set(Value(key), from_json(item));
      return Value(std::move(dict));
    }
    case json::Type::INT64: return Value(int64_t(value));
    case json::Type::UINT64: return Value(double(uint64_t(value)));
    case json::Type::DOUBLE: return Value(double(value));
    case json::Type::STRING: return Value(std::string_view(value));
    case json::Type::BOOL: return Value(bool(value));
    default: return Value(None{});
  }
}

Value from_json_text(std::string_view text) {
  json::Document document;
  const auto value = document.parse(text);
  return value ? from_json(*value) : Value(None{});
}

}  // namespace ajar::jinja
