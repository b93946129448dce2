#include "learn/dense_math.h"

#include <algorithm>
#include <cmath>
#include <cstring>

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

[[gnu::always_inline]] inline void all_dots(const int8_t* rows, size_t count, size_t width, const int16_t* query, int32_t* out) {
  for (size_t i = 0; i < count; ++i) {
    int32_t sum = 0;
    for (size_t x = 0; x < width; ++x) sum += int32_t{rows[i * width + x]} * query[x];
    out[i] = sum;
  }
}

// Four rows at once, so that a sum is fetched and put back once for them.
[[gnu::always_inline]] inline void weighted(const int16_t* rows, size_t count, size_t width, const float* by, float* __restrict out) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const int16_t *a = rows + i * width, *b = a + width, *c = b + width, *d = c + width;
    const float p = by[i], q = by[i + 1], r = by[i + 2], s = by[i + 3];
    for (size_t x = 0; x < width; ++x)
      out[x] += p * static_cast<float>(a[x]) + q * static_cast<float>(b[x]) + r * static_cast<float>(c[x]) + s * static_cast<float>(d[x]);
  }
  for (; i < count; ++i)
    for (size_t x = 0; x < width; ++x) out[x] += by[i] * static_cast<float>(rows[i * width + x]);
}

struct Loops {
  void (*product)(float*, const float*, const float*);
  void (*dots)(const int8_t*, size_t, size_t, const int16_t*, int32_t*);
  void (*weighted)(const int16_t*, size_t, size_t, const float*, float*);
};

void product_anywhere(float* c, const float* a, const float* b) { product<2>(c, a, b); }
void dots_anywhere(const int8_t* r, size_t n, size_t w, const int16_t* q, int32_t* out) { all_dots(r, n, w, q, out); }
void weighted_anywhere(const int16_t* r, size_t n, size_t w, const float* by, float* out) { weighted(r, n, w, by, out); }

#if defined(__x86_64__)
#define AJAR_AVX2 gnu::target("avx2,fma")
#define AJAR_AVX512 gnu::target("avx512f,avx512bw,avx512vl,avx512dq,fma")
[[AJAR_AVX2]] void product_avx2(float* c, const float* a, const float* b) { product<4>(c, a, b); }
[[AJAR_AVX2]] void dots_avx2(const int8_t* r, size_t n, size_t w, const int16_t* q, int32_t* out) { all_dots(r, n, w, q, out); }
[[AJAR_AVX2]] void weighted_avx2(const int16_t* r, size_t n, size_t w, const float* by, float* out) { weighted(r, n, w, by, out); }
[[AJAR_AVX512]] void product_avx512(float* c, const float* a, const float* b) { product<8>(c, a, b); }
[[AJAR_AVX512]] void dots_avx512(const int8_t* r, size_t n, size_t w, const int16_t* q, int32_t* out) { all_dots(r, n, w, q, out); }
[[AJAR_AVX512]] void weighted_avx512(const int16_t* r, size_t n, size_t w, const float* by, float* out) { weighted(r, n, w, by, out); }
#endif

Loops best() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
    return {product_avx512, dots_avx512, weighted_avx512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {product_avx2, dots_avx2, weighted_avx2};
#endif
  return {product_anywhere, dots_anywhere, weighted_anywhere};
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
void dots(const int8_t* rows, size_t count, size_t width, const int16_t* query, int32_t* out) { loops().dots(rows, count, width, query, out); }
void add_weighted(const int16_t* rows, size_t count, size_t width, const float* by, float* out) { loops().weighted(rows, count, width, by, out); }

}  // namespace ajar::learn
