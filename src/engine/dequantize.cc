// The formats of 32 elements to a block.
#include <bit>
#include <cstring>

#include "engine/blocks.h"

namespace ajar::engine {

void dequantize(const BlockQ4_0* from, float* to, int64_t blocks) {
  for (const BlockQ4_0* end = from + blocks; from != end; ++from, to += 32) {
    const float d = half_to_float(from->d);
    for (int j = 0; j < 16; ++j) {
      to[j] = d * float((from->qs[j] & 15) - 8);
      to[j + 16] = d * float((from->qs[j] >> 4) - 8);
    }
  }
}

void dequantize(const BlockQ4_1* from, float* to, int64_t blocks) {
  for (const BlockQ4_1* end = from + blocks; from != end; ++from, to += 32) {
    const float d = half_to_float(from->d), m = half_to_float(from->m);
    for (int j = 0; j < 16; ++j) {
      to[j] = d * float(from->qs[j] & 15) + m;
      to[j + 16] = d * float(from->qs[j] >> 4) + m;
    }
  }
}

void dequantize(const BlockQ5_0* from, float* to, int64_t blocks) {
  for (const BlockQ5_0* end = from + blocks; from != end; ++from, to += 32) {
    const float d = half_to_float(from->d);
    uint32_t high;
    std::memcpy(&high, from->qh, sizeof high);
    for (int j = 0; j < 16; ++j) {
      to[j] = d * float(int((from->qs[j] & 15) | (high >> j & 1) << 4) - 16);
      to[j + 16] = d * float(int(from->qs[j] >> 4 | (high >> (j + 16) & 1) << 4) - 16);
    }
  }
}

void dequantize(const BlockQ5_1* from, float* to, int64_t blocks) {
  for (const BlockQ5_1* end = from + blocks; from != end; ++from, to += 32) {
    const float d = half_to_float(from->d), m = half_to_float(from->m);
    uint32_t high;
    std::memcpy(&high, from->qh, sizeof high);
    for (int j = 0; j < 16; ++j) {
      to[j] = d * float((from->qs[j] & 15) | (high >> j & 1) << 4) + m;
      to[j + 16] = d * float(from->qs[j] >> 4 | (high >> (j + 16) & 1) << 4) + m;
    }
  }
}

void dequantize(const BlockQ8_0* from, float* to, int64_t blocks) {
  for (const BlockQ8_0* end = from + blocks; from != end; ++from, to += 32) {
    const float d = half_to_float(from->d);
    for (int j = 0; j < 32; ++j) to[j] = d * float(from->qs[j]);
  }
}

void dequantize(const BlockIQ4_NL* from, float* to, int64_t blocks) {
  for (const BlockIQ4_NL* end = from + blocks; from != end; ++from, to += 32) {
    const float d = half_to_float(from->d);
    for (int j = 0; j < 16; ++j) {
      to[j] = d * float(kIq4Values[from->qs[j] & 15]);
      to[j + 16] = d * float(kIq4Values[from->qs[j] >> 4]);
    }
  }
}

void dequantize(const BlockMXFP4* from, float* to, int64_t blocks) {
  for (const BlockMXFP4* end = from + blocks; from != end; ++from, to += 32) {
    const float d = mxfp4_scale(from->e);
    for (int j = 0; j < 16; ++j) {
      to[j] = d * float(kMxfp4Values[from->qs[j] & 15]);
      to[j + 16] = d * float(kMxfp4Values[from->qs[j] >> 4]);
    }
  }
}

}  // namespace ajar::engine
