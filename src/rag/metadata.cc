#include "rag/metadata.h"

#include <cmath>
#include <utility>

#include "json/read.h"
#include "json/write.h"

namespace ajar::rag {
namespace {

Result<Value> read_value(const json::Value& json, const std::string& where) {
  if (const auto text = json::as_string(json)) {
    if (text->size() > kMaxFieldValue) return invalid(where, "longer than 1,024 bytes");
    return Value(std::string(*text));
  }
  if (const auto flag = json::as_bool(json)) return Value(*flag);
  if (const auto number = json::as_double(json)) return Value(*number);
  return invalid(where, "must be a string, a number or a boolean");
}

constexpr std::pair<std::string_view, Filter::Kind> kKinds[] = {
    {"eq", Filter::Kind::kEq}, {"ne", Filter::Kind::kNe}, {"gt", Filter::Kind::kGt}, {"gte", Filter::Kind::kGe}, {"lt", Filter::Kind::kLt}, {"lte", Filter::Kind::kLe},
    {"in", Filter::Kind::kIn}, {"nin", Filter::Kind::kNotIn}, {"and", Filter::Kind::kAnd}, {"or", Filter::Kind::kOr}};

Result<Filter> read_filter_value(const json::Value& json, const std::string& where, int depth) {
  const auto object = json::as_object(json);
  if (!object) return invalid(where, "must be an object");
  if (depth > kMaxFilterDepth) return invalid(where, "filters nest deeper than 8");
  const std::string_view type = json::string_or(*object, "type");
  Filter out;
  for (const auto& [name, kind] : kKinds)
    if (name == type) out.kind = kind;
  if (out.kind == Filter::Kind::kAll) return invalid(where + ".type", "must be eq, ne, gt, gte, lt, lte, in, nin, and, or");
  if (out.kind == Filter::Kind::kAnd || out.kind == Filter::Kind::kOr) {
    const auto filters = json::find(*object, "filters");
    const auto array = filters ? json::as_array(*filters) : std::nullopt;
    if (!array || array->size() == 0 || array->size() > 100) return invalid(where + ".filters", "must be a list of 1 to 100 filters");
    size_t i = 0;
    for (const auto& one : *array) {
      AJAR_ASSIGN(Filter child, read_filter_value(one, where + ".filters[" + std::to_string(i++) + "]", depth + 1));
      out.filters.push_back(std::move(child));
    }
    return out;
  }
  out.field = json::string_or(*object, "key");
  if (out.field.empty()) return invalid(where + ".key", "is missing");
  const auto value = json::find(*object, "value");
  if (!value) return invalid(where + ".value", "is missing");
  if (out.kind == Filter::Kind::kIn || out.kind == Filter::Kind::kNotIn) {
    const auto array = json::as_array(*value);
    if (!array || array->size() > kMaxFilterValues) return invalid(where + ".value", "must be a list of at most 10,000 values");
    for (const auto& one : *array) {
      AJAR_ASSIGN(Value read, read_value(one, where + ".value"));
      out.values.push_back(std::move(read));
    }
    return out;
  }
  AJAR_ASSIGN(Value read, read_value(*value, where + ".value"));
  const bool order = out.kind != Filter::Kind::kEq && out.kind != Filter::Kind::kNe;
  if (order && std::holds_alternative<bool>(read)) return invalid(where + ".value", "a boolean has no order");
  out.values.push_back(std::move(read));
  return out;
}

}  // namespace

Result<Metadata> read_metadata(std::string_view text) {
  Metadata out;
  if (text.empty()) return out;
  AJAR_ASSIGN(const json::Object object, json::scratch().parse_object(text));
  if (object.size() > kMaxFields) return invalid("metadata", "more than 64 fields");
  for (const auto& [key, json] : object) {
    const std::string name(key);
    if (name.empty() || name.size() > kMaxFieldName) return invalid("metadata", "a field's name must have 1 to 128 bytes");
    if (json.is_null()) continue;
    AJAR_ASSIGN(Value value, read_value(json, "metadata." + name));
    out[name] = std::move(value);
  }
  return out;
}

std::string write_metadata(const Metadata& metadata) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  for (const auto& [name, value] : metadata) {
    w.key(json::Name(name));
    if (const auto* text = std::get_if<std::string>(&value)) w.string(*text);
    else if (const auto* number = std::get_if<double>(&value)) w.number(*number);
    else w.boolean(std::get<bool>(value));
  }
  w.end_object();
  return out;
}

Result<Filter> read_filter(std::string_view text) {
  json::Document document;
  AJAR_ASSIGN(const json::Value value, document.parse(text));
  return read_filter_value(value, "filter", 0);
}

}  // namespace ajar::rag
