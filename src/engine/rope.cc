#include "engine/rope.h"

#include <algorithm>
#include <cmath>

namespace ajar::engine {
namespace {

// YaRN, equation 17: in which dimension a wave turns `rotations` times within the original context.
double correction_dim(double rotations, int dims, double base, double context) {
  return dims * std::log(context / (rotations * 2 * M_PI)) / (2 * std::log(base));
}

}  // namespace

Rope::Rope(const RopeConfig& c, bool local, int32_t context) {
  bool own = local && c.local_base > 0;  // Gemma 3's local layers have a base of their own and no extension
  double base = own ? c.local_base : c.base;
  RopeScaling scaling = own ? RopeScaling::kNone : c.scaling;
  double factor = c.factor > 0 ? c.factor : 1;
  if (scaling == RopeScaling::kNtk) base *= std::pow(factor, c.dims / (c.dims - 2.0));
  double low = 0, high = 0;
  if (scaling == RopeScaling::kYarn) {
    low = std::max(0.0, std::floor(correction_dim(c.beta_fast, c.dims, base, c.original_context)));
    high = std::min(c.dims - 1.0, std::ceil(correction_dim(c.beta_slow, c.dims, base, c.original_context)));
    magnitude_ = c.attention_factor;
  }
  const std::vector<float>* factors = own ? nullptr : &c.factors;
  if (scaling == RopeScaling::kLongRope) {
    factors = context > c.original_context && !c.long_factors.empty() ? &c.long_factors : &c.short_factors;
    magnitude_ = c.attention_factor;
  }
  for (int i = 0; i < c.dims / 2; ++i) {
    double frequency = std::pow(base, -2.0 * i / c.dims);
    if (factors != nullptr && static_cast<size_t>(i) < factors->size()) frequency /= (*factors)[static_cast<size_t>(i)];
    if (scaling == RopeScaling::kLinear) frequency /= factor;
    if (scaling == RopeScaling::kYarn) {
      double ramp = std::clamp((i - low) / std::max(0.001, high - low), 0.0, 1.0);  // 0: as trained, 1: stretched
      frequency = frequency * (1 - ramp) + frequency / factor * ramp;
    }
    frequencies_.push_back(frequency);
  }
}

void Rope::angles(int32_t position, float* cosines, float* sines) const {
  for (size_t i = 0; i < frequencies_.size(); ++i) {
    double angle = position * frequencies_[i];
    cosines[i] = static_cast<float>(std::cos(angle)) * magnitude_;
    sines[i] = static_cast<float>(std::sin(angle)) * magnitude_;
  }
}

}  // namespace ajar::engine
