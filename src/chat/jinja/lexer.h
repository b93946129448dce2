#pragma once
// A template's text to tokens, with the white space that tags take away: trim_blocks and lstrip_blocks are on, as chat
// templates are written for.

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ajar::jinja {

struct Token {
  enum class Kind : uint8_t { kData, kBegin /* {{ */, kEnd, kBlockBegin /* {% */, kBlockEnd, kName, kString, kInt, kFloat,
                              kOperator, kEof };
  Kind kind = Kind::kEof;
  std::string text;  // of a string: its value
  size_t line = 0;

  bool is(std::string_view op) const { return kind == Kind::kOperator && text == op; }
  bool named(std::string_view name) const { return kind == Kind::kName && text == name; }
};

// Ends with kEof. kInvalid gives the line.
Result<std::vector<Token>> lex(std::string_view source);

}  // namespace ajar::jinja
