// AVX2 with vpdpbusd as AVX-VNNI has it: processors since Alder Lake that lack AVX-512.
#if defined(__x86_64__) && !defined(AJAR_PORTABLE_KERNELS)
#define AJAR_KERNELS avxvnni
#define AJAR_LANES 8
#define AJAR_ROWS 4
#define AJAR_MOST_CODE 255
#include <immintrin.h>

#include "engine/kernels_integer.h"

namespace ajar::engine {
namespace avxvnni {

template <int Most, int From, int To>
static inline Ints dot(const Bytes* w, const int8_t* x) {
  __m256i total = _mm256_setzero_si256();
#pragma clang loop unroll(full)
  for (int g = From; g < To; ++g) {
    int32_t four;
    __builtin_memcpy(&four, x + g * 4, 4);
    total = _mm256_dpbusd_avx_epi32(total, reinterpret_cast<__m256i>(w[g]), _mm256_set1_epi32(four));
  }
  return reinterpret_cast<Ints>(total);
}

static inline Bytes look_up(const uint8_t* table, Bytes codes) {
  __m256i all = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
  return reinterpret_cast<Bytes>(_mm256_shuffle_epi8(all, reinterpret_cast<__m256i>(codes)));
}

}  // namespace avxvnni

void multiply_avxvnni(const Product& p, const QuantizedRows& x);
void multiply_avxvnni(const Product& p, const QuantizedRows& x) { avxvnni::multiply_integer(p, x); }

double peak_avxvnni(int64_t rounds);
double peak_avxvnni(int64_t rounds) {
  __m256i acc[12], a = _mm256_set1_epi8(1), b = _mm256_set1_epi8(2);
  for (auto& v : acc) v = _mm256_setzero_si256();
  for (int64_t i = 0; i < rounds; ++i) {
#pragma clang loop unroll(full)
    for (auto& v : acc) {
      v = _mm256_dpbusd_avx_epi32(v, a, b);
      asm volatile("" : "+x"(v));
    }
  }
  return static_cast<double>(rounds) * 12 * 64;
}

}  // namespace ajar::engine

#endif
