// Scans and words. Vectors around 64 centres; 1 % of rows allowed where it says so.

#include <benchmark/benchmark.h>

#include <cmath>
#include <map>
#include <random>

#include "index/analyzer.h"
#include "index/bm25.h"
#include "index/vectors.h"

namespace ajar::index {
namespace {

constexpr uint32_t kWidth = 384;

VectorIndex& vectors(size_t rows) {
  static std::map<size_t, std::unique_ptr<VectorIndex>> made;
  auto& index = made[rows];
  if (index) return *index;
  index = std::make_unique<VectorIndex>(kWidth);
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> centres(64 * kWidth), block;
  for (float& x : centres) x = normal(random);
  for (size_t from = 0; from < rows; from += 4096) {
    std::vector<uint32_t> ids;
    block.clear();
    for (size_t i = from; i < std::min(rows, from + 4096); ++i) {
      ids.push_back(static_cast<uint32_t>(i));
      const float* centre = &centres[random() % 64 * kWidth];
      for (uint32_t d = 0; d < kWidth; ++d) block.push_back(centre[d] + 0.8f * (static_cast<float>(random() % 2000) / 1000 - 1));
      (void)normalize(std::span(block).last(kWidth));
    }
    if (!index->add(ids, block)) std::abort();
  }
  return *index;
}

void scan(benchmark::State& state) {
  VectorIndex& index = vectors(static_cast<size_t>(state.range(0)));
  const DotKernel& kernel = dot_kernels()[std::min<size_t>(static_cast<size_t>(state.range(2)), dot_kernels().size() - 1)];
  Bitmap allowed;
  for (uint32_t row = 0; row < static_cast<uint32_t>(state.range(0)); row += static_cast<uint32_t>(state.range(1))) allowed.set(row);
  std::mt19937 random(2);
  std::vector<float> query(kWidth);
  for (float& x : query) x = static_cast<float>(random() % 2000) / 1000 - 1;
  const VectorReader reader = index.reader();
  for (auto _ : state) benchmark::DoNotOptimize(reader.search(query, state.range(1) == 1 ? nullptr : &allowed, 40, {}, kernel));
  state.SetLabel(std::string(kernel.name));
}
BENCHMARK(scan)->Args({100'000, 1, 0})->Args({100'000, 1, 1})->Args({100'000, 1, 2})->Args({100'000, 100, 0})->Args({1'000'000, 1, 0})
    ->Unit(benchmark::kMicrosecond);

std::string some_text(size_t bytes) {
  std::mt19937 random(3);
  std::string text;
  while (text.size() < bytes) {
    const unsigned word = static_cast<unsigned>(20'000.0 * std::pow(random() / 4294967296.0, 4));
    text += "w" + std::to_string(word) + (random() % 12 == 0 ? ". " : " ");
  }
  return text;
}

void analyze(benchmark::State& state) {
  const std::string text = some_text(1 << 20);
  Analyzer analyzer(Language::kEnglish);
  size_t terms = 0;
  for (auto _ : state) analyzer.each(text, [&](std::string_view, uint32_t, uint32_t) { ++terms; });
  benchmark::DoNotOptimize(terms);
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}
BENCHMARK(analyze);

void build(benchmark::State& state) {
  const std::string text = some_text(1 << 20);
  Analyzer analyzer(Language::kEnglish);
  for (auto _ : state) {
    Bm25Index index;
    for (uint32_t row = 0; row < 1024;) {
      Bm25Builder builder;
      for (int i = 0; i < 32; ++i, ++row) {
        builder.start_row(row);
        analyzer.each(std::string_view(text).substr(size_t{row} * 1024, 1024), [&](std::string_view term, uint32_t, uint32_t) { builder.add(term); });
      }
      if (!index.add(builder)) std::abort();
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}
BENCHMARK(build)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ajar::index
