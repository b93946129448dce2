#pragma once
// What the linear part of a task model sees of a text: hashed n-grams; and, where no kernel sees the text's embedding, that too, and
// random features of it, which let a linear model draw curved borders (random Fourier features, Rahimi and Recht, 2007). Immutable;
// any thread.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "learn/kernel_rows.h"
#include "learn/linear.h"

namespace ajar::learn {

constexpr int32_t kAllLayers = -1;

// How a task is learnt; all of it stands in the model's file, so that training can be repeated. The defaults are what measured
// best on BANKING77 and CLINC150 (docs/task-models.md).
struct TaskRecipe {
  FeatureOptions hashed{.bits = 14, .words = 2, .pieces_from = 3, .pieces_to = 4};
  uint32_t random = 512;         // random features; none where there is no embedding or a kernel
  double gamma = 2;              // their sharpness: the kernel is exp(-gamma^2 |x - y|^2 / 2)
  double embedding_scale = 2;    // weights of the parts beside the n-grams', which have length 1
  double random_scale = 2;
  KernelOptions kernel;          // none (width 0): logistic regression; so without an embedding
  int32_t layers = kAllLayers;   // of the embedder, that a text passes; 0: none, word vectors alone
  LinearOptions training{.epochs = 8, .batch = 16, .rate = 0.1, .l2 = 1e-6, .seed = 1};
};

class TaskFeatures {
 public:
  // `width` of the embedding; 0: none.
  TaskFeatures(const TaskRecipe& recipe, uint32_t width);

  uint32_t width() const { return width_; }
  uint32_t dense() const { return by_kernel_ || width_ == 0 ? 0 : width_ + random_; }
  uint32_t columns() const { return hashed_.columns(); }

  // `embedding` has width() numbers; its length does not matter. Label 0.
  Example operator()(std::string_view text, std::span<const float> embedding) const;

 private:
  FeatureOptions hashed_;
  bool by_kernel_;
  uint32_t width_, random_;
  float embedding_scale_, random_scale_;
  std::vector<float> directions_, offsets_;  // random x width, random
};

}  // namespace ajar::learn
