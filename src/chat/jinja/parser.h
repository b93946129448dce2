#pragma once
// Tokens to a tree. Jinja's grammar as its own parser has it, without what loads other templates.

#include "base/error.h"
#include "chat/jinja/ast.h"

namespace ajar::jinja {

// kInvalid gives the line; kUnsupported names the tag.
Result<Nodes> parse(std::string_view source);

}  // namespace ajar::jinja
