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
    for (size_t label = 0; label < labels; ++label) pairs_[place(row, label)] = votes[row * labels + label];

  constexpr int64_t kMost = std::numeric_limits<int32_t>::max() / kLoudest;
  const auto most = [&](size_t pair, size_t label) { return std::abs(pairs_[place(pair * 2, label)]) + std::abs(pairs_[place(pair * 2 + 1, label)]); };
  std::vector<int64_t> sums(labels);
  for (size_t pair = 0; pair < pairs; ++pair) {
    bool fits = true;
    for (size_t label = 0; label < labels; ++label) fits = fits && sums[label] + most(pair, label) <= kMost;
    if (!fits) {
      ends_.push_back(pair);
      std::ranges::fill(sums, 0);
    }
    for (size_t label = 0; label < labels; ++label) sums[label] += most(pair, label);
  }
  if (pairs > 0) ends_.push_back(pairs);
}

std::vector<int16_t> VoteTable::votes() const {
  std::vector<int16_t> out;
  out.reserve(rows_ * labels_);
  for (size_t row = 0; row < rows_; ++row)
    for (size_t label = 0; label < labels_; ++label) out.push_back(pairs_[place(row, label)]);
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
