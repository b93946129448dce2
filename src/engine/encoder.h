#pragma once
// The forward pass of encoders (BERT and its descendants): texts to vectors, and pairs of texts to scores. Many texts share one
// batch. One per model; one caller at a time, works on the pool's threads.

#include <memory>
#include <span>
#include <vector>

#include "engine/kv_pool.h"
#include "engine/model.h"
#include "engine/multiplier.h"
#include "engine/rope.h"

namespace ajar::engine {

// A text with its special tokens in place. `types` is empty or says of each token which of two texts it belongs to.
struct EncoderInput {
  std::vector<int32_t> tokens;
  std::vector<int32_t> types;
};

constexpr int kAllLayers = -1;

class Encoder {
 public:
  static Result<std::unique_ptr<Encoder>> make(std::shared_ptr<const Model> model, std::shared_ptr<ComputePool> pool,
                                               MultiplierOptions options = {});

  // One row of dimension() floats per text, pooled as the model wants it and not normalised; of a cross-encoder
  // one score per label. `layers`: only the first of them, what a task model may learn from for less; 0: none, so that only the
  // embeddings of tokens and positions are pooled. kTooLarge: a text is longer than context(); says which and how long. kUnsupported:
  // the model has fewer layers.
  Result<std::vector<float>> run(std::span<const EncoderInput> texts, int layers = kAllLayers);

  int32_t dimension() const;
  int32_t context() const { return model_->config().context; }
  const Model& model() const { return *model_; }

 private:
  Encoder(std::shared_ptr<const Model> model, std::shared_ptr<ComputePool> pool, MultiplierOptions options, KvPool pages);
  void batch(std::span<const EncoderInput> texts, std::span<const Layer> layers, float* out);
  void embed(std::span<const EncoderInput> texts);
  void attention(const Layer& layer, std::span<const EncoderInput> texts, int count);
  void feed_forward(const Layer& layer, int count);
  void pool_rows(std::span<const EncoderInput> texts, float* out);
  void add_and_normalize(const Norm& norm, const float* y, int count);

  std::shared_ptr<const Model> model_;
  std::shared_ptr<ComputePool> pool_;
  Multiplier multiplier_;
  Rope rope_;
  KvPool pages_;               // of one layer at a time
  int64_t embedding_, q_width_, kv_width_, ff_width_;
  std::vector<float> x_, q_, k_, v_, mixed_, out_, up_, gate_;
  std::vector<std::vector<float>> scores_;  // per thread
};

}  // namespace ajar::engine
