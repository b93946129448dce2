#include "learn/kernel_ridge.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <unordered_map>

#include "learn/symmetric.h"

namespace ajar::learn {
namespace {

constexpr float kSure = 14;  // logit of a row's own label

// Each label's share of at most kMostKernelRows, evenly through its rows, in their order.
std::vector<const KernelExample*> thinned(std::span<const KernelExample> examples, uint32_t labels) {
  std::vector<size_t> of_label(labels), seen(labels);
  for (const KernelExample& e : examples) ++of_label[e.label];
  std::vector<const KernelExample*> out;
  for (const KernelExample& e : examples) {
    const size_t all = of_label[e.label], kept = examples.size() <= kMostKernelRows ? all : std::max<size_t>(all * kMostKernelRows / examples.size(), 1);
    const size_t i = seen[e.label]++;
    if ((i + 1) * kept / all > i * kept / all) out.push_back(&e);
  }
  return out;
}

// The kernel of all rows with all rows, and the ridge.
class Kernel {
 public:
  Kernel(std::span<const KernelExample* const> examples, const KernelRows& rows, const KernelOptions& options)
      : examples_(examples), options_(options), tiles_((examples.size() + kTile - 1) / kTile), depth_((rows.projection().kept() + kTile - 1) / kTile) {
    turned_.resize(tiles_ * depth_ * kTile * kTile);
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto row = rows.row(i);
      for (size_t x = 0; x < row.size(); ++x) turned(i / kTile, x / kTile)[x % kTile * kTile + i % kTile] = row[x];
    }
  }

  void fill(SymmetricMatrix& out, int threads) const {
    in_parallel(threads, tiles_, [&](size_t n) {
      const size_t i = tiles_ - 1 - n;  // the long ones first
      const Words words = words_of(i);
      for (size_t j = 0; j <= i; ++j) fill(out.tile(i, j), i, j, words);
    });
  }

 private:
  float* turned(size_t tile, size_t part) { return turned_.data() + (tile * depth_ + part) * kTile * kTile; }
  const float* turned(size_t tile, size_t part) const { return turned_.data() + (tile * depth_ + part) * kTile * kTile; }
  size_t rows_in(size_t tile) const { return std::min(kTile, examples_.size() - tile * kTile); }

  // The n-grams of a tile's rows, by column: the value in each row.
  struct Words {
    std::unordered_map<uint32_t, uint32_t> slots;
    std::vector<float> values;
  };
  Words words_of(size_t tile) const {
    Words out;
    for (size_t i = 0; i < rows_in(tile); ++i) {
      const SparseVector& words = *examples_[tile * kTile + i]->words;
      for (size_t n = 0; n < words.columns.size(); ++n) {
        const auto [slot, fresh] = out.slots.try_emplace(words.columns[n], static_cast<uint32_t>(out.slots.size()));
        if (fresh) out.values.resize(out.values.size() + kTile);
        out.values[slot->second * kTile + i] = words.values[n];
      }
    }
    return out;
  }

  void fill(float* t, size_t i, size_t j, const Words& words) const {
    for (size_t part = 0; part < depth_; ++part) subtract_product(t, turned(i, part), turned(j, part));
    const auto sharp = static_cast<float>(options_.sharpness), by_words = static_cast<float>(options_.words);
    for (size_t x = 0; x < kTile * kTile; ++x) t[x] = std::exp(sharp * (std::min(-t[x], 1.0F) - 1));
    for (size_t y = 0; y < rows_in(j); ++y) {
      const SparseVector& own = *examples_[j * kTile + y]->words;
      for (size_t n = 0; n < own.columns.size(); ++n) {
        const auto slot = words.slots.find(own.columns[n]);
        if (slot == words.slots.end()) continue;
        const float* values = words.values.data() + size_t{slot->second} * kTile;
        for (size_t x = 0; x < kTile; ++x) t[y * kTile + x] += by_words * own.values[n] * values[x];
      }
    }
    // What is beyond the rows is nobody's: it must not touch them.
    for (size_t y = 0; y < kTile; ++y)
      for (size_t x = 0; x < kTile; ++x)
        if (x >= rows_in(i) || y >= rows_in(j)) t[y * kTile + x] = 0;
    for (size_t x = 0; i == j && x < kTile; ++x) t[x * kTile + x] += x < rows_in(i) ? static_cast<float>(options_.ridge) : 1;
  }

  std::span<const KernelExample* const> examples_;
  const KernelOptions& options_;
  size_t tiles_, depth_;
  std::vector<float> turned_;  // [tile of rows][part of the columns]: [column][row]
};

// rows x labels.
std::vector<float> solved(const SymmetricMatrix& matrix, std::span<const KernelExample* const> examples, uint32_t labels, int threads) {
  std::vector<float> out(examples.size() * labels);
  in_parallel(threads, (labels + kTile - 1) / kTile, [&](size_t part) {
    std::vector<float> b(matrix.tiles() * kTile * kTile);
    const size_t from = part * kTile, n = std::min(kTile, labels - from);
    for (size_t i = 0; i < examples.size(); ++i)
      for (size_t x = 0; x < n; ++x) b[i * kTile + x] = kSure * ((examples[i]->label == from + x ? 1.0F : 0.0F) - 1 / static_cast<float>(labels));
    matrix.solve(b.data());
    for (size_t i = 0; i < examples.size(); ++i) std::copy_n(b.data() + i * kTile, n, out.data() + i * labels + from);
  });
  return out;
}

}  // namespace

Result<KernelFit> train_kernel(std::span<const KernelExample> examples, uint32_t labels, uint32_t columns, const KernelOptions& options, int threads,
                               const std::function<void(double)>& progress) {
  if (labels < 2) return invalid("", "a task needs at least two labels");
  if (examples.empty()) return invalid("", "there is nothing to learn from");
  for (const KernelExample& e : examples) {
    if (e.label >= labels) return invalid("", "an example has a label that is not there");
    assert(e.embedding.size() == examples.front().embedding.size() && !e.embedding.empty());
  }
  const auto kept = thinned(examples, labels);
  std::vector<std::span<const float>> embeddings;
  for (const KernelExample* e : kept) embeddings.push_back(e->embedding);
  Projection projection(embeddings, options.width);
  KernelFit out{.words = {.labels = labels, .columns = columns}, .rows = KernelRows(std::move(projection), embeddings)};

  SymmetricMatrix matrix(kept.size());
  Kernel(kept, out.rows, options).fill(matrix, threads);
  AJAR_TRY(matrix.factor(threads, progress));
  const auto weights = solved(matrix, kept, labels, threads);
  out.rows.set_weights(weights, labels);
  out.words.weights.assign(out.words.rows() * labels, 0);
  for (size_t i = 0; i < kept.size(); ++i)
    for (size_t n = 0; n < kept[i]->words->columns.size(); ++n) {
      const float by = static_cast<float>(options.words) * kept[i]->words->values[n];
      float* row = out.words.weights.data() + size_t{kept[i]->words->columns[n]} * labels;
      for (uint32_t label = 0; label < labels; ++label) row[label] += by * weights[i * labels + label];
    }
  return out;
}

}  // namespace ajar::learn
