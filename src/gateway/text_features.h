#pragma once
// What of a text decides how many tokens it makes, counted at several bytes per cycle: enough to estimate any
// tokenizer's count by a weighted sum, without having the tokenizer.

#include <array>
#include <cstdint>
#include <string_view>

#include "core/request.h"

namespace ajar {

struct TextFeatures {
  enum Index : uint8_t {
    kWords,         // runs of ASCII letters
    kLongLetters,   // letters beyond the fourth of a run
    kUpper,         // upper-case letters
    kDigitRuns,
    kDigits,
    kMarkRuns,      // punctuation and symbols
    kMarks,
    kBlankRuns,     // line ends and tabs
    kDoubleSpaces,  // spaces that follow a space
    kLatin2,        // two-byte characters of Latin scripts
    kOther2,        // of others: Greek, Cyrillic, Hebrew, Arabic
    kIndic3,        // three-byte characters below CJK: Devanagari, Thai, typography
    kCjk3,
    kHangul3,
    kFour,          // four-byte characters: emoji
    kMessages,
    kTools,
    kRequest,       // always 1 for a request
    kCount
  };
  std::array<float, kCount> values{};
  int64_t media_tokens = 0;  // pictures, sound and files, by flat figures

  void add_text(std::string_view text);
  float& operator[](Index i) { return values[i]; }
  float operator[](Index i) const { return values[i]; }
};

// Turns, tools and schema of a whole request.
TextFeatures features_of(const Request& request);

}  // namespace ajar
