#pragma once
// Owns what Kernels::multiply_integer reads: rows of inputs as 8-bit integers.

#include <cstdint>
#include <vector>

#include "engine/kernels.h"

namespace ajar::engine {

class QuantizedInput {
 public:
  // Room for `rows` rows of `columns` columns, a multiple of 32, with codes up to `most`; it only grows.
  void resize(int64_t rows, int64_t columns, int most = kWideInput) {
    columns_ = columns, most_ = most;
    auto count = static_cast<size_t>(rows * columns);
    if (codes_.size() >= count) return;
    codes_.resize(count), scales_.resize(count / 32), sums_.resize(count / 16), totals_.resize(count / 32);
  }

  // Different rows may be set by different threads.
  void set(const Kernels& kernels, int64_t row, const float* x) {
    const int64_t at = row * columns_;
    kernels.quantize(x, columns_, most_, codes_.data() + at, scales_.data() + at / 32, sums_.data() + at / 16, totals_.data() + at / 32);
  }

  QuantizedRows from(int64_t row = 0) const {
    const int64_t at = row * columns_;
    return {codes_.data() + at, scales_.data() + at / 32, sums_.data() + at / 16, totals_.data() + at / 32, columns_, most_};
  }

  bool operator==(const QuantizedInput&) const = default;

 private:
  int64_t columns_ = 0;
  int most_ = kWideInput;
  std::vector<int8_t> codes_;
  std::vector<float> scales_, sums_;
  std::vector<int32_t> totals_;
};

}  // namespace ajar::engine
