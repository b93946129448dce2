#pragma once
// A LoRA adapter (Hu et al., 2021): for some matrices W of a model the low-rank B and A of W + scale * B * A. It is never merged:
// replies with different adapters, and with none, share a batch and the model's weights. Immutable once loaded; any thread.
//
// Two kinds of files: GGUF with general.type "adapter" (tensors <base tensor>.lora_a, .lora_b; adapter.lora.alpha), and folders
// as the PEFT library writes them (adapter_config.json, adapter_model.safetensors). Attention and dense feed-forward can be
// adapted; embeddings, the output matrix, norms and experts cannot.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/huge_buffer.h"
#include "engine/model.h"

namespace ajar::engine {

enum class AdapterTarget : uint8_t { kQ, kK, kV, kO, kGate, kUp, kDown };
constexpr size_t kAdapterTargets = 7;
constexpr int64_t kMaxAdapterRank = 256;

// Panels of F32, whatever the file holds: so little arithmetic that its precision costs nothing, and the same bits in every batch.
struct LowRank {
  Matrix a, b;  // rank x columns, rows x rank; b has the scale multiplied in
  bool empty() const { return a.empty(); }
};
using AdapterLayer = std::array<LowRank, kAdapterTargets>;

class Adapter {
 public:
  // kNotFound; kInvalid: damaged, or of another model (names the tensor and both shapes); kUnsupported names what is adapted
  // that cannot be; kTooLarge: no memory.
  static Result<std::shared_ptr<const Adapter>> load(const std::string& path, const Model& model);

  const LowRank& at(size_t layer, AdapterTarget target) const { return layers_[layer][static_cast<size_t>(target)]; }
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
