#pragma once
// Facts of the Unicode Character Database, as unicode_tables.py writes them. Sorted by the first member.

#include <cstdint>
#include <span>

namespace ajar::engine::unicode {

struct Mapping {  // to kPool[at .. at + length)
  uint32_t code;
  uint16_t at;
  uint8_t length;
};
struct Pair {
  uint32_t first, second, composed;
};
struct Range {  // inclusive
  uint32_t first, last;
};
struct Class {  // canonical combining class of a range
  uint32_t first, last;
  uint8_t value;
};

extern const char32_t* const kPool;
extern const std::span<const Mapping> kCanonical;   // full canonical decompositions, without Hangul's
extern const std::span<const Mapping> kCompatible;  // full compatibility ones, where they differ
extern const std::span<const Mapping> kLower;
extern const std::span<const Pair> kPairs;          // primary composites
extern const std::span<const Class> kCombining;
extern const std::span<const Range> kMarks, kNonspacing, kPunctuation, kOther;  // categories M, Mn, P, C

}  // namespace ajar::engine::unicode
