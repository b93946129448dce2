#include "engine/kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <random>

#include "engine/compute_pool.h"
#include "engine/dtype.h"
#include "engine/emulated/emulated.h"
#include "engine/quantized_input.h"

namespace ajar::engine {
namespace {

constexpr Dtype kAll[] = {Dtype::kF32,  Dtype::kF16,  Dtype::kBF16, Dtype::kQ4_0, Dtype::kQ4_1,   Dtype::kQ5_0,   Dtype::kQ5_1, Dtype::kQ8_0,
                          Dtype::kQ2_K, Dtype::kQ3_K, Dtype::kQ4_K, Dtype::kQ5_K, Dtype::kQ6_K, Dtype::kIQ4_NL, Dtype::kMXFP4};

// This machine's, and those of others, whose functions are all called by the tests of multiplications and attention.
std::vector<const Kernels*> here_and_elsewhere() {
  std::vector<const Kernels*> sets(all_kernels().begin(), all_kernels().end());
  sets.insert(sets.end(), emulated_kernels().begin(), emulated_kernels().end());
  return sets;
}
bool emulated(const Kernels& kernels) { return kernels.name.ends_with("emulated"); }  // what it shares with AVX2 is tested there

struct Case {
  int64_t rows, columns;
  std::vector<std::byte> weights;  // as a checkpoint holds them
  std::vector<float> exact;        // rows x columns
  std::vector<std::byte> panels;
};

// The first `count` normal numbers of a seed, until the next call with it. They are kept: making them took half of these tests' time.
const float* normals(unsigned seed, int64_t count) {
  struct Kept {
    std::mt19937 random;
    std::normal_distribution<float> normal{0, 1};
    std::vector<float> numbers;
  };
  static std::map<unsigned, Kept> all;
  Kept& kept = all.try_emplace(seed, std::mt19937(seed)).first->second;
  while (std::ssize(kept.numbers) < count) kept.numbers.push_back(kept.normal(kept.random));
  return kept.numbers.data();
}

Case make_case(Dtype dtype, int64_t rows, int64_t columns, unsigned seed) {
  const float* normal = normals(seed, rows * columns);
  Case c{rows, columns, {}, {}, {}};
  int64_t stride = row_bytes(dtype, columns);
  c.weights.resize(static_cast<size_t>(rows * stride));
  c.exact.resize(static_cast<size_t>(rows * columns));
  std::vector<float> row(static_cast<size_t>(columns));
  for (int64_t r = 0; r < rows; ++r) {
    for (float& w : row) w = 0.05f * *normal++;
    quantize_row(dtype, row.data(), c.weights.data() + r * stride, columns);
    dequantize_row(dtype, c.weights.data() + r * stride, c.exact.data() + r * columns, columns);
  }
  int64_t panel = panel_layout(dtype, columns).stride;
  int64_t panels = (rows + 15) / 16;
  c.panels.resize(static_cast<size_t>(panels * panel + 64));
  auto* base = reinterpret_cast<std::byte*>((reinterpret_cast<uintptr_t>(c.panels.data()) + 63) & ~uintptr_t{63});
  for (int64_t n = 0; n < panels; ++n)
    pack_panel(dtype, c.weights.data() + n * 16 * stride, stride, static_cast<int>(std::min<int64_t>(16, rows - n * 16)), columns,
               base + n * panel);
  return c;
}

const std::byte* panels_of(const Case& c) {
  return reinterpret_cast<const std::byte*>((reinterpret_cast<uintptr_t>(c.panels.data()) + 63) & ~uintptr_t{63});
}

int64_t columns_for(Dtype dtype, int64_t wanted) {
  int64_t block = dtype_info(dtype).block_elements;
  return (wanted + block - 1) / block * block;
}

TEST(Panel, HoldsEveryFormatWithoutLoss) {
  for (Dtype dtype : kAll) {
    for (int64_t rows : {1, 16, 37}) {
      int64_t columns = columns_for(dtype, is_float(dtype) ? 51 : 320);
      Case c = make_case(dtype, rows, columns, 7);
      std::vector<float> row(static_cast<size_t>(columns));
      for (int64_t r = 0; r < rows; ++r) {
        unpack_row(dtype, panels_of(c) + r / 16 * panel_layout(dtype, columns).stride, columns, static_cast<int>(r % 16), row.data());
        for (int64_t k = 0; k < columns; ++k)
          ASSERT_NEAR(row[static_cast<size_t>(k)], c.exact[static_cast<size_t>(r * columns + k)], 1e-6)
              << dtype_info(dtype).name << " row " << r << " column " << k;
      }
    }
  }
}

struct Inputs {
  std::vector<float> x;
  QuantizedInput quantized;
  std::vector<uint16_t> tiles;
};

Inputs make_inputs(const Kernels& kernels, int rows, int64_t columns, int most = kWideInput) {
  Inputs in;
  in.x.assign(normals(11, rows * columns), normals(11, rows * columns) + rows * columns);
  if (columns % 32 != 0) return in;
  in.quantized.resize(rows, columns, most);
  int64_t tile_rows = (rows + 15) / 16;
  in.tiles.resize(static_cast<size_t>(tile_rows * 16 * columns));
  for (int m = 0; m < rows; ++m) in.quantized.set(kernels, m, in.x.data() + m * columns);
  for (int64_t t = 0; t < tile_rows; ++t)
    kernels.write_tiles(in.x.data() + t * 16 * columns, columns, static_cast<int>(std::min<int64_t>(16, rows - t * 16)), columns,
                        in.tiles.data() + t * 16 * columns);
  return in;
}

// What `rows` x c.rows outputs should be, row-major. By pointers, in a test that is not optimized.
std::vector<double> reference(const Case& c, const Inputs& in, int rows) {
  std::vector<double> outputs;
  for (int m = 0; m < rows; ++m)
    for (int64_t n = 0; n < c.rows; ++n) {
      const float *w = c.exact.data() + n * c.columns, *x = in.x.data() + m * c.columns;
      double sum = 0;
      for (const float* end = w + c.columns; w != end; ++w, ++x) sum += static_cast<double>(*w) * *x;
      outputs.push_back(sum);
    }
  return outputs;
}

void check(std::string_view what, Dtype dtype, const Case& c, const std::vector<double>& expected, int rows, const std::vector<float>& y, int64_t ldy,
           double tolerance) {
  const double most = tolerance * 0.05 * std::sqrt(static_cast<double>(c.columns));  // of an output's standard deviation
  for (int m = 0; m < rows; ++m) {
    const float* got = y.data() + m * ldy;
    const double* wanted = expected.data() + m * c.rows;
    for (int64_t n = 0; n < c.rows; ++n) {
      if (std::abs(got[n] - wanted[n]) <= most) continue;  // not so of NaN
      FAIL() << what << " " << dtype_info(dtype).name << " " << rows << " rows, " << c.columns << " columns: row " << m << " output " << n << " is " << got[n] << ", not " << wanted[n];
    }
  }
}

TEST(Kernels, MultiplyAsTheReferenceDoes) {
  std::vector<std::byte> scratch(kBfloatScratch);
  for (Dtype dtype : kAll) {
    for (int rows : {1, 3, 7, 8, 13, 33, 48}) {
      int64_t columns = columns_for(dtype, is_float(dtype) && rows == 3 ? 77 : 96);
      if (rows == 33) columns = columns_for(dtype, 2400);
      const Case c = make_case(dtype, rows == 33 ? 16 * 2 + 5 : 16 * 9 + 5, columns, 3);
      int64_t ldy = (c.rows + 15) / 16 * 16;
      int panels = static_cast<int>(ldy / 16);
      std::vector<double> expected;
      for (const Kernels* kernels : here_and_elsewhere()) {
        const Inputs in = make_inputs(*kernels, rows, columns), narrow = make_inputs(*kernels, rows, columns, kNarrowInput);
        if (expected.empty()) expected = reference(c, in, rows);  // inputs are the same for each
        std::vector<float> y(static_cast<size_t>((rows + 15) / 16 * 16 * ldy), NAN);
        Product p{dtype, panels_of(c), columns, 0, panels, rows, y.data(), ldy};
        if (!emulated(*kernels)) {
          kernels->multiply_float(p, in.x.data(), columns);
          check(kernels->name, dtype, c, expected, rows, y, ldy, 1e-4);
        }
        if (kernels->multiply_integer != nullptr && !is_float(dtype)) {
          std::ranges::fill(y, NAN);
          kernels->multiply_integer(p, in.quantized.from());
          check(kernels->name, dtype, c, expected, rows, y, ldy, 0.05);
          std::ranges::fill(y, NAN);
          kernels->multiply_integer(p, narrow.quantized.from());
          check(kernels->name, dtype, c, expected, rows, y, ldy, 0.1);
        }
        if (kernels->multiply_bfloat != nullptr && columns % 32 == 0 && dtype != Dtype::kF32 && dtype != Dtype::kF16) {
          std::ranges::fill(y, NAN);
          Product upper = p, lower = p;  // cut anywhere
          lower.last = upper.first = panels / 2;
          kernels->multiply_bfloat(lower, in.tiles.data(), scratch.data());
          kernels->multiply_bfloat(upper, in.tiles.data(), scratch.data());
          check(kernels->name, dtype, c, expected, rows, y, ldy, 0.05);
        }
      }
    }
  }
}

TEST(Kernels, ARowDoesNotFeelTheRowsBesideIt) {
  for (const Kernels* kernels : here_and_elsewhere()) {
    for (Dtype dtype : kAll) {
      int64_t columns = columns_for(dtype, 256);
      Case c = make_case(dtype, 32, columns, 5);
      Inputs in = make_inputs(*kernels, 13, columns);
      std::vector<float> together(16 * 32), alone(32);
      kernels->multiply_float({dtype, panels_of(c), columns, 0, 2, 13, together.data(), 32}, in.x.data(), columns);
      for (int m = 0; m < 13 && !emulated(*kernels); ++m) {
        kernels->multiply_float({dtype, panels_of(c), columns, 0, 2, 1, alone.data(), 32}, in.x.data() + m * columns, columns);
        ASSERT_EQ(0, std::memcmp(alone.data(), together.data() + m * 32, 32 * sizeof(float))) << kernels->name << dtype_info(dtype).name;
      }
      if (kernels->multiply_integer == nullptr || is_float(dtype)) continue;
      for (int most : {kWideInput, kNarrowInput}) {
        in = make_inputs(*kernels, 13, columns, most);
        kernels->multiply_integer({dtype, panels_of(c), columns, 0, 2, 13, together.data(), 32}, in.quantized.from());
        for (int m = 0; m < 13; ++m) {
          kernels->multiply_integer({dtype, panels_of(c), columns, 0, 2, 1, alone.data(), 32}, in.quantized.from(m));
          ASSERT_EQ(0, std::memcmp(alone.data(), together.data() + m * 32, 32 * sizeof(float)))
              << kernels->name << dtype_info(dtype).name << " inputs up to " << most;
        }
      }
    }
  }
}

// Products of pairs are added up in 16 bits: the largest codes times the largest inputs, of one sign, must fit.
TEST(Kernels, TheLargestCodesMeetTheLargestInputs) {
  constexpr int kColumns = 64, kMany = 9;
  for (const Kernels* kernels : here_and_elsewhere()) {
    if (kernels->multiply_integer == nullptr) continue;
    for (Dtype dtype : kAll) {
      if (is_float(dtype) || columns_for(dtype, kColumns) != kColumns) continue;
      for (int most : {kWideInput, kNarrowInput}) {
        for (float weight : {-1.f, 1.f}) {
          for (float input : {-1.f, 1.f}) {
            Case c{16, kColumns, {}, {}, {}};
            std::vector<float> row(kColumns, weight), x(kColumns, input), exact(kColumns), y(kMany * 16);
            c.weights.resize(static_cast<size_t>(row_bytes(dtype, kColumns)));
            quantize_row(dtype, row.data(), c.weights.data(), kColumns);
            dequantize_row(dtype, c.weights.data(), exact.data(), kColumns);
            c.panels.resize(static_cast<size_t>(panel_layout(dtype, kColumns).stride) + 64);
            pack_panel(dtype, c.weights.data(), 0, 16, kColumns, const_cast<std::byte*>(panels_of(c)));
            QuantizedInput quantized;
            quantized.resize(kMany, kColumns, most);
            for (int m = 0; m < kMany; ++m) quantized.set(*kernels, m, x.data());
            kernels->multiply_integer({dtype, panels_of(c), kColumns, 0, 1, kMany, y.data(), 16}, quantized.from());
            for (float v : y) ASSERT_NEAR(v, exact[0] * input * kColumns, 0.01) << kernels->name << dtype_info(dtype).name << most << input << weight;
          }
        }
      }
    }
  }
}

// What a choice among them rests on: see Kernels::fused.
TEST(Kernels, SetsThatFuseGiveTheSameBits) {
  std::vector<const Kernels*> sets;
  for (const Kernels* kernels : here_and_elsewhere())
    if (kernels->fused == best_kernels().fused) sets.push_back(kernels);
  const Kernels& first = *sets.front();
  for (const Kernels* kernels : sets) {
    struct Shape {
      int rows;
      int64_t columns;
    };
    for (auto [rows, wished] : {Shape{13, 288}, {3, 288}, {7, 2400}, {8, 96}, {11, 288}, {21, 288}}) {
      for (Dtype dtype : kAll) {
        int64_t columns = columns_for(dtype, is_float(dtype) ? 77 : wished);
        Case c = make_case(dtype, 37, columns, 6);
        Inputs in = make_inputs(first, rows, columns), here = make_inputs(*kernels, rows, columns);
        ASSERT_TRUE(in.quantized == here.quantized) << kernels->name;
        ASSERT_EQ(in.tiles, here.tiles) << kernels->name;
        std::vector<float> wanted(32 * 48), got(wanted);
        auto same = [&] { return std::memcmp(wanted.data(), got.data(), wanted.size() * sizeof(float)) == 0; };
        first.multiply_float({dtype, panels_of(c), columns, 0, 3, rows, wanted.data(), 48}, in.x.data(), columns);
        kernels->multiply_float({dtype, panels_of(c), columns, 0, 3, rows, got.data(), 48}, in.x.data(), columns);
        ASSERT_TRUE(same()) << kernels->name << " floats " << dtype_info(dtype).name;
        if (first.multiply_integer == nullptr || kernels->multiply_integer == nullptr || is_float(dtype)) continue;
        for (int most : {kWideInput, kNarrowInput}) {
          in = make_inputs(first, rows, columns, most);
          first.multiply_integer({dtype, panels_of(c), columns, 0, 3, rows, wanted.data(), 48}, in.quantized.from());
          kernels->multiply_integer({dtype, panels_of(c), columns, 0, 3, rows, got.data(), 48}, in.quantized.from());
          ASSERT_TRUE(same()) << kernels->name << " integers " << dtype_info(dtype).name << " " << rows << " rows, " << columns << " columns, inputs up to " << most;
        }
      }
    }
    for (int64_t n : {1, 15, 16, 100}) {
      std::mt19937 random(9);
      std::normal_distribution<float> normal(0, 3);
      std::vector<float> x(static_cast<size_t>(n)), w(x), b(x);
      for (auto* v : {&x, &w, &b})
        for (float& f : *v) f = normal(random);
      auto both = [&](auto&& run) {
        std::vector<float> wanted = x, got = x;
        run(first, wanted.data()), run(*kernels, got.data());
        ASSERT_EQ(0, std::memcmp(wanted.data(), got.data(), wanted.size() * sizeof(float))) << kernels->name << " " << n;
      };
      both([&](const Kernels& k, float* out) { k.rms_norm(x.data(), w.data(), 1e-5f, n, out); });
      both([&](const Kernels& k, float* out) { k.layer_norm(x.data(), w.data(), b.data(), 1e-5f, n, out); });
      both([&](const Kernels& k, float* out) { k.silu_times(out, w.data(), n); });
      both([&](const Kernels& k, float* out) { k.gelu_tanh_times(out, w.data(), n); });
      both([&](const Kernels& k, float* out) { k.gelu(out, n); });
      both([&](const Kernels& k, float* out) { k.scale_add(out, w.data(), 0.3f, n); });
      both([&](const Kernels& k, float* out) { k.weigh(x.data(), n, 2, 0.7f, -3, out); });
      both([&](const Kernels& k, float* out) { k.rope(out, w.data(), b.data(), static_cast<int>(n) / 2 * 2, false); });
    }
  }
}

TEST(Kernels, NormsAndActivations) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal(0, 3);
  for (const Kernels* kernels : all_kernels()) {
    for (int n : {1, 15, 16, 100}) {
      std::vector<float> x(static_cast<size_t>(n)), w(x), b(x), up(x), out(x);
      for (auto* v : {&x, &w, &b, &up})
        for (float& f : *v) f = normal(random);
      double squares = 0, mean = 0, variance = 0;
      for (float f : x) squares += static_cast<double>(f) * f / n, mean += static_cast<double>(f) / n;
      for (float f : x) variance += (f - mean) * (f - mean) / n;
      kernels->rms_norm(x.data(), w.data(), 1e-5f, n, out.data());
      for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(out[i], x[i] / std::sqrt(squares + 1e-5) * w[i], 1e-3);
      kernels->layer_norm(x.data(), w.data(), b.data(), 1e-5f, n, out.data());
      for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(out[i], (x[i] - mean) / std::sqrt(variance + 1e-5) * w[i] + b[i], 2e-3);
      out = x;
      kernels->silu_times(out.data(), up.data(), n);
      for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(out[i], x[i] / (1 + std::exp(-x[i])) * up[i], 1e-4);
      out = x;
      kernels->gelu_tanh_times(out.data(), up.data(), n);
      for (size_t i = 0; i < x.size(); ++i)
        ASSERT_NEAR(out[i], 0.5 * x[i] * (1 + std::tanh(0.7978845608 * (x[i] + 0.044715 * x[i] * x[i] * x[i]))) * up[i], 1e-4);
      out = x;
      kernels->gelu(out.data(), n);
      for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(out[i], 0.5 * x[i] * (1 + std::erf(x[i] / std::sqrt(2.0))), 1e-5);
    }
  }
}

TEST(Kernels, LogitsAsAWhole) {
  std::mt19937 random(8);
  std::normal_distribution<float> normal(0, 9);
  for (const Kernels* kernels : all_kernels()) {
    for (size_t n : {1u, 2u, 15u, 16u, 17u, 100u, 3000u}) {
      std::vector<float> v(n), weights(n);
      for (float& f : v) f = normal(random);
      if (n > 2) v[n / 2] = NAN, v[n - 2] = -INFINITY;
      std::vector<double> known;
      for (float f : v)
        if (f > -1e30f) known.push_back(static_cast<double>(f));
      std::ranges::sort(known, std::greater());
      double total = 0, weighted = 0;
      for (double f : known) total += std::exp(f - known[0]), weighted += (f - known[0]) * std::exp(f - known[0]);
      LogitMoments m{};
      kernels->logit_moments(v.data(), static_cast<int64_t>(n), &m);
      EXPECT_EQ(m.peak, known[0]) << kernels->name << " " << n;
      EXPECT_EQ(m.second, known.size() > 1 ? known[1] : -INFINITY) << kernels->name << " " << n;
      EXPECT_NEAR(m.total, total, 1e-5 * total) << kernels->name << " " << n;
      EXPECT_NEAR(m.weighted, weighted, 1e-5 * std::max(1.0, -weighted)) << kernels->name << " " << n;
      if (n > 2) v[n / 2] = -INFINITY;
      kernels->weigh(v.data(), static_cast<int64_t>(n), m.peak, 0.5f, -3, weights.data());
      for (size_t i = 0; i < n; ++i) {
        const double d = (static_cast<double>(v[i]) - known[0]) * 0.5;
        EXPECT_NEAR(weights[i], d >= -3 ? std::exp(d) : 0, 1e-5) << kernels->name << " " << n << " " << i;
      }
    }
    const std::vector<float> none(20, -INFINITY);
    LogitMoments m{};
    kernels->logit_moments(none.data(), 20, &m);
    EXPECT_EQ(m.peak, -INFINITY);
    EXPECT_EQ(m.total, 0);
  }
}

TEST(Kernels, AttentionAsTheReferenceDoes) {
  std::mt19937 random(4);
  std::normal_distribution<float> normal(0, 1);
  for (const Kernels* kernels : here_and_elsewhere()) {
    for (int dim : {8, 16, 40, 64, 80, 128}) {
      for (bool window : {false, true}) {
        int padded = (dim + 15) / 16 * 16, tokens = 75, pages = (tokens + 15) / 16;
        std::vector<std::vector<uint16_t>> k(static_cast<size_t>(pages)), v(k);
        std::vector<const uint16_t*> kp, vp;
        std::vector<float> keys(static_cast<size_t>(tokens * dim)), values(keys);
        for (int p = 0; p < pages; ++p) {
          // What lies behind the last token is whatever was there before: never a NaN, but anything else.
          k[static_cast<size_t>(p)].assign(static_cast<size_t>(dim * 16), float_to_half(7));
          v[static_cast<size_t>(p)].assign(static_cast<size_t>(padded * 16), float_to_half(-9));
        }
        for (int t = 0; t < tokens; ++t)
          for (int d = 0; d < dim; ++d) {
            uint16_t a = float_to_half(normal(random)), b = float_to_half(normal(random));
            keys[static_cast<size_t>(t * dim + d)] = half_to_float(a), values[static_cast<size_t>(t * dim + d)] = half_to_float(b);
            k[static_cast<size_t>(t / 16)][static_cast<size_t>(d * 16 + t % 16)] = a;
            v[static_cast<size_t>(t / 16)][static_cast<size_t>(t % 16 * padded + d)] = b;
          }
        for (auto& page : k) kp.push_back(page.data());
        for (auto& page : v) vp.push_back(page.data());
        std::vector<int32_t> positions = {0, 3, 15, 16, 17, 31, 40, 41, 55, 74, 74, 74, 60}, begins(positions.size(), 0);
        if (window)
          for (size_t i = 0; i < begins.size(); ++i) begins[i] = std::max(0, positions[i] - 20);
        std::vector<std::vector<float>> q(positions.size(), std::vector<float>(static_cast<size_t>(dim))), out(q);
        std::vector<const float*> qp;
        std::vector<float*> op;
        for (auto& row : q) {
          for (float& f : row) f = normal(random);
          qp.push_back(row.data());
        }
        for (auto& row : out) op.push_back(row.data());
        for (bool tiles : {false, true}) {
        if (tiles ? kernels->attend_tiles == nullptr || dim % 32 != 0 : emulated(*kernels)) continue;
        std::vector<float> scores(static_cast<size_t>(attend_tiles_floats(16, 96, 128)) + 8 * 96);
        float scale = 1 / std::sqrt(static_cast<float>(dim)), cap = window ? 5.f : 0.f;
        (tiles ? kernels->attend_tiles : kernels->attend)({.k_pages = kp.data(), .v_pages = vp.data(), .queries = qp.data(), .outputs = op.data(), .positions = positions.data(), .begins = begins.data(),
                         .rows = static_cast<int>(positions.size()), .head_dim = dim, .padded_head_dim = padded, .scale = scale, .softcap = cap, .soften = kernels->soften, .scores = scores.data()});
        for (size_t i = 0; i < positions.size(); ++i) {
          std::vector<double> weights;
          double total = 0;
          for (int t = begins[i]; t <= positions[i]; ++t) {
            double s = 0;
            for (int d = 0; d < dim; ++d) s += static_cast<double>(q[i][static_cast<size_t>(d)]) * keys[static_cast<size_t>(t * dim + d)];
            s *= scale;
            if (cap > 0) s = cap * std::tanh(s / cap);
            weights.push_back(std::exp(s));
            total += weights.back();
          }
          for (int d = 0; d < dim; ++d) {
            double sum = 0;
            for (int t = begins[i]; t <= positions[i]; ++t)
              sum += weights[static_cast<size_t>(t - begins[i])] / total * values[static_cast<size_t>(t * dim + d)];
            ASSERT_NEAR(out[i][static_cast<size_t>(d)], sum, tiles ? 0.02 : 1e-4) << kernels->name << " dim " << dim << " row " << i << (tiles ? " tiles" : "");
          }
        }
        }
      }
    }
  }
}

}  // namespace
}  // namespace ajar::engine
