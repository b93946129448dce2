#pragma once
// Texts that go round in circles. Fed in fragments of any size; what it says does not depend on how they are cut.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ajar::guard {

class Repetition {
 public:
  static constexpr size_t kPeriods = 32;    // words of the longest circle
  static constexpr size_t kSameByte = 256;  // one letter or digit in a row
  // `times`: how often a run of words must come again without a break (at least 2); shorter circles must fill kMinWords
  // words as well.
  static constexpr size_t kMinWords = 12;
  explicit Repetition(size_t times);

  static constexpr size_t kNone = SIZE_MAX;
  // The byte, counted from the beginning of all text, at which the word begins that closes the circle; kNone: no circle
  // yet. Once found it stays.
  size_t add(std::string_view text);

 private:
  void end_word();

  size_t found_ = kNone;
  size_t at_ = 0;      // bytes seen
  uint32_t hash_ = 0;  // of the word under way; 0: none
  size_t word_begin_ = 0;
  std::array<uint32_t, 2 * kPeriods>
      last_{};  // the words before, the latest first, from newest_ on; written twice, so never wrapped
  size_t newest_ = 0;
  std::array<int32_t, kPeriods> run_{};     // by period - 1: words in a row that were the same that many words ago
  std::array<int32_t, kPeriods> enough_{};  // what run_ must reach
  char byte_ = 0;
  size_t same_ = 0;
};

}  // namespace ajar::guard
