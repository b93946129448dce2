// NEON as every 64-bit ARM has it. Codes of up to 6 bits are multiplied in pairs of 16 bits, like AVX2's.
#if defined(__aarch64__)
#define AJAR_KERNELS neon
#define AJAR_LANES 4
#define AJAR_ROWS 8
#define AJAR_MOST_CODE 63
#include <arm_neon.h>

#include "engine/kernels_integer.h"
#include "engine/kernels_vector.h"

namespace ajar::engine {
namespace neon {

template <int Most, int From, int To>
static inline Ints dot(const Bytes* w, const int8_t* x) {
  constexpr int kPairs = 32767 / (2 * 127 * Most);  // pairs of products that fit in 16 bits
  int32x4_t total = vdupq_n_s32(0);
#pragma clang loop unroll(full)
  for (int g = From; g < To; g += kPairs) {
    int16x8_t low = vdupq_n_s16(0), high = low;  // of rows 0, 1 and of rows 2, 3
#pragma clang loop unroll(full)
    for (int i = g; i < To && i < g + kPairs; ++i) {
      int32_t four;
      __builtin_memcpy(&four, x + i * 4, 4);
      int8x16_t codes = reinterpret_cast<int8x16_t>(w[i]), inputs = vreinterpretq_s8_s32(vdupq_n_s32(four));
      low = vmlal_s8(low, vget_low_s8(codes), vget_low_s8(inputs));
      high = vmlal_high_s8(high, codes, inputs);
    }
    total = vpadalq_s16(total, vpaddq_s16(low, high));
  }
  return reinterpret_cast<Ints>(total);
}

template <int Rows>
static inline void dot_signed(const Bytes* w, const int8_t* x, int64_t stride, Ints* sums) {
#pragma clang loop unroll(full)
  for (int g = 0; g < 8; g += 2) {  // 2 * 128 * 127 fits in 16 bits
    const auto first = reinterpret_cast<int8x16_t>(w[g] ^ 0x80), second = reinterpret_cast<int8x16_t>(w[g + 1] ^ 0x80);
#pragma clang loop unroll(full)
    for (int m = 0; m < Rows; ++m) {
      int32_t four[2];
      __builtin_memcpy(four, x + m * stride + g * 4, 8);
      const int8x16_t a = vreinterpretq_s8_s32(vdupq_n_s32(four[0])), b = vreinterpretq_s8_s32(vdupq_n_s32(four[1]));
      const int16x8_t low = vmlal_s8(vmull_s8(vget_low_s8(first), vget_low_s8(a)), vget_low_s8(second), vget_low_s8(b));
      const int16x8_t high = vmlal_high_s8(vmull_high_s8(first, a), second, b);
      sums[m] += reinterpret_cast<Ints>(vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
    }
  }
}

static inline Bytes look_up(const uint8_t* table, Bytes codes) {
  return reinterpret_cast<Bytes>(vqtbl1q_u8(vld1q_u8(table), reinterpret_cast<uint8x16_t>(codes)));
}

}  // namespace neon

extern const Kernels kernels_neon;
constinit const Kernels kernels_neon = neon::table("neon", neon::multiply_integer);

}  // namespace ajar::engine

#endif
