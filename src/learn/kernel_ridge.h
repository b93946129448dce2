#pragma once
// Kernel ridge regression (Saunders, Gammerman and Vovk, 1998) of labels on texts, by embeddings and n-grams together: the weights at
// which the rows' votes come nearest to the labels, of all rows at once, in one solve. n^3 / 3 multiplications and n^2 * 2 bytes.

#include <functional>
#include <span>

#include "base/error.h"
#include "learn/kernel_rows.h"
#include "learn/linear.h"

namespace ajar::learn {

struct KernelExample {
  const SparseVector* words;
  std::span<const float> embedding;  // all of one width, above 0
  uint32_t label = 0;
};

struct KernelFit {
  LinearModel words;   // without dense columns: the n-grams' part is linear, so it needs no rows
  KernelRows rows;
};

inline constexpr size_t kMostKernelRows = 16'384;  // half a gigabyte, and a minute or two

// Of more examples than kMostKernelRows so many of each label as it has its share. A text that is sure of its label has a logit of
// about 14 above the others', so that a temperature of 1 is not far off. kInvalid: fewer than two labels or a label out of
// range. `progress` gets 0 .. 1 on the calling thread.
Result<KernelFit> train_kernel(std::span<const KernelExample> examples, uint32_t labels, uint32_t columns, const KernelOptions& options,
                               int threads, const std::function<void(double)>& progress = {});

}  // namespace ajar::learn
