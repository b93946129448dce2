#pragma once
// A model in memory: its weights as panels on large pages, ready to be multiplied. Immutable once loaded and shared by all threads.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/checkpoint.h"
#include "engine/compute_pool.h"
#include "engine/huge_buffer.h"
#include "engine/panel.h"

namespace ajar::engine {

// rows x columns; output = matrix * input. Points into the model's buffer. Empty: the model has no such matrix.
struct Matrix {
  Dtype dtype = Dtype::kF32;
  int64_t rows = 0, columns = 0;
  const std::byte* panels = nullptr;
  std::vector<float> bias;  // empty, or one per row

  bool empty() const { return panels == nullptr; }
  int panel_count() const { return static_cast<int>((rows + kPanelRows - 1) / kPanelRows); }
  int64_t padded_rows() const { return int64_t{panel_count()} * kPanelRows; }
  int64_t bytes() const { return panel_count() * panel_layout(dtype, columns).stride; }
};

struct Norm {
  std::vector<float> weight, bias;  // empty weight: no norm here
  bool empty() const { return weight.empty(); }
};

struct Expert {
  Matrix gate, up, down;
};

// One block of a decoder or encoder. What an architecture lacks is empty.
struct Layer {
  Norm attention_norm, q_norm, k_norm, post_attention_norm;
  Matrix q, k, v, o;
  Norm feed_norm, post_feed_norm;
  Matrix gate, up, down;
  // Mixtures of experts: the router, the experts, and one that every token passes, with its own gate.
  Matrix router;
  std::vector<Expert> experts;
  Expert shared;
  Matrix shared_gate;
  // Encoders normalise after adding.
  Norm attention_output_norm, layer_output_norm;
  bool local = false;  // attends within the sliding window only
};

struct LoadOptions {
  std::function<void(double)> progress;  // gets 0..1 from time to time, on the calling thread
  bool round_floats = false;             // matrices of floats become Q8_0: a quarter of the memory, integer or tile arithmetic
};

class Model {
 public:
  // Reads and packs all weights with the pool's threads. kUnsupported names an architecture or a tensor that we cannot run;
  // kTooLarge when memory is short.
  static Result<std::shared_ptr<const Model>> load(std::shared_ptr<const Checkpoint> checkpoint, ComputePool& pool, const LoadOptions& options = {});

  const ModelConfig& config() const { return checkpoint_->config(); }
  const Checkpoint& checkpoint() const { return *checkpoint_; }

  const std::vector<Layer>& layers() const { return layers_; }
  const Norm& embedding_norm() const { return embedding_norm_; }
  const Norm& output_norm() const { return output_norm_; }
  const Matrix& head() const { return head_; }              // vocab x embedding; encoders: empty
  const Matrix& pooler() const { return pooler_; }          // cross-encoders: dense before the classifier, or empty
  const Matrix& classifier() const { return classifier_; }  // labels x embedding, or empty
  // Row `token` of the embedding matrix, unscaled, into `embedding` floats.
  void embed(int32_t token, float* out) const;
  const Tensor* position_embedding() const { return position_embedding_; }
  const Tensor* type_embedding() const { return type_embedding_; }

  size_t bytes() const { return buffer_.size(); }           // of memory for weights
  int64_t parameters() const { return parameters_; }
  // Bytes of weights that one decoded token reads.
  int64_t bytes_per_token() const { return bytes_per_token_; }

 private:
  friend class ModelLoader;
  std::shared_ptr<const Checkpoint> checkpoint_;
  HugeBuffer buffer_;
  std::vector<Layer> layers_;
  Norm embedding_norm_, output_norm_;
  Matrix head_, pooler_, classifier_;
  const Tensor* embedding_ = nullptr;
  const Tensor* position_embedding_ = nullptr;
  const Tensor* type_embedding_ = nullptr;
  int64_t parameters_ = 0, bytes_per_token_ = 0;
};

}  // namespace ajar::engine
