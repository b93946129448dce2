#pragma once
// What a checkpoint says of its model's shape, in one set of words for GGUF metadata and Hugging Face's config.json.

#include <cstdint>
#include <string>
#include <vector>

namespace ajar::engine {

enum class RopeKind : uint8_t {
  kNone,         // learned or no positions
  kInterleaved,  // pairs (0,1), (2,3), …: GGUF's "llama" architectures, whose Q and K were permuted for it
  kHalves,       // pairs (0, d/2), (1, d/2+1), …: NeoX; also Llama as Hugging Face stores it
};
enum class RopeScaling : uint8_t { kNone, kLinear, kNtk, kYarn, kLlama3, kLongRope };
enum class Activation : uint8_t { kSilu, kGeluTanh, kGelu };
enum class Pooling : uint8_t { kNone, kMean, kCls, kLast, kRank };

struct RopeConfig {
  RopeKind kind = RopeKind::kInterleaved;
  RopeScaling scaling = RopeScaling::kNone;
  int32_t dims = 0;              // rotated dimensions of a head, even, at most head_dim
  float base = 10000;
  float local_base = 0;          // of layers with a sliding window (Gemma 3); 0: as `base`
  float factor = 1;              // context extension
  float attention_factor = 1;    // what YaRN and LongRope multiply cos and sin by (Q·K: its square)
  float beta_fast = 32, beta_slow = 1;              // YaRN
  float low_freq_factor = 1, high_freq_factor = 4;  // Llama 3
  int32_t original_context = 0;  // before the extension; 0: unknown
  // Per pair, what its frequency is divided by: GGUF's rope_freqs.weight, LongRope's long and short factors. Empty: 1.
  std::vector<float> factors, long_factors, short_factors;
};

struct ModelConfig {
  std::string architecture;      // GGUF's word: "llama", "qwen2", "qwen3", "qwen3moe", "gemma2", "gemma3", "phi3", "bert", …
  std::string name;              // general.name, or the folder's
  std::string licence;           // as the checkpoint says it; empty: it does not
  int32_t vocab = 0;
  int32_t context = 0;           // positions trained for
  int32_t embedding = 0;         // width of the residual stream
  int32_t layers = 0;
  int32_t feed_forward = 0;      // of a dense layer
  int32_t heads = 0, kv_heads = 0;
  int32_t head_dim = 0;
  float norm_epsilon = 1e-5f;
  bool layer_norm = false;       // LayerNorm with bias instead of RMSNorm (BERT)
  bool norm_plus_one = false;    // weights are stored as w - 1 (Gemma from Hugging Face; GGUF has them added)
  bool causal = true;
  Activation activation = Activation::kSilu;
  RopeConfig rope;
  int32_t sliding_window = 0;    // 0: none
  std::vector<bool> local_layer; // which layers use the window; empty: all, where there is one
  float embedding_scale = 1;     // Gemma: sqrt(embedding)
  float attention_scale = 0;     // of Q·K; 0: 1/sqrt(head_dim)
  float attention_softcap = 0, logit_softcap = 0;  // Gemma 2; 0: none
  // Mixtures of experts.
  int32_t experts = 0, experts_used = 0;
  int32_t expert_feed_forward = 0, shared_feed_forward = 0;
  bool normalize_expert_weights = true;
  float expert_weights_scale = 1;
  // Encoders.
  Pooling pooling = Pooling::kNone;
  int32_t token_types = 0;
  std::vector<std::string> labels;  // of a classifier head; a cross-encoder has one
};

}  // namespace ajar::engine
