// The formats of 256 elements to a block, whose groups of 16 or 32 have scales of their own.
#include "engine/blocks.h"

namespace ajar::engine {

void dequantize(const BlockQ2_K* from, float* to, int64_t blocks) {
  for (const BlockQ2_K* end = from + blocks; from != end; ++from) {
    const float d = half_to_float(from->d), dmin = half_to_float(from->dmin);
    // A byte holds elements 32 apart: four groups of 32 per 32 bytes.
    for (int group = 0; group < 16; ++group) {
      const float scale = d * float(from->scales[group] & 15), min = dmin * float(from->scales[group] >> 4);
      const uint8_t* qs = from->qs + group / 8 * 32 + group % 2 * 16;
      const int shift = group / 2 % 4 * 2;
      for (int j = 0; j < 16; ++j) *to++ = scale * float(qs[j] >> shift & 3) - min;
    }
  }
}

void dequantize(const BlockQ3_K* from, float* to, int64_t blocks) {
  for (const BlockQ3_K* end = from + blocks; from != end; ++from) {
    const float d = half_to_float(from->d);
    for (int group = 0; group < 16; ++group) {
      const float scale = d * float(unpack_q3_scale(from->scales, group) - 32);
      const uint8_t* qs = from->qs + group / 8 * 32 + group % 2 * 16;
      const uint8_t* high = from->hmask + group % 2 * 16;
      const int shift = group / 2 % 4 * 2, bit = group / 2;
      for (int j = 0; j < 16; ++j) *to++ = scale * float((qs[j] >> shift & 3) - ((high[j] >> bit & 1) ? 0 : 4));
    }
  }
}

void dequantize(const BlockQ4_K* from, float* to, int64_t blocks) {
  for (const BlockQ4_K* end = from + blocks; from != end; ++from) {
    const float d = half_to_float(from->d), dmin = half_to_float(from->dmin);
    for (int group = 0; group < 8; ++group) {
      int scale, min;
      unpack_scale_min(from->scales, group, scale, min);
      const float a = d * float(scale), b = dmin * float(min);
      const uint8_t* qs = from->qs + group / 2 * 32;
      const int shift = group % 2 * 4;
      for (int j = 0; j < 32; ++j) *to++ = a * float(qs[j] >> shift & 15) - b;
    }
  }
}

void dequantize(const BlockQ5_K* from, float* to, int64_t blocks) {
  for (const BlockQ5_K* end = from + blocks; from != end; ++from) {
    const float d = half_to_float(from->d), dmin = half_to_float(from->dmin);
    for (int group = 0; group < 8; ++group) {
      int scale, min;
      unpack_scale_min(from->scales, group, scale, min);
      const float a = d * float(scale), b = dmin * float(min);
      const uint8_t* qs = from->qs + group / 2 * 32;
      const int shift = group % 2 * 4;
      for (int j = 0; j < 32; ++j) {
        *to++ = a * float((qs[j] >> shift & 15) | (from->qh[j] >> group & 1) << 4) - b;
      }
    }
  }
}

void dequantize(const BlockQ6_K* from, float* to, int64_t blocks) {
  for (const BlockQ6_K* end = from + blocks; from != end; ++from) {
    const float d = half_to_float(from->d);
    for (int group = 0; group < 16; ++group) {
      const float scale = d * float(from->scales[group]);
      // Per 128 elements: 64 bytes of nibbles (two quarters of 32 low, two high), 32 bytes of four pairs of bits.
      const int half = group / 8, quarter = group / 2 % 4, from16 = group % 2 * 16;
      const uint8_t* low = from->ql + half * 64 + quarter % 2 * 32 + from16;
      const uint8_t* high = from->qh + half * 32 + from16;
      const int low_shift = quarter / 2 * 4, high_shift = quarter * 2;
      for (int j = 0; j < 16; ++j) {
        *to++ = scale * float(((low[j] >> low_shift & 15) | (high[j] >> high_shift & 3) << 4) - 32);
      }
    }
  }
}

}  // namespace ajar::engine
