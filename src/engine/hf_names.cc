// Names of tensors: Hugging Face's to GGUF's.
#include <optional>
#include <string>
#include <string_view>

#include "engine/hf_config.h"
#include "engine/model_check.h"

namespace ajar::engine {
namespace {

struct Rename {
  std::string_view hf, gguf;
};
constexpr Rename kDecoder[] = {
    {"input_layernorm", "attn_norm"}, {"self_attn.q_proj", "attn_q"}, {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"}, {"self_attn.qkv_proj", "attn_qkv"}, {"self_attn.o_proj", "attn_output"},
    {"self_attn.q_norm", "attn_q_norm"}, {"self_attn.k_norm", "attn_k_norm"}, {"pre_feedforward_layernorm", "ffn_norm"},
    {"post_feedforward_layernorm", "post_ffw_norm"}, {"mlp.gate_proj", "ffn_gate"}, {"mlp.up_proj", "ffn_up"},
    {"mlp.gate_up_proj", "ffn_up"}, {"mlp.down_proj", "ffn_down"}, {"mlp.gate", "ffn_gate_inp"},
    {"block_sparse_moe.gate", "ffn_gate_inp"}, {"mlp.shared_expert.gate_proj", "ffn_gate_shexp"},
    {"mlp.shared_expert.up_proj", "ffn_up_shexp"}, {"mlp.shared_expert.down_proj", "ffn_down_shexp"},
    {"mlp.shared_expert_gate", "ffn_gate_inp_shexp"}};
constexpr Rename kExpert[] = {{"w1", "ffn_gate"}, {"w2", "ffn_down"}, {"w3", "ffn_up"},
                              {"gate_proj", "ffn_gate"}, {"down_proj", "ffn_down"}, {"up_proj", "ffn_up"}};
constexpr Rename kEncoder[] = {
    {"attention.self.query", "attn_q"}, {"attention.self.key", "attn_k"}, {"attention.self.value", "attn_v"},
    {"attention.output.dense", "attn_output"}, {"attention.output.LayerNorm", "attn_output_norm"},
    {"intermediate.dense", "ffn_up"}, {"output.dense", "ffn_down"}, {"output.LayerNorm", "layer_output_norm"},
    {"attn.Wqkv", "attn_qkv"}, {"attn.out_proj", "attn_output"}, {"mlp.fc11", "ffn_up"}, {"mlp.fc12", "ffn_gate"},
    {"mlp.fc2", "ffn_down"}, {"norm1", "attn_output_norm"}, {"norm2", "layer_output_norm"}};
constexpr Rename kEncoderTop[] = {
    {"embeddings.word_embeddings", "token_embd"}, {"embeddings.position_embeddings", "position_embd"},
    {"embeddings.token_type_embeddings", "token_types"}, {"embeddings.LayerNorm", "token_embd_norm"},
    {"emb_ln", "token_embd_norm"}, {"classifier", "cls.output"}};

template <size_t N>
std::string_view renamed(const Rename (&table)[N], std::string_view name) {
  for (const Rename& row : table) {
    if (row.hf == name) return row.gguf;
  }
  return {};
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// "12.rest" gives 12 and leaves "rest".
std::optional<std::string_view> take_number(std::string_view& text) {
  const size_t dot = text.find('.');
  const std::string_view digits = text.substr(0, dot);
  if (dot == std::string_view::npos || digits.empty() || digits.size() > 5 ||
      digits.find_first_not_of("0123456789") != std::string_view::npos || (digits.size() > 1 && digits[0] == '0')) {
    return std::nullopt;
  }
  text.remove_prefix(dot + 1);
  return digits;
}

std::optional<std::string> decoder_name(const ModelConfig& config, std::string_view name, std::string_view kind) {
  if (name == "embed_tokens") return "token_embd" + std::string(kind);
  if (name == "norm") return "output_norm" + std::string(kind);
  if (name == "lm_head") return "output" + std::string(kind);
  if (!take_prefix(name, "layers.")) return std::nullopt;
  const auto layer = take_number(name);
  if (!layer) return std::nullopt;
  const std::string block = "blk." + std::string(*layer) + ".";
  if (name == "post_attention_layernorm") {
    return block + (find_family(config.architecture)->gemma ? "post_attention_norm" : "ffn_norm") + std::string(kind);
  }
  const auto module = gguf_module_name(name);
  if (!module) return std::nullopt;
  return block + *module + std::string(kind);
}

std::optional<std::string> encoder_name(const ModelConfig& config, std::string_view name, std::string_view kind) {
  if (name == "pooler.dense") return config.labels.empty() ? "" : "cls" + std::string(kind);
  if (take_prefix(name, "encoder.layer.") || take_prefix(name, "encoder.layers.")) {
    const auto layer = take_number(name);
    const std::string_view to = renamed(kEncoder, name);
    if (!layer || to.empty()) return std::nullopt;
    return "blk." + std::string(*layer) + "." + std::string(to) + std::string(kind);
  }
  const std::string_view to = renamed(kEncoderTop, name);
  if (to.empty()) return std::nullopt;
  return std::string(to) + std::string(kind);
}

}  // namespace

std::optional<std::string> gguf_module_name(std::string_view name) {
  if (take_prefix(name, "block_sparse_moe.experts.") || take_prefix(name, "mlp.experts.")) {
    const auto expert = take_number(name);
    const std::string_view to = renamed(kExpert, name);
    if (!expert || to.empty()) return std::nullopt;
    return std::string(to) + "." + std::string(*expert);
  }
  const std::string_view to = renamed(kDecoder, name);
  if (to.empty()) return std::nullopt;
  return std::string(to);
}

std::optional<std::string> gguf_tensor_name(const ModelConfig& config, std::string_view name) {
  for (const char* useless : {"vision_tower.", "multi_modal_projector.", "model.vision_tower.", "model.multi_modal_projector.",
                              "cls.predictions.", "cls.seq_relationship."}) {
    if (name.starts_with(useless)) return "";
  }
  for (const char* useless : {".rotary_emb.inv_freq", "embeddings.position_ids", ".masked_bias"}) {
    if (name.ends_with(useless)) return "";
  }
  for (const char* prefix : {"model.language_model.", "language_model.model.", "language_model.", "model.", "bert."}) {
    if (take_prefix(name, prefix)) break;
  }
  std::string_view kind;
  for (const Rename& end : {Rename{".weight", ".weight"}, {".bias", ".bias"}, {".gamma", ".weight"}, {".beta", ".bias"}}) {
    if (name.ends_with(end.hf)) {
      name.remove_suffix(end.hf.size());
      kind = end.gguf;
      break;
    }
  }
  if (kind.empty()) return std::nullopt;
  return find_family(config.architecture)->encoder ? encoder_name(config, name, kind) : decoder_name(config, name, kind);
}

}  // namespace ajar::engine
