#include "learn/neighbours.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace ajar::learn {
namespace {

constexpr double kFar = 1e-6;  // the density where there is nobody: nobody near is a sign, but no proof

double length_of(std::span<const float> x) {
  double square = 0;
  for (const float v : x) square += static_cast<double>(v) * v;
  return std::sqrt(square);
}

// |a[i]| <= 127, |b[i]| <= 4096: exact for 4,000 columns and more.
int32_t dot(const int8_t* a, const int16_t* b, size_t n) {
  int32_t sum = 0;
  for (size_t i = 0; i < n; ++i) sum += int32_t{a[i]} * b[i];
  return sum;
}

}  // namespace

Neighbours::Neighbours(std::span<const Row> rows, uint32_t labels, uint32_t width) : ends_(labels, 0) {
  std::vector<std::vector<const Row*>> by_label(labels);
  for (const Row& row : rows) {
    assert(row.label < labels && row.embedding.size() == width);
    by_label[row.label].push_back(&row);
  }
  const size_t most = std::max<size_t>(kMost / labels, 1);
  for (uint32_t label = 0; label < labels; ++label) {
    const auto& all = by_label[label];
    const size_t kept = std::min(all.size(), most);
    for (size_t i = 0; i < kept; ++i) {
      const auto embedding = all[i * all.size() / kept]->embedding;
      const double length = length_of(embedding);
      float highest = 0;
      for (const float x : embedding) highest = std::max(highest, std::abs(x));
      const float unit = highest / 127;
      scales_.push_back(length > 0 ? static_cast<float>(unit / length) : 0);
      for (const float x : embedding) values_.push_back(unit > 0 ? static_cast<int8_t>(std::lround(x / unit)) : int8_t{0});
    }
    ends_[label] = static_cast<uint32_t>(scales_.size());
  }
}

void Neighbours::add_to(std::span<float> logits, std::span<const float> embedding, const NeighbourOptions& options) const {
  if (empty()) return;
  assert(logits.size() == ends_.size());
  const size_t width = embedding.size();
  float highest = 0;
  for (const float x : embedding) highest = std::max(highest, std::abs(x));
  const double length = length_of(embedding);
  if (!(length > 0)) return;
  std::vector<int16_t> query(width);
  for (size_t i = 0; i < width; ++i) query[i] = static_cast<int16_t>(std::lround(embedding[i] / highest * 4096));
  const double unit = highest / 4096 / length;

  std::vector<uint32_t> likely(logits.size());
  std::iota(likely.begin(), likely.end(), 0U);
  const auto asked = std::min<size_t>(kAsked, likely.size());
  std::ranges::partial_sort(likely, likely.begin() + static_cast<std::ptrdiff_t>(asked),
                            [&](uint32_t a, uint32_t b) { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; });
  double lowest = 0;  // what the others get, so that none of them overtakes
  for (size_t n = 0; n < asked; ++n) {
    const uint32_t label = likely[n];
    double density = kFar;
    for (size_t i = label == 0 ? 0 : ends_[label - 1]; i < ends_[label]; ++i) {
      const double cosine = dot(values_.data() + i * width, query.data(), width) * static_cast<double>(scales_[i]) * unit;
      density += std::exp(options.sharpness * (std::min(cosine, 1.0) - 1));
    }
    const double opinion = options.weight * std::log(density);
    lowest = n == 0 ? opinion : std::min(lowest, opinion);
    logits[label] += static_cast<float>(opinion);
  }
  for (size_t n = asked; n < likely.size(); ++n) logits[likely[n]] += static_cast<float>(lowest);
}

}  // namespace ajar::learn
