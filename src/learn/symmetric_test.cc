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

}  // namespace
}  // namespace ajar::learn
