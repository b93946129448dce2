#include "learn/rate_comparison.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace ajar::learn {
namespace {

// Where error rates are expected, at a weight of two outcomes: it changes how soon something is proven, never what.
constexpr double kA = 0.1, kB = 1.9;

double log_beta(double a, double b) { return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b); }
double times_log(double weight, double x) { return weight == 0 ? 0 : weight * std::log(x); }

double log_mixture(const RateCount& arm) {
  const auto k = double(arm.errors), n = double(arm.count);
  return log_beta(kA + k, kB + n - k) - log_beta(kA, kB);
}
double log_likelihood(const RateCount& arm, double rate) {
  return times_log(double(arm.errors), rate) + times_log(double(arm.count - arm.errors), 1 - rate);
}

// The likelihood is concave in both rates, so outside the hypothesis it is largest on the hypothesis's edge.
double most_on_edge(const RateCount& usual, const RateCount& candidate, double margin) {
  const auto slope = [](const RateCount& arm, double rate) {
    return double(arm.errors) / rate - double(arm.count - arm.errors) / (1 - rate);
  };
  double low = 0, high = 1 - margin;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (slope(usual, middle) + slope(candidate, middle + margin) > 0 ? low : high) = middle;
  }
  const double rate = (low + high) / 2;
  return log_likelihood(usual, rate) + log_likelihood(candidate, rate + margin);
}

double log_evidence(const RateCount& usual, const RateCount& candidate, double margin, bool holds) {
  assert(margin >= 0 && margin < 1);
  assert(usual.errors <= usual.count && candidate.errors <= candidate.count);
  if (usual.count == 0 || candidate.count == 0) return 0;
  const double most = holds ? log_likelihood(usual, usual.rate()) + log_likelihood(candidate, candidate.rate())
                            : most_on_edge(usual, candidate, margin);
  return log_mixture(usual) + log_mixture(candidate) - most;
}

}  // namespace

double log_evidence_worse(const RateCount& usual, const RateCount& candidate, double margin) {
  return log_evidence(usual, candidate, margin, candidate.rate() <= usual.rate() + margin);
}

double log_evidence_not_worse(const RateCount& usual, const RateCount& candidate, double margin) {
  return log_evidence(usual, candidate, margin, candidate.rate() >= usual.rate() + margin);
}

}  // namespace ajar::learn
