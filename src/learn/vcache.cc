#include "learn/vcache.h"

#include <algorithm>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>

namespace ajar::learn {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Quantile of the standard normal distribution, p in (0, 1).
double normal_quantile(double p) { return std::sqrt(2.0) * boost::math::erf_inv(2 * p - 1); }

// Where all equal answers lie above all others, the likelihood has no maximum and no curvature: the slope is taken as steep, and
// the midpoint's variance falls with the number of observations. The constants are the least cautious with which the
// simulation in vcache_test.cc stays below delta.
constexpr double kSteep = 60;
double separable_deviation(size_t n) { return std::sqrt(0.21 / static_cast<double>(n)); }

}  // namespace

void VCacheEntry::observe(double similarity, bool same_answer, const VCacheOptions& options) {
  if (seen_.size() >= options.most && !seen_.empty()) seen_.erase(seen_.begin());
  seen_.push_back({static_cast<float>(similarity), same_answer});
}

VCacheEntry::Fit VCacheEntry::fit() const {
  double lowest_same = 1, highest_other = 0;
  size_t same = 0;
  for (const Observation& o : seen_) {
    if (o.same) lowest_same = std::min<double>(lowest_same, o.similarity), ++same;
    else highest_other = std::max<double>(highest_other, o.similarity);
  }
  if (same == 0) return {};  // nothing like it had its answer
  if (highest_other < lowest_same) {
    // Without a counter-example the threshold lies at the least similarity that was right: nothing is known below it.
    const double midpoint = same == seen_.size() ? lowest_same : (highest_other + lowest_same) / 2;
    return {kSteep, midpoint, separable_deviation(seen_.size())};
  }
  // Newton's method on a + b s, a small pull to 0 for its steps to stay finite.
  double a = 0, b = 0, haa = 0, hab = 0, hbb = 0;
  constexpr double kPull = 1e-4;
  for (int i = 0; i < 50; ++i) {
    double ga = -kPull * a, gb = -kPull * b;
    haa = kPull, hab = 0, hbb = kPull;
    for (const Observation& o : seen_) {
      const double s = o.similarity, p = sigmoid(a + b * s), w = p * (1 - p);
      ga += o.same - p, gb += (o.same - p) * s;
      haa += w, hab += w * s, hbb += w * s * s;
    }
    const double det = haa * hbb - hab * hab;
    if (!(det > 1e-12)) break;
    const double da = (hbb * ga - hab * gb) / det, db = (haa * gb - hab * ga) / det;
    const double scale = std::min(1.0, 20 / std::max(std::abs(da), std::abs(db)));
    a += scale * da, b += scale * db;
    if (std::abs(da) + std::abs(db) < 1e-8) break;
  }
  if (b <= 0) return {};  // more alike is not more often the same: no threshold
  const double det = haa * hbb - hab * hab, midpoint = -a / b;
  // The delta method: t = -a/b, its gradient (-1/b, a/b^2), the inverse of the Hessian as covariance.
  const double ta = -1 / b, tb = a / (b * b);
  const double variance = (ta * ta * hbb - 2 * ta * tb * hab + tb * tb * haa) / det;
  return {b, midpoint, std::sqrt(std::max(0.0, variance))};
}

double VCacheEntry::explore_probability(double similarity, const VCacheOptions& options) const {
  if (seen_.size() < std::max<size_t>(1, options.least)) return 1;
  const Fit f = fit();
  if (f.slope <= 0) return 1;
  double tau = 1;
  for (int i = 1; i <= options.grid; ++i) {
    const double epsilon = static_cast<double>(i) / (options.grid + 1);
    const double midpoint = f.midpoint + normal_quantile(1 - epsilon) * f.deviation;
    const double right = (1 - epsilon) * sigmoid(f.slope * (similarity - midpoint));
    tau = std::min(tau, right >= 1 ? 0.0 : 1 - options.delta / (1 - right));
  }
  return std::clamp(tau, 0.0, 1.0);
}

}  // namespace ajar::learn
