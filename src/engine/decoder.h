#pragma once
// The forward pass of a decoder over a batch: any mixture of prompts in pieces and single tokens of different sequences.
// One per model and engine thread; not thread-safe, works on the pool's threads.

#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "engine/adapter.h"
#include "engine/kv_pool.h"
#include "engine/kv_q8.h"
#include "engine/model.h"
#include "engine/multiplier.h"
#include "engine/rope.h"

namespace ajar::engine {

// One token to be computed. Tokens of a sequence stand together in the batch, by position; their pages are there already.
struct Row {
  int32_t token = 0;
  int32_t position = 0;
  const KvSequence* sequence = nullptr;
  bool logits = false;
  const Adapter* adapter = nullptr;  // of this model, or none
};

class Decoder {
 public:
  // `context`: the longest sequence to be computed.
  Decoder(std::shared_ptr<const Model> model, ComputePool& pool, MultiplierOptions options, int32_t context);

  // Writes keys and values of all rows to the cache and returns the logits of those rows that want them, in order:
  // [row][vocab] with a stride of logit_stride(), valid until the next call.
  const float* forward(std::span<const Row> rows, const KvPool& cache);
  int64_t logit_stride() const { return model_->head().padded_rows(); }
  const Model& model() const { return *model_; }

 private:
  void embed(std::span<const Row> rows);
  void attention(const Layer& layer, int index, std::span<const Row> rows, const KvPool& cache);
  void store_keys(const Layer& layer, int index, std::span<const Row> rows, const KvPool& cache);
  void attend(const Layer& layer, int index, std::span<const Row> rows, const KvPool& cache);
  void feed_forward(const Layer& layer, int index, std::span<const Row> rows);
  void normalize(const Norm& norm, const float* x, int64_t ldx, float* out, int64_t ldo, int count);
  void add_rows(const float* y, int64_t ldy, int count);
  void reserve(int count, int64_t longest);

  struct AdapterRows {
    const Adapter* adapter;
    std::vector<int> rows;  // of a multiplication's input, ascending
  };
  struct Adapting {  // the adapters of an input's rows, and which of their matrices
    std::span<const AdapterRows> groups;
    int layer;
    int32_t expert = kNoExpert;
  };
  struct Adapted {  // what a target's matrix gave, to which its adapters add
    AdapterTarget target;
    float* y;
    int64_t ld;
  };
  static void group_by_adapter(std::span<const Row> rows, std::vector<AdapterRows>& groups);
  // At most three outputs, all of the input x.
  void adapt(const Adapting& by, const float* x, int64_t ldx, std::initializer_list<Adapted> outputs);
  void gated(const Matrix& gate, const Matrix& up, const Matrix& down, const Adapting& by, const float* x, int64_t ldx, int count, float* out, int64_t ldo);

  struct Choice {  // of an expert, by a token
    int token;
    float weight;
  };
  void experts(const Layer& layer, int index, std::span<const Row> rows);
  void route(const Layer& layer, int index, int count);
  void expert(const Layer& layer, int index, int32_t number, std::span<const Row> rows);
  void shared_expert(const Layer& layer, int index, int count);
  // Groups the rows that an expert gets. None where no adapter of the batch has something for the layer's experts.
  std::span<const AdapterRows> gathered_groups(int layer, std::span<const Choice> tokens, std::span<const Row> rows);

  std::shared_ptr<const Model> model_;
  ComputePool& pool_;
  Multiplier multiplier_;
  Rope rope_, local_rope_;
  const Q8Kernels& q8_;
  // Widths with room for whole panels.
  int64_t embedding_, q_width_, kv_width_, ff_width_;
  int capacity_ = 0;
  std::vector<float> x_, normed_, q_, k_, v_, attended_, projected_, gate_, up_, logits_;
  std::vector<float> cosines_, sines_, local_cosines_, local_sines_;
  std::vector<float> gathered_, expert_out_, router_;
  std::vector<std::vector<Choice>> chosen_;  // by expert, of the layer under way
  std::vector<AdapterRows> groups_;  // of the batch under way; rows without adapter are in none
  std::vector<AdapterRows> gathered_groups_;
  std::vector<Row> gathered_rows_;
  std::vector<float> adapter_in_, low_, delta_;
  std::vector<std::vector<float>> scores_;  // per thread
};

}  // namespace ajar::engine
