#pragma once
// What a model of a family is made of: the tensors and their shapes that a configuration asks for. By it a checkpoint is
// checked before anything computes with it, and random models are made.

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/model_config.h"

namespace ajar::engine {

struct Tensor;

// A kind of model that the engine knows, by GGUF's word for it.
struct Family {
  std::string_view name;
  RopeKind gguf_rope = RopeKind::kHalves;  // of its GGUF files; Hugging Face's are kHalves wherever they rotate
  bool encoder = false;                    // BERT's: LayerNorm, not causal
  bool gemma = false;                      // norms after attention and feed-forward, scaled embeddings
  bool head_norms = false;                 // Q and K are normalised per head
  bool fused_qkv = false;                  // one tensor for Q, K and V
  bool fused_gate_up = false;              // ffn_up holds the gate's rows, then the others
  bool gated = true;                       // the feed-forward has a gate
  bool moe = false;                        // has experts always
};
const Family* find_family(std::string_view architecture);  // null: unknown
Result<const Family*> family_of(std::string_view architecture);  // kUnsupported lists those that are known

// Whether the numbers make sense together: nothing is 0, beyond its cap or not finite, heads divide. kInvalid names what.
Status check_config(const ModelConfig& config);

struct TensorRule {
  std::string name;
  std::array<int64_t, 4> shape{1, 1, 1, 1};  // as Tensor::shape
  bool required = true;
};
// All that a model of this configuration may hold. Where a checkpoint may lay things out in more than one way (Q, K and V
// apart or fused, experts apart or together), `has` tells which it took.
std::vector<TensorRule> tensor_rules(const ModelConfig& config, const std::function<bool(std::string_view)>& has);

// Whether the tensors are those: kInvalid names one that is missing or has another shape, kUnsupported one that no model
// of the family has.
Status check_tensors(const ModelConfig& config, const std::vector<Tensor>& tensors);

std::string shape_text(const std::array<int64_t, 4>& shape);  // "64 x 32"

}  // namespace ajar::engine
