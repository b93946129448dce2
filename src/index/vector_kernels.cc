#include "index/vector_kernels.h"

#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ajar::index {
namespace {

void dots_portable(const uint8_t* rows, size_t count, size_t stride, const int8_t* query, int32_t* out) {
  for (size_t i = 0; i < count; ++i, rows += stride) {
    int32_t sum = 0;
    for (size_t d = 0; d < stride; ++d) sum += (int32_t{rows[d]} - 128) * query[d];
    out[i] = sum;
  }
}

void dots_at_portable(const uint8_t* rows, const uint32_t* places, size_t count, size_t stride, const int8_t* query, int32_t* out) {
  for (size_t i = 0; i < count; ++i) dots_portable(rows + size_t{places[i]} * stride, 1, stride, query, out + i);
}

#if defined(__x86_64__)

int32_t bias(const int8_t* query, size_t stride) {
  int32_t sum = 0;
  for (size_t d = 0; d < stride; ++d) sum += query[d];
  return sum * 128;
}

__attribute__((target("avx2"))) void dots_avx2(const uint8_t* rows, size_t count, size_t stride, const int8_t* query, int32_t* out) {
  const int32_t shift = bias(query, stride);
  for (size_t i = 0; i < count; ++i, rows += stride) {
    __m256i a = _mm256_setzero_si256(), b = a;
    for (size_t d = 0; d < stride; d += 32) {
      const auto half = [&](size_t at) __attribute__((target("avx2"))) {
        const __m256i x = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(rows + at)));
        const __m256i q = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(query + at)));
        return _mm256_madd_epi16(x, q);
      };
      a = _mm256_add_epi32(a, half(d)), b = _mm256_add_epi32(b, half(d + 16));
    }
    a = _mm256_add_epi32(a, b);
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4E));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xB1));
    out[i] = _mm_cvtsi128_si32(s) - shift;
  }
}

void dots_at_avx2(const uint8_t* rows, const uint32_t* places, size_t count, size_t stride, const int8_t* query, int32_t* out) {
  for (size_t i = 0; i < count; ++i) dots_avx2(rows + size_t{places[i]} * stride, 1, stride, query, out + i);
}

__attribute__((target("avx512f,avx512bw,avx512vnni"))) void dots_vnni(const uint8_t* rows, size_t count, size_t stride, const int8_t* query,
                                                                     int32_t* out) {
  const int32_t shift = bias(query, stride);
  size_t i = 0;
  for (; i + 4 <= count; i += 4, rows += 4 * stride) {
    __m512i a = _mm512_setzero_si512(), b = a, c = a, e = a;
    for (size_t d = 0; d < stride; d += 64) {
      const __m512i q = _mm512_loadu_si512(query + d);
      for (size_t r = 0; r < 4; ++r) _mm_prefetch(reinterpret_cast<const char*>(rows + (r + 4) * stride + d), _MM_HINT_T0);
      a = _mm512_dpbusd_epi32(a, _mm512_loadu_si512(rows + d), q);
      b = _mm512_dpbusd_epi32(b, _mm512_loadu_si512(rows + stride + d), q);
      c = _mm512_dpbusd_epi32(c, _mm512_loadu_si512(rows + 2 * stride + d), q);
      e = _mm512_dpbusd_epi32(e, _mm512_loadu_si512(rows + 3 * stride + d), q);
    }
    out[i] = _mm512_reduce_add_epi32(a) - shift, out[i + 1] = _mm512_reduce_add_epi32(b) - shift;
    out[i + 2] = _mm512_reduce_add_epi32(c) - shift, out[i + 3] = _mm512_reduce_add_epi32(e) - shift;
  }
  for (; i < count; ++i, rows += stride) {
    __m512i a = _mm512_setzero_si512();
    for (size_t d = 0; d < stride; d += 64) a = _mm512_dpbusd_epi32(a, _mm512_loadu_si512(rows + d), _mm512_loadu_si512(query + d));
    out[i] = _mm512_reduce_add_epi32(a) - shift;
  }
}

__attribute__((target("avx512f,avx512bw,avx512vnni"))) void dots_at_vnni(const uint8_t* rows, const uint32_t* places, size_t count, size_t stride,
                                                                        const int8_t* query, int32_t* out) {
  const int32_t shift = bias(query, stride);
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* row = rows + size_t{places[i]} * stride;
    __m512i a = _mm512_setzero_si512(), b = a;
    size_t d = 0;
    for (; d + 128 <= stride; d += 128) {
      a = _mm512_dpbusd_epi32(a, _mm512_loadu_si512(row + d), _mm512_loadu_si512(query + d));
      b = _mm512_dpbusd_epi32(b, _mm512_loadu_si512(row + d + 64), _mm512_loadu_si512(query + d + 64));
    }
    if (d < stride) a = _mm512_dpbusd_epi32(a, _mm512_loadu_si512(row + d), _mm512_loadu_si512(query + d));
    out[i] = _mm512_reduce_add_epi32(_mm512_add_epi32(a, b)) - shift;
  }
}

#endif

std::vector<DotKernel> probe() {
  std::vector<DotKernel> found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni"))
    found.push_back({"avx512-vnni", dots_vnni, dots_at_vnni});
  if (__builtin_cpu_supports("avx2")) found.push_back({"avx2", dots_avx2, dots_at_avx2});
#endif
  found.push_back({"portable", dots_portable, dots_at_portable});
  return found;
}

}  // namespace

std::span<const DotKernel> dot_kernels() {
  static const std::vector<DotKernel> found = probe();
  return found;
}

}  // namespace ajar::index
