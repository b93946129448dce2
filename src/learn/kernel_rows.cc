#include "learn/kernel_rows.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "learn/dense_math.h"

namespace ajar::learn {
namespace {

constexpr size_t kMostSampled = 4096;     // rows that the directions are found from
constexpr int kRounds = 12;               // of subspace iteration; more change no answer

void to_length_1(std::span<float> x) {
  const float square = dot(x.data(), x.data(), x.size()), scale = square > 1e-20F ? 1 / std::sqrt(square) : 0;
  for (float& v : x) v *= scale;
}

// Gram and Schmidt, twice for floats' sake; a row that is nothing beside those before it becomes zeros.
void make_orthogonal(std::vector<float>& rows, size_t width) {
  for (size_t at = 0; at < rows.size(); at += width) {
    float* row = rows.data() + at;
    to_length_1({row, width});
    for (int twice = 0; twice < 2; ++twice) {
      for (const float* before = rows.data(); before != row; before += width) {
        const float by = dot(row, before, width);
        for (size_t i = 0; i < width; ++i) row[i] -= by * before[i];
      }
      if (dot(row, row, width) < 1e-8F) std::fill_n(row, width, 0);
      to_length_1({row, width});
    }
  }
}

}  // namespace

Projection::Projection(std::span<const std::span<const float>> rows, uint32_t kept) : mean_(rows.front().size()) {
  const size_t width = mean_.size(), sampled = std::min(rows.size(), kMostSampled);
  std::vector<float> sample(sampled * width);
  for (size_t i = 0; i < sampled; ++i) {
    const auto row = std::span(sample).subspan(i * width, width);
    std::ranges::copy(rows[i * rows.size() / sampled], row.begin());
    to_length_1(row);
    for (size_t x = 0; x < width; ++x) mean_[x] += row[x] / static_cast<float>(sampled);
  }
  std::vector<float> spread(width * width);
  for (size_t at = 0; at < sample.size(); at += width) {
    const auto row = std::span(sample).subspan(at, width);
    for (size_t x = 0; x < width; ++x) row[x] -= mean_[x];
  }
  std::vector<float> column(sampled);
  for (size_t x = 0; x < width; ++x) {
    for (size_t i = 0; i < sampled; ++i) column[i] = sample[i * width + x];
    multiply(column.data(), sampled, sample.data(), width, spread.data() + x * width);
  }
  // Orthogonal iteration (Golub and Van Loan, 8.2) from rows of the spread itself.
  const size_t directions = std::min<size_t>(kept, width);
  basis_.resize(directions * width);
  for (size_t i = 0; i < directions; ++i) std::copy_n(spread.begin() + static_cast<std::ptrdiff_t>(i * width / directions * width), width, basis_.begin() + static_cast<std::ptrdiff_t>(i * width));
  std::vector<float> next(basis_.size());
  for (int round = 0; round < kRounds; ++round) {
    make_orthogonal(basis_, width);
    for (size_t i = 0; i < directions; ++i) multiply(basis_.data() + i * width, width, spread.data(), width, next.data() + i * width);
    basis_.swap(next);
  }
  make_orthogonal(basis_, width);
  next.clear();
  for (size_t x = 0; x < width; ++x)
    for (size_t i = 0; i < directions; ++i) next.push_back(basis_[i * width + x]);
  basis_.swap(next);
}

std::vector<float> Projection::operator()(std::span<const float> embedding) const {
  assert(embedding.size() == mean_.size());
  std::vector<float> x(embedding.begin(), embedding.end()), out(kept());
  to_length_1(x);
  for (size_t i = 0; i < x.size(); ++i) x[i] -= mean_[i];
  multiply(x.data(), x.size(), basis_.data(), out.size(), out.data());
  to_length_1(out);
  return out;
}

KernelRows::KernelRows(Projection projection, std::span<const std::span<const float>> embeddings) : projection_(std::move(projection)) {
  scales_.reserve(embeddings.size());
  values_.reserve(embeddings.size() * projection_.kept());
  for (const auto embedding : embeddings) {
    const size_t from = values_.size();
    append_bytes(projection_(embedding), values_);
    int64_t square = 0;
    for (size_t i = from; i < values_.size(); ++i) square += int64_t{values_[i]} * values_[i];
    scales_.push_back(square > 0 ? static_cast<float>(1 / std::sqrt(static_cast<double>(square))) : 0);  // of length 1 as it is kept
  }
}

std::vector<float> KernelRows::row(size_t i) const {
  std::vector<float> out(projection_.kept());
  for (size_t x = 0; x < out.size(); ++x) out[x] = scales_[i] * static_cast<float>(values_[i * out.size() + x]);
  return out;
}

void KernelRows::set_weights(std::span<const float> weights, size_t labels) {
  float most = 0;
  for (const float w : weights) most = std::max(most, std::abs(w));
  unit_ = most / 32767;
  std::vector<int16_t> votes;
  votes.reserve(weights.size());
  for (const float w : weights) votes.push_back(unit_ > 0 ? static_cast<int16_t>(std::lround(w / unit_)) : int16_t{0});
  votes_ = VoteTable(votes, labels);
}

void KernelRows::add_to(std::span<float> logits, std::span<const float> embedding, double sharpness) const {
  if (empty()) return;
  assert(votes_.rows() == size());
  const auto near = projection_(embedding);
  const size_t width = near.size();
  std::vector<int8_t> query;
  const float unit = append_bytes(near, query);

  constexpr size_t kAtOnce = 256;  // what was multiplied is still near when it is made loud
  std::array<int32_t, kAtOnce> products;
  std::vector<int16_t> loud((size() + 1) / 2 * 2);
  for (size_t from = 0; from < size(); from += kAtOnce) {
    const size_t n = std::min(kAtOnce, size() - from);
    dots(values_.data() + from * width, n, width, query.data(), products.data());
    loudness(products.data(), scales_.data() + from, n, unit, static_cast<float>(sharpness), loud.data() + from);
  }
  votes_.add_to(logits, loud, unit_ / kLoudest);
}

}  // namespace ajar::learn
