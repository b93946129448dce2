#pragma once
// Words around a match that say what it is. Whole words only ("lic" in "public" says nothing), five before and five
// after, and words that say what it is not.

#include <cstdint>
#include <string_view>

namespace ajar::guard {

// Topics as bits; a word may be of several.
enum Topic : uint64_t {
  kPhoneTopic = 1ull << 0,
  kCardTopic = 1ull << 1,
  kBankTopic = 1ull << 2,
  kSsnTopic = 1ull << 3,
  kDriverTopic = 1ull << 4,
  kPassportTopic = 1ull << 5,
  kDateTopic = 1ull << 6,
  kNetworkTopic = 1ull << 7,
  kTaxTopic = 1ull << 8,
  kHealthTopic = 1ull << 9,
  kIdTopic = 1ull << 10,
  kDoctorTopic = 1ull << 11,
  kCryptoTopic = 1ull << 12,
  kNameTopic = 1ull << 13,
  kPlaceTopic = 1ull << 14,
  kCompanyTopic = 1ull << 15,
  kUkTopic = 1ull << 16,
  kAustraliaTopic = 1ull << 17,
  kIndiaTopic = 1ull << 18,
  kPolandTopic = 1ull << 19,
  kGermanyTopic = 1ull << 20,
  kDutchTopic = 1ull << 21,
  kCanadaTopic = 1ull << 22,
  kBrazilTopic = 1ull << 23,
  kTurkeyTopic = 1ull << 24,
  kThaiTopic = 1ull << 25,
  kSouthAfricaTopic = 1ull << 26,
  kSwedenTopic = 1ull << 27,
  kKoreaTopic = 1ull << 28,
  kFranceTopic = 1ull << 29,
  kPostTopic = 1ull << 30,
  kNotTopic = 1ull << 62,  // uid, hash, order, timestamp, version: a number that is of nobody
};

uint64_t topics_of(std::string_view word);  // any case, ASCII; 0: a word like any other

// What the words within `words` before `begin` and after `end` are about; looks at 120 bytes on each side at most.
struct Surroundings {
  uint64_t before = 0, after = 0;
  bool has(uint64_t topics) const { return ((before | after) & topics) != 0; }
};
Surroundings surroundings(std::string_view text, size_t begin, size_t end, int words = 5);
inline constexpr size_t kContextBytes = 120;

}  // namespace ajar::guard
