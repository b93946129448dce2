#include "guard/shape.h"

#include <algorithm>

#include "guard/masks.h"

namespace ajar::guard {

void Repetition::end_word() {
  const size_t looking = std::min(words_, kPeriods);
  for (size_t p = 1; p <= looking; ++p) {
    run_[p] = last_[(words_ - p) % kPeriods] == hash_ ? run_[p] + 1 : 0;
    if (run_[p] >= std::max((times_ - 1) * p, kMinWords - std::min(p, kMinWords)) && run_[p] + p >= kMinWords && found_ == kNone) found_ = word_begin_;
  }
  last_[words_ % kPeriods] = hash_;
  ++words_;
  hash_ = 0;
}

size_t Repetition::add(std::string_view text) {
  for (const char c : text) {
    if (found_ != kNone) return found_;
    if (is_word(c)) {
      if (hash_ == 0) hash_ = 14695981039346656037u, word_begin_ = at_;
      hash_ = (hash_ ^ static_cast<unsigned char>(c | 0x20)) * 1099511628211u;
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
