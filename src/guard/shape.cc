#include "guard/shape.h"

#include <algorithm>

#include "guard/masks.h"

namespace ajar::guard {
namespace {

constexpr std::array<bool, 256> kInWord = [] {
  std::array<bool, 256> in{};
  for (size_t i = 0; i < 256; ++i) in[i] = is_word(static_cast<char>(i));
  return in;
}();

}  // namespace

Repetition::Repetition(size_t times) {
  for (size_t p = 1; p <= kPeriods; ++p) {
    const size_t again = (std::max<size_t>(times, 2) - 1) * p;
    enough_[p - 1] = static_cast<int32_t>(std::max(again, p < kMinWords ? kMinWords - p : 0));
  }
}

void Repetition::end_word() {
  const uint32_t* last = last_.data() + newest_;
  const uint32_t hash = hash_;
  int32_t closed = 0;
  for (size_t p = 0; p < kPeriods; ++p) {  // without branches: the compiler makes vectors of it
    const int32_t same = last[p] == hash ? -1 : 0;
    const int32_t run = (run_[p] + 1) & same;
    run_[p] = run;
    closed |= run >= enough_[p] ? -1 : 0;
  }
  if (closed != 0 && found_ == kNone) found_ = word_begin_;
  newest_ = newest_ == 0 ? kPeriods - 1 : newest_ - 1;
  last_[newest_] = last_[newest_ + kPeriods] = hash;
  hash_ = 0;
}

size_t Repetition::add(std::string_view text) {
  for (size_t i = 0; i < text.size() && found_ == kNone;) {
    if (!kInWord[static_cast<unsigned char>(text[i])]) {
      if (hash_ != 0) end_word();
      same_ = 0;
      ++i;
      continue;
    }
    if (hash_ == 0) hash_ = 2166136261u, word_begin_ = at_ + i;
    uint32_t hash = hash_;
    size_t same = same_;
    char byte = byte_;
    for (; i < text.size() && kInWord[static_cast<unsigned char>(text[i])]; ++i) {
      const char c = text[i];
      hash = (hash ^ static_cast<unsigned char>(c | 0x20)) * 16777619u;
      same = c == byte ? same + 1 : 1;
      byte = c;
      if (same == kSameByte && is_alnum(c)) {
        found_ = at_ + i + 1 - kSameByte;
        break;
      }
    }
    hash_ = hash == 0 ? 1 : hash;
    same_ = same;
    byte_ = byte;
  }
  at_ += text.size();
  return found_;
}

}  // namespace ajar::guard
