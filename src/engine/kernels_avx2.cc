// AVX2. Without vpdpbusd integers are multiplied in pairs (vpmaddubsw), whose sums stay within 16 bits for codes of up to 6 bits.
#if defined(__x86_64__) && !defined(AJAR_PORTABLE_KERNELS)
#define AJAR_KERNELS avx2
#define AJAR_LANES 8
#define AJAR_ROWS 4
#define AJAR_MOST_CODE 63
#define AJAR_UNPACKED
#include <immintrin.h>

#include "engine/kernels_integer.h"
#include "engine/kernels_vector.h"

namespace ajar::engine {
namespace avx2 {

template <int Most, int From, int To>
static inline Ints dot(const Bytes* w, const int8_t* x) {
  constexpr int kPairs = 32767 / (2 * 127 * Most);  // pairs of products that fit in 16 bits
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i total = _mm256_setzero_si256();
#pragma clang loop unroll(full)
  for (int g = From; g < To; g += kPairs) {
    __m256i pairs = _mm256_setzero_si256();
#pragma clang loop unroll(full)
    for (int i = g; i < To && i < g + kPairs; ++i) {
      int32_t four;
      __builtin_memcpy(&four, x + i * 4, 4);
      pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(reinterpret_cast<__m256i>(w[i]), _mm256_set1_epi32(four)));
    }
    total = _mm256_add_epi32(total, _mm256_madd_epi16(pairs, ones));
  }
  return reinterpret_cast<Ints>(total);
}

// vpmaddubsw takes one operand without a sign: that of the code goes over to the input. 2 * 128 * 127 fits in 16 bits.
template <int Rows>
static inline void dot_signed(const Bytes* w, const int8_t* x, int64_t stride, Ints* sums) {
  const __m256i ones = _mm256_set1_epi16(1);
#pragma clang loop unroll(full)
  for (int g = 0; g < 8; ++g) {
    const __m256i code = _mm256_xor_si256(reinterpret_cast<__m256i>(w[g]), _mm256_set1_epi8(-128)), size = _mm256_abs_epi8(code);
#pragma clang loop unroll(full)
    for (int m = 0; m < Rows; ++m) {
      int32_t four;
      __builtin_memcpy(&four, x + m * stride + g * 4, 4);
      __m256i pairs = _mm256_maddubs_epi16(size, _mm256_sign_epi8(_mm256_set1_epi32(four), code));
      sums[m] += reinterpret_cast<Ints>(_mm256_madd_epi16(pairs, ones));
    }
    // One group after the other: the compiler would take the rows one by one, and all groups' codes do not fit in registers.
    for (int m = 0; m < Rows; ++m) asm volatile("" : "+x"(sums[m]));
  }
}

static inline Bytes look_up(const uint8_t* table, Bytes codes) {
  __m256i all = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
  return reinterpret_cast<Bytes>(_mm256_shuffle_epi8(all, reinterpret_cast<__m256i>(codes)));
}

// Pairs of products, added up while 16 bits hold them: codes of up to 4 bits come near this, those of 8 are widened one by one.
static double peak_narrow(int64_t rounds) {
  __m256i acc[12], a = _mm256_set1_epi8(1), b = _mm256_set1_epi8(2);
  for (auto& v : acc) v = _mm256_setzero_si256();
  for (int64_t i = 0; i < rounds; ++i) {
#pragma clang loop unroll(full)
    for (auto& v : acc) {
      v = _mm256_add_epi16(v, _mm256_maddubs_epi16(a, b));
      asm volatile("" : "+x"(v), "+x"(a));
    }
  }
  return static_cast<double>(rounds) * 12 * 64;
}

static constexpr Kernels with_peak(Kernels kernels) {
  kernels.peak = peak_narrow;
  return kernels;
}

}  // namespace avx2

extern const Kernels kernels_avx2;
constinit const Kernels kernels_avx2 = avx2::with_peak(avx2::table("avx2", avx2::multiply_integer, true));

}  // namespace ajar::engine

#endif
