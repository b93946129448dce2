#pragma once
// Whether two prompts that an encoder holds for alike may share an answer. Embeddings hardly see a negation, a number, a name or
// who does what to whom; this gate sees little else. It errs to one side: a difference that is none costs a cache hit, one that is
// missed costs a wrong answer. Symmetric; pure; any thread. Its word lists are our own, English first, with the negations of
// German, French, Spanish and Russian.

#include <cstdint>
#include <string>
#include <string_view>

namespace ajar::learn {

enum class Difference : uint8_t {
  kNone,
  kIdentifier,   // codes, versions, addresses, paths, quoted texts
  kNumber,       // digits, number words, percentages
  kUnit,         // units and currencies
  kDate,         // days, months, today and tomorrow
  kNegation,     // not, without, only, except, unless
  kOpposite,     // enable and disable, before and after
  kEntity,       // names: what is written with a capital
  kDirection,    // from X to Y, X than Y, and words that changed places
  kWord,         // equal but for one word of meaning
};
std::string_view difference_name(Difference difference);  // "negation", stable: it appears in metrics

struct Comparison {
  Difference difference = Difference::kNone;
  std::string detail;   // what differs: "3 | 5"
  bool same() const { return difference == Difference::kNone; }
};

Comparison compare_prompts(std::string_view a, std::string_view b);

}  // namespace ajar::learn
