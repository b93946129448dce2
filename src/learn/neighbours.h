#pragma once
// Texts that a label was learnt from, kept as their embeddings: how densely they lie around a new text says what a linear model
// cannot, where a label means several things. A kernel density estimate (Parzen, 1962) of each likely label; its logarithm is
// added to the label's logit, a product of the two opinions. Immutable once made; any thread.

#include <cstdint>
#include <span>
#include <vector>

namespace ajar::learn {

struct NeighbourOptions {
  double weight = 0;             // of the logarithm beside the logit; 0: no neighbours are kept
  double sharpness = 32;         // the kernel is exp(sharpness * (cosine - 1))

  static bool sensible(const NeighbourOptions& o) { return o.weight >= 0 && o.weight <= 100 && o.sharpness > 0 && o.sharpness <= 10'000; }
};

class Neighbours {
 public:
  static constexpr uint32_t kAsked = 5;         // labels, the likeliest: of the others none becomes the first
  static constexpr size_t kMost = 32'768;       // rows that are kept, so many for each label that all are treated alike

  struct Row {
    uint32_t label;
    std::span<const float> embedding;
  };

  Neighbours() = default;        // none
  // `rows` in any order, of one width; a label's are thinned out evenly.
  Neighbours(std::span<const Row> rows, uint32_t labels, uint32_t width);

  bool empty() const { return values_.empty(); }
  // Adds to the logits; `embedding` has the rows' width, its length does not matter.
  void add_to(std::span<float> logits, std::span<const float> embedding, const NeighbourOptions& options) const;

 private:
  friend class TaskFile;
  // Of row i: values_[i * width ..], in units of scales_[i]; its length is 1. Rows of label l: ends_[l - 1] .. ends_[l] - 1.
  std::vector<uint32_t> ends_;
  std::vector<float> scales_;
  std::vector<int8_t> values_;
};

}  // namespace ajar::learn
