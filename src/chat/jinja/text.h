#pragma once
// What filters and methods do with texts. White space and letters beyond ASCII as far as Latin, Greek and Cyrillic go.

#include <string>
#include <string_view>
#include <vector>

#include "chat/jinja/interpreter.h"

namespace ajar::jinja {

// Without the characters of `set` (white space where it is null) at the ends.
std::string_view strip(std::string_view text, const std::string* set, bool left, bool right);
std::string_view first_word(std::string_view text);  // up to white space
std::string_view last_word(std::string_view text);
std::vector<std::string_view> lines(std::string_view text);  // str.splitlines
std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
std::string to_title(std::string_view text);
std::string to_capital(std::string_view text);
Value replaced(Interpreter& in, std::string_view text, std::string_view from, std::string_view to, int64_t count);

}  // namespace ajar::jinja
