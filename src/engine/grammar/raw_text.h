#pragma once
// Text as it is, without quotes and escapes, up to the mark that ends it: what stands between <parameter=name> and </parameter>.

#include <span>
#include <string>

#include "engine/grammar/grammar.h"

namespace ajar::engine {

// Marks that may not stand in a text. Each begins with '<' and has no other.
class RawText {
 public:
  RawText(Grammar& grammar, std::span<const std::string> never);

  Grammar::Node any() const { return any_; }
  // One character of this class that begins no mark. So a text with a form of its own is narrower than it might be, never wider.
  Grammar::Node character(const CharClass& chars) const;
  // `text` itself; nothing() where it has one of the marks or a control character.
  Grammar::Node literal(std::string_view text) const;

 private:
  // What may follow the beginning of a mark, `from` characters of each of `marks`, so that it does not become one.
  Grammar::Node after(std::span<const std::string> marks, size_t from) const;

  Grammar& g_;
  std::vector<std::string> never_;
  Grammar::Node plain_, any_;  // characters that begin no mark, and any text
};

}  // namespace ajar::engine
