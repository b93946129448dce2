#pragma once
// Reading JSON: a thin layer over simdjson's DOM. A document is parsed whole and validated whole (syntax,
// UTF-8, depth), then walked. Values are views into the Document's parser and die with the next parse.
// A JSON value never leaves the folder that parsed it: it becomes our types at the edge.

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace ajar::json {

using Value = simdjson::dom::element;
using Object = simdjson::dom::object;
using Array = simdjson::dom::array;
using Type = simdjson::dom::element_type;

inline constexpr size_t kMaxDepth = 128;  // deeper documents are refused

// Owns the buffers of one parsed document. Reusing one saves the allocations. Not shared between threads.
class Document {
 public:
  Document();
  // Fails with kInvalid and a message that gives line, column and what is wrong. `text` is copied.
  Result<Value> parse(std::string_view text);
  Result<Object> parse_object(std::string_view text);

 private:
  simdjson::dom::parser parser_;
  std::string padded_;
};

// The thread's own Document for short-lived parses: the values die with the next call on this thread, and
// must not be held across a suspension point.
Document& scratch();

// Where and why `text` is not JSON: "line 3, column 14: expected ',' or '}'", or "" when it is. A plain
// RFC 8259 validator: slow, used for error messages and to cross-check the parser in the fuzzer.
std::string explain(std::string_view text);

// Lookups. Absent and null members both read as "not there".
inline std::optional<Value> find(const Object& object, std::string_view key) {
  Value value;
  if (object.at_key(key).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return value;
}
inline std::optional<std::string_view> as_string(const Value& value) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}
inline std::optional<int64_t> as_int(const Value& value) {  // 3 and 3.0 are both 3
  int64_t number;
  if (value.get(number) == simdjson::SUCCESS) return number;
  double real;
  if (value.get(real) == simdjson::SUCCESS && real >= -9e15 && real <= 9e15 &&
      real == double(int64_t(real))) {
    return int64_t(real);
  }
  return std::nullopt;
}
inline std::optional<double> as_double(const Value& value) {
  double number;
  if (value.get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}
inline std::optional<bool> as_bool(const Value& value) {
  bool flag;
  if (value.get(flag) != simdjson::SUCCESS) return std::nullopt;
  return flag;
}
inline std::optional<Object> as_object(const Value& value) {
  Object object;
  if (value.get(object) != simdjson::SUCCESS) return std::nullopt;
  return object;
}
inline std::optional<Array> as_array(const Value& value) {
  Array array;
  if (value.get(array) != simdjson::SUCCESS) return std::nullopt;
  return array;
}
inline std::string_view string_or(const Object& object, std::string_view key,
                                  std::string_view otherwise = {}) {
  const auto value = find(object, key);
  return value ? as_string(*value).value_or(otherwise) : otherwise;
}
inline int64_t int_or(const Object& object, std::string_view key, int64_t otherwise = 0) {
  const auto value = find(object, key);
  return value ? as_int(*value).value_or(otherwise) : otherwise;
}

// The value as compact JSON text. Numbers keep their value, not their spelling.
std::string raw(const Value& value);
void append_raw(std::string& out, const Value& value);

std::string_view type_name(const Value& value);  // "string", "an array of ..." style words for errors

}  // namespace ajar::json
