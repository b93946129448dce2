#pragma once
// JSON as template values.

#include "chat/jinja/value.h"
#include "json/read.h"

namespace ajar::jinja {

Value from_json(const json::Value& value);
// None where the text is no JSON.
Value from_json_text(std::string_view text);

}  // namespace ajar::jinja
