#pragma once
// The blocks of the quantised formats as they lie in a file, little-endian (ggml-common.h of the ggml project). A block's
// elements are split in halves: where two nibbles share a byte, the low one is the earlier element by half a group.

#include <cstdint>

#include "engine/dtype.h"

namespace ajar::engine {

using Half = uint16_t;  // float16, as bits

struct BlockQ4_0 { Half d; uint8_t qs[16]; };                         // d * (q - 8)
struct BlockQ4_1 { Half d, m; uint8_t qs[16]; };                      // d * q + m
struct BlockQ5_0 { Half d; uint8_t qh[4], qs[16]; };                  // d * (q - 16); bit j of qh: element j's fifth
struct BlockQ5_1 { Half d, m; uint8_t qh[4], qs[16]; };               // d * q + m
struct BlockQ8_0 { Half d; int8_t qs[32]; };                          // d * q
struct BlockIQ4_NL { Half d; uint8_t qs[16]; };                       // d * kIq4Values[q]
struct BlockMXFP4 { uint8_t e, qs[16]; };                             // 2^(e - 128) * kMxfp4Values[q]
// Of 256 elements. Scales and mins of a group of 32 (Q4_K, Q5_K) have 6 bits each; of 16 (Q2_K) 4 bits each.
struct BlockQ2_K { uint8_t scales[16], qs[64]; Half d, dmin; };       // d * scale * q - dmin * min
struct BlockQ3_K { uint8_t hmask[32], qs[64], scales[12]; Half d; };  // d * (scale - 32) * (q - 4), groups of 16
struct BlockQ4_K { Half d, dmin; uint8_t scales[12], qs[128]; };      // d * scale * q - dmin * min
struct BlockQ5_K { Half d, dmin; uint8_t scales[12], qh[32], qs[128]; };
struct BlockQ6_K { uint8_t ql[128], qh[64]; int8_t scales[16]; Half d; };  // d * scale * (q - 32), groups of 16

static_assert(sizeof(BlockQ4_0) == 18 && sizeof(BlockQ4_1) == 20 && sizeof(BlockQ5_0) == 22 && sizeof(BlockQ5_1) == 24);
static_assert(sizeof(BlockQ8_0) == 34 && sizeof(BlockIQ4_NL) == 18 && sizeof(BlockMXFP4) == 17);
static_assert(sizeof(BlockQ2_K) == 84 && sizeof(BlockQ3_K) == 110 && sizeof(BlockQ4_K) == 144);
static_assert(sizeof(BlockQ5_K) == 176 && sizeof(BlockQ6_K) == 210);

inline constexpr int kSuperBlock = 256;
inline constexpr int8_t kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
// Twice E2M1's values, so that they are whole.
inline constexpr int8_t kMxfp4Values[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

inline float mxfp4_scale(uint8_t e) {  // 2^(e - 128)
  return __builtin_bit_cast(float, e < 2 ? 0x00200000u << e : uint32_t(e - 1) << 23);
}

// The eight scales and mins of Q4_K and Q5_K: the first four have six bits of a byte, the others' high bits share them.
inline void unpack_scale_min(const uint8_t (&packed)[12], int group, int& scale, int& min) {
  if (group < 4) {
    scale = packed[group] & 63;
    min = packed[group + 4] & 63;
  } else {
    scale = (packed[group + 4] & 15) | (packed[group - 4] >> 6) << 4;
    min = packed[group + 4] >> 4 | (packed[group] >> 6) << 4;
  }
}
inline void pack_scale_min(uint8_t (&packed)[12], int group, int scale, int min) {  // groups in order
  if (group < 4) {
    packed[group] = uint8_t(scale);
    packed[group + 4] = uint8_t(min);
  } else {
    packed[group + 4] = uint8_t((scale & 15) | (min & 15) << 4);
    packed[group - 4] |= uint8_t((scale >> 4) << 6);
    packed[group] |= uint8_t((min >> 4) << 6);
  }
}
// Q3_K's sixteen scales, 0..63 for -32..31: low nibbles in eight bytes, the high bits in four.
inline int unpack_q3_scale(const uint8_t (&packed)[12], int group) {
  const int low = group < 8 ? packed[group] & 15 : packed[group - 8] >> 4;
  return low | (packed[8 + group % 4] >> (group / 4 * 2) & 3) << 4;
}
inline void pack_q3_scale(uint8_t (&packed)[12], int group, int scale) {  // into zeroes
  if (group < 8) packed[group] |= uint8_t(scale & 15);
  else packed[group - 8] |= uint8_t((scale & 15) << 4);
  packed[8 + group % 4] |= uint8_t((scale >> 4) << (group / 4 * 2));
}

// One per format, for whole blocks; dequantize_row and quantize_row choose among them.
void dequantize(const BlockQ4_0* from, float* to, int64_t blocks);
void dequantize(const BlockQ4_1* from, float* to, int64_t blocks);
void dequantize(const BlockQ5_0* from, float* to, int64_t blocks);
void dequantize(const BlockQ5_1* from, float* to, int64_t blocks);
void dequantize(const BlockQ8_0* from, float* to, int64_t blocks);
void dequantize(const BlockIQ4_NL* from, float* to, int64_t blocks);
void dequantize(const BlockMXFP4* from, float* to, int64_t blocks);
void dequantize(const BlockQ2_K* from, float* to, int64_t blocks);
void dequantize(const BlockQ3_K* from, float* to, int64_t blocks);
void dequantize(const BlockQ4_K* from, float* to, int64_t blocks);
void dequantize(const BlockQ5_K* from, float* to, int64_t blocks);
void dequantize(const BlockQ6_K* from, float* to, int64_t blocks);
void quantize(const float* from, BlockQ4_0* to, int64_t blocks);
void quantize(const float* from, BlockQ4_1* to, int64_t blocks);
void quantize(const float* from, BlockQ5_0* to, int64_t blocks);
void quantize(const float* from, BlockQ5_1* to, int64_t blocks);
void quantize(const float* from, BlockQ8_0* to, int64_t blocks);
void quantize(const float* from, BlockIQ4_NL* to, int64_t blocks);
void quantize(const float* from, BlockMXFP4* to, int64_t blocks);
void quantize(const float* from, BlockQ2_K* to, int64_t blocks);
void quantize(const float* from, BlockQ3_K* to, int64_t blocks);
void quantize(const float* from, BlockQ4_K* to, int64_t blocks);
void quantize(const float* from, BlockQ5_K* to, int64_t blocks);
void quantize(const float* from, BlockQ6_K* to, int64_t blocks);

}  // namespace ajar::engine
