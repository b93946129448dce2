#pragma once
// Whether a JSON text fits a JSON Schema; json/schema.h says which keywords are looked at.

#include <string>
#include <string_view>

#include "base/error.h"

namespace ajar::guard {

// kInvalid with the place ("$.items[2].name") as its field and what is wrong there; never the value.
Status fits_schema(std::string_view json, std::string_view schema);

}  // namespace ajar::guard
