#include "learn/vote_table.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <limits>

#include "learn/dense_math.h"

namespace ajar::learn {

VoteTable::VoteTable(std::span<const int16_t> votes, size_t labels)
    : rows_(votes.size() / labels), labels_(labels), width_((labels + kPairedColumns - 1) / kPairedColumns * kPairedColumns) {
  assert(votes.size() == rows_ * labels);
  const size_t pairs = (rows_ + 1) / 2;
  pairs_.resize(pairs * width_ * 2);
  for (size_t row = 0; row < rows_; ++row)
    for (size_t label = 0; label < labels; ++label) pairs_[(row / 2 * width_ + label) * 2 + row % 2] = votes[row * labels + label];

  constexpr int64_t kMost = std::numeric_limits<int32_t>::max() / kLoudest;
  std::vector<int64_t> sums(width_);
  for (size_t pair = 0; pair < pairs; ++pair) {
    const int16_t* in = pairs_.data() + pair * width_ * 2;
    bool fits = true;
    for (size_t label = 0; label < width_; ++label) {
      sums[label] += std::abs(in[label * 2]) + std::abs(in[label * 2 + 1]);
      fits = fits && sums[label] <= kMost;
    }
    if (fits) continue;
    ends_.push_back(pair);
    for (size_t label = 0; label < width_; ++label) sums[label] = std::abs(in[label * 2]) + std::abs(in[label * 2 + 1]);
  }
  if (pairs > 0) ends_.push_back(pairs);
}

std::vector<int16_t> VoteTable::votes() const {
  std::vector<int16_t> out;
  out.reserve(rows_ * labels_);
  for (size_t row = 0; row < rows_; ++row)
    for (size_t label = 0; label < labels_; ++label) out.push_back(pairs_[(row / 2 * width_ + label) * 2 + row % 2]);
  return out;
}

void VoteTable::add_to(std::span<float> out, std::span<const int16_t> loud, float unit) const {
  assert(out.size() == labels_ && loud.size() == (rows_ + 1) / 2 * 2);
  std::vector<float> sums(width_);
  size_t from = 0;
  for (const size_t end : ends_) {
    add_pairs(pairs_.data() + from * width_ * 2, end - from, width_, loud.data() + from * 2, sums.data());
    from = end;
  }
  for (size_t label = 0; label < labels_; ++label) out[label] += unit * sums[label];
}

}  // namespace ajar::learn
