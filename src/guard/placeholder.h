#pragma once
// Placeholders: an entity's name, '_', upper-case hex digits: PERSON_7F3A. One form, no punctuation that models
// rewrite.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "guard/finding.h"

namespace ajar::guard {

inline constexpr size_t kMinHex = 4, kMaxHex = 16;
// Longest form that still counts: the longest name, its separators escaped as in Markdown inside JSON, and the digits.
inline constexpr size_t kMaxPlaceholder = 64;

// Reads one at the beginning of `text` as models write them: any case, '-' or "\_" or "\\_" for '_'.
struct PlaceholderMatch {
  enum class State : uint8_t { kNo, kMaybe, kYes };
  State state = State::kNo;  // kMaybe: the text ends before it is decided
  size_t length = 0;         // kYes: bytes of the text
  std::string canonical;     // kYes: "PERSON_7F3A"
};
PlaceholderMatch match_placeholder(std::string_view text);

// Where the first one, or what may become one, begins; npos: nowhere. A placeholder begins where no letter or digit
// stands before.
size_t find_placeholder_start(std::string_view text, size_t from, char before);

}  // namespace ajar::guard
