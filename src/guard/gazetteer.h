#pragma once
// Words that begin with a capital and what they may be.

#include <cstdint>
#include <string_view>

#include "guard/word_table.h"

namespace ajar::guard {

enum NameBit : uint64_t {
  kGiven = 1,
  kSurname = 2,
  kTitle = 4,
  kPlace = 8,
  kNationality = 16,
  kMonth = 32,
  kWeekday = 64,
  kCommon = 128,        // begins sentences and is nobody's name
  kAmbiguous = 256,     // a given name that is also an ordinary word ("Will", "Grace"): needs a second sign
  kStreet = 512,        // ends the name of a street
  kPlaceStart = 1024,   // the first word of a place of several words
  kNamesPerson = 2048,  // lower case: what follows is a person ("called", "dear")
  kNamesPlace = 4096,   // lower case: what follows is a place
  kCompanyEnd = 8192,   // "Inc", "Ltd": what stands before is no person
  kIntroduces = 32768,  // lower case: with the word before it, may introduce a person ("is", "me")
  kPersonDoes = 16384,  // lower case: what stands before is a person ("says", "lives")
};

const WordTable& gazetteer();    // single words, lower case
const WordTable& long_places();  // places of two and three words, joined by spaces

}  // namespace ajar::guard
