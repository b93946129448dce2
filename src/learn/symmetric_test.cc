#include "learn/symmetric.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace ajar::learn {
namespace {

// A = X Xᵀ + I of `n` rows, also as the plain matrix.
struct Equation {
  SymmetricMatrix matrix;
  std::vector<double> plain;
};

Equation equation(size_t n, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> x(n * 5);
  for (double& v : x) v = normal(random);
  Equation out{.matrix = SymmetricMatrix(n), .plain = std::vector<double>(n * n)};
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      double sum = i == j ? 1 : 0;
      for (size_t k = 0; k < 5; ++k) sum += x[i * 5 + k] * x[j * 5 + k];
      out.plain[i * n + j] = sum;
      if (i / kTile >= j / kTile) out.matrix.tile(i / kTile, j / kTile)[j % kTile * kTile + i % kTile] = static_cast<float>(sum);
    }
  for (size_t i = n; i < out.matrix.tiles() * kTile; ++i) out.matrix.tile(i / kTile, i / kTile)[i % kTile * (kTile + 1)] = 1;
  return out;
}

std::vector<float> solution(Equation& a, size_t n, int threads) {
  EXPECT_TRUE(a.matrix.factor(threads));
  std::vector<float> b(a.matrix.tiles() * kTile * kTile);
  for (size_t i = 0; i < n; ++i)
    for (size_t r = 0; r < kTile; ++r) b[i * kTile + r] = static_cast<float>((i * 7 + r * 3) % 11) - 5;
  a.matrix.solve(b.data());
  return b;
}

TEST(SymmetricMatrix, SolvesWhateverTheSize) {
  for (const size_t n : {1U, 63U, 64U, 65U, 200U}) {
    Equation a = equation(n, n);
    const auto x = solution(a, n, 2);
    for (size_t i = 0; i < n; ++i)
      for (const size_t r : {0U, 1U, 63U}) {
        double sum = 0;
        for (size_t j = 0; j < n; ++j) sum += a.plain[i * n + j] * x[j * kTile + r];
        EXPECT_NEAR(sum, static_cast<double>((i * 7 + r * 3) % 11) - 5, 2e-3) << n << " " << i << " " << r;
      }
  }
}

TEST(SymmetricMatrix, GivesTheSameBitsWithAnyNumberOfThreads) {
  Equation one = equation(200, 1), many = equation(200, 1);
  EXPECT_EQ(solution(one, 200, 1), solution(many, 200, 4));
}

TEST(SymmetricMatrix, RefusesWhatIsNotPositiveDefinite) {
  SymmetricMatrix zero(3);
  EXPECT_EQ(zero.factor(1).error().code, Code::kInvalid);
  Equation nan = equation(70, 2);
  nan.matrix.tile(1, 0)[5] = NAN;
  EXPECT_FALSE(nan.matrix.factor(2));
}

TEST(DenseMath, AgreesWithPlainLoops) {
  std::mt19937 random(3);
  for (const size_t width : {1U, 7U, 16U, 77U, 128U, 150U})
    for (const size_t rows : {1U, 3U, 4U, 9U}) {
      std::vector<int8_t> bytes(rows * width);
      std::vector<int16_t> weights(rows * width), query(width);
      std::vector<float> by(rows), sums(width, 0.5F);
      for (auto& v : bytes) v = static_cast<int8_t>(static_cast<int>(random() % 255) - 127);
      for (auto& v : weights) v = static_cast<int16_t>(static_cast<int>(random() % 65535) - 32767);
      for (auto& v : query) v = static_cast<int16_t>(static_cast<int>(random() % 8193) - 4096);
      for (auto& v : by) v = static_cast<float>(random() % 1000) / 1000;
      std::vector<int32_t> products(rows);
      dots(bytes.data(), rows, width, query.data(), products.data());
      add_weighted(weights.data(), rows, width, by.data(), sums.data());
      for (size_t i = 0; i < rows; ++i) {
        int64_t exact = 0;
        for (size_t x = 0; x < width; ++x) exact += int64_t{bytes[i * width + x]} * query[x];
        EXPECT_EQ(products[i], exact);
      }
      for (size_t x = 0; x < width; ++x) {
        double exact = 0.5;
        for (size_t i = 0; i < rows; ++i) exact += static_cast<double>(by[i]) * weights[i * width + x];
        EXPECT_NEAR(sums[x], exact, 0.05);
      }
    }
}

}  // namespace
}  // namespace ajar::learn
