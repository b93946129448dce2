// The formats of 32 elements to a block. The scale that loses least is rounded to what the block can hold before the
// levels are chosen, so that they are nearest with the scale that a reader will see.
#include <algorithm>
#include <array>
#include <cstring>

#include "engine/blocks.h"
#include "engine/quantize_search.h"

namespace ajar::engine {
namespace {

using namespace quantizing;

// Nearest of the values of a codebook, by a table over halves: all midpoints are whole or half.
class Codebook {
 public:
  explicit constexpr Codebook(const int8_t (&values)[16]) {
    for (int i = 0; i < kSize; ++i) {
      const float middle = (float(i) - kSize / 2 + 0.5f) / 2;
      int best = 0;
      for (int k = 1; k < 16; ++k) {
        const float d = middle - float(values[k]), e = middle - float(values[best]);
        if (d * d < e * e) best = k;
      }
      index_[size_t(i)] = uint8_t(best);
      value_[size_t(i)] = float(values[best]);
    }
  }
  int at(float x) const {
    const float half = 2 * x + float(kSize / 2), up = half > 0 ? half : 0;  // a NaN is 0
    return int(up < float(kSize - 1) ? up : float(kSize - 1));
  }
  float value(float x) const { return value_[size_t(at(x))]; }
  uint8_t index(float x) const { return index_[size_t(at(x))]; }

 private:
  static constexpr int kSize = 560;
  std::array<float, kSize> value_{};
  std::array<uint8_t, kSize> index_{};
};

void put_halves(const int8_t* q, uint8_t* qs) {
  for (int j = 0; j < 16; ++j) qs[j] = uint8_t((q[j] & 15) | (q[j + 16] & 15) << 4);
}
void put_fifths(const int8_t* q, uint8_t (&qh)[4]) {
  uint32_t high = 0;
  for (int j = 0; j < 32; ++j) high |= uint32_t(q[j] >> 4 & 1) << j;
  std::memcpy(qh, &high, sizeof qh);
}

// Levels of x ~ d * q from `low` up, counted from 0.
Half symmetric(const float* x, int low, int high, int8_t* q) {
  const Half d = float_to_half(best_scale<32>(x, low, high, 0.4f, 3));
  write_levels<32>(x, inverse_of(half_to_float(d)), 0, float(low), float(high), q);
  for (int j = 0; j < 32; ++j) q[j] = int8_t(q[j] - low);
  return d;
}

void affine(const float* x, int high, Half& d, Half& m, int8_t* q) {
  const Affine fit = best_affine<32>(x, high, true, 0.4f, 3);
  d = float_to_half(fit.scale);
  m = float_to_half(-fit.min);
  const float inverse = inverse_of(half_to_float(d));
  write_levels<32>(x, inverse, -half_to_float(m) * inverse, 0, float(high), q);
}

}  // namespace

void quantize(const float* from, BlockQ4_0* to, int64_t blocks) {
  int8_t q[32];
  for (BlockQ4_0* end = to + blocks; to != end; ++to, from += 32) {
    to->d = symmetric(from, -8, 7, q);
    put_halves(q, to->qs);
  }
}

void quantize(const float* from, BlockQ4_1* to, int64_t blocks) {
  int8_t q[32];
  for (BlockQ4_1* end = to + blocks; to != end; ++to, from += 32) {
    affine(from, 15, to->d, to->m, q);
    put_halves(q, to->qs);
  }
}

void quantize(const float* from, BlockQ5_0* to, int64_t blocks) {
  int8_t q[32];
  for (BlockQ5_0* end = to + blocks; to != end; ++to, from += 32) {
    to->d = symmetric(from, -16, 15, q);
    put_halves(q, to->qs);
    put_fifths(q, to->qh);
  }
}

void quantize(const float* from, BlockQ5_1* to, int64_t blocks) {
  int8_t q[32];
  for (BlockQ5_1* end = to + blocks; to != end; ++to, from += 32) {
    affine(from, 31, to->d, to->m, q);
    put_halves(q, to->qs);
    put_fifths(q, to->qh);
  }
}

// With 255 levels a search gains nothing that can be measured.
void quantize(const float* from, BlockQ8_0* to, int64_t blocks) {
  for (BlockQ8_0* end = to + blocks; to != end; ++to, from += 32) {
    float top = 0;
    for (int j = 0; j < 32; ++j) top = std::max(top, std::fabs(from[j]));
    to->d = float_to_half(top / 127);
    write_levels<32>(from, inverse_of(half_to_float(to->d)), 0, -127, 127, to->qs);
  }
}

void quantize(const float* from, BlockIQ4_NL* to, int64_t blocks) {
  static constexpr Codebook kBook(kIq4Values);
  for (BlockIQ4_NL* end = to + blocks; to != end; ++to, from += 32) {
    float top = 0;
    for (int j = 0; j < 32; ++j) {
      if (std::fabs(from[j]) > std::fabs(top)) top = from[j];
    }
    float best = 0, scale = 0;
    const auto consider = [&](float inverse) {
      float qq = 0, xq = 0;
      for (int j = 0; j < 32; ++j) {
        const float q = kBook.value(from[j] * inverse);
        qq += q * q, xq += from[j] * q;
      }
      if (xq * xq > best * qq) best = xq * xq / qq, scale = xq / qq;
    };
    if (std::fabs(top) >= 1e-30f) {
      for (float level = 92; level <= 140; level += 8) consider(-level / top), consider(level / top);
      for (int i = 0; i < 2 && scale != 0; ++i) consider(1 / scale);
    }
    to->d = float_to_half(scale);
    const float inverse = inverse_of(half_to_float(to->d));
    uint8_t q[32];
    for (int j = 0; j < 32; ++j) q[j] = kBook.index(from[j] * inverse);
    for (int j = 0; j < 16; ++j) to->qs[j] = uint8_t(q[j] | q[j + 16] << 4);
  }
}

void quantize(const float* from, BlockMXFP4* to, int64_t blocks) {
  static constexpr Codebook kBook(kMxfp4Values);
  for (BlockMXFP4* end = to + blocks; to != end; ++to, from += 32) {
    float top = 0;
    for (int j = 0; j < 32; ++j) top = std::max(top, std::fabs(from[j]));
    // 12 is the largest value, so top / 12 is about 2^(e - 128): the powers around it are tried.
    int exponent = 0;
    std::frexp(top / 12, &exponent);
    float least_loss = -1;
    for (int e = exponent + 126; e <= exponent + 128; ++e) {
      const auto trial = uint8_t(std::clamp(e, 2, 254));  // below, the inverse is no float
      const float scale = mxfp4_scale(trial), inverse = 1 / scale;
      float loss = 0;
      for (int j = 0; j < 32; ++j) {
        const float miss = from[j] - scale * kBook.value(from[j] * inverse);
        loss += miss * miss;
      }
      if (least_loss < 0 || loss < least_loss) least_loss = loss, to->e = trial;
    }
    const float inverse = 1 / mxfp4_scale(to->e);
    uint8_t q[32];
    for (int j = 0; j < 32; ++j) q[j] = kBook.index(from[j] * inverse);
    for (int j = 0; j < 16; ++j) to->qs[j] = uint8_t(q[j] | q[j + 16] << 4);
  }
}

}  // namespace ajar::engine
