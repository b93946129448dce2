#pragma once
// The part of a task model that compares a text with those that it was learnt from (a support vector expansion; Schölkopf and Smola,
// Learning with Kernels, 2002, 4.3): each of them votes for the labels, the louder the nearer its embedding lies. Immutable; any thread.

#include <cstdint>
#include <span>
#include <vector>

#include "learn/vote_table.h"

namespace ajar::learn {

// How it is learnt (kernel_ridge.h). The defaults measured best on BANKING77 (docs/task-models.md).
struct KernelOptions {
  uint32_t width = 128;      // numbers that are kept of an embedding; 0: no kernel
  double sharpness = 1.6;    // the kernel is exp(sharpness * (cosine - 1)), of embeddings less their mean
  double words = 0.25;       // plus this much of the n-grams' product
  double ridge = 0.1;        // added to the diagonal: how much a text that contradicts the others is believed

  static bool sensible(const KernelOptions& o) {
    return o.width <= 4096 && o.sharpness > 0 && o.sharpness <= 100 && o.words >= 0 && o.words <= 100 && o.ridge > 0 && o.ridge <= 100;
  }
  bool operator==(const KernelOptions&) const = default;
};

// Embeddings less their mean, in the few directions in which they differ most (principal components), of length 1.
class Projection {
 public:
  Projection() = default;
  // Of the rows' own; `kept` directions or as many as they have numbers. At least one row, all of one width.
  Projection(std::span<const std::span<const float>> rows, uint32_t kept);

  uint32_t kept() const { return mean_.empty() ? 0 : static_cast<uint32_t>(basis_.size() / mean_.size()); }
  // `embedding` has the rows' width, its length does not matter. Zeros where nothing is left of it.
  std::vector<float> operator()(std::span<const float> embedding) const;

 private:
  friend class TaskFile;
  std::vector<float> mean_, basis_;  // width; width x kept
};

class KernelRows {
 public:
  KernelRows() = default;  // none
  // `rows` are of the projection. Weights are set later, once they are learnt.
  KernelRows(Projection projection, std::span<const std::span<const float>> embeddings);

  bool empty() const { return scales_.empty(); }
  size_t size() const { return scales_.size(); }
  const Projection& projection() const { return projection_; }
  // Row i as it is kept, a byte a number.
  std::vector<float> row(size_t i) const;
  // size() x `labels`.
  void set_weights(std::span<const float> weights, size_t labels);

  // Adds what the rows say to the logits. `embedding` has the embedder's width.
  void add_to(std::span<float> logits, std::span<const float> embedding, double sharpness) const;

 private:
  friend class TaskFile;
  Projection projection_;
  // Row i: values_[i * kept ..] in units of scales_[i]. Its votes are in units of unit_.
  std::vector<float> scales_;
  std::vector<int8_t> values_;
  float unit_ = 0;
  VoteTable votes_;
};

}  // namespace ajar::learn
