#include "engine/hf_config.h"

#include <cmath>
#include <map>
#include <vector>

#include "engine/model_check.h"
#include "json/read.h"

namespace ajar::engine {
namespace {

// Reads members by type. The first fault is kept, so that the reading reads as a list.
class Members {
 public:
  explicit Members(json::Object object) : object_(object) {}

  int32_t integer(const char* name, std::optional<int64_t> otherwise = std::nullopt) {
    const auto value = json::find(object_, name);
    const auto number = value ? json::as_int(*value) : otherwise;
    if (!number) return fault(name, value ? "is not a whole number" : "is missing"), 0;
    if (*number < 0 || *number > INT32_MAX) return fault(name, "is " + std::to_string(*number)), 0;
    return int32_t(*number);
  }
  float real(const char* name, std::optional<double> otherwise = std::nullopt) {
    const auto value = json::find(object_, name);
    const auto number = value ? json::as_double(*value) : otherwise;
    if (!number) return fault(name, value ? "is not a number" : "is missing"), 0.0f;
    return float(*number);
  }
  bool flag(const char* name, bool otherwise) {
    const auto value = json::find(object_, name);
    const auto flag = value ? json::as_bool(*value) : otherwise;
    if (!flag) return fault(name, "is neither true nor false"), otherwise;
    return *flag;
  }
  std::string_view string(const char* name, std::string_view otherwise = {}) const {
    return json::string_or(object_, name, otherwise);
  }
  std::optional<Members> object(const char* name) const {
    const auto value = json::find(object_, name);
    const auto object = value ? json::as_object(*value) : std::nullopt;
    if (!object) return std::nullopt;
    return Members(*object);
  }
  std::vector<std::string_view> strings(const char* name) const {
    std::vector<std::string_view> out;
    const auto value = json::find(object_, name);
    if (const auto array = value ? json::as_array(*value) : std::nullopt) {
      for (const auto item : *array) out.push_back(json::as_string(item).value_or(""));
    }
    return out;
  }
  std::vector<float> reals(const char* name) {
    std::vector<float> out;
    const auto value = json::find(object_, name);
    if (const auto array = value ? json::as_array(*value) : std::nullopt) {
      for (const auto item : *array) out.push_back(float(json::as_double(item).value_or(NAN)));
    }
    return out;
  }
  bool has(const char* name) const { return json::find(object_, name).has_value(); }
  size_t length(const char* name) const {
    const auto value = json::find(object_, name);
    const auto array = value ? json::as_array(*value) : std::nullopt;
    return array ? array->size() : 0;
  }
  const json::Object& raw() const { return object_; }
  Status status() const { return fault_.empty() ? Status() : invalid(where_, "config.json: " + where_ + " " + fault_); }

 private:
  void fault(const char* name, std::string what) {
    if (fault_.empty()) where_ = name, fault_ = std::move(what);
  }
  json::Object object_;
  std::string where_, fault_;
};

std::unexpected<Error> beyond(std::string field, const std::string& what) {
  return fail(Code::kUnsupported, "config.json: " + what, std::move(field));
}

struct ModelType {
  std::string_view hf, gguf;
};
constexpr ModelType kTypes[] = {{"llama", "llama"}, {"mistral", "llama"}, {"mixtral", "llama"}, {"qwen2", "qwen2"},
                                {"qwen2_moe", "qwen2moe"}, {"qwen3", "qwen3"}, {"qwen3_moe", "qwen3moe"},
                                {"gemma2", "gemma2"}, {"gemma3", "gemma3"}, {"gemma3_text", "gemma3"}, {"phi3", "phi3"},
                                {"bert", "bert"}, {"nomic_bert", "nomic-bert"}};

Result<Activation> activation_of(std::string_view name) {
  if (name == "silu" || name == "swish" || name == "swiglu") return Activation::kSilu;
  if (name == "gelu_pytorch_tanh" || name == "gelu_new" || name == "gelu_fast") return Activation::kGeluTanh;
  if (name == "gelu") return Activation::kGelu;
  return beyond("hidden_act", "the activation '" + std::string(name) + "' is not supported");
}

// Llama 3's factors per pair: long waves are stretched, short ones kept, those between in proportion.
std::vector<float> llama3_factors(const RopeConfig& rope) {
  std::vector<float> out;
  const double context = rope.original_context;
  for (int32_t i = 0; i < rope.dims; i += 2) {
    const double wave = 2 * M_PI * std::pow(double(rope.base), double(i) / rope.dims);
    if (wave < context / rope.high_freq_factor) {
      out.push_back(1);
    } else if (wave > context / rope.low_freq_factor) {
      out.push_back(rope.factor);
    } else {
      const double smooth =
          (context / wave - rope.low_freq_factor) / (double(rope.high_freq_factor) - rope.low_freq_factor);
      out.push_back(float(1 / ((1 - smooth) / rope.factor + smooth)));
    }
  }
  return out;
}

Status read_scaling(Members scaling, Members& config, ModelConfig& out) {
  RopeConfig& rope = out.rope;
  const std::string_view kind = scaling.string("rope_type", scaling.string("type", "default"));
  if (kind == "default" || kind == "mrope") return {};
  rope.original_context = scaling.integer("original_max_position_embeddings",
                                          config.integer("original_max_position_embeddings", out.context));
  if (kind == "longrope" || kind == "su") {
    rope.scaling = RopeScaling::kLongRope;
    rope.long_factors = scaling.reals("long_factor");
    rope.short_factors = scaling.reals("short_factor");
    if (rope.long_factors.empty() || rope.short_factors.empty()) {
      return invalid("rope_scaling", "config.json: rope_scaling has no long_factor and short_factor");
    }
    const double original = rope.original_context;
    rope.factor = scaling.real("factor", original > 0 ? std::max(1.0, out.context / original) : 1);
    const bool extended = rope.factor > 1 && original > 1;
    rope.attention_factor = scaling.real(
        "attention_factor", extended ? std::sqrt(1 + std::log(double(rope.factor)) / std::log(original)) : 1);
    return scaling.status();
  }
  rope.factor = scaling.real("factor");
  if (kind == "linear") {
    rope.scaling = RopeScaling::kLinear;
  } else if (kind == "dynamic") {
    rope.scaling = RopeScaling::kNtk;
  } else if (kind == "yarn") {
    rope.scaling = RopeScaling::kYarn;
    rope.attention_factor = scaling.real("attention_factor", rope.factor > 1 ? 0.1 * std::log(rope.factor) + 1 : 1);
    rope.beta_fast = scaling.real("beta_fast", 32);
    rope.beta_slow = scaling.real("beta_slow", 1);
    if (scaling.has("mscale") || scaling.has("mscale_all_dim")) return beyond("rope_scaling", "YaRN's mscale is not supported");
  } else if (kind == "llama3") {
    rope.scaling = RopeScaling::kLlama3;
    rope.low_freq_factor = scaling.real("low_freq_factor");
    rope.high_freq_factor = scaling.real("high_freq_factor");
    AJAR_TRY(scaling.status());
    if (!(rope.low_freq_factor > 0) || !(rope.high_freq_factor > rope.low_freq_factor) || !(rope.factor > 0)) {
      return invalid("rope_scaling", "config.json: rope_scaling's factors are not positive and in order");
    }
    rope.factors = llama3_factors(rope);
  } else {
    return beyond("rope_scaling", "the rotation's scaling '" + std::string(kind) + "' is not supported");
  }
  return scaling.status();
}

Status read_rope(Members& config, ModelConfig& out) {
  RopeConfig& rope = out.rope;
  const bool gemma3 = out.architecture == "gemma3";
  rope.base = config.real("rope_theta", config.real("rotary_emb_base", gemma3 ? 1e6 : 1e4));
  if (gemma3) rope.local_base = config.real("rope_local_base_freq", 1e4);
  // Newer files keep everything in rope_parameters, some of them by kind of layer.
  std::optional<Members> scaling = config.object("rope_scaling");
  if (auto parameters = config.object("rope_parameters")) {
    scaling = parameters;
    if (auto full = parameters->object("full_attention")) scaling = full;
    if (auto local = parameters->object("sliding_attention"); local && gemma3) rope.local_base = local->real("rope_theta", 1e4);
    rope.base = scaling->real("rope_theta", rope.base);
  }
  const float part = scaling && scaling->has("partial_rotary_factor")
                         ? scaling->real("partial_rotary_factor")
                         : config.real("partial_rotary_factor", config.real("rotary_emb_fraction", 1.0));
  if (!(part > 0 && part <= 1)) return invalid("partial_rotary_factor", "config.json: partial_rotary_factor is not in 0 to 1");
  rope.dims = int32_t(float(out.head_dim) * part);
  if (rope.dims > 8192 || !(rope.base > 0)) return invalid("rope_theta", "config.json: the rotation makes no sense");
  if (scaling) AJAR_TRY(read_scaling(*scaling, config, out));
  return {};
}

// Which layers look through the window only.
Status read_window(Members& config, ModelConfig& out) {
  const std::string& family = out.architecture;
  const bool gemma = family == "gemma2" || family == "gemma3";
  if (!config.flag("use_sliding_window", !family.starts_with("qwen"))) return {};
  out.sliding_window = config.integer("sliding_window", gemma ? 4096 : 0);
  if (out.sliding_window == 0 || out.layers > 1024) return {};
  const auto types = config.strings("layer_types");
  if (!types.empty()) {
    for (const std::string_view type : types) {
      if (type != "sliding_attention" && type != "full_attention") {
        return beyond("layer_types", "layers of '" + std::string(type) + "' are not supported");
      }
      out.local_layer.push_back(type == "sliding_attention");
    }
  } else if (gemma) {
    const int32_t every = config.integer("sliding_window_pattern", family == "gemma2" ? 2 : 6);
    if (every < 1) return invalid("sliding_window_pattern", "config.json: sliding_window_pattern is 0");
    for (int32_t i = 0; i < out.layers; ++i) out.local_layer.push_back((i + 1) % every != 0);
  } else if (family.starts_with("qwen")) {
    const int32_t from = config.integer("max_window_layers", 0);
    for (int32_t i = 0; i < out.layers; ++i) out.local_layer.push_back(i >= from);
  }
  return {};
}

Status read_experts(Members& config, ModelConfig& out) {
  out.experts = config.integer("num_local_experts", config.integer("num_experts", 0));
  if (out.experts == 0) return {};
  out.experts_used = config.integer("num_experts_per_tok");
  const bool mixtral = out.architecture == "llama";
  out.expert_feed_forward = mixtral ? out.feed_forward : config.integer("moe_intermediate_size");
  if (out.architecture == "qwen2moe") out.shared_feed_forward = config.integer("shared_expert_intermediate_size");
  out.normalize_expert_weights = mixtral || config.flag("norm_topk_prob", false);
  if (!mixtral && (config.integer("decoder_sparse_step", 1) != 1 || config.length("mlp_only_layers") != 0)) {
    return beyond("decoder_sparse_step", "experts in some layers only are not supported");
  }
  return {};
}

Status read_labels(Members& config, ModelConfig& out) {
  bool classifies = false;
  for (const auto name : config.strings("architectures")) classifies |= name.ends_with("ForSequenceClassification");
  if (!classifies) return {};
  out.pooling = Pooling::kRank;
  std::map<int64_t, std::string> labels;
  if (auto given = config.object("id2label")) {
    for (const auto& [id, label] : given->raw()) {
      int64_t number = 0;
      if (std::sscanf(std::string(id).c_str(), "%ld", &number) != 1) return invalid("id2label", "config.json: id2label");
      labels[number] = json::as_string(label).value_or("");
    }
  }
  for (auto& [id, label] : labels) out.labels.push_back(std::move(label));
  if (out.labels.empty()) out.labels.emplace_back("LABEL_0");
  return {};
}

Status read_encoder(Members& config, ModelConfig& out) {
  out.layer_norm = true;
  out.causal = false;
  out.norm_epsilon = config.real("layer_norm_eps", config.real("layer_norm_epsilon", 1e-12));
  out.token_types = config.integer("type_vocab_size", 0);
  if (config.string("position_embedding_type", "absolute") != "absolute") {
    return beyond("position_embedding_type", "only absolute positions are supported");
  }
  out.rope.kind = RopeKind::kNone;
  if (out.architecture == "nomic-bert") {
    out.rope.kind = RopeKind::kHalves;
    if (config.flag("prenorm", false) || config.flag("rotary_emb_interleaved", false) || config.integer("moe_every_n_layers", 0)) {
      return beyond("prenorm", "this kind of nomic_bert is not supported");
    }
  }
  return read_labels(config, out);
}

}  // namespace

Result<ModelConfig> read_hf_config(std::string_view text) {
  json::Document document;
  auto root = document.parse_object(text);
  if (!root) return std::unexpected(std::move(root.error()).in("config.json"));
  Members config(*root);
  const std::string type(config.string("model_type"));
  if (config.has("quantization_config")) {
    return beyond("quantization_config", "quantised folders are not supported; take the GGUF form of the model");
  }
  ModelConfig out;
  for (const ModelType& known : kTypes) {
    if (known.hf == type) out.architecture = known.gguf;
  }
  if (out.architecture.empty()) {
    std::string names;
    for (const ModelType& known : kTypes) names += (names.empty() ? "" : ", ") + std::string(known.hf);
    return beyond("model_type", "the model type '" + type + "' is not supported; those that are: " + names);
  }
  if (auto text_config = config.object("text_config")) config = *text_config;  // a model that also sees
  const Family& family = *find_family(out.architecture);
  const bool gemma3 = out.architecture == "gemma3";  // whose files may leave out what is as in the library

  const auto either = [&](const char* name, const char* old, std::optional<int64_t> otherwise) {
    return config.has(old) ? config.integer(old) : config.integer(name, otherwise);
  };
  const auto gemma3_or = [&](int64_t value) { return gemma3 ? std::optional(value) : std::nullopt; };
  out.vocab = config.integer("vocab_size", gemma3_or(262208));
  out.embedding = either("hidden_size", "n_embd", gemma3_or(2304));
  out.layers = either("num_hidden_layers", "n_layer", gemma3_or(26));
  out.heads = either("num_attention_heads", "n_head", gemma3_or(8));
  out.kv_heads = config.integer("num_key_value_heads", gemma3 ? 4 : out.heads);
  out.feed_forward = either("intermediate_size", "n_inner", gemma3_or(9216));
  out.context = either("max_position_embeddings", "n_positions", gemma3_or(131072));
  AJAR_TRY(config.status());
  if (out.heads == 0) return invalid("num_attention_heads", "config.json: num_attention_heads is 0");
  if (!config.has("head_dim") && !gemma3 && out.embedding % out.heads != 0) {
    return invalid("num_attention_heads", "config.json: " + std::to_string(out.heads) + " heads do not divide a width of " +
                                              std::to_string(out.embedding));
  }
  out.head_dim = config.integer("head_dim", gemma3 || out.architecture == "gemma2" ? 256 : out.embedding / out.heads);
  AJAR_TRY(config.status());
  if (out.head_dim > 4096) return invalid("head_dim", "config.json: heads of " + std::to_string(out.head_dim) + " are too large");
  AJAR_ASSIGN(out.activation, activation_of(config.string(
                                  family.gemma ? "hidden_activation" : config.has("activation_function")
                                                                           ? "activation_function" : "hidden_act",
                                  family.gemma ? "gelu_pytorch_tanh" : family.encoder ? "gelu" : "silu")));
  if (family.encoder) {
    AJAR_TRY(read_encoder(config, out));
  } else {
    out.rope.kind = RopeKind::kHalves;
    out.norm_epsilon = config.real("rms_norm_eps", 1e-6);
    AJAR_TRY(read_window(config, out));
    AJAR_TRY(read_experts(config, out));
  }
  if (out.rope.kind != RopeKind::kNone) AJAR_TRY(read_rope(config, out));
  if (family.gemma) {
    out.norm_plus_one = true;
    out.embedding_scale = std::sqrt(float(out.embedding));
    const float scalar = config.real("query_pre_attn_scalar", 256);
    if (!(scalar > 0)) return invalid("query_pre_attn_scalar", "config.json: query_pre_attn_scalar is not positive");
    out.attention_scale = 1 / std::sqrt(scalar);
    out.attention_softcap = config.real("attn_logit_softcapping", gemma3 ? 0 : 50);
    out.logit_softcap = config.real("final_logit_softcapping", gemma3 ? 0 : 30);
  }
  AJAR_TRY(config.status());
  return out;
}

}  // namespace ajar::engine
