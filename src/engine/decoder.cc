#include "engine/decoder.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

namespace ajar::engine {
namespace {

int64_t round_up(int64_t n) { return (n + kPanelRows - 1) / kPanelRows * kPanelRows; }

// Tokens whose queries share the loading of a page; in tiles a page has to be converted first, which more of them share.
constexpr int kQueryTokens = 16, kTileTokens = 32;

}  // namespace

Decoder::Decoder(std::shared_ptr<const Model> model, ComputePool& pool, MultiplierOptions options, int32_t context)
    : model_(std::move(model)),
      pool_(pool),
      multiplier_(pool, options),
      rope_(model_->config().rope, false, context),
      local_rope_(model_->config().rope, true, context),
      q8_(q8_kernels(multiplier_.kernels())) {
  const ModelConfig& c = model_->config();
  embedding_ = round_up(c.embedding);
  q_width_ = round_up(int64_t{c.heads} * c.head_dim);
  kv_width_ = round_up(int64_t{c.kv_heads} * c.head_dim);
  ff_width_ = round_up(std::max({c.feed_forward, c.expert_feed_forward, c.shared_feed_forward}));
  scores_.resize(static_cast<size_t>(pool.threads()));
}

const float* Decoder::forward(std::span<const Row> rows, const KvPool& cache) {
  int count = static_cast<int>(rows.size());
  if (count == 0) return nullptr;
  int64_t longest = 0;
  for (const Row& row : rows) longest = std::max<int64_t>(longest, row.position + 1);
  reserve(count, longest);
  group_by_adapter(rows, groups_);
  embed(rows);
  for (size_t i = 0; i < model_->layers().size(); ++i) {
    const Layer& layer = model_->layers()[i];
    attention(layer, static_cast<int>(i), rows, cache);
    feed_forward(layer, static_cast<int>(i), rows);
  }

  // Only what somebody asked for passes the head, the largest matrix of all.
  int wanted = 0;
  for (int m = 0; m < count; ++m) {
    if (!rows[static_cast<size_t>(m)].logits) continue;
    if (wanted != m) std::memcpy(x_.data() + wanted * embedding_, x_.data() + m * embedding_, static_cast<size_t>(embedding_) * sizeof(float));
    ++wanted;
  }
  if (wanted == 0) return nullptr;
  normalize(model_->output_norm(), x_.data(), embedding_, normed_.data(), embedding_, wanted);
  size_t size = static_cast<size_t>(round_up(wanted) * logit_stride());
  if (logits_.size() < size) logits_.resize(size);
  Output head{&model_->head(), logits_.data(), logit_stride()};
  multiplier_.run({normed_.data(), embedding_, wanted}, {&head, 1});
  if (float cap = model_->config().logit_softcap; cap > 0)
    for (int64_t i = 0; i < wanted * logit_stride(); ++i) logits_[static_cast<size_t>(i)] = cap * std::tanh(logits_[static_cast<size_t>(i)] / cap);
  return logits_.data();
}

void Decoder::embed(std::span<const Row> rows) {
  const ModelConfig& c = model_->config();
  int half = rope_.dims() / 2;
  auto one = [&](int64_t m) {
    const Row& row = rows[static_cast<size_t>(m)];
    float* x = x_.data() + m * embedding_;
    model_->embed(row.token, x);
    if (c.embedding_scale != 1)
      for (int i = 0; i < c.embedding; ++i) x[i] *= c.embedding_scale;
    rope_.angles(row.position, cosines_.data() + m * half, sines_.data() + m * half);
    if (c.sliding_window > 0) local_rope_.angles(row.position, local_cosines_.data() + m * half, local_sines_.data() + m * half);
  };
  auto count = static_cast<int64_t>(rows.size());
  if (count <= 4) {
    for (int64_t m = 0; m < count; ++m) one(m);
  } else {
    pool_.run_if_worth(count * embedding_ * 2, count, [&](int64_t m, int) { one(m); });
  }
}

// x += Wo * attend(rope(norm(Wq * n)), rope(norm(Wk * n)), Wv * n),  n = norm(x)
void Decoder::attention(const Layer& layer, int index, std::span<const Row> rows, const KvPool& cache) {
  int count = static_cast<int>(rows.size());
  normalize(layer.attention_norm, x_.data(), embedding_, normed_.data(), embedding_, count);
  const Output qkv[] = {{&layer.q, q_.data(), q_width_}, {&layer.k, k_.data(), kv_width_}, {&layer.v, v_.data(), kv_width_}};
  multiplier_.run({normed_.data(), embedding_, count}, qkv);
  adapt({groups_, index}, normed_.data(), embedding_,
        {{AdapterTarget::kQ, q_.data(), q_width_}, {AdapterTarget::kK, k_.data(), kv_width_}, {AdapterTarget::kV, v_.data(), kv_width_}});
  store_keys(layer, index, rows, cache);
  attend(layer, index, rows, cache);
  Output out{&layer.o, projected_.data(), embedding_};
  multiplier_.run({attended_.data(), q_width_, count}, {&out, 1});
  adapt({groups_, index}, attended_.data(), q_width_, {{AdapterTarget::kO, projected_.data(), embedding_}});
  if (!layer.post_attention_norm.empty())
    normalize(layer.post_attention_norm, projected_.data(), embedding_, projected_.data(), embedding_, count);
  add_rows(projected_.data(), embedding_, count);
}

// Norms and turns queries and keys, and puts keys and values into their pages.
void Decoder::store_keys(const Layer& layer, int index, std::span<const Row> rows, const KvPool& cache) {
  const ModelConfig& c = model_->config();
  const Kernels& kernels = multiplier_.kernels();
  const int dim = c.head_dim, padded = (dim + 15) / 16 * 16, half = rope_.dims() / 2;
  const bool interleaved = c.rope.kind == RopeKind::kInterleaved;
  auto one = [&](int64_t m) {
    const Row& row = rows[static_cast<size_t>(m)];
    const float* cosines = (layer.local ? local_cosines_ : cosines_).data() + m * half;
    const float* sines = (layer.local ? local_sines_ : sines_).data() + m * half;
    auto turn = [&](float* head, const Norm& norm) {
      if (!norm.empty()) kernels.rms_norm(head, norm.weight.data(), c.norm_epsilon, dim, head);
      kernels.rope(head, cosines, sines, rope_.dims(), interleaved);
    };
    for (int h = 0; h < c.heads; ++h) turn(q_.data() + m * q_width_ + h * dim, layer.q_norm);
    int page = row.sequence->pages[static_cast<size_t>(row.position / kPageTokens)], slot = row.position % kPageTokens;
    for (int h = 0; h < c.kv_heads; ++h) {
      float* k = k_.data() + m * kv_width_ + h * dim;
      turn(k, layer.k_norm);
      if (cache.type() == KvType::kQ8_0) {
        q8_.store(k, v_.data() + m * kv_width_ + h * dim, dim, slot, cache.at(page, index, h));
        continue;
      }
      uint16_t halves[512];
      kernels.to_half(k, dim, halves);
      uint16_t* keys = cache.keys(page, index, h);
      for (int d = 0; d < dim; ++d) keys[d * kPageTokens + slot] = halves[d];
      kernels.to_half(v_.data() + m * kv_width_ + h * dim, dim, cache.values(page, index, h) + slot * padded);
    }
  };
  auto count = static_cast<int64_t>(rows.size());
  if (count <= 2) {
    for (int64_t m = 0; m < count; ++m) one(m);
  } else {
    pool_.run_if_worth(count * (q_width_ + kv_width_) * 4, (count + 7) / 8, [&](int64_t task, int) {
      for (int64_t m = task * 8; m < std::min(task * 8 + 8, count); ++m) one(m);
    });
  }
}

void Decoder::attend(const Layer& layer, int index, std::span<const Row> rows, const KvPool& cache) {
  const ModelConfig& c = model_->config();
  struct Piece {
    int first, count, head;
  };
  thread_local std::vector<Piece> pieces;
  pieces.clear();
  const int group = c.heads / c.kv_heads, dim = c.head_dim, padded = (dim + 15) / 16 * 16;
  // Where the weights are more exact than tiles, the attention is too.
  const bool may_tile = dim % 32 == 0 && multiplier_.arithmetic(layer.q, static_cast<int>(rows.size())) == Arithmetic::kBfloat;
  const int most = may_tile ? kTileTokens : kQueryTokens;
  for (int m = 0; m < static_cast<int>(rows.size());) {
    int n = 1;
    while (m + n < static_cast<int>(rows.size()) && n < most && rows[static_cast<size_t>(m + n)].sequence == rows[static_cast<size_t>(m)].sequence) ++n;
    for (int h = 0; h < c.kv_heads; ++h) pieces.push_back({m, n, h});
    m += n;
  }
  auto& all = pieces;
  const float scale = c.attention_scale > 0 ? c.attention_scale : 1 / std::sqrt(static_cast<float>(dim));
  int64_t work = 0;
  for (const Row& row : rows) work += int64_t{row.position + 1} * c.heads * dim * 2;
  pool_.run_if_worth(work, static_cast<int64_t>(all.size()), [&](int64_t task, int thread) {
    const Piece& piece = all[static_cast<size_t>(task)];
    const KvSequence& sequence = *rows[static_cast<size_t>(piece.first)].sequence;
    thread_local std::vector<const uint16_t*> k_pages, v_pages;
    thread_local std::vector<const std::byte*> q8_pages;
    thread_local std::vector<uint16_t> halves;
    thread_local std::vector<const float*> queries;
    thread_local std::vector<float*> outputs;
    thread_local std::vector<int32_t> positions, begins;
    k_pages.clear(), v_pages.clear(), q8_pages.clear(), queries.clear(), outputs.clear(), positions.clear(), begins.clear();
    int last = rows[static_cast<size_t>(piece.first + piece.count - 1)].position;
    const bool q8 = cache.type() == KvType::kQ8_0;
    for (int p = 0; p <= last / kPageTokens; ++p) {
      if (q8) {
        q8_pages.push_back(cache.at(sequence.pages[static_cast<size_t>(p)], index, piece.head));
        continue;
      }
      k_pages.push_back(cache.keys(sequence.pages[static_cast<size_t>(p)], index, piece.head));
      v_pages.push_back(cache.values(sequence.pages[static_cast<size_t>(p)], index, piece.head));
    }
    for (int m = piece.first; m < piece.first + piece.count; ++m) {
      int32_t position = rows[static_cast<size_t>(m)].position;
      for (int g = 0; g < group; ++g) {
        int64_t at = m * q_width_ + (piece.head * group + g) * dim;
        queries.push_back(q_.data() + at);
        outputs.push_back(attended_.data() + at);
        positions.push_back(position);
        begins.push_back(layer.local ? std::max(0, position - c.sliding_window + 1) : 0);
      }
    }
    const Kernels& kernels = multiplier_.kernels();
    auto& scores = scores_[static_cast<size_t>(thread)];
    bool tiles = may_tile && queries.size() >= 24;
    if (tiles) {
      auto floats = static_cast<size_t>(attend_tiles_floats(static_cast<int64_t>(queries.size()), last + 1, dim));
      if (scores.size() < floats) scores.resize(floats);
    }
    if (q8 && tiles) {  // tiles take halves: the pages that these rows see, once for all of them
      const size_t head = size_t{kPageTokens} * static_cast<size_t>(dim + padded), first = static_cast<size_t>(*std::ranges::min_element(begins) / kPageTokens);
      if (halves.size() < q8_pages.size() * head) halves.resize(q8_pages.size() * head);
      for (size_t p = 0; p < q8_pages.size(); ++p) {
        uint16_t* keys = halves.data() + p * head;
        k_pages.push_back(keys), v_pages.push_back(keys + dim * kPageTokens);
        if (p >= first / 2 * 2) q8_.to_halves(q8_pages[p], dim, keys, keys + dim * kPageTokens);
      }
    }
    const Attention attention{.k_pages = k_pages.data(), .v_pages = v_pages.data(), .queries = queries.data(),
                              .outputs = outputs.data(), .positions = positions.data(), .begins = begins.data(),
                              .rows = static_cast<int>(queries.size()), .head_dim = dim, .padded_head_dim = padded, .scale = scale,
                              .softcap = c.attention_softcap, .soften = kernels.soften, .scores = scores.data()};
    if (q8 && !tiles) q8_.attend(attention, q8_pages.data());
    else (tiles ? kernels.attend_tiles : kernels.attend)(attention);
  });
}

// x += Wdown * (act(Wgate * n) . Wup * n),  n = norm(x)
void Decoder::feed_forward(const Layer& layer, int index, std::span<const Row> rows) {
  const auto count = static_cast<int>(rows.size());
  normalize(layer.feed_norm, x_.data(), embedding_, normed_.data(), embedding_, count);
  if (!layer.experts.empty()) experts(layer, index, rows);
  else gated(layer.gate, layer.up, layer.down, {groups_, index}, normed_.data(), embedding_, count, projected_.data(), embedding_);
  if (!layer.post_feed_norm.empty())
    normalize(layer.post_feed_norm, projected_.data(), embedding_, projected_.data(), embedding_, count);
  add_rows(projected_.data(), embedding_, count);
}

void Decoder::gated(const Matrix& gate, const Matrix& up, const Matrix& down, const Adapting& by, const float* x, int64_t ldx, int count,
                    float* out, int64_t ldo) {
  const Kernels& kernels = multiplier_.kernels();
  const Output both[] = {{&gate, gate_.data(), ff_width_}, {&up, up_.data(), ff_width_}};
  multiplier_.run({x, ldx, count}, both);
  adapt(by, x, ldx, {{AdapterTarget::kGate, gate_.data(), ff_width_}, {AdapterTarget::kUp, up_.data(), ff_width_}});
  auto activate = model_->config().activation == Activation::kSilu ? kernels.silu_times : kernels.gelu_tanh_times;
  // In pieces that a thread can take, one row or a part of it.
  int64_t part = count >= 4 ? gate.rows : round_up((gate.rows + pool_.threads() - 1) / pool_.threads());
  int64_t parts = (gate.rows + part - 1) / part;
  pool_.run_if_worth(count * gate.rows * 16, count * parts, [&](int64_t task, int) {
    int64_t at = task / parts * ff_width_ + task % parts * part;
    activate(gate_.data() + at, up_.data() + at, std::min(part, gate.rows - task % parts * part));
  });
  Output result{&down, out, ldo};
  multiplier_.run({gate_.data(), ff_width_, count}, {&result, 1});
  adapt(by, gate_.data(), ff_width_, {{AdapterTarget::kDown, out, ldo}});
}

void Decoder::normalize(const Norm& norm, const float* x, int64_t ldx, float* out, int64_t ldo, int count) {
  const ModelConfig& c = model_->config();
  const Kernels& kernels = multiplier_.kernels();
  auto one = [&](int64_t m) {
    if (norm.bias.empty() && !c.layer_norm)
      kernels.rms_norm(x + m * ldx, norm.weight.data(), c.norm_epsilon, c.embedding, out + m * ldo);
    else
      kernels.layer_norm(x + m * ldx, norm.weight.data(), norm.bias.empty() ? nullptr : norm.bias.data(), c.norm_epsilon, c.embedding, out + m * ldo);
  };
  if (count <= 8) {
    for (int m = 0; m < count; ++m) one(m);
  } else {
    pool_.run_if_worth(count * embedding_ * 2, (count + 7) / 8, [&](int64_t task, int) {
      for (int64_t m = task * 8; m < std::min<int64_t>(task * 8 + 8, count); ++m) one(m);
    });
  }
}

void Decoder::add_rows(const float* y, int64_t ldy, int count) {
  pool_.run_if_worth(count * embedding_, (count + 7) / 8, [&](int64_t task, int) {
    for (int64_t m = task * 8; m < std::min<int64_t>(task * 8 + 8, count); ++m)
      multiplier_.kernels().add(x_.data() + m * embedding_, y + m * ldy, model_->config().embedding);
  });
}

void Decoder::reserve(int count, int64_t longest) {
  for (auto& scores : scores_)
    if (static_cast<int64_t>(scores.size()) < 8 * round_up(longest)) scores.resize(static_cast<size_t>(8 * round_up(longest + 256)));
  if (count <= capacity_) return;
  capacity_ = static_cast<int>(round_up(count));
  auto rows = static_cast<size_t>(capacity_);
  x_.resize(rows * static_cast<size_t>(embedding_)), normed_.resize(x_.size()), projected_.resize(x_.size());
  q_.resize(rows * static_cast<size_t>(q_width_)), attended_.resize(q_.size());
  k_.resize(rows * static_cast<size_t>(kv_width_)), v_.resize(k_.size());
  gate_.resize(rows * static_cast<size_t>(ff_width_)), up_.resize(gate_.size());
  size_t angles = rows * static_cast<size_t>(rope_.dims() / 2);
  cosines_.resize(angles), sines_.resize(angles), local_cosines_.resize(angles), local_sines_.resize(angles);
}

}  // namespace ajar::engine
