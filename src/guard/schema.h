#pragma once
// Whether a JSON text fits a JSON Schema, as far as answers need it: type, enum, const, properties, required,
// additionalProperties, items, minItems, maxItems, minimum, maximum, minLength, maxLength, anyOf, allOf. Other keywords
// are not looked at.

#include <string>
#include <string_view>

#include "base/error.h"

namespace ajar::guard {

// kInvalid with the place ("$.items[2].name") and what is wrong there; never the value.
Status fits_schema(std::string_view json, std::string_view schema);

}  // namespace ajar::guard
