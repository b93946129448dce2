#pragma once
// Texts by the character with which they go on: what a grammar of "none of these" is built along.

#include <span>
#include <string>

#include "engine/grammar/char_class.h"

namespace ajar::engine {

// Of sorted texts in UTF-8 that are equal up to `from` and longer, the groups that go on with the same character:
// each(character, where it ends, the group).
template <class Each>
void by_next_character(std::span<const std::string> texts, size_t from, const Each& each) {
  while (!texts.empty()) {
    size_t at = from, count = 1;
    uint32_t c = 0;
    read_utf8(texts[0], at, c);
    while (count < texts.size() && texts[count].compare(from, at - from, texts[0], from, at - from) == 0) ++count;
    each(c, at, texts.first(count));
    texts = texts.subspan(count);
  }
}

}  // namespace ajar::engine
