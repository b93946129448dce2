#include "engine/model_check.h"

#include <cmath>
#include <unordered_map>

#include "engine/checkpoint.h"

namespace ajar::engine {
namespace {

constexpr Family kFamilies[] = {
    {.name = "llama", .gguf_rope = RopeKind::kInterleaved},
    {.name = "qwen2"},
    {.name = "qwen2moe", .moe = true},
    {.name = "qwen3", .head_norms = true},
    {.name = "qwen3moe", .head_norms = true, .moe = true},
    {.name = "gemma2", .gemma = true},
    {.name = "gemma3", .gemma = true, .head_norms = true},
    {.name = "phi3", .fused_qkv = true, .fused_gate_up = true},
    {.name = "bert", .gguf_rope = RopeKind::kNone, .encoder = true, .gated = false},
    {.name = "nomic-bert", .encoder = true, .fused_qkv = true},
};

class Rules {
 public:
  Rules(const ModelConfig& config, const std::function<bool(std::string_view)>& has)
      : c_(config), has_(has), family_(*find_family(config.architecture)) {}

  std::vector<TensorRule> make() && {
    const int64_t width = c_.embedding;
    add("token_embd.weight", {width, c_.vocab});
    if (family_.encoder) {
      norm("token_embd_norm");
      if (c_.rope.kind == RopeKind::kNone) add("position_embd.weight", {width, c_.context});
      if (c_.token_types > 0) add("token_types.weight", {width, c_.token_types}, false);
      add("cls.weight", {width, width}, false);
      add("cls.bias", {width}, false);
      add("cls.output.weight", {width, int64_t(c_.labels.size())}, !c_.labels.empty());
      add("cls.output.bias", {int64_t(c_.labels.size())}, false);
    } else {
      norm("output_norm");
      add("output.weight", {width, c_.vocab}, false);
      if (!c_.labels.empty()) add("cls.output.weight", {width, int64_t(c_.labels.size())}, false);  // a decoder that ranks
      for (const char* name : {"rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"}) {
        add(name, {c_.rope.dims / 2}, false);
      }
    }
    for (int32_t layer = 0; layer < c_.layers; ++layer) {
      prefix_ = "blk." + std::to_string(layer) + ".";
      attention();
      if (c_.experts > 0) experts();
      else feed_forward("", c_.feed_forward, true);
      if (family_.encoder) {
        norm("layer_output_norm");
      } else {
        norm("ffn_norm");
        if (family_.gemma) norm("post_ffw_norm");
      }
    }
    return std::move(rules_);
  }

 private:
  void add(std::string_view name, std::array<int64_t, 4> shape, bool required = true) {
    for (int64_t& size : shape) size = size == 0 ? 1 : size;
    rules_.push_back({prefix_ + std::string(name), shape, required});
  }
  void linear(const std::string& name, int64_t from, int64_t to) {
    add(name + ".weight", {from, to});
    add(name + ".bias", {to}, false);
  }
  void norm(const std::string& name) {
    add(name + ".weight", {c_.embedding});
    if (c_.layer_norm) add(name + ".bias", {c_.embedding});
  }
  void attention() {
    const int64_t width = c_.embedding, q = int64_t(c_.heads) * c_.head_dim, kv = int64_t(c_.kv_heads) * c_.head_dim;
    if (!family_.encoder) norm("attn_norm");
    const bool apart = has_(prefix_ + "attn_q.weight");
    if (!apart && (family_.fused_qkv || has_(prefix_ + "attn_qkv.weight"))) {
      linear("attn_qkv", width, q + 2 * kv);
    } else {
      linear("attn_q", width, q);
      linear("attn_k", width, kv);
      linear("attn_v", width, kv);
    }
    if (family_.head_norms) {
      add("attn_q_norm.weight", {c_.head_dim});
      add("attn_k_norm.weight", {c_.head_dim});
    }
    linear("attn_output", q, width);
    if (family_.encoder) norm("attn_output_norm");
    if (family_.gemma) norm("post_attention_norm");
  }
  void feed_forward(const std::string& suffix, int64_t inner, bool bias) {
    const auto matrix = [&](const char* name, int64_t from, int64_t to) {
      if (bias) linear(name + suffix, from, to);
      else add(name + suffix + ".weight", {from, to});
    };
    if (family_.gated && !family_.fused_gate_up) matrix("ffn_gate", c_.embedding, inner);
    matrix("ffn_up", c_.embedding, family_.fused_gate_up ? 2 * inner : inner);
    matrix("ffn_down", inner, c_.embedding);
  }
  void experts() {
    const int64_t width = c_.embedding, inner = c_.expert_feed_forward;
    add("ffn_gate_inp.weight", {width, c_.experts});
    if (has_(prefix_ + "ffn_gate.0.weight")) {
      for (int32_t expert = 0; expert < c_.experts; ++expert) feed_forward("." + std::to_string(expert), inner, false);
    } else {
      add("ffn_gate_exps.weight", {width, inner, c_.experts});
      add("ffn_up_exps.weight", {width, inner, c_.experts});
      add("ffn_down_exps.weight", {inner, width, c_.experts});
    }
    if (c_.shared_feed_forward > 0) {
      add("ffn_gate_inp_shexp.weight", {width});
      feed_forward("_shexp", c_.shared_feed_forward, false);
    }
  }

  const ModelConfig& c_;
  const std::function<bool(std::string_view)>& has_;
  const Family& family_;
  std::string prefix_;
  std::vector<TensorRule> rules_;
};

}  // namespace

const Family* find_family(std::string_view architecture) {
  for (const Family& family : kFamilies) {
    if (family.name == architecture) return &family;
  }
  return nullptr;
}

Result<const Family*> family_of(std::string_view architecture) {
  if (const Family* family = find_family(architecture)) return family;
  std::string known;
  for (const Family& family : kFamilies) known += (known.empty() ? "" : ", ") + std::string(family.name);
  return fail(Code::kUnsupported, "the architecture '" + std::string(architecture) + "' is not supported; those that are: " +
                                      known, "general.architecture");
}

Status check_config(const ModelConfig& c) {
  AJAR_ASSIGN(const Family* family, family_of(c.architecture));
  struct Bound {
    const char* name;
    int64_t value, least, most;
  };
  const Bound bounds[] = {
      {"the vocabulary", c.vocab, 1, 4'000'000},
      {"the context", c.context, 1, 1 << 24},
      {"the embedding's width", c.embedding, 1, 1 << 17},
      {"the number of layers", c.layers, 1, 1024},
      {"the feed-forward's width", c.feed_forward, c.experts > 0 ? 0 : 1, 1 << 22},
      {"the number of heads", c.heads, 1, 4096},
      {"the number of KV heads", c.kv_heads, 1, c.heads},
      {"the size of a head", c.head_dim, 1, 4096},
      {"the rotated dimensions", c.rope.dims, c.rope.kind == RopeKind::kNone ? 0 : 2, c.head_dim},
      {"the sliding window", c.sliding_window, 0, 1 << 24},
      {"the number of experts", c.experts, family->moe ? 1 : 0, 1024},
      {"the number of experts used", c.experts_used, c.experts > 0 ? 1 : 0, c.experts},
      {"the experts' feed-forward width", c.expert_feed_forward, c.experts > 0 ? 1 : 0, 1 << 22},
      {"the shared expert's width", c.shared_feed_forward, 0, 1 << 22},
      {"the original context", c.rope.original_context, 0, 1 << 24},
      {"the number of token types", c.token_types, 0, 4096},
      {"the number of labels", int64_t(c.labels.size()), 0, 65536},
  };
  for (const Bound& bound : bounds) {
    if (bound.value >= bound.least && bound.value <= bound.most) continue;
    return invalid("config", std::string(bound.name) + " is " + std::to_string(bound.value) + ", not " +
                                 std::to_string(bound.least) + " to " + std::to_string(bound.most));
  }
  if (c.heads % c.kv_heads != 0) {
    return invalid("config", std::to_string(c.heads) + " heads cannot share " + std::to_string(c.kv_heads) + " KV heads");
  }
  if (int64_t(c.heads) * c.head_dim > 1 << 20) return invalid("config", "the heads are wider than 1048576");
  if (c.rope.dims % 2 != 0) return invalid("config", "the rotated dimensions are odd");
  if (!c.local_layer.empty() && c.local_layer.size() != size_t(c.layers)) {
    return invalid("config", "the pattern of windows is for " + std::to_string(c.local_layer.size()) + " layers, not " +
                                 std::to_string(c.layers));
  }
  struct Real {
    const char* name;
    float value;
    bool zero;  // may be 0
  };
  const Real reals[] = {
      {"the norms' epsilon", c.norm_epsilon, false},
      {"the base of the rotation", c.rope.base, false},
      {"the base of the local rotation", c.rope.local_base, true},
      {"the factor of the context", c.rope.factor, false},
      {"the factor of attention", c.rope.attention_factor, false},
      {"beta_fast", c.rope.beta_fast, false},
      {"beta_slow", c.rope.beta_slow, false},
      {"low_freq_factor", c.rope.low_freq_factor, false},
      {"high_freq_factor", c.rope.high_freq_factor, false},
      {"the embedding's scale", c.embedding_scale, false},
      {"the scale of attention", c.attention_scale, true},
      {"the cap of attention", c.attention_softcap, true},
      {"the cap of the logits", c.logit_softcap, true},
      {"the scale of the experts' weights", c.expert_weights_scale, false},
  };
  for (const Real& real : reals) {
    if (std::isfinite(real.value) && (real.value > 0 || (real.zero && real.value == 0))) continue;
    return invalid("config", std::string(real.name) + " is " + std::to_string(real.value));
  }
  for (const auto* factors : {&c.rope.factors, &c.rope.long_factors, &c.rope.short_factors}) {
    if (!factors->empty() && factors->size() != size_t(c.rope.dims / 2)) {
      return invalid("config", std::to_string(factors->size()) + " factors of the rotation for " +
                                   std::to_string(c.rope.dims / 2) + " pairs");
    }
    for (const float factor : *factors) {
      if (!std::isfinite(factor) || factor <= 0) return invalid("config", "a factor of the rotation is no positive number");
    }
  }
  return {};
}

std::vector<TensorRule> tensor_rules(const ModelConfig& config, const std::function<bool(std::string_view)>& has) {
  return Rules(config, has).make();
}

Status check_tensors(const ModelConfig& config, const std::vector<Tensor>& tensors) {
  std::unordered_map<std::string_view, const Tensor*> there;
  for (const Tensor& tensor : tensors) there.emplace(tensor.name, &tensor);
  for (const TensorRule& rule : tensor_rules(config, [&](std::string_view name) { return there.contains(name); })) {
    const auto found = there.find(rule.name);
    if (found == there.end()) {
      if (rule.required) return invalid(rule.name, "the tensor " + rule.name + " is missing");
      continue;
    }
    if (found->second->shape != rule.shape) {
      return invalid(rule.name, "the tensor " + rule.name + " is " + shape_text(found->second->shape) +
                                    ", where the configuration says " + shape_text(rule.shape));
    }
    there.erase(found);
  }
  if (there.empty()) return {};
  std::string_view first = there.begin()->first;
  for (const auto& [name, tensor] : there) first = std::min(first, name);
  return fail(Code::kUnsupported, "no " + config.architecture + " model that is known has the tensor " + std::string(first),
              std::string(first));
}

std::string shape_text(const std::array<int64_t, 4>& shape) {
  int last = 3;
  while (last > 0 && shape[size_t(last)] == 1) --last;
  std::string out = std::to_string(shape[0]);
  for (int i = 1; i <= last; ++i) out += " x " + std::to_string(shape[size_t(i)]);
  return out;
}

}  // namespace ajar::engine
