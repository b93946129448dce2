#include "learn/linear.h"

#include <algorithm>
#include <barrier>
#include <cassert>
#include <cmath>
#include <numeric>
#include <thread>

namespace ajar::learn {
namespace {

// SplitMix64: small, and the same everywhere, as std::shuffle is not.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t below(uint64_t n) { return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * n) >> 64); }

 private:
  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint64_t state_;
};

void shuffle(std::vector<uint32_t>& order, Random& random) {
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
}

void add_scaled(float* __restrict out, const float* __restrict in, float scale, size_t n) {
  for (size_t i = 0; i < n; ++i) out[i] += in[i] * scale;
}

Status check(std::span<const Example> examples, uint32_t labels, uint32_t columns) {
  if (labels < 2) return invalid("labels", "a task needs at least two labels");
  if (examples.empty()) return invalid("examples", "there is nothing to learn from");
  for (const Example& e : examples) {
    if (e.label >= labels) return invalid("label", "a label is out of range");
    if (e.dense.size() != examples.front().dense.size()) return invalid("embedding", "embeddings of different widths");
    if (!e.sparse.columns.empty() && e.sparse.columns.back() >= columns) return invalid("columns", "a column is out of range");
  }
  return {};
}

class Trainer {
 public:
  Trainer(std::span<const Example> examples, LinearModel& model, const LinearOptions& options)
      : examples_(examples), model_(model), options_(options), random_(options.seed) {
    squares_.assign(model.weights.size(), 0);
    logits_.resize(static_cast<size_t>(std::max(1, options.batch)) * model.labels);
    order_.resize(examples.size());
    std::iota(order_.begin(), order_.end(), 0U);
  }

  // One pass over all examples; mean loss.
  double epoch() {
    shuffle(order_, random_);
    loss_ = 0;
    const auto threads = static_cast<uint32_t>(std::clamp(options_.threads, 1, 8));
    std::barrier meet(threads);
    std::vector<std::jthread> others;
    for (uint32_t t = 1; t < threads; ++t) others.emplace_back([&, t] { work(t, threads, meet); });
    work(0, threads, meet);
    others.clear();
    return loss_ / static_cast<double>(examples_.size());
  }

 private:
  void work(uint32_t thread, uint32_t threads, std::barrier<>& meet) {
    const size_t from = size_t{model_.labels} * thread / threads, to = size_t{model_.labels} * (thread + 1) / threads;
    const auto batch = static_cast<size_t>(std::max(1, options_.batch));
    for (size_t at = 0; at < order_.size(); at += batch) {
      const size_t n = std::min(batch, order_.size() - at);
      for (size_t i = 0; i < n; ++i) score(examples_[order_[at + i]], logits_.data() + i * model_.labels, from, to);
      meet.arrive_and_wait();
      if (thread == 0)
        for (size_t i = 0; i < n; ++i) to_gradient(examples_[order_[at + i]], i);
      meet.arrive_and_wait();
      for (size_t i = 0; i < n; ++i) learn(examples_[order_[at + i]], logits_.data() + i * model_.labels, from, to);
    }
  }

  float* row(size_t i) { return model_.weights.data() + i * model_.labels; }

  void score(const Example& e, float* out, size_t from, size_t to) {
    const size_t n = to - from;
    std::copy_n(row(model_.rows() - 1) + from, n, out + from);
    for (size_t i = 0; i < e.sparse.columns.size(); ++i)
      add_scaled(out + from, row(e.sparse.columns[i]) + from, e.sparse.values[i], n);
    for (size_t i = 0; i < e.dense.size(); ++i) add_scaled(out + from, row(model_.columns + i) + from, e.dense[i], n);
  }

  // Logits become probability minus truth.
  void to_gradient(const Example& e, size_t i) {
    const std::span<float> p(logits_.data() + i * model_.labels, model_.labels);
    const float logit = p[e.label];
    loss_ += softmax(p) - logit;
    if (options_.smoothing > 0)
      for (float& x : p) x -= static_cast<float>(options_.smoothing / model_.labels);
    p[e.label] -= static_cast<float>(1 - options_.smoothing);
  }

  void learn(const Example& e, const float* gradient, size_t from, size_t to) {
    step(model_.rows() - 1, 1, gradient, from, to);
    for (size_t i = 0; i < e.sparse.columns.size(); ++i) step(e.sparse.columns[i], e.sparse.values[i], gradient, from, to);
    for (size_t i = 0; i < e.dense.size(); ++i) step(model_.columns + i, e.dense[i], gradient, from, to);
  }

  void step(size_t column, float value, const float* __restrict gradient, size_t from, size_t to) {
    float* __restrict w = row(column);
    float* __restrict squares = squares_.data() + column * model_.labels;
    const auto rate = static_cast<float>(options_.rate), l2 = static_cast<float>(options_.l2);
    for (size_t i = from; i < to; ++i) {
      const float g = gradient[i] * value + l2 * w[i];
      squares[i] += g * g;
      w[i] -= rate * g / std::sqrt(squares[i] + 1e-8F);
    }
  }

  std::span<const Example> examples_;
  LinearModel& model_;
  const LinearOptions& options_;
  Random random_;
  std::vector<float> squares_, logits_;
  std::vector<uint32_t> order_;
  double loss_ = 0;
};

}  // namespace

void LinearModel::logits(const SparseVector& sparse, std::span<const float> dense, std::span<float> out) const {
  assert(out.size() == labels && dense.size() == width);
  std::ranges::copy(row(rows() - 1), out.begin());
  for (size_t i = 0; i < sparse.columns.size(); ++i)
    add_scaled(out.data(), row(sparse.columns[i]).data(), sparse.values[i], labels);
  for (size_t i = 0; i < dense.size(); ++i) add_scaled(out.data(), row(columns + i).data(), dense[i], labels);
}

Result<LinearModel> train_linear(std::span<const Example> examples, uint32_t labels, uint32_t columns,
                                 const LinearOptions& options, const std::function<void(int, double)>& progress) {
  AJAR_TRY(check(examples, labels, columns));
  LinearModel model{.labels = labels, .columns = columns, .width = static_cast<uint32_t>(examples.front().dense.size())};
  model.weights.assign(model.rows() * labels, 0);
  Trainer trainer(examples, model, options);
  for (int epoch = 0; epoch < options.epochs; ++epoch) {
    const double loss = trainer.epoch();
    if (progress) progress(epoch, loss);
  }
  return model;
}

double softmax(std::span<float> logits, double temperature) {
  double most = -INFINITY, sum = 0;
  for (float& x : logits) x = static_cast<float>(x / temperature), most = std::max<double>(most, x);
  for (float& x : logits) {
    const double e = std::exp(x - most);
    sum += e, x = static_cast<float>(e);
  }
  for (float& x : logits) x = static_cast<float>(x / sum);
  return most + std::log(sum);
}

}  // namespace ajar::learn
