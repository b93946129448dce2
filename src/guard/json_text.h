#pragma once
// Rewriting the strings inside a JSON text without parsing it into values: arguments may be broken where a model wrote
// them, and what is not a string must stay byte for byte.

#include <functional>
#include <string>
#include <string_view>

namespace ajar::guard {

// Called with the unescaped string, the name of the member whose value it is (or empty) and whether it is a number's
// digits. True: `text` was changed and is written anew, escaped, as a string.
using JsonRewrite = std::function<bool(std::string& text, std::string_view member, bool number)>;

// True: `json` was changed. Names of members are offered like strings. A string without its end is offered as far as it
// goes.
bool rewrite_json(std::string& json, const JsonRewrite& rewrite);

// The inner text of a JSON string literal for `text`: escaped, without quotes.
std::string json_escaped(std::string_view text);
// RFC 8259 escapes resolved; what is no valid escape stays as it is.
std::string json_unescaped(std::string_view inner);

}  // namespace ajar::guard
