#include "engine/encoder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

namespace ajar::engine {
namespace {

constexpr int kBatchTokens = 512;  // of all texts computed together; one text may be longer

int64_t round_up(int64_t n) { return (n + kPanelRows - 1) / kPanelRows * kPanelRows; }

int pages_of(const EncoderInput& text) { return static_cast<int>((text.tokens.size() + kPageTokens - 1) / kPageTokens); }

}  // namespace

Result<std::unique_ptr<Encoder>> Encoder::make(std::shared_ptr<const Model> model, std::shared_ptr<ComputePool> pool,
                                               MultiplierOptions options) {
  const ModelConfig& c = model->config();
  if (c.causal) return fail(Code::kUnsupported, c.name + " is a decoder: it writes text");
  ModelConfig one = c;
  one.layers = 1;
  options.narrow_inputs = true;  // an embedding loses by it once more what it loses by 8 bits: a cosine of 0.9993 for 0.9997
  int64_t tokens = std::max(c.context, kBatchTokens) + kBatchTokens;  // a text's last page may be nearly empty
  AJAR_ASSIGN(KvPool pages, KvPool::make(one, tokens / kPageTokens * 2 * KvPool::page_bytes(one)));
  return std::unique_ptr<Encoder>(new Encoder(std::move(model), std::move(pool), options, std::move(pages)));
}

Encoder::Encoder(std::shared_ptr<const Model> model, std::shared_ptr<ComputePool> pool, MultiplierOptions options, KvPool pages)
    : model_(std::move(model)), pool_(std::move(pool)), multiplier_(*pool_, options), rope_(model_->config().rope, false, model_->config().context),
      pages_(std::move(pages)) {
  const ModelConfig& c = model_->config();
  embedding_ = round_up(c.embedding);
  q_width_ = round_up(int64_t{c.heads} * c.head_dim), kv_width_ = round_up(int64_t{c.kv_heads} * c.head_dim);
  ff_width_ = round_up(c.feed_forward);
  scores_.resize(static_cast<size_t>(pool_->threads()));
}

int32_t Encoder::dimension() const {
  return model_->classifier().empty() ? model_->config().embedding : static_cast<int32_t>(model_->classifier().rows);
}

Result<std::vector<float>> Encoder::run(std::span<const EncoderInput> texts, int layers) {
  const ModelConfig& c = model_->config();
  std::span<const Layer> passed = model_->layers();
  if (layers != kAllLayers && (layers < 0 || layers > static_cast<int>(passed.size())))
    return fail(Code::kUnsupported, c.name + " has " + std::to_string(passed.size()) + " layers; the first " + std::to_string(layers) + " were asked for");
  if (layers != kAllLayers) passed = passed.first(static_cast<size_t>(layers));
  for (size_t i = 0; i < texts.size(); ++i) {
    auto size = static_cast<int64_t>(texts[i].tokens.size());
    std::string which = "text " + std::to_string(i);
    if (size == 0) return fail(Code::kInvalid, which + " has no tokens");
    if (size > c.context)
      return fail(Code::kTooLarge, which + " has " + std::to_string(size) + " tokens; the model takes " + std::to_string(c.context));
    for (int32_t token : texts[i].tokens)
      if (token < 0 || token >= c.vocab) return fail(Code::kInvalid, which + " has a token that the model does not know: " + std::to_string(token));
  }
  std::vector<float> out(texts.size() * static_cast<size_t>(dimension()));
  for (size_t at = 0; at < texts.size();) {
    size_t n = 0, tokens = 0;
    while (at + n < texts.size() && (n == 0 || tokens + texts[at + n].tokens.size() <= kBatchTokens)) tokens += texts[at + n++].tokens.size();
    std::lock_guard turn(pool_->turn());
    batch(texts.subspan(at, n), passed, out.data() + at * static_cast<size_t>(dimension()));
    at += n;
  }
  return out;
}

void Encoder::batch(std::span<const EncoderInput> texts, std::span<const Layer> layers, float* out) {
  int count = 0;
  for (const EncoderInput& text : texts) count += static_cast<int>(text.tokens.size());
  auto rows = static_cast<size_t>(round_up(count));
  auto room = [&](std::vector<float>& v, int64_t width) { if (v.size() < rows * static_cast<size_t>(width)) v.resize(rows * static_cast<size_t>(width)); };
  for (auto* v : {&x_, &out_}) room(*v, embedding_);
  for (auto* v : {&q_, &mixed_}) room(*v, q_width_);
  for (auto* v : {&k_, &v_}) room(*v, kv_width_);
  for (auto* v : {&gate_, &up_}) room(*v, ff_width_);
  for (auto& s : scores_) s.resize(static_cast<size_t>(8 * round_up(model_->config().context)));
  embed(texts);
  for (const Layer& layer : layers) {
    attention(layer, texts, count);
    feed_forward(layer, count);
  }
  pool_rows(texts, out);
}

// x = norm(word + type + position)
void Encoder::embed(std::span<const EncoderInput> texts) {
  const ModelConfig& c = model_->config();
  std::vector<float> row(static_cast<size_t>(c.embedding));
  auto add_row = [&](const Tensor* table, int64_t r, float* x) {
    if (table == nullptr) return;
    r = std::min(r, table->rows() - 1);
    dequantize_row(table->dtype, table->bytes.data() + r * row_bytes(table->dtype, c.embedding), row.data(), c.embedding);
    for (int i = 0; i < c.embedding; ++i) x[i] += row[static_cast<size_t>(i)];
  };
  float* x = x_.data();
  int count = 0;
  for (const EncoderInput& text : texts) {
    for (size_t t = 0; t < text.tokens.size(); ++t, x += embedding_, ++count) {
      model_->embed(text.tokens[t], x);
      add_row(model_->position_embedding(), static_cast<int64_t>(t), x);
      add_row(model_->type_embedding(), text.types.empty() ? 0 : text.types[t], x);
    }
  }
  if (!model_->embedding_norm().empty()) add_and_normalize(model_->embedding_norm(), nullptr, count);
}

// x = norm(x + Wo * attend(Wq * x, Wk * x, Wv * x)), every token seeing all of its own text
void Encoder::attention(const Layer& layer, std::span<const EncoderInput> texts, int count) {
  const ModelConfig& c = model_->config();
  const Kernels& kernels = multiplier_.kernels();
  const Output qkv[] = {{&layer.q, q_.data(), q_width_}, {&layer.k, k_.data(), kv_width_}, {&layer.v, v_.data(), kv_width_}};
  multiplier_.run({x_.data(), embedding_, count}, qkv);

  struct Piece {
    int text, head, row, page;  // its first row, its first page
  };
  std::vector<Piece> pieces;
  int row = 0, page = 0;
  for (int i = 0; i < static_cast<int>(texts.size()); ++i) {
    for (int h = 0; h < c.kv_heads; ++h) pieces.push_back({i, h, row, page});
    row += static_cast<int>(texts[static_cast<size_t>(i)].tokens.size());
    page += pages_of(texts[static_cast<size_t>(i)]);
  }
  const int dim = c.head_dim, padded = (dim + 15) / 16 * 16, group = c.heads / c.kv_heads;
  pool_->run(static_cast<int64_t>(pieces.size()), [&](int64_t task, int thread) {
    const Piece& piece = pieces[static_cast<size_t>(task)];
    auto length = static_cast<int>(texts[static_cast<size_t>(piece.text)].tokens.size());
    std::vector<const uint16_t*> k_pages, v_pages;
    std::vector<const float*> queries;
    std::vector<float*> outputs;
    std::vector<float> cosines(static_cast<size_t>(dim)), sines(cosines);
    for (int p = 0; p * kPageTokens < length; ++p) {
      k_pages.push_back(pages_.keys(piece.page + p, 0, piece.head));
      v_pages.push_back(pages_.values(piece.page + p, 0, piece.head));
    }
    for (int t = 0; t < length; ++t) {
      float* k = k_.data() + (piece.row + t) * kv_width_ + piece.head * dim;
      if (rope_.dims() > 0) rope_.angles(t, cosines.data(), sines.data()), kernels.rope(k, cosines.data(), sines.data(), rope_.dims(), false);
      uint16_t halves[512];
      kernels.to_half(k, dim, halves);
      auto* keys = const_cast<uint16_t*>(k_pages[static_cast<size_t>(t / kPageTokens)]);
      for (int d = 0; d < dim; ++d) keys[d * kPageTokens + t % kPageTokens] = halves[d];
      kernels.to_half(v_.data() + (piece.row + t) * kv_width_ + piece.head * dim, dim,
                      const_cast<uint16_t*>(v_pages[static_cast<size_t>(t / kPageTokens)]) + t % kPageTokens * padded);
      for (int g = 0; g < group; ++g) {
        int64_t at = (piece.row + t) * q_width_ + (piece.head * group + g) * dim;
        if (rope_.dims() > 0) kernels.rope(q_.data() + at, cosines.data(), sines.data(), rope_.dims(), false);
        queries.push_back(q_.data() + at), outputs.push_back(mixed_.data() + at);
      }
    }
    std::vector<int32_t> zeros(queries.size(), 0);
    auto& scores = scores_[static_cast<size_t>(thread)];
    bool tiles = dim % 32 == 0 && queries.size() >= 24 && multiplier_.arithmetic(layer.q, count) == Arithmetic::kBfloat;
    if (tiles) {
      auto floats = static_cast<size_t>(attend_tiles_floats(static_cast<int64_t>(queries.size()), length, dim));
      if (scores.size() < floats) scores.resize(floats);
    }
    (tiles ? kernels.attend_tiles : kernels.attend)({.k_pages = k_pages.data(), .v_pages = v_pages.data(), .queries = queries.data(),
                                                     .outputs = outputs.data(), .positions = zeros.data(), .begins = zeros.data(),
                                                     .rows = static_cast<int>(queries.size()), .end = length, .head_dim = dim,
                                                     .padded_head_dim = padded, .scale = 1 / std::sqrt(static_cast<float>(dim)), .softcap = 0,
                                                     .soften = kernels.soften, .scores = scores.data()});
  });
  Output o{&layer.o, out_.data(), embedding_};
  multiplier_.run({mixed_.data(), q_width_, count}, {&o, 1});
  add_and_normalize(layer.attention_output_norm, out_.data(), count);
}

// x = norm(x + Wdown * act(Wup * x))
void Encoder::feed_forward(const Layer& layer, int count) {
  const ModelConfig& c = model_->config();
  const Kernels& kernels = multiplier_.kernels();
  const Output inner[] = {{&layer.up, up_.data(), ff_width_}, {&layer.gate, gate_.data(), ff_width_}};
  multiplier_.run({x_.data(), embedding_, count}, std::span(inner).first(layer.gate.empty() ? 1 : 2));
  pool_->run(count, [&](int64_t m, int) {
    float *up = up_.data() + m * ff_width_, *gate = gate_.data() + m * ff_width_;
    if (!layer.gate.empty()) {
      (c.activation == Activation::kSilu ? kernels.silu_times : kernels.gelu_tanh_times)(gate, up, c.feed_forward);
      std::memcpy(up, gate, static_cast<size_t>(c.feed_forward) * sizeof(float));
    } else {
      kernels.gelu(up, c.feed_forward);
    }
  });
  Output down{&layer.down, out_.data(), embedding_};
  multiplier_.run({up_.data(), ff_width_, count}, {&down, 1});
  add_and_normalize(layer.layer_output_norm, out_.data(), count);
}

// x = norm(x + y); y may be none
void Encoder::add_and_normalize(const Norm& norm, const float* y, int count) {
  const ModelConfig& c = model_->config();
  const Kernels& kernels = multiplier_.kernels();
  pool_->run((count + 15) / 16, [&](int64_t task, int) {
    for (int64_t m = task * 16; m < std::min<int64_t>(task * 16 + 16, count); ++m) {
      float* x = x_.data() + m * embedding_;
      if (y != nullptr) kernels.add(x, y + m * embedding_, c.embedding);
      kernels.layer_norm(x, norm.weight.data(), norm.bias.empty() ? nullptr : norm.bias.data(), c.norm_epsilon, c.embedding, x);
    }
  });
}

void Encoder::pool_rows(std::span<const EncoderInput> texts, float* out) {
  const ModelConfig& c = model_->config();
  const float* x = x_.data();
  std::vector<float> pooled(static_cast<size_t>(round_up(static_cast<int64_t>(texts.size())) * embedding_));
  float* to = pooled.data();
  for (const EncoderInput& text : texts) {
    auto length = static_cast<int64_t>(text.tokens.size());
    if (c.pooling == Pooling::kMean || c.pooling == Pooling::kNone) {
      for (int64_t t = 0; t < length; ++t) multiplier_.kernels().scale_add(to, x + t * embedding_, 1 / static_cast<float>(length), c.embedding);
    } else {
      int64_t t = c.pooling == Pooling::kLast ? length - 1 : 0;
      std::memcpy(to, x + t * embedding_, static_cast<size_t>(c.embedding) * sizeof(float));
    }
    x += length * embedding_, to += embedding_;
  }
  int count = static_cast<int>(texts.size());
  if (model_->classifier().empty()) {
    for (int m = 0; m < count; ++m)
      std::memcpy(out + int64_t{m} * c.embedding, pooled.data() + m * embedding_, static_cast<size_t>(c.embedding) * sizeof(float));
    return;
  }
  std::vector<float> dense(pooled.size());
  if (!model_->pooler().empty()) {
    Output output{&model_->pooler(), dense.data(), embedding_};
    multiplier_.run({pooled.data(), embedding_, count}, {&output, 1});
    for (float& v : dense) v = std::tanh(v);
    pooled.swap(dense);
  }
  int64_t ld = model_->classifier().padded_rows();
  std::vector<float> labels(static_cast<size_t>(round_up(count) * ld));
  Output output{&model_->classifier(), labels.data(), ld};
  multiplier_.run({pooled.data(), embedding_, count}, {&output, 1});
  for (int m = 0; m < count; ++m)
    std::memcpy(out + int64_t{m} * dimension(), labels.data() + m * ld, static_cast<size_t>(dimension()) * sizeof(float));
}

}  // namespace ajar::engine
