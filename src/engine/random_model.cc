#include "engine/random_model.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/gguf_config.h"
#include "engine/gguf_writer.h"
#include "engine/mapped_file.h"
#include "engine/model_check.h"

namespace ajar::engine {
namespace {

// Small enough for a test, with every part that the family has: 256 wide, so that all formats fit.
ModelConfig tiny(std::string_view family) {
  ModelConfig c;
  c.architecture = family;
  c.name = "tiny random " + std::string(family);
  c.vocab = 384;
  c.context = 256;
  c.embedding = 256;
  c.layers = 3;
  c.feed_forward = 512;
  c.heads = 8;
  c.kv_heads = 4;
  c.head_dim = 32;
  c.rope.kind = find_family(family)->gguf_rope;
  c.rope.dims = c.rope.kind == RopeKind::kNone ? 0 : 32;
  return c;
}

std::vector<float> llama3_like_factors(int32_t pairs) {
  std::vector<float> out;
  for (int32_t i = 0; i < pairs; ++i) out.push_back(i < pairs / 2 ? 1.0f : 32.0f);
  return out;
}

RandomModel tiny_model(std::string_view name) {
  RandomModel model;
  const bool mixtral = name == "mixtral", reranker = name == "reranker";
  model.config = tiny(mixtral ? "llama" : reranker ? "bert" : name);
  ModelConfig& c = model.config;
  const Family& family = *find_family(c.architecture);
  if (family.moe || mixtral) {
    c.experts = 4;
    c.experts_used = 2;
    c.expert_feed_forward = mixtral ? c.feed_forward : 256;
    if (name == "qwen2moe") c.shared_feed_forward = 256, c.normalize_expert_weights = false;
  }
  model.biases = name.starts_with("qwen2");
  model.tied = name != "qwen2moe" && name != "mixtral";
  if (family.gemma) {
    c.activation = Activation::kGeluTanh;
    c.embedding_scale = std::sqrt(float(c.embedding));
    c.sliding_window = 16;
    c.layers = 4;
    c.local_layer = name == "gemma2" ? std::vector<bool>{true, false, true, false} : std::vector<bool>{true, true, true, true};
    if (name == "gemma2") c.attention_softcap = 50, c.logit_softcap = 30;
    else c.rope.base = 1e6f, c.rope.local_base = 1e4f, c.norm_epsilon = 1e-6f;
  }
  if (family.encoder) {
    c.kv_heads = c.heads;
    c.layer_norm = true;
    c.causal = false;
    c.norm_epsilon = 1e-12f;
    c.token_types = 2;
    c.pooling = reranker ? Pooling::kRank : Pooling::kMean;
    if (reranker) c.labels = {"LABEL_0"};
    if (!family.gated) c.activation = Activation::kGelu;
  }
  return model;
}

RandomModel real_model(std::string_view name, int32_t vocab, int32_t context, int32_t width, int32_t layers, int32_t inner,
                       int32_t heads, int32_t kv_heads, float base) {
  RandomModel model;
  ModelConfig& c = model.config;
  c.architecture = name.starts_with("qwen") ? "qwen2" : "llama";
  c.name = "random weights of the shape of " + std::string(name);
  c.vocab = vocab;
  c.context = context;
  c.embedding = width;
  c.layers = layers;
  c.feed_forward = inner;
  c.heads = heads;
  c.kv_heads = kv_heads;
  c.head_dim = width / heads;
  c.rope.kind = find_family(c.architecture)->gguf_rope;
  c.rope.dims = c.head_dim;
  c.rope.base = base;
  if (name.starts_with("llama")) {
    c.rope.scaling = RopeScaling::kLlama3;
    c.rope.factors = llama3_like_factors(c.rope.dims / 2);
  }
  model.biases = c.architecture == "qwen2";
  if (model.biases) c.norm_epsilon = 1e-6f;
  return model;
}

// Numbers that depend on the seed and their place only, so that any part of a tensor can be made by itself.
class Normal {
 public:
  explicit Normal(uint64_t seed) : state_(seed) {}
  // Box and Muller's pair.
  void fill(std::span<float> out, float deviation) {
    for (size_t i = 0; i < out.size(); i += 2) {
      const float u = (float(next() >> 40) + 1) * 0x1p-24f, v = float(next() >> 40) * 0x1p-24f;
      const float radius = deviation * std::sqrt(-2 * std::log(u)), angle = 2 * std::numbers::pi_v<float> * v;
      out[i] = radius * std::cos(angle);
      if (i + 1 < out.size()) out[i + 1] = radius * std::sin(angle);
    }
  }

 private:
  uint64_t next() {  // splitmix64
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  uint64_t state_;
};

// 256 bytes and then numbers, as a SentencePiece vocabulary; WordPiece for encoders.
void made_vocabulary(const ModelConfig& c, GgufWriter& writer) {
  const bool encoder = find_family(c.architecture)->encoder;
  std::vector<std::string> tokens = encoder ? std::vector<std::string>{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
                                            : std::vector<std::string>{"<unk>", "<s>", "</s>", "<|endoftext|>"};
  std::vector<int32_t> types(tokens.size(), 3);
  if (!encoder) types[0] = 2;
  if (encoder) {
    for (char letter = 'a'; letter <= 'z'; ++letter) {
      tokens.push_back("\u2581" + std::string(1, letter)), types.push_back(1);
      tokens.emplace_back(1, letter), types.push_back(1);
    }
  } else {
    for (int byte = 0; byte < 256; ++byte) {
      char text[8];
      std::snprintf(text, sizeof text, "<0x%02X>", byte);
      tokens.emplace_back(text), types.push_back(6);
    }
    for (char letter = 'a'; letter <= 'z'; ++letter) tokens.push_back("\u2581" + std::string(1, letter)), types.push_back(1);
  }
  for (int32_t i = 0; tokens.size() < size_t(c.vocab); ++i) tokens.push_back("\u2581t" + std::to_string(i)), types.push_back(1);
  tokens.resize(size_t(c.vocab));
  types.resize(size_t(c.vocab));
  writer.string("tokenizer.ggml.model", encoder ? "bert" : "llama");
  writer.string("tokenizer.ggml.pre", "default");
  writer.strings("tokenizer.ggml.tokens", tokens);
  writer.i32s("tokenizer.ggml.token_type", types);
  if (encoder) {
    for (const auto& [key, id] : {std::pair("padding", 0), {"unknown", 1}, {"cls", 2}, {"seperator", 3}, {"mask", 4}}) {
      writer.u32("tokenizer.ggml." + std::string(key) + "_token_id", uint32_t(id));
    }
    return;
  }
  std::vector<float> scores(tokens.size());
  for (size_t i = 0; i < scores.size(); ++i) scores[i] = -float(i);
  writer.floats("tokenizer.ggml.scores", scores);
  writer.u32("tokenizer.ggml.unknown_token_id", 0);
  writer.u32("tokenizer.ggml.bos_token_id", 1);
  writer.u32("tokenizer.ggml.eos_token_id", 2);
}

// Of another model's file, brought to this one's size.
Status taken_vocabulary(const RandomModel& model, GgufWriter& writer) {
  AJAR_ASSIGN(const auto file, MappedFile::open(model.vocabulary));
  AJAR_ASSIGN(const auto metadata, GgufMetadata::read(file->bytes()));
  const size_t size = size_t(model.config.vocab);
  std::vector<std::string> tokens;
  for (const auto token : metadata.strings("tokenizer.ggml.tokens")) tokens.emplace_back(token);
  if (tokens.empty()) return invalid("tokenizer.ggml.tokens", model.vocabulary + " has no vocabulary");
  std::vector<int32_t> types = metadata.integers("tokenizer.ggml.token_type");
  std::vector<float> scores = metadata.floats("tokenizer.ggml.scores");
  types.resize(tokens.size(), 1);
  for (int32_t i = 0; tokens.size() < size; ++i) tokens.push_back("[PAD" + std::to_string(i) + "]"), types.push_back(5);
  tokens.resize(size);
  types.resize(size);
  writer.strings("tokenizer.ggml.tokens", tokens);
  writer.i32s("tokenizer.ggml.token_type", types);
  if (!scores.empty()) {
    scores.resize(size, -1e4f);
    writer.floats("tokenizer.ggml.scores", scores);
  }
  for (const GgufEntry& entry : metadata.entries()) {
    const bool id = entry.key.ends_with("_token_id");
    if (id && metadata.integer(entry.key).value_or(0) >= int64_t(size)) continue;
    if (entry.key.starts_with("tokenizer.")) writer.copy(entry);  // what is set already stays
  }
  return {};
}

}  // namespace

std::vector<std::string> random_shapes() {
  std::vector<std::string> out = {"llama-3.2-1b", "qwen2.5-0.5b", "smollm2-135m"};
  for (const char* name : {"llama", "mixtral", "qwen2", "qwen2moe", "qwen3", "qwen3moe", "gemma2", "gemma3", "phi3", "bert",
                           "reranker", "nomic-bert"}) {
    out.push_back(std::string("tiny-") + name);
  }
  return out;
}

Result<RandomModel> random_shape(std::string_view name) {
  if (name == "llama-3.2-1b") return real_model(name, 128256, 131072, 2048, 16, 8192, 32, 8, 5e5f);
  if (name == "qwen2.5-0.5b") return real_model(name, 151936, 32768, 896, 24, 4864, 14, 2, 1e6f);
  if (name == "smollm2-135m") return real_model(name, 49152, 8192, 576, 30, 1536, 9, 3, 1e5f);
  std::string known;
  for (const std::string& shape : random_shapes()) {
    if (shape == name) return tiny_model(name.substr(5));
    known += (known.empty() ? "" : ", ") + shape;
  }
  return invalid("shape", "'" + std::string(name) + "' is no shape; they are " + known);
}

Status write_random_model(const RandomModel& model, const std::string& path, bool replace) {
  const ModelConfig& c = model.config;
  AJAR_TRY(check_config(c));
  GgufWriter writer;
  write_gguf_config(c, writer);
  writer.u32("general.file_type", model.dtype == Dtype::kF32 ? 0 : 1);
  if (model.vocabulary.empty()) made_vocabulary(c, writer);
  else AJAR_TRY(taken_vocabulary(model, writer));

  std::vector<TensorRule> tensors;
  for (TensorRule& rule : tensor_rules(c, [](std::string_view) { return false; })) {
    const bool input_bias = rule.name.ends_with("attn_q.bias") || rule.name.ends_with("attn_k.bias") ||
                            rule.name.ends_with("attn_v.bias");
    const bool head = rule.name.starts_with("cls.") && !c.labels.empty();
    const bool encoder_bias = c.architecture == "bert" && rule.name.starts_with("blk.") && rule.name.ends_with(".bias");
    const bool wanted = rule.required || (input_bias && model.biases) || head || encoder_bias ||
                        rule.name == "token_types.weight" || (rule.name == "output.weight" && !model.tied) ||
                        (rule.name == "rope_freqs.weight" && !c.rope.factors.empty());
    if (!wanted) continue;
    tensors.push_back(std::move(rule));
  }
  const auto dtype_of = [&](const TensorRule& rule) {
    const bool added = rule.name == "token_types.weight" || rule.name == "position_embd.weight" ||
                       rule.name.ends_with("ffn_gate_inp.weight");  // F32 in every file
    const bool matrix = rule.shape[1] * rule.shape[2] * rule.shape[3] > 1 && !added;
    return matrix && rule.shape[0] % dtype_info(model.dtype).block_elements == 0 ? model.dtype : Dtype::kF32;
  };
  for (const TensorRule& rule : tensors) writer.tensor(rule.name, dtype_of(rule), rule.shape);
  AJAR_TRY(writer.begin(path, replace ? GgufWriter::Existing::kReplace : GgufWriter::Existing::kKeep));

  const int64_t total = writer.data_bytes();
  int64_t done = 0;
  std::vector<float> values;
  std::vector<std::byte> bytes;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorRule& rule = tensors[i];
    const Dtype dtype = dtype_of(rule);
    Normal normal(model.seed * 1'000'003 + i);
    const int64_t rows = rule.shape[1] * rule.shape[2] * rule.shape[3];
    for (int64_t row = 0; row < rows; ++row) {
      values.resize(size_t(rule.shape[0]));
      bytes.resize(size_t(row_bytes(dtype, rule.shape[0])));
      const bool norm = rule.name.ends_with("norm.weight");
      if (rule.name == "rope_freqs.weight") values = c.rope.factors;
      else if (norm) std::ranges::fill(values, 1.0f);
      else normal.fill(values, 0.02f);
      quantize_row(dtype, values.data(), bytes.data(), rule.shape[0]);
      AJAR_TRY(writer.write(bytes));
      done += int64_t(bytes.size());
      if (model.progress && row % 256 == 0) model.progress(done, total);
    }
  }
  return writer.finish();
}

}  // namespace ajar::engine
