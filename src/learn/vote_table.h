#pragma once
// What each row of a kernel says for each label, kept so that all of it is added up in few instructions. Immutable; any thread.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ajar::learn {

class VoteTable {
 public:
  VoteTable() = default;  // no rows
  // rows x labels of them.
  VoteTable(std::span<const int16_t> votes, size_t labels);

  size_t rows() const { return rows_; }
  std::vector<int16_t> votes() const;  // rows x labels, as they came

  // out[label] += unit * the sum over the rows of loud[row] * votes[row][label]. A loudness is 0 .. kLoudest (dense_math.h); the sums are exact but for
  // the last additions, in floats. `loud` has rows() of them, and after an odd number a 0.
  void add_to(std::span<float> out, std::span<const int16_t> loud, float unit) const;

 private:
  size_t place(size_t row, size_t label) const { return (row / 2 * width_ + label) * 2 + row % 2; }

  size_t rows_ = 0, labels_ = 0, width_ = 0;  // labels, with what fills a register up
  std::vector<int16_t> pairs_;                // of rows: [pair][label][row of the pair]
  std::vector<size_t> ends_;                  // of the stretches of pairs whose sums fit in 32 bits, however loud they are
};

}  // namespace ajar::learn
