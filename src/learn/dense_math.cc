#include "learn/dense_math.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ajar::learn {
namespace {

using Floats = float __attribute__((ext_vector_type(16)));

// `kColumns` sums of 16 at once: as many as the registers hold.
template <size_t kColumns>
[[gnu::always_inline]] inline void product(float* c, const float* a, const float* b) {
  for (size_t x = 0; x < kTile; x += 16)
    for (size_t j = 0; j < kTile; j += kColumns) {
      Floats sums[kColumns] = {};
      for (size_t k = 0; k < kTile; ++k) {
        Floats in;
        std::memcpy(&in, a + k * kTile + x, sizeof in);
        for (size_t n = 0; n < kColumns; ++n) sums[n] += in * b[k * kTile + j + n];
      }
      for (size_t n = 0; n < kColumns; ++n) {
        Floats out;
        std::memcpy(&out, c + (j + n) * kTile + x, sizeof out);
        out -= sums[n];
        std::memcpy(c + (j + n) * kTile + x, &out, sizeof out);
      }
    }
}

[[gnu::always_inline]] inline void all_dots(const int8_t* rows, size_t count, size_t width, const int8_t* query, int32_t* out) {
  for (size_t i = 0; i < count; ++i) {
    int32_t sum = 0;
    for (size_t x = 0; x < width; ++x) sum += int32_t{rows[i * width + x]} * query[x];
    out[i] = sum;
  }
}

// 2^x by its series around the nearest whole number, to 3 millionths.
[[gnu::always_inline]] inline void all_loudness(const int32_t* products, const float* scales, size_t count, float unit, float sharp, int16_t* out) {
  constexpr float kPerNat = 1.44269504F, kSmallest = -120;
  for (size_t i = 0; i < count; ++i) {
    const float from_top = std::min(static_cast<float>(products[i]) * scales[i] * unit - 1, 0.0F);
    const float x = std::max(sharp * kPerNat * from_top, kSmallest);
    const auto whole = static_cast<int32_t>(x - 0.5F);
    const float f = x - static_cast<float>(whole);
    const float part = 1 + f * (0.693147181F + f * (0.240226507F + f * (0.0555041087F + f * (0.00961812911F + f * 0.00133335581F))));
    out[i] = static_cast<int16_t>(kLoudest * part * std::bit_cast<float>((whole + 127) << 23) + 0.5F);
  }
}

[[gnu::always_inline]] inline void multiplied(const float* in, size_t count, const float* rows, size_t width, float* __restrict out) {
  std::fill_n(out, width, 0.0F);
  for (size_t k = 0; k < count; ++k)
    for (size_t j = 0; j < width; ++j) out[j] += in[k] * rows[k * width + j];
}

[[gnu::always_inline]] inline void pairs_plainly(const int16_t* rows, size_t pairs, size_t width, const int16_t* by, float* out) {
  for (size_t x = 0; x < width; ++x) {
    int32_t sum = 0;
    for (size_t i = 0; i < pairs; ++i) {
      const int16_t* at = rows + (i * width + x) * 2;
      sum += at[0] * by[i * 2] + at[1] * by[i * 2 + 1];
    }
    out[x] += static_cast<float>(sum);
  }
}

struct Loops {
  void (*product)(float*, const float*, const float*);
  void (*dots)(const int8_t*, size_t, size_t, const int8_t*, int32_t*);
  void (*loudness)(const int32_t*, const float*, size_t, float, float, int16_t*);
  void (*multiply)(const float*, size_t, const float*, size_t, float*);
  void (*pairs)(const int16_t*, size_t, size_t, const int16_t*, float*);
};

void product_anywhere(float* c, const float* a, const float* b) { product<2>(c, a, b); }
void dots_anywhere(const int8_t* r, size_t n, size_t w, const int8_t* q, int32_t* out) { all_dots(r, n, w, q, out); }
void loudness_anywhere(const int32_t* p, const float* s, size_t n, float unit, float sharp, int16_t* out) { all_loudness(p, s, n, unit, sharp, out); }
void multiply_anywhere(const float* in, size_t n, const float* r, size_t w, float* out) { multiplied(in, n, r, w, out); }
void pairs_anywhere(const int16_t* r, size_t n, size_t w, const int16_t* by, float* out) { pairs_plainly(r, n, w, by, out); }

#if defined(__x86_64__)
#define AJAR_AVX2 gnu::target("avx2,fma")
#define AJAR_AVX512 gnu::target("avx512f,avx512bw,avx512vl,avx512dq,fma")
[[AJAR_AVX2]] void product_avx2(float* c, const float* a, const float* b) { product<4>(c, a, b); }
[[AJAR_AVX2]] void multiply_avx2(const float* in, size_t n, const float* r, size_t w, float* out) { multiplied(in, n, r, w, out); }
[[AJAR_AVX2]] void loudness_avx2(const int32_t* p, const float* s, size_t n, float unit, float sharp, int16_t* out) { all_loudness(p, s, n, unit, sharp, out); }

// Products of two bytes each, the query's without its sign, which the row's takes over: two of them fit in 16 bits.
template <size_t kRows>
[[AJAR_AVX2]] void dots_avx2(const int8_t* rows, size_t width, const int8_t* query, int32_t* out) {
  __m256i sums[kRows] = {};
  const size_t whole = width / 32 * 32;
  for (size_t x = 0; x < whole; x += 32) {
    const __m256i own = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(query + x)), size = _mm256_abs_epi8(own);
    for (size_t i = 0; i < kRows; ++i) {
      const __m256i row = _mm256_sign_epi8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows + i * width + x)), own);
      sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(_mm256_maddubs_epi16(size, row), _mm256_set1_epi16(1)));
    }
  }
  for (size_t i = 0; i < kRows; ++i) {
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(sums[i]), _mm256_extracti128_si256(sums[i], 1));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0b1110));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0b0001));
    out[i] = _mm_cvtsi128_si32(sum);
    for (size_t x = whole; x < width; ++x) out[i] += rows[i * width + x] * query[x];
  }
}
[[AJAR_AVX2]] void all_dots_avx2(const int8_t* r, size_t n, size_t w, const int8_t* q, int32_t* out) {
  size_t i = 0;
  for (; i + 4 <= n; i += 4) dots_avx2<4>(r + i * w, w, q, out + i);
  for (; i < n; ++i) dots_avx2<1>(r + i * w, w, q, out + i);
}

// kSums sums of 8 columns at once stay in registers through all pairs.
template <size_t kSums>
[[AJAR_AVX2]] void pairs_avx2(const int16_t* rows, size_t pairs, size_t width, const int16_t* by, float* out) {
  __m256i sums[kSums] = {};
  for (size_t i = 0; i < pairs; ++i, rows += width * 2) {
    int32_t both;
    std::memcpy(&both, by + i * 2, sizeof both);
    const __m256i loud = _mm256_set1_epi32(both);
    for (size_t n = 0; n < kSums; ++n)
      sums[n] = _mm256_add_epi32(sums[n], _mm256_madd_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows + n * 16)), loud));
  }
  for (size_t n = 0; n < kSums; ++n) _mm256_storeu_ps(out + n * 8, _mm256_add_ps(_mm256_loadu_ps(out + n * 8), _mm256_cvtepi32_ps(sums[n])));
}
[[AJAR_AVX2]] void all_pairs_avx2(const int16_t* r, size_t n, size_t w, const int16_t* by, float* out) {
  size_t x = 0;
  for (; x + 80 <= w; x += 80) pairs_avx2<10>(r + x * 2, n, w, by, out + x);
  for (; x < w; x += kPairedColumns) pairs_avx2<2>(r + x * 2, n, w, by, out + x);
}
[[AJAR_AVX512]] void product_avx512(float* c, const float* a, const float* b) { product<8>(c, a, b); }
[[AJAR_AVX512]] void multiply_avx512(const float* in, size_t n, const float* r, size_t w, float* out) { multiplied(in, n, r, w, out); }
[[AJAR_AVX512]] void loudness_avx512(const int32_t* p, const float* s, size_t n, float unit, float sharp, int16_t* out) { all_loudness(p, s, n, unit, sharp, out); }
#endif

Loops best() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
    return {product_avx512, all_dots_avx2, loudness_avx512, multiply_avx512, all_pairs_avx2};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {product_avx2, all_dots_avx2, loudness_avx2, multiply_avx2, all_pairs_avx2};
#endif
  return {product_anywhere, dots_anywhere, loudness_anywhere, multiply_anywhere, pairs_anywhere};
}

const Loops& loops() {
  static const Loops chosen = best();
  return chosen;
}

}  // namespace

float append_bytes(std::span<const float> row, std::vector<int8_t>& out) {
  float most = 0;
  for (const float x : row) most = std::max(most, std::abs(x));
  const float unit = most / 127;
  for (const float x : row) out.push_back(unit > 0 ? static_cast<int8_t>(std::lround(x / unit)) : int8_t{0});
  return unit;
}

void subtract_product(float* c, const float* a, const float* b) { loops().product(c, a, b); }
void dots(const int8_t* rows, size_t count, size_t width, const int8_t* query, int32_t* out) { loops().dots(rows, count, width, query, out); }
void loudness(const int32_t* products, const float* scales, size_t count, float unit, float sharp, int16_t* out) { loops().loudness(products, scales, count, unit, sharp, out); }
float dot(const float* a, const float* b, size_t n) {
  float sums[8] = {};
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (size_t j = 0; j < 8; ++j) sums[j] += a[i + j] * b[i + j];
  float sum = 0;
  for (; i < n; ++i) sum += a[i] * b[i];
  for (const float s : sums) sum += s;
  return sum;
}

void multiply(const float* in, size_t count, const float* rows, size_t width, float* out) { loops().multiply(in, count, rows, width, out); }
void add_pairs(const int16_t* rows, size_t pairs, size_t width, const int16_t* by, float* out) { loops().pairs(rows, pairs, width, by, out); }

}  // namespace ajar::learn
