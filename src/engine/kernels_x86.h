// What the x86 kernels share; included only within their flags (see kernels_vector.h), AVX-512 at least.

#include <immintrin.h>
#include <stdint.h>

#include "engine/kernels.h"

namespace ajar::engine {

void multiply_vnni(const Product& product, const QuantizedRows& x);
void multiply_amx_integer(const Product& product, const QuantizedRows& x);
void multiply_amx(const Product& product, const uint16_t* tiles, std::byte* scratch);
void attend_amx(const Attention& attention);

namespace {

// What LDTILECFG reads: of each tile how many rows of how many bytes.
struct __attribute__((packed, aligned(64))) TileConfig {
  uint8_t palette = 1, start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t columns[16] = {};
  uint8_t rows[16] = {};
};

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

// The codes of one block: w[g] holds columns 4g..4g+3 of 16 rows.
template <Dtype T>
inline __attribute__((always_inline)) void load_codes(const uint8_t* c, __m512i w[8]) {
  constexpr PanelForm form = panel_form(T);
  if constexpr (form.bits == 8) {
    for (int g = 0; g < 8; ++g) w[g] = _mm512_loadu_si512(c + g * 64);
    return;
  }
  const __m512i low = _mm512_set1_epi8(15);
  for (int z = 0; z < 4; ++z) {
    __m512i v = _mm512_loadu_si512(c + z * 64);
    w[z] = _mm512_and_si512(v, low);
    w[z + 4] = _mm512_and_si512(_mm512_srli_epi16(v, 4), low);
  }
  if constexpr (form.bits == 5) {
    const __m512i sixteen = _mm512_set1_epi8(16);
    for (int g = 0; g < 8; ++g) {
      uint64_t bits;
      __builtin_memcpy(&bits, c + 256 + g * 8, 8);
      w[g] = _mm512_mask_add_epi8(w[g], bits, w[g], sixteen);
    }
  }
  if constexpr (form.bits == 6) {
    const __m512i mask = _mm512_set1_epi8(0x30);
    for (int h = 0; h < 2; ++h) {
      __m512i v = _mm512_loadu_si512(c + 256 + h * 64);
      w[h * 4] = _mm512_or_si512(w[h * 4], _mm512_and_si512(_mm512_slli_epi16(v, 4), mask));
      w[h * 4 + 1] = _mm512_or_si512(w[h * 4 + 1], _mm512_and_si512(_mm512_slli_epi16(v, 2), mask));
      w[h * 4 + 2] = _mm512_or_si512(w[h * 4 + 2], _mm512_and_si512(v, mask));
      w[h * 4 + 3] = _mm512_or_si512(w[h * 4 + 3], _mm512_and_si512(_mm512_srli_epi16(v, 2), mask));
    }
  }
  if constexpr (form.table != CodeTable::kNone) {
    const uint8_t* bytes = form.table == CodeTable::kIq4Nl ? kIq4NlTable : kMxfp4Table;
    __m512i table = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
    for (int g = 0; g < 8; ++g) w[g] = _mm512_shuffle_epi8(table, w[g]);
  }
}

}  // namespace
}  // namespace ajar::engine
