// No #pragma once: kv_q8_*.cc include this within their own flags, as kernels_*.cc do kernels_vector.h; the same rules hold here.

#include <stdint.h>

#include "engine/kv_q8.h"

namespace ajar::engine {
namespace AJAR_KERNELS {
namespace {

typedef float F16x __attribute__((vector_size(64)));
typedef float F16u __attribute__((vector_size(64), aligned(4)));
typedef int32_t I16x __attribute__((vector_size(64)));
typedef int8_t C16u __attribute__((vector_size(16), aligned(1)));
typedef _Float16 Half16u __attribute__((vector_size(32), aligned(2)));

constexpr int kAhead = 2;

inline F16x load(const float* p) { return *reinterpret_cast<const F16u*>(p); }
inline void store(float* p, F16x v) { *reinterpret_cast<F16u*>(p) = v; }
inline F16x load_half(const void* p) { return __builtin_convertvector(*reinterpret_cast<const Half16u*>(p), F16x); }
inline F16x load_codes(const void* p) {
  return __builtin_convertvector(__builtin_convertvector(*reinterpret_cast<const C16u*>(p), I16x), F16x);
}

// Codes of at most 32 numbers and their scale, which is a half already when the codes are chosen.
_Float16 quantize(const float* x, int n, int8_t* codes) {
  float peak = 0;
  for (int i = 0; i < n; ++i) {
    float a = x[i] < 0 ? -x[i] : x[i];
    peak = a > peak ? a : peak;
  }
  float wanted = peak / 127;
  auto scale = static_cast<_Float16>(wanted < 65504.f ? wanted : 65504.f);
  float step = static_cast<float>(scale), inverse = step > 0 ? 1 / step : 0;
  for (int i = 0; i < n; ++i) {
    float v = x[i] * inverse;
    v = v < -127 ? -127 : v;
    v = v < 127 ? v : 127;  // NaN as well
    codes[i] = static_cast<int8_t>(v < 0 ? v - 0.5f : v + 0.5f);
  }
  return scale;
}

void store_token(const float* key, const float* value, int head_dim, int slot, std::byte* head) {
  const Q8Layout layout{head_dim};
  auto* bytes = reinterpret_cast<int8_t*>(head);
  auto* key_scales = reinterpret_cast<_Float16*>(head + layout.key_scales());
  auto* value_scales = reinterpret_cast<_Float16*>(head + layout.value_scales());
  int8_t* values = bytes + layout.values() + slot * layout.padded();
  for (int b = 0; b < layout.blocks(); ++b) {
    int from = b * 32, n = head_dim - from < 32 ? head_dim - from : 32;
    int8_t codes[32];
    key_scales[b * 16 + slot] = quantize(key + from, n, codes);
    for (int i = 0; i < n; ++i) bytes[(from + i) * 16 + slot] = codes[i];
    value_scales[b * 16 + slot] = quantize(value + from, n, values + from);
  }
  for (int d = head_dim; d < layout.padded(); ++d) values[d] = 0;
}

// A page of one head is too short for the machine to see a stream in it: lines are asked for two pages ahead.
inline void prefetch(const std::byte* from, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(from + i);
}

// The scale of a block is taken out of its sum: one multiplication for 32.
template <int Rows>
inline void score_page(const std::byte* page, const Q8Layout& layout, const float* const* q, float* scores, int64_t ld) {
  F16x total[Rows] = {};
  for (int b = 0; b < layout.blocks(); ++b) {
    F16x acc[Rows] = {};
    int end = b * 32 + 32 < layout.head_dim ? b * 32 + 32 : layout.head_dim;
    for (int d = b * 32; d < end; ++d) {
      F16x k = load_codes(page + d * 16);
      for (int r = 0; r < Rows; ++r) acc[r] += k * q[r][d];
    }
    F16x scale = load_half(page + layout.key_scales() + b * 32);
    for (int r = 0; r < Rows; ++r) total[r] += acc[r] * scale;
  }
  for (int r = 0; r < Rows; ++r) store(scores + r * ld, total[r]);
}

// `Blocks` blocks from dimension d on, of which the last may have only `Last` vectors of 16. A token's weight takes the scale in.
template <int Rows, int Blocks, int Last>
inline void mix_values(const Attention& a, const std::byte* const* pages, const Q8Layout& layout, int row, const float* scores, int64_t ld,
                       int32_t from, int32_t to, int d) {
  constexpr int kWide = Blocks * 2 - 2 + Last;
  F16x acc[Rows][kWide] = {};
  for (int32_t page = from / 16; page * 16 < to; ++page) {
    if (d == 0 && (page + kAhead) * 16 < to) prefetch(pages[page + kAhead] + layout.values(), layout.bytes() - layout.values());
    const std::byte* values = pages[page] + layout.values() + d;
    const std::byte* scales = pages[page] + layout.value_scales() + d;  // 32 bytes of them for 32 dimensions
    float weights[Rows][Blocks][16];
    for (int b = 0; b < Blocks; ++b) {
      F16x scale = load_half(scales + b * 32);
      for (int r = 0; r < Rows; ++r) store(weights[r][b], load(scores + r * ld + page * 16) * scale);
    }
    for (int t = 0; t < 16; ++t) {
      F16x v[kWide];
      for (int w = 0; w < kWide; ++w) v[w] = load_codes(values + t * layout.padded() + w * 16);
      for (int r = 0; r < Rows; ++r)
        for (int w = 0; w < kWide; ++w) acc[r][w] += v[w] * weights[r][w / 2][t];
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int w = 0; w < kWide; ++w) {
      int at = d + w * 16;
      if (at + 16 <= a.head_dim) store(a.outputs[row + r] + at, acc[r][w]);
      else for (int i = at; i < a.head_dim; ++i) a.outputs[row + r][i] = acc[r][w][i - at];
    }
  }
}

// As attend_rows of halves: each row sums over its own pages only, in order.
template <int Rows>
inline void attend_rows(const Attention& a, const std::byte* const* pages, const Q8Layout& layout, int row) {
  int32_t from = 1 << 30, to = 0;
  for (int r = 0; r < Rows; ++r) {
    int32_t begin = a.begins[row + r], end = a.positions[row + r] + 1;
    from = begin < from ? begin : from;
    to = end > to ? end : to;
  }
  from = from / 16 * 16, to = (to + 15) / 16 * 16;
  const int64_t ld = to;
  for (int32_t page = from / 16; page * 16 < to; ++page) {
    if ((page + kAhead) * 16 < to) prefetch(pages[page + kAhead], layout.values());
    score_page<Rows>(pages[page], layout, a.queries + row, a.scores + page * 16, ld);
  }
  for (int r = 0; r < Rows; ++r) {
    int32_t begin = a.begins[row + r], end = a.positions[row + r] + 1;
    float* s = a.scores + r * ld;
    a.soften(s, begin, end, a.scale, a.softcap);
    for (int32_t i = from; i < begin / 16 * 16; ++i) s[i] = 0;
    for (int32_t i = (end + 15) / 16 * 16; i < to; ++i) s[i] = 0;
  }
  int d = 0;
  if constexpr (Rows == 1)
    for (; d + 128 <= layout.padded(); d += 128) mix_values<1, 4, 2>(a, pages, layout, row, a.scores, ld, from, to, d);
  if constexpr (Rows <= 4)
    for (; d + 64 <= layout.padded(); d += 64) mix_values<Rows, 2, 2>(a, pages, layout, row, a.scores, ld, from, to, d);
  for (; d + 32 <= layout.padded(); d += 32) mix_values<Rows, 1, 2>(a, pages, layout, row, a.scores, ld, from, to, d);
  if (d < layout.padded()) mix_values<Rows, 1, 1>(a, pages, layout, row, a.scores, ld, from, to, d);
}

void attend(const Attention& a, const std::byte* const* pages) {
  const Q8Layout layout{a.head_dim};
  int row = 0;
  for (; row + 8 <= a.rows; row += 8) attend_rows<8>(a, pages, layout, row);
  for (; row + 4 <= a.rows; row += 4) attend_rows<4>(a, pages, layout, row);
  switch (a.rows - row) {  // heads that share keys and values often are two, three, six or seven
    case 3: return attend_rows<3>(a, pages, layout, row);
    case 2: return attend_rows<2>(a, pages, layout, row);
    case 1: return attend_rows<1>(a, pages, layout, row);
  }
}

void to_halves(const std::byte* head, int head_dim, uint16_t* keys, uint16_t* values) {
  const Q8Layout layout{head_dim};
  for (int d = 0; d < head_dim; ++d) {
    F16x v = load_codes(head + d * 16) * load_half(head + layout.key_scales() + d / 32 * 32);
    *reinterpret_cast<Half16u*>(keys + d * 16) = __builtin_convertvector(v, Half16u);
  }
  const auto* scales = reinterpret_cast<const _Float16*>(head + layout.value_scales());
  for (int t = 0; t < 16; ++t) {
    for (int d = 0; d < layout.padded(); d += 16) {
      F16x v = load_codes(head + layout.values() + t * layout.padded() + d) * static_cast<float>(scales[d / 32 * 16 + t]);
      *reinterpret_cast<Half16u*>(values + t * layout.padded() + d) = __builtin_convertvector(v, Half16u);
    }
  }
}

}  // namespace
}  // namespace AJAR_KERNELS
}  // namespace ajar::engine
