#pragma once
// A LoRA adapter (Hu et al., 2021): for some matrices W of a model the low-rank B and A of W + scale * B * A. It is never merged:
// replies with different adapters, and with none, share a batch and the model's weights. Immutable once loaded; any thread.
//
// Two kinds of files: GGUF with general.type "adapter" (tensors <base tensor>.lora_a, .lora_b; adapter.lora.alpha), and folders
// as the PEFT library writes them (adapter_config.json, adapter_model.safetensors). Attention and feed-forward can be adapted, and
// in mixtures each expert, the one that all tokens pass, and the routers; embeddings, the output matrix and norms cannot.
// A GGUF file has the experts' As in one tensor, one behind the other, and their Bs (blk.0.ffn_up_exps.weight.lora_a: columns x
// rank x experts); a PEFT folder has tensors for each expert (mlp.experts.3.up_proj), and may leave experts out.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/huge_buffer.h"
#include "engine/model.h"

namespace ajar::engine {

// kRouter chooses among the experts of a mixture, kSharedGate weighs the one that all tokens pass. An expert has the first three alone.
enum class AdapterTarget : uint8_t { kGate, kUp, kDown, kQ, kK, kV, kO, kRouter, kSharedGate };
constexpr size_t kExpertTargets = 3, kAdapterTargets = 9;
constexpr int32_t kNoExpert = -1;
constexpr int64_t kMaxAdapterRank = 256;

// Panels of F32, whatever the file holds: so little arithmetic that its precision costs nothing, and the same bits in every batch.
struct LowRank {
  Matrix a, b;  // rank x columns, rows x rank; b has the scale multiplied in
  bool empty() const { return a.empty(); }
};
struct AdapterLayer {
  std::array<LowRank, kAdapterTargets> common;  // of what all tokens pass; a mixture's gate, up and down are its shared expert's
  std::vector<std::array<LowRank, kExpertTargets>> experts;  // by number; none: no expert of the layer is adapted
};

class Adapter {
 public:
  // kNotFound; kInvalid: damaged, or of another model (names the tensor and both shapes, or what the model lacks); kUnsupported
  // names what is adapted that cannot be; kTooLarge: no memory.
  static Result<std::shared_ptr<const Adapter>> load(const std::string& path, const Model& model);

  // Of one expert, or with kNoExpert of what all tokens pass. Null: not adapted.
  const LowRank* find(size_t layer, AdapterTarget target, int32_t expert) const {
    const AdapterLayer& in = layers_[layer];
    if (expert != kNoExpert && in.experts.empty()) return nullptr;
    const auto at = static_cast<size_t>(target);
    const LowRank& low = expert == kNoExpert ? in.common[at] : in.experts[static_cast<size_t>(expert)][at];
    return low.empty() ? nullptr : &low;
  }
  bool adapts_experts(size_t layer) const { return !layers_[layer].experts.empty(); }
  // Of this copy in memory, never 0 and never given twice in a process: what was computed with it is of use with it alone.
  uint64_t identity() const { return identity_; }
  bool fits(const Model& model) const { return base_ == &model; }  // it was loaded for this one
  int64_t rank() const { return rank_; }                           // the largest
  size_t bytes() const { return buffer_.size(); }
  const std::string& path() const { return path_; }

 private:
  friend class AdapterLoader;
  std::string path_;
  const Model* base_ = nullptr;  // to be compared only
  uint64_t identity_ = 0;
  int64_t rank_ = 0;
  HugeBuffer buffer_;
  std::vector<AdapterLayer> layers_;
};

}  // namespace ajar::engine
