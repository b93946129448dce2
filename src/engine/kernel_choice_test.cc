#include "engine/kernel_choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "engine/multiplier.h"

namespace ajar::engine {
namespace {

using Clock = KernelChoice::Clock;

// Sets share code; what counts is what is called.
bool same_way(const Way& a, const Way& b) {
  if (a.arithmetic != b.arithmetic) return false;
  if (a.arithmetic == Arithmetic::kInteger) return a.kernels->multiply_integer == b.kernels->multiply_integer;
  if (a.arithmetic == Arithmetic::kBfloat) return a.kernels->multiply_bfloat == b.kernels->multiply_bfloat;
  return a.kernels->multiply_float == b.kernels->multiply_float;
}

// As if the usual way took a second per row and the others what `others` says.
Clock clock_of(std::function<double(const Way&, int rows)> others) {
  return [others = std::move(others)](const Way& way, Dtype dtype, int rows) {
    return rows * (same_way(way, usual_way(best_kernels(), dtype, kBlock, rows, kTileRows)) ? 1.0 : others(way, rows));
  };
}

TEST(KernelChoice, NoiseLeavesTheUsualWay) {
  for (Dtype dtype : {Dtype::kF32, Dtype::kBF16, Dtype::kQ4_K, Dtype::kQ8_0}) {
    auto format = KernelChoice::choose(dtype, clock_of([](const Way&, int) { return 0.96; }));
    for (size_t c = 0; c < KernelChoice::kRows.size(); ++c)
      EXPECT_TRUE(same_way(format.best[c], usual_way(best_kernels(), dtype, kBlock, KernelChoice::kRows[c], kTileRows)))
          << dtype_info(dtype).name << " " << KernelChoice::kRows[c] << " rows: " << way_name(format.best[c]);
  }
}

TEST(KernelChoice, AClearlyFasterSetIsTaken) {
  // The narrowest of those that may be taken for the widest.
  const Kernels* narrow = nullptr;
  for (const Kernels* kernels : all_kernels())
    if (kernels->fused == best_kernels().fused) narrow = kernels;
  if (narrow->multiply_float == best_kernels().multiply_float) GTEST_SKIP() << "one set of kernels only";
  auto format = KernelChoice::choose(Dtype::kF32, clock_of([&](const Way& way, int) { return way.kernels == narrow ? 0.9 : 1.2; }));
  for (const Way& way : format.best) EXPECT_EQ(way, (Way{narrow, Arithmetic::kFloat}));
  EXPECT_EQ(format.tile_rows, INT_MAX);
}

TEST(KernelChoice, OneArithmeticBelowTheTiles) {
  if (best_kernels().multiply_integer == nullptr) GTEST_SKIP() << "no integer kernels here";
  // Floats are the faster ones for 8 rows, but not for one.
  auto format = KernelChoice::choose(Dtype::kQ4_0, clock_of([](const Way& way, int rows) {
    return way.arithmetic == Arithmetic::kFloat && rows == 8 ? 0.5 : 2;
  }));
  for (size_t c = 0; c < KernelChoice::kRows.size() && KernelChoice::kRows[c] < kTileRows; ++c) EXPECT_EQ(format.best[c].arithmetic, Arithmetic::kInteger);
  // They are for all: then for all.
  format = KernelChoice::choose(Dtype::kQ4_0, clock_of([](const Way& way, int) { return way.arithmetic == Arithmetic::kFloat ? 0.5 : 2; }));
  for (const Way& way : format.best) EXPECT_EQ(way.arithmetic, Arithmetic::kFloat);
}

TEST(KernelChoice, AnArithmeticThatIsSlowWithSomeRowsIsTimedWithAll) {
  if (best_kernels().multiply_integer == nullptr) GTEST_SKIP() << "no integer kernels here";
  // Floats win with one row, and then are far behind: they are taken for all rows, and must have been measured.
  auto format = KernelChoice::choose(Dtype::kQ4_0, [](const Way& way, Dtype, int rows) {
    return way.arithmetic == Arithmetic::kFloat ? (rows == 1 ? 0.9 : 2.0 * rows) : 1.0 * rows;
  });
  for (size_t c = 0; c < KernelChoice::kRows.size() && KernelChoice::kRows[c] < kTileRows; ++c) {
    EXPECT_EQ(format.best[c].arithmetic, Arithmetic::kFloat);
    EXPECT_GT(std::ranges::find(format.timed, format.best[c], &KernelChoice::Timed::way)->gops[c], 0) << KernelChoice::kRows[c] << " rows";
  }
}

TEST(KernelChoice, TilesFromWhereTheyStayFaster) {
  if (best_kernels().multiply_bfloat == nullptr) GTEST_SKIP() << "no tiles here";
  auto seconds = [](int from) {
    return [from](const Way& way, Dtype, int rows) {
      bool tiles = way.arithmetic == Arithmetic::kBfloat;
      return tiles == (rows >= from || rows == 1) ? 0.5 : 1.0;  // that they are for one row does not count
    };
  };
  for (int from : {8, 16, kTileRows, 32, 64}) {
    KernelChoice choice({KernelChoice::choose(Dtype::kQ4_0, seconds(from)), KernelChoice::choose(Dtype::kF16, seconds(from))});
    EXPECT_EQ(choice.tile_rows(), from);
    EXPECT_NE(choice.find(Dtype::kQ4_0, 4)->arithmetic, Arithmetic::kBfloat);
    EXPECT_NE(choice.find(Dtype::kQ4_0, from - 1)->arithmetic, Arithmetic::kBfloat);
    EXPECT_EQ(choice.find(Dtype::kQ4_0, from)->arithmetic, Arithmetic::kBfloat);
    EXPECT_EQ(choice.find(Dtype::kQ4_0, 5000)->arithmetic, Arithmetic::kBfloat);
    EXPECT_EQ(choice.find(Dtype::kF16, 5000)->arithmetic, Arithmetic::kFloat);  // exact weights stay exact
    EXPECT_EQ(choice.find(Dtype::kQ5_1, 1), nullptr);
  }
}

struct Weights {
  Matrix matrix;
  std::vector<std::byte> bytes;
};

Weights make_weights(Dtype dtype, int64_t rows, int64_t columns) {
  Weights out;
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0, 0.05f);
  int64_t stride = panel_layout(dtype, columns).stride;
  out.matrix = {.dtype = dtype, .rows = rows, .columns = columns, .panels = nullptr, .bias = {}};
  out.bytes.resize(static_cast<size_t>(out.matrix.panel_count() * stride + 64));
  auto* base = reinterpret_cast<std::byte*>((reinterpret_cast<uintptr_t>(out.bytes.data()) + 63) & ~uintptr_t{63});
  std::vector<float> values(static_cast<size_t>(columns));
  std::vector<std::byte> packed(static_cast<size_t>(rows * row_bytes(dtype, columns)));
  for (int64_t r = 0; r < rows; ++r) {
    for (float& v : values) v = normal(random);
    quantize_row(dtype, values.data(), packed.data() + r * row_bytes(dtype, columns), columns);
  }
  for (int n = 0; n < out.matrix.panel_count(); ++n)
    pack_panel(dtype, packed.data() + n * 16 * row_bytes(dtype, columns), row_bytes(dtype, columns), static_cast<int>(std::min<int64_t>(16, rows - n * 16)),
               columns, base + n * stride);
  out.matrix.panels = base;
  return out;
}

std::vector<float> multiply(ComputePool& pool, const MultiplierOptions& options, const Matrix& matrix, int rows) {
  std::mt19937 random(4);
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> x(static_cast<size_t>(rows * matrix.columns)), y(static_cast<size_t>((rows + 15) / 16 * 16 * matrix.padded_rows()));
  for (float& v : x) v = normal(random);
  Multiplier multiplier(pool, options);
  Output output{&matrix, y.data(), matrix.padded_rows()};
  multiplier.run({x.data(), matrix.columns, rows}, {&output, 1});
  y.resize(static_cast<size_t>(rows * matrix.padded_rows()));
  return y;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// A choice as different from the usual way as can be: the slowest set and floats up to the tiles, and tiles from 4 rows on.
std::shared_ptr<const KernelChoice> odd_choice(Dtype dtype) {
  return std::make_shared<const KernelChoice>(std::vector{KernelChoice::choose(dtype, [](const Way& way, Dtype, int rows) {
    bool tiles = way.arithmetic == Arithmetic::kBfloat;
    if (tiles) return rows < 4 ? 100.0 : 0.001;
    double seconds = way.arithmetic == Arithmetic::kFloat ? 0.1 : 1;
    for (const Kernels* kernels : all_kernels()) {
      if (way.kernels == kernels) break;
      seconds *= 0.7;
    }
    return seconds;
  })});
}

TEST(KernelChoice, ADeterministicModelIsNotAsked) {
  ComputePool pool(2);
  for (Dtype dtype : {Dtype::kBF16, Dtype::kQ4_K, Dtype::kQ8_0}) {
    Weights w = make_weights(dtype, 40, 256);
    auto odd = odd_choice(dtype);
    for (int rows : {1, 7, 33}) {
      auto wanted = multiply(pool, {.deterministic = true}, w.matrix, rows);
      EXPECT_TRUE(same_bits(wanted, multiply(pool, {.deterministic = true, .choice = odd}, w.matrix, rows))) << dtype_info(dtype).name << rows;
      // A set that somebody asked for is used as it is.
      const Kernels* last = all_kernels().back();
      if (last != &best_kernels()) {
        EXPECT_TRUE(same_bits(multiply(pool, {.kernels = last}, w.matrix, rows), multiply(pool, {.kernels = last, .choice = odd}, w.matrix, rows)));
      }
    }
  }
}

TEST(KernelChoice, ADecisionIsObeyedAndCalculatesRight) {
  ComputePool pool(2);
  for (Dtype dtype : {Dtype::kF32, Dtype::kBF16, Dtype::kQ4_K, Dtype::kQ8_0}) {
    Weights w = make_weights(dtype, 40, 256);
    auto odd = odd_choice(dtype);
    for (int rows : {1, 7, 33}) {
      Multiplier multiplier(pool, {.choice = odd});
      EXPECT_EQ(multiplier.way(w.matrix, rows), *odd->find(dtype, rows));
      auto wanted = multiply(pool, {.kernels = all_kernels().back()}, w.matrix, rows), got = multiply(pool, {.choice = odd}, w.matrix, rows);
      ASSERT_EQ(wanted.size(), got.size());
      for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(wanted[i], got[i], 0.05) << dtype_info(dtype).name << " " << rows << " rows";
    }
  }
}

TEST(KernelChoice, TimesWhatThisMachineHas) {
  ComputePool pool(2);
  std::vector<Dtype> dtypes = {Dtype::kQ8_0, Dtype::kF32};
  auto choice = KernelChoice::timed(dtypes, pool);
  ASSERT_EQ(choice->formats().size(), 2u);
  for (const auto& format : choice->formats()) {
    for (size_t c = 0; c < KernelChoice::kRows.size(); ++c) {
      const Way& way = format.best[c];
      ASSERT_NE(way.kernels, nullptr);
      if (way.arithmetic == Arithmetic::kInteger) EXPECT_NE(way.kernels->multiply_integer, nullptr);
      if (way.arithmetic == Arithmetic::kBfloat) EXPECT_NE(way.kernels->multiply_bfloat, nullptr);
      auto timed = std::ranges::find(format.timed, way, &KernelChoice::Timed::way);
      ASSERT_NE(timed, format.timed.end());
      EXPECT_GT(timed->gops[c], 0);
    }
  }
  // Once in a process: the same decision again, whatever the clock would say now.
  auto again = KernelChoice::timed(dtypes, pool);
  for (size_t f = 0; f < 2; ++f) EXPECT_EQ(choice->formats()[f].best, again->formats()[f].best);
  for (const std::string& line : choice->lines()) std::puts(line.c_str());
  EXPECT_EQ(choice->lines().size(), 2u);
}

}  // namespace
}  // namespace ajar::engine
