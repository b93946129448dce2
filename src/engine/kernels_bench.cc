// Multiplications of the shapes of a 1B model, one thread: operations per second, and bytes of weights per second.
//   build-bench/kernels_bench --benchmark_filter='Q4_0/8'

#include <benchmark/benchmark.h>

#include <random>

#include "engine/huge_buffer.h"
#include "engine/kernels.h"
#include "engine/quantized_input.h"

namespace ajar::engine {
namespace {

constexpr int64_t kRows = 8192, kColumns = 2048;

void multiply(benchmark::State& state, const Kernels* kernels, Dtype dtype, Arithmetic arithmetic, int rows) {
  PanelLayout layout = panel_layout(dtype, kColumns);
  HugeBuffer panels = *HugeBuffer::make(static_cast<size_t>(kRows / 16 * layout.stride));
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 0.02f);
  std::vector<float> weights(16 * kColumns);
  std::vector<std::byte> quantised(static_cast<size_t>(16 * row_bytes(dtype, kColumns)));
  for (float& w : weights) w = normal(random);
  for (int r = 0; r < 16; ++r)
    quantize_row(dtype, weights.data() + r * kColumns, quantised.data() + r * row_bytes(dtype, kColumns), kColumns);
  for (int64_t n = 0; n < kRows / 16; ++n)
    pack_panel(dtype, quantised.data(), row_bytes(dtype, kColumns), 16, kColumns, panels.data() + n * layout.stride);

  int tile_rows = (rows + 15) / 16;
  auto count = static_cast<size_t>(tile_rows * 16 * kColumns);
  std::vector<float> x(count, 0.5f), y(static_cast<size_t>(tile_rows) * 16 * kRows);
  QuantizedInput quantized;
  quantized.resize(rows, kColumns);
  HugeBuffer tiles = *HugeBuffer::make(count * 2), scratch = *HugeBuffer::make(kBfloatScratch);
  for (int64_t m = 0; m < rows; ++m) quantized.set(*kernels, m, x.data() + m * kColumns);
  for (int64_t t = 0; t < tile_rows; ++t)
    kernels->write_tiles(x.data() + t * 16 * kColumns, kColumns, 16, kColumns,
                         reinterpret_cast<uint16_t*>(tiles.data()) + t * 16 * kColumns);
  Product product{dtype, panels.data(), kColumns, 0, kRows / 16, rows, y.data(), kRows};
  for (auto _ : state) {
    if (arithmetic == Arithmetic::kFloat) kernels->multiply_float(product, x.data(), kColumns);
    if (arithmetic == Arithmetic::kInteger) kernels->multiply_integer(product, quantized.from());
    if (arithmetic == Arithmetic::kBfloat)
      kernels->multiply_bfloat(product, reinterpret_cast<const uint16_t*>(tiles.data()), scratch.data());
    benchmark::ClobberMemory();
  }
  auto runs = static_cast<double>(state.iterations());
  state.counters["GOP/s"] = benchmark::Counter(runs * 2e-9 * rows * kRows * kColumns, benchmark::Counter::kIsRate);
  state.counters["GB/s"] = benchmark::Counter(runs * 1e-9 * static_cast<double>(kRows / 16 * layout.stride), benchmark::Counter::kIsRate);
}

[[maybe_unused]] const bool kRegistered = [] {
  for (const Kernels* kernels : all_kernels()) {
    for (Dtype dtype : {Dtype::kQ4_0, Dtype::kQ4_K, Dtype::kQ6_K, Dtype::kQ8_0, Dtype::kF16, Dtype::kBF16}) {
      for (int rows : {1, 2, 4, 8, 16, 32, 64, 512}) {
        auto add = [&](const char* how, Arithmetic arithmetic) {
          std::string name = std::string(kernels->name) + "/" + how + "/" + std::string(dtype_info(dtype).name) + "/" + std::to_string(rows);
          benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { multiply(state, kernels, dtype, arithmetic, rows); });
        };
        add("float", Arithmetic::kFloat);
        if (kernels->multiply_integer != nullptr && !is_float(dtype)) add("integer", Arithmetic::kInteger);
        if (kernels->multiply_bfloat != nullptr && dtype != Dtype::kF16) add("bfloat", Arithmetic::kBfloat);
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace ajar::engine
