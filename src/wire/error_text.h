#pragma once
// Error bodies that are no JSON: made readable.

#include <string>
#include <string_view>

namespace ajar::wire {

// A short excerpt of an error page: tags, scripts and runs of spaces gone, at most `limit` bytes,
// valid UTF-8.
std::string readable_excerpt(std::string_view body, size_t limit = 200);

}  // namespace ajar::wire
