#include "guard/schema.h"

#include "json/schema.h"

namespace ajar::guard {

Status fits_schema(std::string_view json, std::string_view schema) {
  json::Document answer, wanted;
  const auto value = answer.parse(json);
  if (!value) return invalid("$", "it is no JSON");
  const auto rules = wanted.parse(schema);
  if (!rules) return invalid("$", "the schema is no JSON");
  const std::string violation = json::schema_violation(*rules, *value);
  if (violation.empty()) return {};
  return invalid(violation.substr(0, violation.find(": ")), violation);
}

}  // namespace ajar::guard
