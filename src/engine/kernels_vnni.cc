// Few rows of input, 8-bit integers: AVX-512 VNNI. Codes are the unsigned operand of vpdpbusd, inputs the signed one, four
// columns of one row of input broadcast to all 16 rows of the panel. Codes of a block are unpacked once for up to 8 rows.
#if defined(__x86_64__) && !defined(AJAR_PORTABLE_KERNELS)

#include <immintrin.h>

#include "engine/kernels_x86.h"

namespace ajar::engine {
namespace {

constexpr int kAhead = 6144;  // bytes

template <Dtype T, int Rows>
inline __attribute__((always_inline)) void panel_rows(const uint8_t* panel, const PanelLayout& layout, const QuantizedRows& x,
                                                      int row, float* y, int64_t ldy) {
  constexpr PanelForm form = panel_form(T);
  constexpr bool halves = form.scale == ScaleForm::kSuper16;
  const int64_t columns = x.columns, blocks = columns / kBlock;
  const int8_t* codes = x.codes + row * columns;
  const float* scales = x.scales + row * blocks;
  const float* sums = x.sums + row * blocks * 2;
  const int32_t* totals = x.totals + row * blocks;
  __m512 acc[Rows];
  for (int m = 0; m < Rows; ++m) acc[m] = _mm512_setzero_ps();
  for (int64_t b = 0; b < blocks; ++b) {
    // Memory is what few rows wait for: the lines of some blocks ahead are asked for early, in this panel or the next.
    if constexpr (Rows <= 2) {
      for (int line = 0; line < form.code_bytes(); line += 64)
        _mm_prefetch(reinterpret_cast<const char*>(panel + b * form.code_bytes() + line + kAhead), _MM_HINT_T1);
    }
    __m512i w[8];
    __m512 scale[2], minimum[2];
    load_codes<T>(panel + b * form.code_bytes(), w);
    load_scales<T>(panel + layout.scales + b * form.scale_bytes(), panel + layout.supers + b / 8 * form.super_bytes(), scale,
                   minimum);
#pragma clang loop unroll(full)
    for (int m = 0; m < Rows; ++m) {
      const int8_t* a = codes + m * columns + b * kBlock;
      __m512 s = _mm512_set1_ps(scales[m * blocks + b]);
      const int32_t start = form.whole_zero() ? -form.zero * totals[m * blocks + b] : 0;
      __m512i dot[2] = {_mm512_set1_epi32(start), _mm512_setzero_si512()};
      for (int g = 0; g < 8; ++g) {
        int32_t four;
        __builtin_memcpy(&four, a + g * 4, 4);
        __m512i& d = dot[halves ? g / 4 : 0];
        d = _mm512_dpbusd_epi32(d, w[g], _mm512_set1_epi32(four));
      }
      const float* sum = sums + (m * blocks + b) * 2;
      acc[m] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot[0]), _mm512_mul_ps(scale[0], s), acc[m]);
      if constexpr (halves) {
        acc[m] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot[1]), _mm512_mul_ps(scale[1], s), acc[m]);
        acc[m] = _mm512_fnmadd_ps(minimum[0], _mm512_set1_ps(sum[0]), acc[m]);
        acc[m] = _mm512_fnmadd_ps(minimum[1], _mm512_set1_ps(sum[1]), acc[m]);
      } else if constexpr (!form.whole_zero()) {
        acc[m] = _mm512_fnmadd_ps(minimum[0], _mm512_set1_ps(sum[0] + sum[1]), acc[m]);
      }
    }
  }
  for (int m = 0; m < Rows; ++m) _mm512_storeu_ps(y + m * ldy, acc[m]);
}

template <Dtype T>
void multiply(const Product& p, const QuantizedRows& x) {
  PanelLayout layout = panel_layout(T, p.columns);
  for (int n = p.first; n < p.last; ++n) {
    const auto* panel = reinterpret_cast<const uint8_t*>(p.panels) + n * layout.stride;
    float* y = p.y + n * kPanelRows;
    int m = 0;
    for (; m + 8 <= p.rows; m += 8) panel_rows<T, 8>(panel, layout, x, m, y + m * p.ldy, p.ldy);
    if (m + 4 <= p.rows) panel_rows<T, 4>(panel, layout, x, m, y + m * p.ldy, p.ldy), m += 4;
    if (m + 2 <= p.rows) panel_rows<T, 2>(panel, layout, x, m, y + m * p.ldy, p.ldy), m += 2;
    if (m < p.rows) panel_rows<T, 1>(panel, layout, x, m, y + m * p.ldy, p.ldy);
  }
}

}  // namespace

void multiply_vnni(const Product& p, const QuantizedRows& x) {
  for_quantised(p.dtype, [&]<Dtype T>() { multiply<T>(p, x); });
}

#ifndef AJAR_EMULATED
double peak_vnni(int64_t rounds) {
  __m512i acc[16], a = _mm512_set1_epi8(1), b = _mm512_set1_epi8(2);
  for (auto& v : acc) v = _mm512_setzero_si512();
  for (int64_t i = 0; i < rounds; ++i) {
#pragma clang loop unroll(full)
    for (auto& v : acc) {
      v = _mm512_dpbusd_epi32(v, a, b);
      asm volatile("" : "+v"(v));
    }
  }
  return static_cast<double>(rounds) * 16 * 128;
}
#endif

}  // namespace ajar::engine

#endif
