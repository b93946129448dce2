// AVX2. Without vpdpbusd integers are multiplied in pairs (vpmaddubsw), whose sums stay within 16 bits for codes of up to 6 bits.
#if defined(__x86_64__)
#define AJAR_KERNELS avx2
#define AJAR_LANES 8
#define AJAR_ROWS 4
#define AJAR_MOST_CODE 63
#include <immintrin.h>

#include "engine/kernels_integer.h"
#include "engine/kernels_vector.h"

namespace ajar::engine {
namespace avx2 {

template <int Most, int From, int To>
static inline Ints dot(const Bytes* w, const int8_t* x) {
  constexpr int kTogether = 32767 / (2 * 127 * Most);  // pairs of products that fit in 16 bits
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i total = _mm256_setzero_si256();
#pragma clang loop unroll(full)
  for (int g = From; g < To; g += kTogether) {
    __m256i pairs = _mm256_setzero_si256();
#pragma clang loop unroll(full)
    for (int i = g; i < To && i < g + kTogether; ++i) {
      int32_t four;
      __builtin_memcpy(&four, x + i * 4, 4);
      pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(reinterpret_cast<__m256i>(w[i]), _mm256_set1_epi32(four)));
    }
    total = _mm256_add_epi32(total, _mm256_madd_epi16(pairs, ones));
  }
  return reinterpret_cast<Ints>(total);
}

static inline Bytes look_up(const uint8_t* table, Bytes codes) {
  __m256i all = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
  return reinterpret_cast<Bytes>(_mm256_shuffle_epi8(all, reinterpret_cast<__m256i>(codes)));
}

}  // namespace avx2

extern const Kernels kernels_avx2;
constinit const Kernels kernels_avx2 = avx2::table("avx2", avx2::multiply_integer);

}  // namespace ajar::engine

#endif
