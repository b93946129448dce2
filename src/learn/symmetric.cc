#include "learn/symmetric.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <thread>

namespace ajar::learn {
namespace {

// A diagonal tile to its own factor. False: not positive definite.
bool factor_diagonal(float* t) {
  for (size_t j = 0; j < kTile; ++j) {
    for (size_t k = 0; k < j; ++k)
      for (size_t i = j; i < kTile; ++i) t[j * kTile + i] -= t[k * kTile + i] * t[k * kTile + j];
    const float square = t[j * kTile + j];
    if (!(square > 0)) return false;
    const float scale = 1 / std::sqrt(square);
    for (size_t i = j; i < kTile; ++i) t[j * kTile + i] *= scale;
  }
  return true;
}

// x[j][..] of: sum over m <= j of x[m][..] * diagonal[m][j] = c[j][..]; in place.
void substitute(float* __restrict c, const float* __restrict diagonal) {
  for (size_t j = 0; j < kTile; ++j) {
    for (size_t m = 0; m < j; ++m) {
      const float by = diagonal[m * kTile + j];
      for (size_t x = 0; x < kTile; ++x) c[j * kTile + x] -= c[m * kTile + x] * by;
    }
    const float scale = 1 / diagonal[j * kTile + j];
    for (size_t x = 0; x < kTile; ++x) c[j * kTile + x] *= scale;
  }
}

// The same from the other end, with the diagonal tile transposed.
void substitute_back(float* __restrict c, const float* __restrict diagonal) {
  for (size_t j = kTile; j-- > 0;) {
    for (size_t m = j + 1; m < kTile; ++m) {
      const float by = diagonal[j * kTile + m];
      for (size_t x = 0; x < kTile; ++x) c[j * kTile + x] -= c[m * kTile + x] * by;
    }
    const float scale = 1 / diagonal[j * kTile + j];
    for (size_t x = 0; x < kTile; ++x) c[j * kTile + x] *= scale;
  }
}

}  // namespace

void in_parallel(int threads, size_t n, const std::function<void(size_t)>& f) {
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < n; i = next++) f(i);
  };
  std::vector<std::jthread> others;
  for (size_t t = 1; t < std::min(n, static_cast<size_t>(std::clamp(threads, 1, 8))); ++t) others.emplace_back(work);
  work();
}

SymmetricMatrix::SymmetricMatrix(size_t rows) : tiles_((rows + kTile - 1) / kTile), values_(tiles_ * (tiles_ + 1) / 2 * kTile * kTile) {}

Status SymmetricMatrix::factor(int threads, const std::function<void(double)>& progress) {
  for (size_t j = 0; j < tiles_; ++j) {
    in_parallel(threads, tiles_ - j, [&](size_t n) {
      for (size_t k = 0; k < j; ++k) subtract_product(tile(j + n, j), tile(j + n, k), tile(j, k));
    });
    if (!factor_diagonal(tile(j, j))) return invalid("", "the matrix is not positive definite");
    in_parallel(threads, tiles_ - j - 1, [&](size_t n) { substitute(tile(j + 1 + n, j), tile(j, j)); });
    if (progress) {
      const double left = static_cast<double>(tiles_ - j - 1) / static_cast<double>(tiles_);
      progress(1 - left * left * (3 - 2 * left));  // the columns in the middle are the long ones
    }
  }
  return {};
}

void SymmetricMatrix::solve(float* b) const {
  const auto part = [&](size_t i) { return b + i * kTile * kTile; };
  for (size_t i = 0; i < tiles_; ++i) {
    for (size_t j = 0; j < i; ++j) subtract_product(part(i), part(j), tile(i, j));
    substitute(part(i), tile(i, i));
  }
  std::array<float, kTile * kTile> turned;
  for (size_t i = tiles_; i-- > 0;) {
    for (size_t k = i + 1; k < tiles_; ++k) {
      const float* t = tile(k, i);
      for (size_t x = 0; x < kTile; ++x)
        for (size_t y = 0; y < kTile; ++y) turned[y * kTile + x] = t[x * kTile + y];
      subtract_product(part(i), part(k), turned.data());
    }
    substitute_back(part(i), tile(i, i));
  }
}

}  // namespace ajar::learn
