// What the x86 kernels share; included only within their flags (see kernels_vector.h), AVX-512 at least.

#include <immintrin.h>
#include <stdint.h>

#include "engine/kernels.h"

namespace ajar::engine {

void multiply_vnni(const Product& product, const QuantizedRows& x);
void multiply_amx(const Product& product, const uint16_t* tiles, std::byte* scratch);

namespace {

inline __attribute__((always_inline)) __m512 load_half(const uint8_t* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline __attribute__((always_inline)) __m512 load_small(const uint8_t* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}

// weight = scale[h] * code - minimum[h] for columns 16h..16h+15; h = 1 only for formats that differ there.
template <Dtype T>
inline __attribute__((always_inline)) void load_scales(const uint8_t* scales, const uint8_t* supers, __m512 scale[2],
                                                       __m512 minimum[2]) {
  constexpr PanelForm form = panel_form(T);
  constexpr int halves = form.scale == ScaleForm::kSuper16 ? 2 : 1;
  if constexpr (form.super()) {
    __m512 d = load_half(supers);
    for (int h = 0; h < halves; ++h) scale[h] = _mm512_mul_ps(d, load_small(scales + 16 * h));
    if constexpr (form.minimum) {
      __m512 m = load_half(supers + 32);
      for (int h = 0; h < halves; ++h) minimum[h] = _mm512_mul_ps(m, load_small(scales + 16 * (halves + h)));
    }
  } else {
    if constexpr (form.scale == ScaleForm::kBfloat)
      scale[0] = _mm512_castsi512_ps(_mm512_slli_epi32(
          _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(scales))), 16));
    else
      scale[0] = load_half(scales);
    if constexpr (form.minimum) minimum[0] = load_half(scales + 32);
  }
  if constexpr (!form.minimum) {
    const __m512 zero = _mm512_set1_ps(static_cast<float>(form.zero));
    for (int h = 0; h < halves; ++h) minimum[h] = _mm512_mul_ps(scale[h], zero);
  }
  if constexpr (halves == 1) scale[1] = scale[0], minimum[1] = minimum[0];
}

}  // namespace
}  // namespace ajar::engine
