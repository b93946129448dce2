#include "learn/bounds.h"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <cassert>
#include <cmath>

namespace ajar::learn {
namespace {

// Errors come back as numbers: no exception may leave this file.
using NoThrow = boost::math::policies::policy<
    boost::math::policies::domain_error<boost::math::policies::ignore_error>,
    boost::math::policies::pole_error<boost::math::policies::ignore_error>,
    boost::math::policies::overflow_error<boost::math::policies::ignore_error>,
    boost::math::policies::evaluation_error<boost::math::policies::ignore_error>,
    boost::math::policies::promote_double<false>>;

double log_or_zero(double weight, double ratio) { return weight > 0 ? weight * std::log(ratio) : 0; }

// The divergence of Bernoulli(a) from Bernoulli(b), nats.
double divergence(double a, double b) { return log_or_zero(a, a / b) + log_or_zero(1 - a, (1 - a) / (1 - b)); }

}  // namespace

double binomial_cdf(int64_t k, int64_t n, double p) {
  assert(n >= 0 && k >= 0);
  if (k >= n || p <= 0) return 1;
  if (p >= 1) return 0;
  return boost::math::ibetac(static_cast<double>(k + 1), static_cast<double>(n - k), p, NoThrow());
}

double clopper_pearson_upper(int64_t k, int64_t n, double delta) {
  assert(k >= 0 && k <= n && delta > 0 && delta < 1);
  if (k == n) return 1;
  return boost::math::ibeta_inv(static_cast<double>(k + 1), static_cast<double>(n - k), 1 - delta, NoThrow());
}

double clopper_pearson_lower(int64_t k, int64_t n, double delta) {
  assert(k >= 0 && k <= n && delta > 0 && delta < 1);
  if (k == 0) return 0;
  return boost::math::ibeta_inv(static_cast<double>(k), static_cast<double>(n - k + 1), delta, NoThrow());
}

double hoeffding_bentkus_p(double mean, int64_t n, double alpha) {
  assert(mean >= 0 && mean <= 1 && n >= 0);
  if (n == 0 || alpha <= 0) return 1;
  if (alpha >= 1) return 0;
  const double hoeffding = std::exp(-static_cast<double>(n) * divergence(std::min(mean, alpha), alpha));
  // A sum of losses that is whole but for rounding must not count one more.
  const auto errors = static_cast<int64_t>(std::ceil(mean * static_cast<double>(n) - 1e-9));
  const double bentkus = std::exp(1.0) * binomial_cdf(errors, n, alpha);
  return std::min({hoeffding, bentkus, 1.0});
}

double hoeffding_bentkus_upper(double mean, int64_t n, double delta) {
  assert(delta > 0 && delta < 1);
  if (n == 0) return 1;
  double low = mean, high = 1;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (hoeffding_bentkus_p(mean, n, middle) <= delta ? high : low) = middle;
  }
  return high;
}

Interval wilson(int64_t k, int64_t n, double confidence) {
  assert(k >= 0 && k <= n && confidence > 0 && confidence < 1);
  if (n == 0) return {};
  const double z = std::sqrt(2.0) * boost::math::erf_inv(confidence, NoThrow());
  const auto count = static_cast<double>(n);
  const double p = static_cast<double>(k) / count, z2 = z * z;
  const double center = p + z2 / (2 * count), half = z * std::sqrt(p * (1 - p) / count + z2 / (4 * count * count));
  const double scale = 1 + z2 / count;
  return {k == 0 ? 0 : (center - half) / scale, k == n ? 1 : (center + half) / scale};
}

double predictive_p(int64_t k, int64_t n, double alpha) {
  assert(k >= 0 && k <= n);
  const auto broken = static_cast<int64_t>(std::floor(alpha * static_cast<double>(n) + 1e-9)) + 1;  // errors of the next n
  if (broken > n) return 0;
  // P(at most k of the k + broken errors among 2n lie in the first n), summed from k down.
  const int64_t errors = k + broken;
  const auto log_choose = [](int64_t from, int64_t of) {
    return std::lgamma(static_cast<double>(from + 1)) - std::lgamma(static_cast<double>(of + 1)) - std::lgamma(static_cast<double>(from - of + 1));
  };
  double term = std::exp(log_choose(errors, k) + log_choose(2 * n - errors, n - k) - log_choose(2 * n, n)), sum = 0;
  for (int64_t i = k; i >= 0 && errors - i <= n; --i) {
    sum += term;
    if (term < sum * 1e-12) break;
    term *= static_cast<double>(i) / static_cast<double>(errors - i + 1) * static_cast<double>(n - errors + i) / static_cast<double>(n - i + 1);
  }
  return std::min(sum, 1.0);
}

double p_value(double sum, int64_t n, double alpha, Losses losses, Promise promise) {
  if (n == 0) return 1;
  if (losses == Losses::kGraded) return hoeffding_bentkus_p(std::min(1.0, sum / static_cast<double>(n)), n, alpha);
  const auto errors = static_cast<int64_t>(std::ceil(sum - 1e-9));
  const double rate = binomial_cdf(errors, n, alpha);
  return promise == Promise::kRate ? rate : std::max(rate, predictive_p(errors, n, alpha));
}

int64_t samples_to_prove(double rate, double alpha, double delta, Losses losses, Promise promise) {
  assert(delta > 0 && delta < 1);
  if (alpha >= 1) return 0;
  if (rate < 0 || rate >= alpha) return -1;
  const auto proves = [&](int64_t n) { return p_value(rate * static_cast<double>(n), n, alpha, losses, promise) <= delta; };
  constexpr int64_t kMost = int64_t{1} << 30;
  int64_t high = 1;
  while (high < kMost && !proves(high)) high *= 2;
  if (high >= kMost) return -1;
  int64_t low = high / 2;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (proves(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace ajar::learn
