#pragma once
// Signatures of other makers inside Anthropic's words. A client gives a thought's signature back as it got it; a mark in
// front of it says whose it is, so that it goes back to its maker and to nobody else.

#include <string>
#include <string_view>

#include "core/request.h"
#include "json/read.h"

namespace ajar::wire::anthropic {

// "ajar:gemini:<signature>"; Anthropic's own stay as they are.
std::string mark_signature(DialectId origin, std::string_view signature);
// Gives the maker and sets `signature` without the mark.
DialectId unmark_signature(std::string_view marked, std::string& signature);

// {"google":{"thought_signature":"..."}}, the member `extra_content` of a call; "" when it is something else.
std::string google_signature(const json::Value& extra_content);
std::string google_extra(std::string_view signature);

}  // namespace ajar::wire::anthropic
