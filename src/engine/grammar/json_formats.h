#pragma once
// What the formats of JSON Schema allow, as regular expressions of the whole.

#include <string_view>

namespace ajar::engine {

// Empty: the format is not known and says nothing.
std::string_view format_pattern(std::string_view format);

}  // namespace ajar::engine
