#pragma once
// Multinomial logistic regression over sparse columns (hashed n-grams) and dense ones (an embedding), trained by AdaGrad
// (Duchi et al., 2011) in small batches. The same seed and options give the same weights with any number of threads:
// threads divide the labels, so that each weight sees the same sums in the same order.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/error.h"
#include "learn/features.h"

namespace ajar::learn {

struct Example {
  SparseVector sparse;
  std::vector<float> dense;   // all of one width, may be 0
  uint32_t label = 0;
};

struct LinearOptions {
  int epochs = 12;
  int batch = 16;
  double rate = 0.3;          // AdaGrad's step
  double l2 = 1e-6;           // pull to zero of a touched weight, per example
  double smoothing = 0;       // of the labels: this much probability goes to all of them alike
  int threads = 2;            // at most
  uint64_t seed = 1;          // of the order of examples
};

// Weights by column, a row of `labels` floats for each: first the sparse columns, then the dense ones, then the bias.
struct LinearModel {
  uint32_t labels = 0, columns = 0, width = 0;
  std::vector<float> weights;

  size_t rows() const { return size_t{columns} + width + 1; }
  std::span<const float> row(size_t i) const { return std::span(weights).subspan(i * labels, labels); }
  // logits[label] of one text; `dense` has `width` numbers.
  void logits(const SparseVector& sparse, std::span<const float> dense, std::span<float> out) const;
};

// kInvalid: fewer than two labels, a label or column out of range, widths that differ. `progress` gets (epoch, mean loss in
// nats) on the calling thread.
Result<LinearModel> train_linear(std::span<const Example> examples, uint32_t labels, uint32_t columns,
                                 const LinearOptions& options,
                                 const std::function<void(int epoch, double loss)>& progress = {});

// In place; returns the log of the sum, so that log p = logit - it. `temperature` divides the logits first.
double softmax(std::span<float> logits, double temperature = 1);

}  // namespace ajar::learn
