#include "guard/shape.h"

#include <algorithm>
#include <cstring>

#include "guard/masks.h"

namespace ajar::guard {

Repetition::Repetition(size_t times) {
  for (size_t p = 1; p <= kPeriods; ++p) {
    const size_t again = (std::max<size_t>(times, 2) - 1) * p;
    enough_[p - 1] = static_cast<uint32_t>(std::max(again, p < kMinWords ? kMinWords - p : 0));
  }
}

void Repetition::end_word() {
  uint32_t closed = 0;
  for (size_t p = 0; p < kPeriods; ++p) {  // without branches: the compiler makes vectors of it
    run_[p] = last_[p] == hash_ ? run_[p] + 1 : 0;
    closed |= run_[p] >= enough_[p] ? 1u : 0u;
  }
  if (closed != 0 && found_ == kNone) found_ = word_begin_;
  std::memmove(last_.data() + 1, last_.data(), (kPeriods - 1) * sizeof last_[0]);
  last_[0] = hash_;
  hash_ = 0;
}

size_t Repetition::add(std::string_view text) {
  for (const char c : text) {
    if (found_ != kNone) return found_;
    if (is_word(c)) {
      if (hash_ == 0) hash_ = 2166136261u, word_begin_ = at_;
      hash_ = (hash_ ^ static_cast<unsigned char>(c | 0x20)) * 16777619u;
      if (hash_ == 0) hash_ = 1;
      same_ = c == byte_ ? same_ + 1 : 1;
      byte_ = c;
      if (same_ == kSameByte && is_alnum(c)) found_ = at_ + 1 - kSameByte;
    } else {
      if (hash_ != 0) end_word();
      same_ = 0;
    }
    ++at_;
  }
  return found_;
}

}  // namespace ajar::guard
