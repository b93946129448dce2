#include "learn/metrics.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace ajar::learn {

double expected_calibration_error(std::span<const Claim> claims, size_t bins) {
  assert(bins > 0);
  if (claims.empty()) return 0;
  std::vector<Claim> sorted(claims.begin(), claims.end());
  std::ranges::sort(sorted, {}, &Claim::probability);
  const size_t n = sorted.size();
  double sum = 0;
  for (size_t bin = 0; bin < bins; ++bin) {
    double claimed = 0, right = 0;
    for (size_t i = n * bin / bins; i < n * (bin + 1) / bins; ++i) claimed += sorted[i].probability, right += sorted[i].right;
    sum += std::abs(claimed - right);
  }
  return sum / static_cast<double>(n);
}

double brier_score(std::span<const Claim> claims) {
  if (claims.empty()) return 0;
  double sum = 0;
  for (const Claim& c : claims) sum += (c.probability - c.right) * (c.probability - c.right);
  return sum / static_cast<double>(claims.size());
}

std::optional<double> auroc(std::span<const Claim> claims) {
  std::vector<Claim> sorted(claims.begin(), claims.end());
  std::ranges::sort(sorted, {}, &Claim::probability);
  double wrong_below = 0, wins = 0;
  for (size_t at = 0; at < sorted.size();) {
    double right = 0, wrong = 0;
    const double score = sorted[at].probability;
    for (; at < sorted.size() && sorted[at].probability == score; ++at) (sorted[at].right ? right : wrong) += 1;
    wins += right * (wrong_below + wrong / 2);
    wrong_below += wrong;
  }
  const double rights = static_cast<double>(sorted.size()) - wrong_below;
  if (rights == 0 || wrong_below == 0) return std::nullopt;
  return wins / (rights * wrong_below);
}

RoutingCurve::RoutingCurve(std::span<const RoutedOutcome> outcomes) {
  assert(!outcomes.empty());
  std::vector<RoutedOutcome> sorted(outcomes.begin(), outcomes.end());
  std::ranges::sort(sorted, std::ranges::greater(), &RoutedOutcome::score);
  double sum = 0;
  for (const auto& o : sorted) sum += o.weak;
  const auto n = static_cast<double>(sorted.size());
  quality_.push_back(sum / n);
  for (size_t at = 0; at < sorted.size();) {
    size_t end = at;
    double gain = 0;
    for (; end < sorted.size() && sorted[end].score == sorted[at].score; ++end) gain += sorted[end].strong - sorted[end].weak;
    for (const size_t from = at; at < end; ++at)
      quality_.push_back((sum + gain * static_cast<double>(at + 1 - from) / static_cast<double>(end - from)) / n);
    sum += gain;
  }
}

double RoutingCurve::quality(double share) const {
  const double at = std::clamp(share, 0.0, 1.0) * static_cast<double>(quality_.size() - 1);
  const auto i = std::min(static_cast<size_t>(at), quality_.size() - 2);
  return quality_[i] + (quality_[i + 1] - quality_[i]) * (at - static_cast<double>(i));
}

std::optional<double> RoutingCurve::apgr() const {
  const double gap = strong() - weak();
  if (gap == 0) return std::nullopt;
  double area = 0;
  for (size_t i = 0; i + 1 < quality_.size(); ++i) area += (quality_[i] + quality_[i + 1]) / 2 - weak();
  return area / static_cast<double>(quality_.size() - 1) / gap;
}

std::optional<double> RoutingCurve::cpt(double recovered) const {
  const double gap = strong() - weak();
  if (gap <= 0) return std::nullopt;
  for (size_t i = 0; i < quality_.size(); ++i)
    if (quality_[i] - weak() >= recovered * gap - 1e-12) return static_cast<double>(i) / static_cast<double>(quality_.size() - 1);
  return std::nullopt;
}

}  // namespace ajar::learn
