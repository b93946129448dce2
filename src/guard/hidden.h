#pragma once
// Characters that a person does not see and a model reads: tags, direction controls, zero-width characters, variation
// selectors that encode bytes. Where a script or an emoji needs one it is left alone.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ajar::guard {

struct Hidden {
  size_t tags = 0;        // U+E0000 … E007F outside flags, and U+E0100 … E01EF
  size_t direction = 0;   // U+202A … 202E, U+2066 … 2069
  size_t zero_width = 0;  // U+200B, 200C, 200D, 2060 … 2064, FEFF, 00AD, 180E where nothing needs them
  size_t count() const { return tags + direction + zero_width; }
  std::string tag_text;  // what tags spell, in ASCII
};
Hidden find_hidden(std::string_view text);
// Where they stand, each by itself: begin and end.
std::vector<std::pair<size_t, size_t>> hidden_ranges(std::string_view text);
// The text without them; unchanged text costs one search.
std::string strip_hidden(std::string_view text);

}  // namespace ajar::guard
