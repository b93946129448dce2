#pragma once
// The members of an object as text without its braces, `"a":1,"b":[2]`: what Ajar keeps of JSON that it has no name for. Such text was
// written by json/write.h, so that it is well-formed and has no white space; it is taken apart where it lies, without a parser.

#include <optional>
#include <string_view>

namespace ajar::json {

struct Member {
  std::string_view key;    // with its quotes and escapes
  std::string_view value;
};

// Takes the first member off `rest`. Nothing: none is left, or what is there was not written by us. The views point into the text.
std::optional<Member> next_member(std::string_view& rest);

}  // namespace ajar::json
