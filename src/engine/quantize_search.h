#pragma once
// The search that all quantisers share: which scale (and offset) loses least of N numbers, by squared error.
//
// A candidate scale gives each x its nearest level q; of those levels the best scale follows by least squares, and how
// good it is from three sums. So a candidate costs one pass without branches. Four lanes, so that it is the same
// everywhere and quick without any instruction set but SSE2.

#include <cmath>
#include <cstdint>
#include <cstring>

namespace ajar::engine::quantizing {

using Lanes = float __attribute__((vector_size(16)));

inline Lanes load(const float* from) {
  Lanes out;
  std::memcpy(&out, from, sizeof out);
  return out;
}
inline float sum(Lanes v) { return (v[0] + v[1]) + (v[2] + v[3]); }
inline Lanes least(Lanes a, Lanes b) { return a < b ? a : b; }
inline Lanes most(Lanes a, Lanes b) { return a > b ? a : b; }
// To nearest even, for |v| < 2^22.
inline Lanes nearest(Lanes v) { return (v + 12582912.0f) - 12582912.0f; }

// Levels are nearest(clamp(x * inverse + offset, low, high)).
inline Lanes level(Lanes x, float inverse, float offset, float low, float high) {
  return nearest(least(most(x * inverse + offset, Lanes{} + low), Lanes{} + high));
}

struct Sums {
  float q = 0, qq = 0, xq = 0;
};

template <int N>
Sums sums_of(const float* x, float inverse, float offset, float low, float high) {
  Lanes q{}, qq{}, xq{};
  for (int i = 0; i < N; i += 4) {
    const Lanes v = load(x + i), l = level(v, inverse, offset, low, high);
    q += l;
    qq += l * l;
    xq += v * l;
  }
  return {sum(q), sum(qq), sum(xq)};
}

template <int N>
void write_levels(const float* x, float inverse, float offset, float low, float high, int8_t* q) {
  for (int i = 0; i < N; i += 4) {
    const Lanes l = level(load(x + i), inverse, offset, low, high);
    for (int j = 0; j < 4; ++j) q[i + j] = int8_t(l[j]);
  }
}

inline float inverse_of(float scale) { return scale == 0 ? 0 : 1 / scale; }

// The scale, of either sign, for which x ~ scale * q with q in low..high loses least; 0 where all x are 0.
template <int N>
float best_scale(const float* x, int low, int high, float step, int steps) {
  float top = 0;
  for (int i = 0; i < N; ++i) {
    if (std::fabs(x[i]) > std::fabs(top)) top = x[i];
  }
  if (std::fabs(top) < 1e-30f) return 0;
  float best = 0, scale = 0;
  const auto consider = [&](float inverse) {
    const Sums s = sums_of<N>(x, inverse, 0, float(low), float(high));
    if (s.qq > 0 && s.xq * s.xq > best * s.qq) best = s.xq * s.xq / s.qq, scale = s.xq / s.qq;
  };
  // The largest number becomes the lowest level or so, or the highest.
  for (int i = -steps; i <= steps; ++i) {
    consider((float(low) + step * float(i)) / top);
    consider((float(high) + step * float(i)) / top);
  }
  for (int i = 0; i < 2; ++i) {
    if (const float before = scale; consider(inverse_of(scale)), scale == before) break;
  }
  return scale;
}

struct Affine {
  float scale = 0, min = 0;  // x ~ scale * q - min
};

// With q in 0..high. `signed_min`: the offset may add as well as subtract.
template <int N>
Affine best_affine(const float* x, int high, bool signed_min, float step, int steps) {
  Lanes low4 = load(x), high4 = low4, total4{};
  for (int i = 0; i < N; i += 4) {
    const Lanes v = load(x + i);
    low4 = least(low4, v), high4 = most(high4, v), total4 += v;
  }
  float from = std::fmin(std::fmin(low4[0], low4[1]), std::fmin(low4[2], low4[3]));
  float to = std::fmax(std::fmax(high4[0], high4[1]), std::fmax(high4[2], high4[3]));
  const float total = sum(total4);
  if (!signed_min) from = std::fmin(from, 0.0f);
  if (to - from < 1e-30f) return {0, -from};
  float best = -1e30f;  // of what the fit explains of the sum of squares
  Affine out{0, -from};
  const auto consider = [&](float inverse, float offset) {
    const Sums s = sums_of<N>(x, inverse, offset, 0, float(high));
    const float determinant = float(N) * s.qq - s.q * s.q;
    Affine fit;
    if (determinant > 0) {
      fit.scale = (float(N) * s.xq - total * s.q) / determinant;
      fit.min = (s.q * s.xq - s.qq * total) / determinant;
    }
    if (determinant <= 0 || (!signed_min && fit.min < 0)) {
      if (s.qq <= 0) return;
      fit = {s.xq / s.qq, 0};
    }
    const float explained = fit.scale * s.xq - fit.min * total;
    if (explained > best) best = explained, out = fit;
  };
  for (int i = -steps; i <= steps; ++i) {
    const float inverse = (float(high) + step * float(i)) / (to - from);
    consider(inverse, -from * inverse);                                   // what does not fit is cut above
    if (i > 0) consider(inverse, 0.5f * (float(high) - (to + from) * inverse));  // or on both sides
  }
  for (int i = 0; i < 2; ++i) {
    const Affine before = out;
    if (before.scale == 0) break;
    consider(1 / before.scale, before.min / before.scale);
    if (out.scale == before.scale && out.min == before.min) break;
  }
  return out;
}

}  // namespace ajar::engine::quantizing
