// NEON with sdot (ARMv8.2 and later). It takes signed codes: those of up to 7 bits are, others come as two halves.
#if defined(__aarch64__)
#define AJAR_KERNELS dotprod
#define AJAR_LANES 4
#define AJAR_ROWS 8
#define AJAR_MOST_CODE 127
#include <arm_neon.h>

#include "engine/kernels_integer.h"

namespace ajar::engine {
namespace dotprod {

template <int Most, int From, int To>
static inline Ints dot(const Bytes* w, const int8_t* x) {
  int32x4_t total = vdupq_n_s32(0);
#pragma clang loop unroll(full)
  for (int g = From; g < To; ++g) {
    int32_t four;
    __builtin_memcpy(&four, x + g * 4, 4);
    total = vdotq_s32(total, reinterpret_cast<int8x16_t>(w[g]), vreinterpretq_s8_s32(vdupq_n_s32(four)));
  }
  return reinterpret_cast<Ints>(total);
}

template <int Rows>
static inline void dot_signed(const Bytes* w, const int8_t* x, int64_t stride, Ints* sums) {
#pragma clang loop unroll(full)
  for (int g = 0; g < 8; ++g) {
    const auto code = reinterpret_cast<int8x16_t>(w[g] ^ 0x80);
#pragma clang loop unroll(full)
    for (int m = 0; m < Rows; ++m) {
      int32_t four;
      __builtin_memcpy(&four, x + m * stride + g * 4, 4);
      sums[m] = reinterpret_cast<Ints>(vdotq_s32(reinterpret_cast<int32x4_t>(sums[m]), code, vreinterpretq_s8_s32(vdupq_n_s32(four))));
    }
  }
}

static inline Bytes look_up(const uint8_t* table, Bytes codes) {
  return reinterpret_cast<Bytes>(vqtbl1q_u8(vld1q_u8(table), reinterpret_cast<uint8x16_t>(codes)));
}

}  // namespace dotprod

void multiply_dotprod(const Product& p, const QuantizedRows& x);
void multiply_dotprod(const Product& p, const QuantizedRows& x) { dotprod::multiply_integer(p, x); }

double peak_dotprod(int64_t rounds);
double peak_dotprod(int64_t rounds) {
  int32x4_t acc[16];
  int8x16_t a = vdupq_n_s8(1), b = vdupq_n_s8(2);
  for (auto& v : acc) v = vdupq_n_s32(0);
  for (int64_t i = 0; i < rounds; ++i) {
#pragma clang loop unroll(full)
    for (auto& v : acc) {
      v = vdotq_s32(v, a, b);
      asm volatile("" : "+w"(v));
    }
  }
  return static_cast<double>(rounds) * 16 * 32;
}

}  // namespace ajar::engine

#endif
