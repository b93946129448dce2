// The formats of 256 elements to a block. Two levels of numbers are rounded: the elements, and their groups' scales in
// units of the block's. So first every group's best scale is found as a float, these give the block's unit, then each
// group takes the whole numbers around its own that lose least, and last the unit is fitted to all that was chosen.
#include <algorithm>
#include <cstring>

#include "engine/blocks.h"
#include "engine/quantize_search.h"

namespace ajar::engine {
namespace {

using namespace quantizing;

template <int N>
float total_of(const float* x) {
  Lanes total{};
  for (int i = 0; i < N; i += 4) total += load(x + i);
  return sum(total);
}

int units(float value, float unit) { return unit == 0 ? 0 : int(std::lround(std::clamp(value / unit, -1e6f, 1e6f))); }

// The unit of which the largest scale is a whole number that fits: in the subnormal halves not the nearest will do.
Half half_unit(float value) {
  const Half half = float_to_half(value);
  return std::fabs(half_to_float(half)) < 0.996f * std::fabs(value) ? Half(half + 1) : half;
}

// x ~ d * scale * q - dmin * min, with q in 0..kHigh, scale and min in 0..kMost.
template <int kGroups, int kHigh, int kMost>
struct AffineBlock {
  static constexpr int kSize = kSuperBlock / kGroups;
  int8_t q[kSuperBlock];
  int scale[kGroups], min[kGroups];
  Half d, dmin;

  void fit(const float* x) {
    Affine groups[kGroups];
    float top_scale = 0, top_min = 0;
    for (int g = 0; g < kGroups; ++g) {
      groups[g] = best_affine<kSize>(x + g * kSize, kHigh, false, 0.3f, 3);
      if (groups[g].scale < 0) groups[g] = {};
      top_scale = std::max(top_scale, groups[g].scale);
      top_min = std::max(top_min, groups[g].min);
    }
    set_units(top_scale / kMost, top_min / kMost);
    choose(x, groups);
    if (fit_units(x)) {
      for (int g = 0; g < kGroups; ++g) groups[g] = {unit * float(scale[g]), unit_min * float(min[g])};
      choose(x, groups);
    }
    for (int g = 0; g < kGroups; ++g) {
      const float inverse = inverse_of(unit * float(scale[g]));
      write_levels<kSize>(x + g * kSize, inverse, unit_min * float(min[g]) * inverse, 0, kHigh, q + g * kSize);
    }
  }

 private:
  float unit = 0, unit_min = 0;  // d and dmin as a reader sees them

  void set_units(float scale_unit, float min_unit) {
    d = half_unit(scale_unit);
    dmin = half_unit(min_unit);
    unit = half_to_float(d);
    unit_min = half_to_float(dmin);
  }
  Sums group_sums(const float* x, int s, int m) const {
    const float inverse = inverse_of(unit * float(s));
    return sums_of<kSize>(x, inverse, unit_min * float(m) * inverse, 0, kHigh);
  }
  // Of each group the scale and min that lose least, near those given.
  void choose(const float* x, const Affine* near) {
    for (int g = 0; g < kGroups; ++g, x += kSize) {
      const float total = total_of<kSize>(x);
      const int s0 = std::clamp(units(near[g].scale, unit), 0, kMost);
      const int m0 = std::clamp(units(near[g].min, unit_min), 0, kMost);
      float least_loss = 0;  // without the sum of squares, which is the same for all
      bool first = true;
      for (int s = std::max(0, s0 - 1); s <= std::min(kMost, s0 + 1); ++s) {
        for (int m = std::max(0, m0 - 1); m <= std::min(kMost, m0 + 1); ++m) {
          const float a = unit * float(s), b = unit_min * float(m);
          const Sums sums = group_sums(x, s, m);
          const float loss = a * (a * sums.qq - 2 * (sums.xq + b * sums.q)) + b * (2 * total + float(kSize) * b);
          if (first || loss < least_loss) least_loss = loss, scale[g] = s, min[g] = m, first = false;
        }
      }
    }
  }
  // The block's units by least squares over what was chosen; false: they stay.
  bool fit_units(const float* x) {
    double aa = 0, ab = 0, bb = 0, xa = 0, xb = 0;  // a: scale * q, b: min
    for (int g = 0; g < kGroups; ++g, x += kSize) {
      const Sums sums = group_sums(x, scale[g], min[g]);
      const double s = scale[g], m = min[g];
      aa += s * s * sums.qq, ab += s * m * sums.q, bb += m * m * kSize;
      xa += s * sums.xq, xb += m * total_of<kSize>(x);
    }
    const double determinant = aa * bb - ab * ab;
    if (determinant <= 1e-9 * aa * bb) return false;
    const double scale_unit = (xa * bb - xb * ab) / determinant, min_unit = (xa * ab - xb * aa) / determinant;
    if (!(scale_unit > 0 && min_unit > 0)) return false;
    const Half before = d, before_min = dmin;
    set_units(float(scale_unit), float(min_unit));
    return d != before || dmin != before_min;
  }
};

// x ~ d * scale * (q + kLow), with q + kLow in kLow..kHigh and scale in kLeast..kMost; groups of 16.
template <int kLow, int kHigh, int kLeast, int kMost>
struct SignedBlock {
  static constexpr int kSize = 16, kGroups = kSuperBlock / kSize;
  int8_t q[kSuperBlock];
  int scale[kGroups];
  Half d;

  void fit(const float* x) {
    float groups[kGroups], top = 0;
    for (int g = 0; g < kGroups; ++g) {
      groups[g] = best_scale<kSize>(x + g * kSize, kLow, kHigh, 0.3f, 3);
      if (std::fabs(groups[g]) > std::fabs(top)) top = groups[g];
    }
    set_unit(top / kLeast);
    choose(x, groups);
    if (fit_unit(x)) {
      for (int g = 0; g < kGroups; ++g) groups[g] = unit * float(scale[g]);
      choose(x, groups);
    }
    for (int g = 0; g < kGroups; ++g) {
      int8_t* levels = q + g * kSize;
      write_levels<kSize>(x + g * kSize, inverse_of(unit * float(scale[g])), 0, kLow, kHigh, levels);
      for (int j = 0; j < kSize; ++j) levels[j] = int8_t(levels[j] - kLow);
    }
  }

 private:
  float unit = 0;

  void set_unit(float value) {
    d = half_unit(value);
    unit = half_to_float(d);
  }
  Sums group_sums(const float* x, int s) const {
    return sums_of<kSize>(x, inverse_of(unit * float(s)), 0, kLow, kHigh);
  }
  void choose(const float* x, const float* near) {
    for (int g = 0; g < kGroups; ++g, x += kSize) {
      const int s0 = std::clamp(units(near[g], unit), kLeast, kMost);
      float least_loss = 0;  // without the sum of squares; a scale of 0 has none
      scale[g] = 0;
      for (int s = std::max(kLeast, s0 - 1); s <= std::min(kMost, s0 + 1); ++s) {
        const float a = unit * float(s);
        const Sums sums = group_sums(x, s);
        const float loss = a * (a * sums.qq - 2 * sums.xq);
        if (loss < least_loss) least_loss = loss, scale[g] = s;
      }
    }
  }
  bool fit_unit(const float* x) {
    double aa = 0, xa = 0;
    for (int g = 0; g < kGroups; ++g, x += kSize) {
      const Sums sums = group_sums(x, scale[g]);
      aa += double(scale[g]) * scale[g] * sums.qq, xa += double(scale[g]) * sums.xq;
    }
    if (!(aa > 0)) return false;
    const Half before = d;
    set_unit(float(xa / aa));
    return d != before;
  }
};

// Two bits each of elements 32 apart; `shift` takes the levels' bits from there.
void put_quarters(const int8_t* q, int shift, uint8_t* qs) {
  for (int half = 0; half < 2; ++half, q += 128, qs += 32) {
    for (int j = 0; j < 32; ++j) {
      qs[j] = 0;
      for (int k = 0; k < 4; ++k) qs[j] |= uint8_t((q[j + 32 * k] >> shift & 3) << (2 * k));
    }
  }
}
// Nibbles of elements 32 apart.
void put_half_blocks(const int8_t* q, uint8_t* qs) {
  for (int part = 0; part < 4; ++part, q += 64, qs += 32) {
    for (int j = 0; j < 32; ++j) qs[j] = uint8_t((q[j] & 15) | (q[j + 32] & 15) << 4);
  }
}
// Bit `bit` of the eight runs of 32 elements.
void put_bits(const int8_t* q, int bit, uint8_t* out) {
  for (int j = 0; j < 32; ++j) {
    out[j] = 0;
    for (int k = 0; k < 8; ++k) out[j] |= uint8_t((q[j + 32 * k] >> bit & 1) << k);
  }
}

}  // namespace

void quantize(const float* from, BlockQ2_K* to, int64_t blocks) {
  AffineBlock<16, 3, 15> fit;
  for (BlockQ2_K* end = to + blocks; to != end; ++to, from += kSuperBlock) {
    fit.fit(from);
    to->d = fit.d, to->dmin = fit.dmin;
    for (int g = 0; g < 16; ++g) to->scales[g] = uint8_t(fit.scale[g] | fit.min[g] << 4);
    put_quarters(fit.q, 0, to->qs);
  }
}

void quantize(const float* from, BlockQ3_K* to, int64_t blocks) {
  SignedBlock<-4, 3, -32, 31> fit;
  for (BlockQ3_K* end = to + blocks; to != end; ++to, from += kSuperBlock) {
    fit.fit(from);
    to->d = fit.d;
    std::memset(to->scales, 0, sizeof to->scales);
    for (int g = 0; g < 16; ++g) pack_q3_scale(to->scales, g, fit.scale[g] + 32);
    put_quarters(fit.q, 0, to->qs);
    put_bits(fit.q, 2, to->hmask);
  }
}

void quantize(const float* from, BlockQ4_K* to, int64_t blocks) {
  AffineBlock<8, 15, 63> fit;
  for (BlockQ4_K* end = to + blocks; to != end; ++to, from += kSuperBlock) {
    fit.fit(from);
    to->d = fit.d, to->dmin = fit.dmin;
    for (int g = 0; g < 8; ++g) pack_scale_min(to->scales, g, fit.scale[g], fit.min[g]);
    put_half_blocks(fit.q, to->qs);
  }
}

void quantize(const float* from, BlockQ5_K* to, int64_t blocks) {
  AffineBlock<8, 31, 63> fit;
  for (BlockQ5_K* end = to + blocks; to != end; ++to, from += kSuperBlock) {
    fit.fit(from);
    to->d = fit.d, to->dmin = fit.dmin;
    for (int g = 0; g < 8; ++g) pack_scale_min(to->scales, g, fit.scale[g], fit.min[g]);
    put_half_blocks(fit.q, to->qs);
    put_bits(fit.q, 4, to->qh);
  }
}

void quantize(const float* from, BlockQ6_K* to, int64_t blocks) {
  SignedBlock<-32, 31, -128, 127> fit;
  for (BlockQ6_K* end = to + blocks; to != end; ++to, from += kSuperBlock) {
    fit.fit(from);
    to->d = fit.d;
    for (int g = 0; g < 16; ++g) to->scales[g] = int8_t(fit.scale[g]);
    put_quarters(fit.q, 4, to->qh);
    // The nibbles of a quarter of 128 elements share bytes with those of the quarter after the next.
    for (int half = 0; half < 2; ++half) {
      for (int j = 0; j < 64; ++j) {
        const int8_t* q = fit.q + half * 128 + j;
        to->ql[half * 64 + j] = uint8_t((q[0] & 15) | (q[64] & 15) << 4);
      }
    }
  }
}

}  // namespace ajar::engine
