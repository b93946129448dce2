#include "engine/dtype.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace ajar::engine {
namespace {

constexpr Dtype kQuantised[] = {Dtype::kQ4_0, Dtype::kQ4_1, Dtype::kQ5_0, Dtype::kQ5_1, Dtype::kQ8_0, Dtype::kIQ4_NL,
                                Dtype::kMXFP4, Dtype::kQ2_K, Dtype::kQ3_K, Dtype::kQ4_K, Dtype::kQ5_K, Dtype::kQ6_K};

std::vector<float> round_trip(Dtype dtype, const std::vector<float>& x) {
  std::vector<std::byte> bytes(size_t(row_bytes(dtype, int64_t(x.size()))));
  quantize_row(dtype, x.data(), bytes.data(), int64_t(x.size()));
  std::vector<float> out(x.size());
  dequantize_row(dtype, bytes.data(), out.data(), int64_t(out.size()));
  return out;
}

double relative_error(const std::vector<float>& x, const std::vector<float>& y) {
  double lost = 0, all = 0;
  for (size_t i = 0; i < x.size(); ++i) lost += (x[i] - y[i]) * double(x[i] - y[i]), all += double(x[i]) * x[i];
  return std::sqrt(lost / all);
}

std::vector<float> normal(size_t count, float deviation = 0.02f) {
  std::mt19937 random(7);
  std::normal_distribution<float> of(0, deviation);
  std::vector<float> out(count);
  for (float& v : out) v = of(random);
  return out;
}

// Blocks of bytes 11, 48, 85, … with the half-float scales put in, and what the ggml project's Python package makes of
// them at elements 0, 1, 15, 16, 17, 31 of 32, or 0, 1, 16, 33, 70, 100, 127, 128, 190, 255 of 256.
struct Recorded {
  Dtype dtype;
  std::vector<size_t> halves;
  std::vector<float> values;
};
const Recorded kRecorded[] = {
    {Dtype::kQ4_0, {0}, {-0.29992676f, 0.19995117f, -0.7998047f, -0.29992676f, -0.099975586f, 0.0f}},
    {Dtype::kQ4_1, {0, 2}, {1.5480042f, 0.4482727f, 1.0481262f, 0.94815063f, 1.2480774f, 1.2480774f}},
    {Dtype::kQ5_0, {0}, {0.8997803f, -0.19995117f, -1.199707f, 1.3996582f, 0.0f, 0.099975586f}},
    {Dtype::kQ5_1, {0, 2}, {1.9479065f, 2.4477844f, 3.047638f, 1.9479065f, 0.5482483f, 0.5482483f}},
    {Dtype::kQ8_0, {0}, {8.497925f, 12.1970215f, -12.796875f, -9.097778f, -5.3986816f, -4.798828f}},
    {Dtype::kQ2_K, {80, 82}, {3.2991943f, 0.0f, -0.14511108f, -0.2418518f, 4.063568f, 2.0221558f, 4.1989746f, 0.7546692f, -0.4837036f, 0.45474243f}},
    {Dtype::kQ3_K, {108}, {8.098022f, -10.797363f, -9.597656f, 4.398926f, 6.79834f, 0.0f, 7.198242f, 0.19995117f, -0.0f, 4.1989746f}},
    {Dtype::kQ4_K, {0, 2}, {31.624786f, -2.4668884f, 31.624786f, 2.03833f, 33.9404f, 9.552673f, 8.153015f, 42.309082f, 88.52692f, 4.905426f}},
    {Dtype::kQ5_K, {0, 2}, {81.21268f, -2.4668884f, 81.21268f, -0.36108398f, 33.9404f, 23.549255f, -0.24493408f, 104.69385f, 148.51227f, 10.903961f}},
    {Dtype::kQ6_K, {208}, {-143.06506f, 169.5586f, -43.189453f, -67.18359f, 132.96753f, 252.2384f, 149.96338f, -35.09143f, -303.72583f, -5.998535f}},
    {Dtype::kIQ4_NL, {0}, {-3.4991455f, 2.4993896f, -12.696899f, -3.4991455f, -0.99975586f, 0.099975586f}},
    {Dtype::kMXFP4, {}, {0.0f, 0.0234375f, -0.01171875f, 0.01171875f, 0.0234375f, 0.0234375f}},
};

TEST(Dtype, DequantisesAsRecorded) {
  for (const Recorded& recorded : kRecorded) {
    const DtypeInfo& info = dtype_info(recorded.dtype);
    SCOPED_TRACE(info.name);
    std::vector<uint8_t> block(size_t(info.block_bytes));
    for (size_t i = 0; i < block.size(); ++i) block[i] = uint8_t(i * 37 + 11);
    const uint16_t halves[] = {0x2e66, 0x2a31};
    for (size_t i = 0; i < recorded.halves.size(); ++i) std::memcpy(block.data() + recorded.halves[i], &halves[i], 2);
    if (recorded.dtype == Dtype::kMXFP4) block[0] = 120;
    std::vector<float> out(size_t(info.block_elements));
    dequantize_row(recorded.dtype, block.data(), out.data(), info.block_elements);
    const std::vector<size_t> at = info.block_elements == 32
                                       ? std::vector<size_t>{0, 1, 15, 16, 17, 31}
                                       : std::vector<size_t>{0, 1, 16, 33, 70, 100, 127, 128, 190, 255};
    for (size_t i = 0; i < at.size(); ++i) EXPECT_EQ(out[at[i]], recorded.values[i]) << at[i];
  }
}

TEST(Dtype, FindsByNumberAndName) {
  EXPECT_EQ(dtype_info(14u)->name, "Q6_K");
  EXPECT_EQ(dtype_info(4u), nullptr);
  EXPECT_EQ(dtype_info(4'000'000'000u), nullptr);
  EXPECT_EQ(dtype_of_name("q4_k").value(), Dtype::kQ4_K);
  EXPECT_NE(dtype_of_name("Q4").error().message.find("IQ4_NL"), std::string::npos);
  EXPECT_EQ(row_bytes(Dtype::kQ4_K, 512), 288);
}

TEST(Dtype, HalvesAreExact) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = half_to_float(uint16_t(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(half_to_float(float_to_half(value))));
      continue;
    }
    const int exponent = int(bits >> 10 & 31), mantissa = int(bits & 1023);
    const double sign = bits & 0x8000 ? -1 : 1;
    const double expected = exponent == 31   ? sign * std::numeric_limits<double>::infinity()
                            : exponent == 0 ? sign * std::ldexp(mantissa, -24)
                                            : sign * std::ldexp(1024 + mantissa, exponent - 25);
    ASSERT_EQ(double(value), expected) << bits;
    ASSERT_EQ(float_to_half(value), bits);
    // Halfway to the next rounds to even, a bit more rounds up.
    if (exponent < 30) {
      const float next = half_to_float(uint16_t(bits + 1)), middle = (value + next) / 2;
      ASSERT_EQ(float_to_half(middle), bits % 2 == 0 ? bits : bits + 1);
      ASSERT_EQ(float_to_half(std::nextafter(middle, next)), bits + 1);
    }
  }
  EXPECT_EQ(float_to_half(65519.99f), 0x7bff);
  EXPECT_EQ(float_to_half(65520.0f), 0x7c00);
  EXPECT_EQ(float_to_half(-1e30f), 0xfc00);
  EXPECT_EQ(float_to_bfloat(1.00390625f), 0x3f80);        // halfway, to even
  EXPECT_EQ(float_to_bfloat(1.0039063692f), 0x3f81);
  EXPECT_TRUE(std::isnan(bfloat_to_float(float_to_bfloat(__builtin_bit_cast(float, 0x7f800001)))));
}

TEST(Dtype, QuantisesNearly) {
  // Relative errors of N(0, 0.02): what the search reaches, with a little room.
  const double limits[] = {0.083, 0.071, 0.041, 0.0345, 0.0055, 0.075, 0.114, 0.265, 0.147, 0.0715, 0.0355, 0.0174};
  const std::vector<float> x = normal(256 * 64);
  for (size_t i = 0; i < std::size(kQuantised); ++i) {
    EXPECT_LT(relative_error(x, round_trip(kQuantised[i], x)), limits[i]) << dtype_info(kQuantised[i]).name;
  }
  for (const Dtype dtype : {Dtype::kF32, Dtype::kF16, Dtype::kBF16}) {
    EXPECT_LT(relative_error(x, round_trip(dtype, x)), dtype == Dtype::kF32 ? 1e-30 : dtype == Dtype::kF16 ? 3e-4 : 2e-3);
  }
}

TEST(Dtype, QuantisesOddRows) {
  const float huge = std::numeric_limits<float>::max(), infinite = std::numeric_limits<float>::infinity(),
              nan = std::numeric_limits<float>::quiet_NaN();
  for (const Dtype dtype : kQuantised) {
    SCOPED_TRACE(dtype_info(dtype).name);
    for (const float value : round_trip(dtype, std::vector<float>(256, 0.0f))) ASSERT_EQ(value, 0.0f);
    for (const float constant : {0.75f, -0.75f, 1e-3f}) {
      const std::vector<float> x(256, constant);
      EXPECT_LT(relative_error(x, round_trip(dtype, x)), dtype == Dtype::kMXFP4 ? 0.1 : 0.01) << constant;
    }
    std::vector<float> one(256, 0.0f);
    one[77] = -3;
    EXPECT_LT(relative_error(one, round_trip(dtype, one)), 0.05);
    // What no half-float scale can say ends in something, without undefined behaviour.
    for (const float value : {huge, -huge, infinite, nan, 1e-38f, 1e-45f}) {
      std::vector<float> x(256, value);
      round_trip(dtype, x);
      x[3] = 1, x[200] = -1;
      round_trip(dtype, x);
    }
  }
}

TEST(Dtype, QuantisingAgainLosesLittle) {
  const std::vector<float> x = normal(256 * 16);
  for (const Dtype dtype : kQuantised) {
    const std::vector<float> once = round_trip(dtype, x), twice = round_trip(dtype, once);
    EXPECT_LT(relative_error(once, twice), 0.35 * relative_error(x, once) + 1e-6) << dtype_info(dtype).name;
  }
}

TEST(Dtype, PlainNumbersMayLieAnywhere) {
  std::vector<char> bytes(2 * 32 + 1);
  const std::vector<float> x = normal(32);
  quantize_row(Dtype::kF16, x.data(), bytes.data() + 1, 32);
  std::vector<float> out(32);
  dequantize_row(Dtype::kF16, bytes.data() + 1, out.data(), 32);
  EXPECT_LT(relative_error(x, out), 3e-4);
}

}  // namespace
}  // namespace ajar::engine
