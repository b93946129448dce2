#pragma once
// The pieces of JSON texts as grammars. White space: at most one space after a comma and a colon, none elsewhere, so that no
// reply can go on in blanks for ever.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/grammar/grammar.h"

namespace ajar::engine {

class JsonText {
 public:
  using Node = Grammar::Node;
  explicit JsonText(Grammar& grammar) : g_(grammar) {}

  Node comma();
  Node colon();
  Node any();                        // any value, nested at will
  Node any_object();
  Node any_string();
  Node string(Node character, int32_t least, int32_t most);
  Node quoted(Node inside);
  // One character of a string of this class, written as itself or, where JSON wants that, escaped.
  Node character(const CharClass& chars);
  Node character();                  // any, all its escapes included
  // A key that is none of `names`, without escapes: so none of them can be spelled another way.
  Node other_key(std::vector<std::string> names);
  // Whatever stands in two places must be a rule: written out, it would double with every level of nesting.
  Node shared(Node node);
  // least to most items, with commas between.
  Node list(Node item, int32_t least, int32_t most);
  // Up to 17 digits, a fraction of at most 17, an exponent of at most two, so that every reader can take it.
  Node number();

 private:
  Node other_tail(std::span<const std::string> names, size_t from);

  Grammar& g_;
  std::optional<Node> any_, character_, comma_, colon_, number_, object_, string_;
};

// What numbers may be. Bounds are decimal digits of a double; integers are exact.
struct NumberRange {
  std::optional<double> low, high;
  bool low_open = false, high_open = false;  // the bound itself is out
  int fraction = 16;                         // digits
};
// nothing() where none fits.
Grammar::Node integer_range(Grammar& grammar, std::optional<int64_t> low, std::optional<int64_t> high);
Grammar::Node number_range(Grammar& grammar, const NumberRange& range);

}  // namespace ajar::engine
