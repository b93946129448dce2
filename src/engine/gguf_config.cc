#include "engine/gguf_config.h"

#include <algorithm>
#include <cmath>

#include "engine/gguf_writer.h"
#include "engine/model_check.h"

namespace ajar::engine {
namespace {

// The keys under the architecture's name. The first fault is kept, so that the reading reads as a list.
class Keys {
 public:
  Keys(const GgufMetadata& metadata, std::string architecture)
      : metadata_(metadata), prefix_(std::move(architecture) + ".") {}

  int32_t integer(const char* key, std::optional<int32_t> otherwise = std::nullopt) {
    const std::string name = prefix_ + key;
    std::optional<int64_t> value = metadata_.integer(name);
    if (!value) {
      // One number per layer; the families that are known have the same in all.
      const std::vector<int32_t> each = metadata_.integers(name);
      if (!each.empty() && std::ranges::all_of(each, [&](int32_t v) { return v == each[0]; })) value = each[0];
    }
    if (!value && !metadata_.find(name) && otherwise) return *otherwise;
    if (!value) return fault(name, metadata_.find(name) ? "is not a whole number" : "is missing"), 0;
    if (*value < 0 || *value > INT32_MAX) return fault(name, "is " + std::to_string(*value)), 0;
    return int32_t(*value);
  }
  float real(const char* key, std::optional<float> otherwise = std::nullopt) {
    const std::string name = prefix_ + key;
    const auto value = metadata_.real(name);
    if (value) return float(*value);
    if (otherwise && !metadata_.find(name)) return *otherwise;
    return fault(name, metadata_.find(name) ? "is not a number" : "is missing"), 0.0f;
  }
  bool has(const char* key) const { return metadata_.find(prefix_ + key) != nullptr; }
  std::string name(const char* key) const { return prefix_ + key; }
  Status status() const {
    if (fault_.empty()) return {};
    return invalid(where_, where_ + " " + fault_);
  }

 private:
  void fault(const std::string& where, std::string what) {
    if (fault_.empty()) where_ = where, fault_ = std::move(what);
  }

  const GgufMetadata& metadata_;
  const std::string prefix_;
  std::string where_, fault_;
};

Status read_rope(const GgufMetadata& metadata, Keys& keys, ModelConfig& out) {
  RopeConfig& rope = out.rope;
  rope.dims = keys.integer("rope.dimension_count", out.head_dim);
  rope.base = keys.real("rope.freq_base", out.architecture == "gemma3" ? 1e6f : 1e4f);
  if (out.architecture == "gemma3") rope.local_base = keys.real("rope.freq_base_swa", 1e4f);
  rope.original_context = keys.integer("rope.scaling.original_context_length", 0);
  rope.attention_factor = keys.real("rope.scaling.attn_factor", 1.0f);
  rope.factor = keys.real("rope.scaling.factor", 0.0f);
  if (rope.factor == 0) rope.factor = keys.real("rope.scale_linear", 0.0f);
  const bool scaled = rope.factor != 0 && rope.factor != 1;
  if (rope.factor == 0) rope.factor = 1;
  const std::string_view kind = metadata.string(keys.name("rope.scaling.type")).value_or(scaled ? "linear" : "none");
  if (kind == "none") {
    rope.factor = 1;
  } else if (kind == "linear") {
    if (scaled) rope.scaling = RopeScaling::kLinear;
  } else if (kind == "yarn") {
    rope.scaling = RopeScaling::kYarn;
    rope.beta_fast = keys.real("rope.scaling.yarn_beta_fast", 32.0f);
    rope.beta_slow = keys.real("rope.scaling.yarn_beta_slow", 1.0f);
    // The key is what the usual correction is multiplied by.
    if (rope.factor > 1) rope.attention_factor *= 1 + 0.1f * std::log(rope.factor);
  } else if (kind == "longrope") {
    rope.scaling = RopeScaling::kLongRope;
  } else {
    return fail(Code::kUnsupported, "the rotation's scaling '" + std::string(kind) + "' is not supported",
                keys.name("rope.scaling.type"));
  }
  return {};
}

}  // namespace

Result<ModelConfig> read_gguf_config(const GgufMetadata& metadata, int32_t vocab) {
  ModelConfig out;
  out.architecture = metadata.string("general.architecture").value_or("");
  if (out.architecture.empty()) return invalid("general.architecture", "general.architecture is missing");
  AJAR_ASSIGN(const Family* family, family_of(out.architecture));
  Keys keys(metadata, out.architecture);
  out.name = metadata.string("general.name").value_or("");
  out.licence = metadata.string("general.license").value_or("");
  out.vocab = vocab;
  out.context = keys.integer("context_length");
  out.embedding = keys.integer("embedding_length");
  out.layers = keys.integer("block_count");
  out.feed_forward = keys.integer("feed_forward_length", family->moe ? std::optional(0) : std::nullopt);
  out.heads = keys.integer("attention.head_count");
  out.kv_heads = keys.integer("attention.head_count_kv", out.heads);
  AJAR_TRY(keys.status());
  if (out.heads == 0) return invalid(keys.name("attention.head_count"), keys.name("attention.head_count") + " is 0");
  const bool odd = out.embedding % out.heads != 0;
  out.head_dim = keys.integer("attention.key_length", odd ? std::nullopt : std::optional(out.embedding / out.heads));
  if (keys.integer("attention.value_length", out.head_dim) != out.head_dim) {
    return fail(Code::kUnsupported, "values of another size than keys are not supported", keys.name("attention.value_length"));
  }
  out.layer_norm = family->encoder;
  out.norm_epsilon = keys.real(family->encoder ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon");
  out.causal = metadata.boolean(keys.name("attention.causal")).value_or(!family->encoder);
  out.activation = family->gemma ? Activation::kGeluTanh : family->encoder && !family->gated ? Activation::kGelu
                                                                                              : Activation::kSilu;
  out.rope.kind = family->gguf_rope;
  if (out.rope.kind != RopeKind::kNone) AJAR_TRY(read_rope(metadata, keys, out));

  out.sliding_window = keys.integer("attention.sliding_window", out.architecture == "gemma2" ? 4096 : 0);
  if (out.sliding_window > 0 && family->gemma) {
    out.local_layer = metadata.booleans(keys.name("attention.sliding_window_pattern"));
    if (out.local_layer.empty()) {
      // Of every so many layers all but the last are local.
      const int32_t every = keys.integer("attention.sliding_window_pattern", out.architecture == "gemma2" ? 2 : 6);
      if (every < 1) return invalid(keys.name("attention.sliding_window_pattern"), "the pattern of windows is 0");
      if (out.layers <= 1024) {
        for (int32_t i = 0; i < out.layers; ++i) out.local_layer.push_back(i % every < every - 1);
      }
    }
  }
  if (family->gemma) out.embedding_scale = std::sqrt(float(out.embedding));
  out.attention_scale = keys.real("attention.scale", 0.0f);
  // The largest Gemmas scale by the width per head instead of the head's; the metadata do not say it.
  if (out.attention_scale == 0 && out.layers == (out.architecture == "gemma2" ? 46 : out.architecture == "gemma3" ? 62 : -1)) {
    out.attention_scale = 1 / std::sqrt(float(out.embedding / out.heads));
  }
  out.attention_softcap = keys.real("attn_logit_softcapping", out.architecture == "gemma2" ? 50.0f : 0.0f);
  out.logit_softcap = keys.real("final_logit_softcapping", out.architecture == "gemma2" ? 30.0f : 0.0f);

  out.experts = keys.integer("expert_count", 0);
  if (out.experts > 0) {
    out.experts_used = keys.integer("expert_used_count");
    out.expert_feed_forward = keys.integer("expert_feed_forward_length", family->moe ? 0 : out.feed_forward);
    if (out.expert_feed_forward == 0 && out.experts_used > 0) out.expert_feed_forward = out.feed_forward / out.experts_used;
    const bool shared = out.architecture == "qwen2moe";
    out.shared_feed_forward = keys.integer("expert_shared_feed_forward_length", shared ? out.feed_forward : 0);
    out.normalize_expert_weights =
        metadata.boolean(keys.name("expert_weights_norm")).value_or(out.architecture != "qwen2moe");
    out.expert_weights_scale = keys.real("expert_weights_scale", 1.0f);
    if (out.expert_weights_scale == 0) out.expert_weights_scale = 1;
  }
  if (const auto pooling = keys.integer("pooling_type", 0)) {
    if (pooling > int32_t(Pooling::kRank)) return invalid(keys.name("pooling_type"), "an unknown kind of pooling");
    out.pooling = Pooling(pooling);
  }
  if (family->encoder) {
    out.token_types = int32_t(std::clamp<int64_t>(metadata.integer("tokenizer.ggml.token_type_count").value_or(0), 0, 65536));
  }
  for (const auto label : metadata.strings(keys.name("classifier.output_labels"))) out.labels.emplace_back(label);
  AJAR_TRY(keys.status());
  return out;
}

void write_gguf_config(const ModelConfig& c, GgufWriter& writer) {
  const Family& family = *find_family(c.architecture);
  const std::string prefix = c.architecture + ".";
  const auto u32 = [&](const char* key, int32_t value) { writer.u32(prefix + key, uint32_t(value)); };
  const auto f32 = [&](const char* key, float value) { writer.f32(prefix + key, value); };
  writer.string("general.architecture", c.architecture);
  writer.string("general.type", "model");
  if (!c.name.empty()) writer.string("general.name", c.name);
  if (!c.licence.empty()) writer.string("general.license", c.licence);
  u32("vocab_size", c.vocab);
  u32("context_length", c.context);
  u32("embedding_length", c.embedding);
  u32("block_count", c.layers);
  u32("feed_forward_length", c.feed_forward);
  u32("attention.head_count", c.heads);
  u32("attention.head_count_kv", c.kv_heads);
  u32("attention.key_length", c.head_dim);
  u32("attention.value_length", c.head_dim);
  f32(c.layer_norm ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon", c.norm_epsilon);
  if (family.encoder) writer.boolean(prefix + "attention.causal", c.causal);
  if (c.rope.kind != RopeKind::kNone) {
    u32("rope.dimension_count", c.rope.dims);
    f32("rope.freq_base", c.rope.base);
    if (c.rope.local_base != 0) f32("rope.freq_base_swa", c.rope.local_base);
    if (c.rope.original_context != 0) u32("rope.scaling.original_context_length", c.rope.original_context);
    float attention = c.rope.attention_factor;
    switch (c.rope.scaling) {
      case RopeScaling::kLinear: writer.string(prefix + "rope.scaling.type", "linear"); break;
      case RopeScaling::kLongRope: writer.string(prefix + "rope.scaling.type", "longrope"); break;
      case RopeScaling::kYarn:
        writer.string(prefix + "rope.scaling.type", "yarn");
        f32("rope.scaling.yarn_beta_fast", c.rope.beta_fast);
        f32("rope.scaling.yarn_beta_slow", c.rope.beta_slow);
        if (c.rope.factor > 1) attention /= 1 + 0.1f * std::log(c.rope.factor);
        break;
      default: break;  // Llama 3's are factors only
    }
    if (c.rope.scaling == RopeScaling::kLinear || c.rope.scaling == RopeScaling::kYarn) {
      f32("rope.scaling.factor", c.rope.factor);
    }
    if (attention != 1) f32("rope.scaling.attn_factor", attention);
  }
  if (c.sliding_window > 0) {
    u32("attention.sliding_window", c.sliding_window);
    if (!c.local_layer.empty()) writer.booleans(prefix + "attention.sliding_window_pattern", c.local_layer);
  }
  if (c.attention_scale != 0) f32("attention.scale", c.attention_scale);
  if (c.attention_softcap != 0) f32("attn_logit_softcapping", c.attention_softcap);
  if (c.logit_softcap != 0) f32("final_logit_softcapping", c.logit_softcap);
  if (c.experts > 0) {
    u32("expert_count", c.experts);
    u32("expert_used_count", c.experts_used);
    u32("expert_feed_forward_length", c.expert_feed_forward);
    if (c.shared_feed_forward > 0) u32("expert_shared_feed_forward_length", c.shared_feed_forward);
    writer.boolean(prefix + "expert_weights_norm", c.normalize_expert_weights);
    if (c.expert_weights_scale != 1) f32("expert_weights_scale", c.expert_weights_scale);
  }
  if (c.pooling != Pooling::kNone) u32("pooling_type", int32_t(c.pooling));
  if (family.encoder) {
    writer.u32("tokenizer.ggml.token_type_count", uint32_t(c.token_types));
  }
  if (!c.labels.empty()) writer.strings(prefix + "classifier.output_labels", c.labels);
}

}  // namespace ajar::engine
