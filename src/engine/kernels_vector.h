// No #pragma once: each kernels_*.cc includes this within its own flags, to compile the same loops for another instruction set.
// It must not pull in anything with inline functions of its own: the linker might keep the copy made for a newer machine.
// Vectors are the compiler's (16 floats, whatever the registers' width).

#include <stdint.h>

#include "engine/kernels.h"

namespace ajar::engine {
namespace AJAR_KERNELS {

typedef float F16x __attribute__((vector_size(64)));
typedef float F16u __attribute__((vector_size(64), aligned(4)));
typedef int32_t I16x __attribute__((vector_size(64)));
typedef uint32_t U16x __attribute__((vector_size(64)));
typedef uint32_t U16u __attribute__((vector_size(64), aligned(1)));
typedef uint16_t H16u __attribute__((vector_size(32), aligned(2)));
typedef int8_t C16u __attribute__((vector_size(16), aligned(1)));
typedef _Float16 Half16u __attribute__((vector_size(32), aligned(2)));

static inline F16x load(const float* p) { return *reinterpret_cast<const F16u*>(p); }
static inline void store(float* p, F16x v) { *reinterpret_cast<F16u*>(p) = v; }
static inline F16x splat(float v) { return F16x{} + v; }
static inline F16x load_half(const void* p) {
  return __builtin_convertvector(*reinterpret_cast<const Half16u*>(p), F16x);
}
static inline F16x load_bfloat(const void* p) {
  return reinterpret_cast<F16x>(__builtin_convertvector(*reinterpret_cast<const H16u*>(p), U16x) << 16);
}
static inline F16x load_small(const void* p) {
  return __builtin_convertvector(__builtin_convertvector(*reinterpret_cast<const C16u*>(p), I16x), F16x);
}
static inline float sum(F16x v) {  // in a fixed order
  typedef float F8x __attribute__((vector_size(32)));
  typedef float F4x __attribute__((vector_size(16)));
  F8x s8 = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) + __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  F4x s4 = __builtin_shufflevector(s8, s8, 0, 1, 2, 3) + __builtin_shufflevector(s8, s8, 4, 5, 6, 7);
  return (s4[0] + s4[2]) + (s4[1] + s4[3]);
}

static inline float largest(F16x v) {
  F16x other = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  v = v > other ? v : other;
  other = __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
  v = v > other ? v : other;
  float a = v[0] > v[1] ? v[0] : v[1], b = v[2] > v[3] ? v[2] : v[3];
  return a > b ? a : b;
}

// e^x to about 2 ulp: 2^n * p(r), Cody-Waite reduction and a Taylor polynomial of degree 6 on |r| <= ln2/2.
static inline F16x exp(F16x x) {
  const F16x low = splat(-87.3f), high = splat(88.3f);
  x = x < low ? low : x;
  x = x > high ? high : x;
  F16x t = x * 1.44269504f;
  I16x n = __builtin_convertvector(t + (t < 0 ? splat(-0.5f) : splat(0.5f)), I16x);
  F16x f = __builtin_convertvector(n, F16x);
  F16x r = x - f * 0.693359375f + f * 2.12194440e-4f;
  F16x p = r * (1.f / 720) + 1.f / 120;
  p = p * r + 1.f / 24;
  p = p * r + 1.f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.f;
  p = p * r + 1.f;
  return p * reinterpret_cast<F16x>((n + 127) << 23);
}

template <class F>
static inline void for_each_16(int64_t n, F&& body, float* a, const float* b) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) store(a + i, body(load(a + i), load(b + i)));
  if (i < n) {
    float x[16] = {}, y[16] = {};
    for (int64_t j = i; j < n; ++j) x[j - i] = a[j], y[j - i] = b[j];
    store(x, body(load(x), load(y)));
    for (int64_t j = i; j < n; ++j) a[j] = x[j - i];
  }
}

// ---- Weights of one block of a quantised panel, as floats -------------------------------------------------------------

template <Dtype T>
static inline void load_scales(const uint8_t* scales, const uint8_t* supers, F16x scale[2], F16x minimum[2]) {
  constexpr PanelForm form = panel_form(T);
  if constexpr (form.super()) {
    constexpr int halves = form.scale == ScaleForm::kSuper16 ? 2 : 1;
    F16x d = load_half(supers);
    for (int h = 0; h < halves; ++h) scale[h] = d * load_small(scales + 16 * h);
    if constexpr (form.minimum) {
      F16x m = load_half(supers + 32);
      for (int h = 0; h < halves; ++h) minimum[h] = m * load_small(scales + 16 * (halves + h));
    }
    if constexpr (halves == 1) scale[1] = scale[0], minimum[1] = minimum[0];
  } else {
    scale[0] = scale[1] = form.scale == ScaleForm::kBfloat ? load_bfloat(scales) : load_half(scales);
    if constexpr (form.minimum) minimum[0] = minimum[1] = load_half(scales + 32);
  }
  if constexpr (!form.minimum) {
    minimum[0] = scale[0] * static_cast<float>(form.zero);
    minimum[1] = scale[1] * static_cast<float>(form.zero);
  }
}

// w[column] = 16 rows.
template <Dtype T>
static inline void block_to_float(const uint8_t* codes, const uint8_t* scales, const uint8_t* supers, F16x w[kBlock]) {
  constexpr PanelForm form = panel_form(T);
  F16x scale[2], minimum[2];
  load_scales<T>(scales, supers, scale, minimum);
  for (int g = 0; g < 8; ++g) {
    U16x bytes;
    if constexpr (form.bits == 8) {
      bytes = *reinterpret_cast<const U16u*>(codes + g * 64);
    } else {
      bytes = *reinterpret_cast<const U16u*>(codes + g % 4 * 64);
      bytes = (g < 4 ? bytes : bytes >> 4) & 0x0f0f0f0fu;
    }
    if constexpr (form.bits == 5) {
      // Bit r*4 + i of the word g belongs to byte i of row r.
      uint64_t word;
      __builtin_memcpy(&word, codes + 256 + g * 8, 8);
      U16x rows;
      for (int r = 0; r < 16; ++r) rows[r] = static_cast<uint32_t>(word >> 4 * r & 15);
      bytes |= ((rows & 1) << 4) | ((rows & 2) << 11) | ((rows & 4) << 18) | ((rows & 8) << 25);
    }
    if constexpr (form.bits == 6) {
      U16x high = *reinterpret_cast<const U16u*>(codes + 256 + g / 4 * 64);
      bytes |= ((high >> 2 * (g % 4)) & 0x03030303u) << 4;
    }
    for (int i = 0; i < 4; ++i) {
      U16x code = (bytes >> 8 * i) & 0xff;
      F16x value;
      if constexpr (form.table != CodeTable::kNone) {
        const uint8_t* table = form.table == CodeTable::kIq4Nl ? kIq4NlTable : kMxfp4Table;
        for (int r = 0; r < 16; ++r) value[r] = static_cast<float>(table[code[r]]);
      } else {
        value = __builtin_convertvector(reinterpret_cast<I16x>(code), F16x);
      }
      w[g * 4 + i] = value * scale[g / 4] - minimum[g / 4];
    }
  }
}

template <int Rows>
static inline void add_products(const F16x* w, int columns, const float* x, int64_t ldx, F16x* acc) {
  for (int k = 0; k < columns; ++k)
    for (int m = 0; m < Rows; ++m) acc[m] += w[k] * x[m * ldx + k];
}

// `Rows` rows of input against one panel.
template <Dtype T, int Rows>
static inline void panel_float(const uint8_t* panel, const PanelLayout& layout, int64_t columns, const float* x, int64_t ldx,
                               float* y, int64_t ldy) {
  F16x acc[Rows] = {};
  if constexpr (is_float(T)) {
    for (int64_t k = 0; k < columns; ++k) {
      F16x w;
      if constexpr (T == Dtype::kF32) w = load(reinterpret_cast<const float*>(panel) + k * 16);
      if constexpr (T == Dtype::kF16) w = load_half(panel + k * 32);
      if constexpr (T == Dtype::kBF16) {
        U16x pair = *reinterpret_cast<const U16u*>(panel + k / 2 * 64);
        w = reinterpret_cast<F16x>(k % 2 ? pair & 0xffff0000u : pair << 16);
      }
      for (int m = 0; m < Rows; ++m) acc[m] += w * x[m * ldx + k];
    }
  } else {
    constexpr PanelForm form = panel_form(T);
    F16x w[kBlock];
    for (int64_t b = 0; b < columns / kBlock; ++b) {
      block_to_float<T>(panel + b * form.code_bytes(), panel + layout.scales + b * form.scale_bytes(),
                        panel + layout.supers + b / 8 * form.super_bytes(), w);
      add_products<Rows>(w, kBlock, x + b * kBlock, ldx, acc);
    }
  }
  for (int m = 0; m < Rows; ++m) store(y + m * ldy, acc[m]);
}

template <Dtype T>
static void multiply_float_as(const Product& p, const float* x, int64_t ldx) {
  PanelLayout layout = panel_layout(T, p.columns);
  for (int n = p.first; n < p.last; ++n) {
    const auto* panel = reinterpret_cast<const uint8_t*>(p.panels) + n * layout.stride;
    float* y = p.y + n * kPanelRows;
    int m = 0;
    for (; m + 6 <= p.rows; m += 6) panel_float<T, 6>(panel, layout, p.columns, x + m * ldx, ldx, y + m * p.ldy, p.ldy);
    for (; m + 2 <= p.rows; m += 2) panel_float<T, 2>(panel, layout, p.columns, x + m * ldx, ldx, y + m * p.ldy, p.ldy);
    if (m < p.rows) panel_float<T, 1>(panel, layout, p.columns, x + m * ldx, ldx, y + m * p.ldy, p.ldy);
  }
}

static void multiply_float(const Product& p, const float* x, int64_t ldx) {
  switch (p.dtype) {
    case Dtype::kF32: return multiply_float_as<Dtype::kF32>(p, x, ldx);
    case Dtype::kF16: return multiply_float_as<Dtype::kF16>(p, x, ldx);
    case Dtype::kBF16: return multiply_float_as<Dtype::kBF16>(p, x, ldx);
    default: for_quantised(p.dtype, [&]<Dtype T>() { multiply_float_as<T>(p, x, ldx); });
  }
}

// ---- Inputs --------------------------------------------------------------------------------------------------------------

static void quantize(const float* x, int64_t columns, int most, int8_t* codes, float* scales, float* sums, int32_t* totals) {
  const auto top = static_cast<float>(most);
  for (int64_t b = 0; b < columns / kBlock; ++b, x += kBlock, codes += kBlock) {
    F16x v0 = load(x), v1 = load(x + 16);
    F16x a0 = v0 < 0 ? -v0 : v0, a1 = v1 < 0 ? -v1 : v1;
    F16x a = a0 > a1 ? a0 : a1;
    float peak = largest(a);
    peak = peak > 0 ? peak : 0;  // NaN
    float scale = peak / top, inverse = peak > 0 ? top / peak : 0;
    scales[b] = scale;
    F16x half[2] = {v0 * inverse, v1 * inverse};
    float total[2];  // whole numbers below 2^24: exact
    for (int h = 0; h < 2; ++h) {
      I16x q = __builtin_convertvector(half[h] + (half[h] < 0 ? splat(-0.5f) : splat(0.5f)), I16x);
      *reinterpret_cast<C16u*>(codes + 16 * h) = __builtin_convertvector(q, C16u);
      total[h] = sum(__builtin_convertvector(q, F16x));
      sums[b * 2 + h] = scale * total[h];
    }
    totals[b] = static_cast<int32_t>(total[0] + total[1]);
  }
}

static inline uint16_t to_bfloat(float value) {
  uint32_t bits = __builtin_bit_cast(uint32_t, value);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static void write_tiles(const float* x, int64_t ldx, int rows, int64_t columns, uint16_t* tiles) {
  for (int64_t step = 0; step < columns / 32; ++step) {
    uint16_t* tile = tiles + step * 512;
    for (int r = 0; r < 16; ++r)
      for (int k = 0; k < 32; ++k) tile[r * 32 + k] = r < rows ? to_bfloat(x[r * ldx + step * 32 + k]) : uint16_t{0};
  }
}

static void to_half(const float* x, int64_t n, uint16_t* out) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    *reinterpret_cast<Half16u*>(out + i) = __builtin_convertvector(load(x + i), Half16u);
  for (; i < n; ++i) out[i] = __builtin_bit_cast(uint16_t, static_cast<_Float16>(x[i]));
}

// ---- Between the multiplications ---------------------------------------------------------------------------------------------

template <class F>
static inline float reduce(const float* x, int64_t n, F&& term) {
  F16x acc = {};
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) acc += term(load(x + i));
  float tail = 0;
  for (; i < n; ++i) tail += term(splat(x[i]))[0];
  return sum(acc) + tail;
}

static void rms_norm(const float* x, const float* weight, float epsilon, int64_t n, float* out) {
  float mean = reduce(x, n, [](F16x v) { return v * v; }) / static_cast<float>(n);
  float scale = 1 / __builtin_sqrtf(mean + epsilon);
  for (int64_t i = 0; i < n; ++i) out[i] = x[i] * scale * weight[i];
}

static void layer_norm(const float* x, const float* weight, const float* bias, float epsilon, int64_t n, float* out) {
  float mean = reduce(x, n, [](F16x v) { return v; }) / static_cast<float>(n);
  float variance = reduce(x, n, [mean](F16x v) { return (v - mean) * (v - mean); }) / static_cast<float>(n);
  float scale = 1 / __builtin_sqrtf(variance + epsilon);
  for (int64_t i = 0; i < n; ++i) out[i] = (x[i] - mean) * scale * weight[i] + (bias != nullptr ? bias[i] : 0);
}

static void silu_times(float* gate, const float* up, int64_t n) {
  for_each_16(n, [](F16x g, F16x u) { return g / (1 + exp(-g)) * u; }, gate, up);
}

static void gelu_tanh_times(float* gate, const float* up, int64_t n) {
  // 0.5 x (1 + tanh(z)) = x / (1 + e^(-2z))
  for_each_16(n, [](F16x g, F16x u) {
    F16x z = 0.7978845608f * (g + 0.044715f * g * g * g);
    return g / (1 + exp(-2 * z)) * u;
  }, gate, up);
}

static void gelu(float* x, int64_t n) {
  // erf by Abramowitz and Stegun 7.1.26, absolute error below 1.5e-7.
  for_each_16(n, [](F16x v, F16x) {
    F16x z = v * 0.70710678f, a = z < 0 ? -z : z;
    F16x t = 1 / (1 + 0.3275911f * a);
    F16x p = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;
    F16x e = 1 - p * exp(-a * a);
    return 0.5f * v * (1 + (z < 0 ? -e : e));
  }, x, x);
}

static void add(float* x, const float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] += y[i];
}

static void scale_add(float* x, const float* y, float factor, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] += factor * y[i];
}

static void rope(float* x, const float* cosines, const float* sines, int dims, bool interleaved) {
  int half = dims / 2;
  if (interleaved) {
    for (int i = 0; i < half; ++i) {
      float a = x[2 * i], b = x[2 * i + 1];
      x[2 * i] = a * cosines[i] - b * sines[i];
      x[2 * i + 1] = a * sines[i] + b * cosines[i];
    }
    return;
  }
  float* y = x + half;
  for (int i = 0; i < half; ++i) {
    float a = x[i], b = y[i];
    x[i] = a * cosines[i] - b * sines[i];
    y[i] = a * sines[i] + b * cosines[i];
  }
}

// ---- Attention ------------------------------------------------------------------------------------------------------------

// Sums of 16 floats that stay in registers beside what is multiplied: of 32 registers for 16 floats each, or of 16 for 8 (32 for 4).
#if defined(__AVX512F__)
constexpr int kHeld = 16, kRowsTogether = 8;
#else
constexpr int kHeld = 4, kRowsTogether = 4;
#endif

template <int Rows>
static inline void score_page(const uint16_t* k_page, const float* const* q, int head_dim, float* scores, int64_t ld) {
  F16x acc[Rows] = {};
  for (int d = 0; d < head_dim; ++d) {
    F16x k = load_half(k_page + d * 16);
    for (int r = 0; r < Rows; ++r) acc[r] += k * q[r][d];
  }
  for (int r = 0; r < Rows; ++r) store(scores + r * ld, acc[r]);
}

static void soften(float* s, int32_t begin, int32_t end, float scale, float softcap) {
  // Weights outside [begin, end) become 0; they lie in the first and the last page of 16.
  int32_t from = begin / 16 * 16, to = (end + 15) / 16 * 16;
  for (int32_t i = from; i < begin; ++i) s[i] = -1e30f;
  for (int32_t i = end; i < to; ++i) s[i] = -1e30f;
  F16x peak = splat(-1e30f);
  for (int32_t i = from; i < to; i += 16) {
    F16x v = load(s + i) * scale;
    if (softcap > 0) {  // cap * tanh(v / cap), tanh(z) = 1 - 2 / (e^2z + 1)
      F16x capped = softcap * (1 - 2 / (exp(v * (2 / softcap)) + 1));
      v = load(s + i) < -9e29f ? splat(-1e30f) : capped;
    }
    store(s + i, v);
    peak = v > peak ? v : peak;
  }
  const float highest = largest(peak);
  F16x total = {};
  for (int32_t i = from; i < to; i += 16) {
    F16x v = load(s + i), e = exp(v - highest);
    e = v < -9e29f ? F16x{} : e;
    store(s + i, e);
    total += e;
  }
  float inverse = 1 / sum(total);
  for (int32_t i = from; i < to; i += 16) store(s + i, load(s + i) * inverse);
}

static void logit_moments(const float* logits, int64_t n, LogitMoments* out) {
  const float impossible = -__builtin_inff();
  F16x peaks = splat(impossible), seconds = peaks;
  auto at = [&](int64_t i) {
    float last[16];
    for (int64_t j = 0; j < 16; ++j) last[j] = i + j < n ? logits[i + j] : impossible;
    return load(last);
  };
  for (int64_t i = 0; i < n; i += 16) {
    F16x v = i + 16 <= n ? load(logits + i) : at(i);
    v = v > -1e30f ? v : splat(impossible);
    F16x lower = v > peaks ? peaks : v;
    seconds = lower > seconds ? lower : seconds;
    peaks = v > peaks ? v : peaks;
  }
  out->peak = out->second = impossible;
  for (int i = 0; i < 16; ++i) {
    const float two[] = {peaks[i], seconds[i]};
    for (float v : two) {
      if (v > out->peak) out->second = out->peak, out->peak = v;
      else if (v > out->second) out->second = v;
    }
  }
  out->total = out->weighted = 0;
  if (!(out->peak > impossible)) return;
  constexpr int64_t kPart = 1024;  // so many in floats before they are added to the whole
  for (int64_t from = 0; from < n; from += kPart) {
    F16x total = {}, weighted = {};
    for (int64_t i = from; i < n && i < from + kPart; i += 16) {
      F16x d = (i + 16 <= n ? load(logits + i) : at(i)) - out->peak;
      F16x e = exp(d > -40 ? d : F16x{});
      total += d > -40 ? e : F16x{};
      weighted += d > -40 ? d * e : F16x{};
    }
    out->total += static_cast<double>(sum(total)), out->weighted += static_cast<double>(sum(weighted));
  }
}

static void weigh(const float* logits, int64_t n, float peak, float inverse, float floor, float* out) {
  auto weight = [&](F16x v) {
    F16x d = (v - peak) * inverse;
    F16x e = exp(d);
    return d >= floor ? e : F16x{};
  };
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) store(out + i, weight(load(logits + i)));
  if (i == n) return;
  float last[16] = {};
  for (int64_t j = i; j < n; ++j) last[j - i] = logits[j];
  store(last, weight(load(last)));
  for (int64_t j = i; j < n; ++j) out[j] = last[j - i];
}

template <int Rows, int Wide>
static inline void mix_values(const Attention& a, int row, const float* scores, int64_t ld, int32_t from, int32_t to, int d) {
  F16x acc[Rows][Wide] = {};
  for (int32_t page = from / 16; page * 16 < to; ++page) {
    const uint16_t* v_page = a.v_pages[page] + d;
    for (int t = 0; t < 16; ++t) {
      F16x v[Wide];
      for (int w = 0; w < Wide; ++w) v[w] = load_half(v_page + t * a.padded_head_dim + w * 16);
      for (int r = 0; r < Rows; ++r) {
        float p = scores[r * ld + page * 16 + t];
        for (int w = 0; w < Wide; ++w) acc[r][w] += v[w] * p;
      }
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int w = 0; w < Wide; ++w) {
      int at = d + w * 16;
      if (at + 16 <= a.head_dim) store(a.outputs[row + r] + at, acc[r][w]);
      else for (int i = at; i < a.head_dim; ++i) a.outputs[row + r][i] = acc[r][w][i - at];
    }
  }
}

static inline void ask_for(const void* p, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(static_cast<const char*>(p) + i, 0, 2);
}

// Each row sums over its own pages only, in order: what the other rows of the chunk see does not touch it.
template <int Rows>
static inline void attend_rows(const Attention& a, int row) {
  int32_t from = 1 << 30, to = 0;
  for (int r = 0; r < Rows; ++r) {
    int32_t begin = a.begins[row + r], end = a.end > 0 ? a.end : a.positions[row + r] + 1;
    from = begin < from ? begin : from;
    to = end > to ? end : to;
  }
  from = from / 16 * 16, to = (to + 15) / 16 * 16;
  int64_t ld = to;
  // Pages lie anywhere in memory: the next keys, and the values that come after them, are asked for early.
  for (int32_t page = from / 16; page * 16 < to; ++page) {
    if ((page + 2) * 16 < to) ask_for(a.k_pages[page + 2], int64_t{a.head_dim} * 32);
    ask_for(a.v_pages[page], int64_t{a.padded_head_dim} * 32);
    score_page<Rows>(a.k_pages[page], a.queries + row, a.head_dim, a.scores + page * 16, ld);
  }
  for (int r = 0; r < Rows; ++r) {
    int32_t begin = a.begins[row + r], end = a.end > 0 ? a.end : a.positions[row + r] + 1;
    float* s = a.scores + r * ld;
    soften(s, begin, end, a.scale, a.softcap);
    for (int32_t i = from; i < begin / 16 * 16; ++i) s[i] = 0;
    for (int32_t i = (end + 15) / 16 * 16; i < to; ++i) s[i] = 0;
  }
  // More rows share the conversion of a value, fewer take more values at once.
  constexpr int kWide = kHeld / Rows < 1 ? 1 : kHeld / Rows > 4 ? 4 : kHeld / Rows;
  int d = 0;
  for (; d + kWide * 16 <= a.padded_head_dim; d += kWide * 16) mix_values<Rows, kWide>(a, row, a.scores, ld, from, to, d);
  for (; d < a.padded_head_dim; d += 16) mix_values<Rows, 1>(a, row, a.scores, ld, from, to, d);
}

static void attend(const Attention& a) {
  int row = 0;
  for (; row + kRowsTogether <= a.rows; row += kRowsTogether) attend_rows<kRowsTogether>(a, row);
  if constexpr (kRowsTogether > 4)
    if (row + 4 <= a.rows) attend_rows<4>(a, row), row += 4;
  switch (a.rows - row) {
    case 3: return attend_rows<3>(a, row);
    case 2: return attend_rows<2>(a, row);
    case 1: return attend_rows<1>(a, row);
    default: return;
  }
}

// Each chain begins elsewhere and goes into what is returned, or a compiler would find one, or none, to be enough.
static double peak(int64_t rounds) {
#ifdef __AVX512F__
  constexpr int kChains = 12;  // as many as the registers hold
#else
  constexpr int kChains = 6;
#endif
  F16x acc[kChains], a = splat(0.5f), b = splat(0.25f);
  for (int j = 0; j < kChains; ++j) acc[j] = splat(static_cast<float>(j));
  for (int64_t i = 0; i < rounds; ++i)
    for (int j = 0; j < kChains; ++j) acc[j] = acc[j] * a + b;
  float left = 0;
  for (int j = 0; j < kChains; ++j) left += sum(acc[j]);
  return static_cast<double>(rounds) * kChains * 32 + (left < 0 ? 1 : 0);
}

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
static constexpr bool kFused = true;
#else
static constexpr bool kFused = false;
#endif

static constexpr Kernels table(std::string_view name, void (*multiply_integer)(const Product&, const QuantizedRows&) = nullptr, bool narrow = false) {
  return {.name = name, .fused = kFused, .narrow = narrow, .multiply_float = multiply_float, .multiply_integer = multiply_integer, .multiply_bfloat = nullptr,
          .quantize = quantize, .write_tiles = write_tiles, .rms_norm = rms_norm, .layer_norm = layer_norm,
          .silu_times = silu_times, .gelu_tanh_times = gelu_tanh_times, .gelu = gelu, .add = add, .scale_add = scale_add,
          .to_half = to_half, .rope = rope, .attend = attend, .attend_tiles = nullptr, .soften = soften,
          .logit_moments = logit_moments, .weigh = weigh, .peak = peak};
}

}  // namespace AJAR_KERNELS
}  // namespace ajar::engine
