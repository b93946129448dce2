// Throughput of the scanner and the cost of guarding a 2 KB request. CPU time.
#include <benchmark/benchmark.h>

#include <string>

#include "guard/masks.h"
#include "guard/scanner.h"

namespace ajar::guard {
namespace {

// Prose without personal data, as people write to models.
std::string clean_text(size_t bytes) {
  static constexpr std::string_view kProse =
      "The river rises slowly in spring, when the snow on the hills melts and the meadows along the bank turn soft. Most of the\n"
      "water is gone by the middle of summer. Farmers who keep cattle there know that the grass near the old bridge stays green for\n"
      "longer, and they move the herd twice. Could you summarise the main argument of this passage in a few sentences, and explain why\n"
      "the author thinks that the bridge matters? Please keep the tone neutral. If something is unclear, say so instead of guessing.\n\n"
      "A second question concerns the way in which the text describes change. It seems to treat the seasons as if they were people,\n"
      "with habits and moods of their own; is that a figure of speech with a name? I would like one or two other examples from novels\n"
      "of the nineteenth century, with a short note on each. Thank you for the help, it is for a reading group of our library.\n";
  std::string text;
  while (text.size() < bytes) text += kProse;
  text.resize(bytes);
  return text;
}

std::string busy_text() {
  std::string text = clean_text(1600);
  text += "\nMy name is John Smith, I live at 12 Baker Street in London. Call (212) 555-0187 or write to john.smith@example.com. "
          "The card 4111 1111 1111 1111 was charged on 2024-05-01, order 8812345678, from 10.0.0.1. IBAN GB82WEST12345698765432. "
          "See https://example.com/orders/42?id=7.\n";
  return text;
}

void scan(benchmark::State& state, const std::string& text, EntitySet entities) {
  const Scanner scanner({.entities = entities});
  Findings found;
  for (auto _ : state) {
    scanner.scan(text, found);
    benchmark::DoNotOptimize(found.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
  state.counters["findings"] = static_cast<double>(found.size());
}

void BM_Masks(benchmark::State& state) {
  const std::string text = clean_text(64 << 10);
  Masks masks;
  for (auto _ : state) {
    masks.build(text);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(BM_Masks);

void BM_ScanClean(benchmark::State& state) { scan(state, clean_text(static_cast<size_t>(state.range(0))), EntitySet::all()); }
BENCHMARK(BM_ScanClean)->Arg(2 << 10)->Arg(1 << 20);

void BM_ScanCleanSecretsOnly(benchmark::State& state) { scan(state, clean_text(1 << 20), {Entity::kSecret}); }
BENCHMARK(BM_ScanCleanSecretsOnly);

void BM_ScanBusy(benchmark::State& state) { scan(state, busy_text(), EntitySet::all()); }
BENCHMARK(BM_ScanBusy);

}  // namespace
}  // namespace ajar::guard
