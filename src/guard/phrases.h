#pragma once
// Many phrases at once, by whole words: one hash lookup a word, whatever the number of phrases. Immutable once built;
// any number of threads may match, each with a Cursor of its own.
//
// A phrase is words parted by spaces: `ignore|forget` alternatives, `~3` up to three other words between, `rule+` also
// its plural, past and -ing forms. Case and punctuation do not count; an apostrophe belongs to its word. A phrase that
// begins with '=' is a literal (for scripts that part no words): found anywhere, byte for byte.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "guard/word_table.h"

namespace ajar::guard {

class Phrases {
 public:
  // `id` comes back with every match; several phrases may share one. False: the phrase has no word, or begins or ends
  // with a gap.
  bool add(std::string_view phrase, uint32_t id);
  bool empty() const { return elements_.empty() && literals_.empty(); }

  struct Match {
    uint32_t id;
    size_t begin, end;
  };
  // All matches in order of their end. `open`, where given: the first byte that may still become part of a match when
  // more text follows; the text's size where none.
  void find(std::string_view text, std::vector<Match>& out, size_t* open = nullptr) const;

 private:
  struct Element {
    uint32_t id;
    uint16_t gap;  // other words allowed before it
    bool first, last;
  };
  struct Literal {
    std::string text;
    uint32_t id;
  };
  void add_word(std::string_view word, uint32_t element);

  std::vector<Element> elements_;  // phrases one after another
  WordTable words_;                // word → 1 + its place in members_
  struct Members {
    std::vector<uint32_t> first;  // elements that begin a phrase
    std::vector<uint32_t> later;  // the others, the later first
  };
  std::vector<Members> members_;
  // Which words there are at all, by first two letters and length: most words of a text are none of ours.
  std::array<uint64_t, 256> known_{};
  std::vector<Literal> literals_;  // by their first bytes
};

}  // namespace ajar::guard
