#pragma once
// A x = b for a large A that is symmetric and positive definite: Cholesky's factors by tiles, in floats (Golub and Van Loan, Matrix
// Computations, 4.2). Half of the matrix is kept: n^2 * 2 bytes. The same bits with any number of threads. Not for threads of the caller's.

#include <cstddef>
#include <functional>
#include <vector>

#include "base/error.h"
#include "learn/dense_math.h"

namespace ajar::learn {

class SymmetricMatrix {
 public:
  explicit SymmetricMatrix(size_t rows);   // all zero

  size_t tiles() const { return tiles_; }  // on a side
  // Rows kTile * i .., columns kTile * j .., j <= i: [column][row]. What is beyond the rows is the caller's too: ones on the diagonal.
  float* tile(size_t i, size_t j) { return values_.data() + (i * (i + 1) / 2 + j) * kTile * kTile; }
  const float* tile(size_t i, size_t j) const { return values_.data() + (i * (i + 1) / 2 + j) * kTile * kTile; }

  // In place, once. kInvalid: not positive definite. `progress` gets 0 .. 1 on the calling thread.
  Status factor(int threads, const std::function<void(double)>& progress = {});
  // Once factored: kTile right-hand sides in, their solutions out. tiles() tiles of [row][right-hand side].
  void solve(float* b) const;

 private:
  size_t tiles_;
  std::vector<float> values_;
};

// f(i) for each i below n, on so many threads, this one among them. Who does which is chance.
void in_parallel(int threads, size_t n, const std::function<void(size_t)>& f);

}  // namespace ajar::learn
