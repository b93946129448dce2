#include "learn/task_features.h"

#include <cassert>
#include <cmath>
#include <numbers>

#include "learn/dense_math.h"

namespace ajar::learn {
namespace {

// SplitMix64 and Box-Muller: the same on every machine, as the standard distributions are not.
class Gaussian {
 public:
  explicit Gaussian(uint64_t seed) : state_(seed) {}
  double uniform() {  // (0, 1]
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (static_cast<double>((z ^ (z >> 31)) >> 11) + 1) * 0x1p-53;
  }
  double operator()() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  uint64_t state_;
};

}  // namespace

TaskFeatures::TaskFeatures(const TaskRecipe& recipe, uint32_t width)
    : hashed_(recipe.hashed),
      by_kernel_(recipe.kernel.width > 0),
      width_(width),
      random_(width == 0 || by_kernel_ ? 0 : recipe.random),
      embedding_scale_(static_cast<float>(recipe.embedding_scale)),
      random_scale_(random_ == 0 ? 0 : static_cast<float>(recipe.random_scale * std::sqrt(2.0 / random_))) {
  Gaussian gaussian(recipe.training.seed);
  directions_.resize(size_t{random_} * width_);
  offsets_.resize(random_);
  for (float& d : directions_) d = static_cast<float>(recipe.gamma * gaussian());
  for (float& o : offsets_) o = static_cast<float>(2 * std::numbers::pi * gaussian.uniform());
}

Example TaskFeatures::operator()(std::string_view text, std::span<const float> embedding) const {
  assert(embedding.size() == width_);
  Example out{.sparse = hashed_features(text, hashed_)};
  if (dense() == 0) return out;
  const float square = dot(embedding.data(), embedding.data(), width_);
  const float scale = square > 0 ? 1 / std::sqrt(square) : 0;
  out.dense.reserve(dense());
  for (const float x : embedding) out.dense.push_back(x * scale * embedding_scale_);
  for (uint32_t i = 0; i < random_; ++i) {
    const float angle = dot(directions_.data() + size_t{i} * width_, embedding.data(), width_) * scale + offsets_[i];
    out.dense.push_back(std::cos(angle) * random_scale_);
  }
  return out;
}

}  // namespace ajar::learn
