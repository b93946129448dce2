// Throughput of the scanner and the cost of guarding a 2 KB request. CPU time.
#include <benchmark/benchmark.h>

#include <string>

#include "guard/injection.h"
#include "guard/masks.h"
#include "guard/output_guard.h"
#include "guard/policy.h"
#include "guard/pseudonym.h"
#include "guard/restorer.h"
#include "guard/scanner.h"

namespace ajar::guard {
namespace {

// Prose without personal data, as people write to models.
std::string clean_text(size_t bytes) {
  static constexpr std::string_view kProse =
      "The river rises slowly in spring, when the snow on the hills melts and the meadows along the bank turn soft. "
      "Most of the\n"
      "water is gone by the middle of summer. Farmers who keep cattle there know that the grass near the old bridge "
      "stays green for\n"
      "longer, and they move the herd twice. Could you summarise the main argument of this passage in a few sentences, "
      "and explain why\n"
      "the author thinks that the bridge matters? Please keep the tone neutral. If something is unclear, say so "
      "instead of guessing.\n\n"
      "A second question concerns the way in which the text describes change. It seems to treat the seasons as if they "
      "were people,\n"
      "with habits and moods of their own; is that a figure of speech with a name? I would like one or two other "
      "examples from novels\n"
      "of the nineteenth century, with a short note on each. Thank you for the help, it is for a reading group of our "
      "library.\n";
  std::string text;
  while (text.size() < bytes) text += kProse;
  text.resize(bytes);
  return text;
}

std::string busy_text() {
  std::string text = clean_text(1600);
  text +=
      "\nMy name is John Smith, I live at 12 Baker Street in London. Call (212) 555-0187 or write to "
      "john.smith@example.com. "
      "The card 4111 1111 1111 1111 was charged on 2024-05-01, order 8812345678, from 10.0.0.1. IBAN "
      "GB82WEST12345698765432. "
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

void BM_ScanClean(benchmark::State& state) {
  scan(state, clean_text(static_cast<size_t>(state.range(0))), EntitySet::all());
}
BENCHMARK(BM_ScanClean)->Arg(2 << 10)->Arg(1 << 20);

void BM_ScanCleanSecretsOnly(benchmark::State& state) { scan(state, clean_text(1 << 20), {Entity::kSecret}); }
BENCHMARK(BM_ScanCleanSecretsOnly);

void BM_ScanBusy(benchmark::State& state) { scan(state, busy_text(), EntitySet::all()); }
BENCHMARK(BM_ScanBusy);

Request request_of(const std::string& text) {
  Request request;
  request.messages.push_back({.role = Role::kUser, .parts = {{.kind = Part::Kind::kText, .text = text}}});
  return request;
}

PolicyConfig everything(Stage stage, Mode mode) {
  using Kind = CheckConfig::Kind;
  return {"all",
          stage,
          mode,
          Action::kAllow,
          {{.kind = Kind::kPii},
           {.kind = Kind::kSecrets},
           {.kind = Kind::kWords, .patterns = {"project ~2 unicorn", "internal only"}},
           {.kind = Kind::kInjection},
           {.kind = Kind::kHidden},
           {.kind = Kind::kModeration},
           {.kind = Kind::kRepetition, .limit = 20}}};
}

// What a request of 2 KB costs with every check on. A request is judged as it stands, so the copy is not part of it.
void judge_input(benchmark::State& state, const std::string& text) {
  const auto guard = *Guard::build({everything(Stage::kInput, Mode::kBlock)});
  Request request = request_of(text);
  for (auto _ : state) benchmark::DoNotOptimize(guard->judge_input(request));
}
void BM_JudgeInputClean2K(benchmark::State& state) { judge_input(state, clean_text(2 << 10)); }
BENCHMARK(BM_JudgeInputClean2K);
void BM_JudgeInputBusy2K(benchmark::State& state) { judge_input(state, busy_text()); }
BENCHMARK(BM_JudgeInputBusy2K);

void BM_Injection2K(benchmark::State& state) {
  const InjectionDetector detector;
  const std::string text = clean_text(2 << 10);
  for (auto _ : state) benchmark::DoNotOptimize(detector.score(text, false));
}
BENCHMARK(BM_Injection2K);

void BM_MaskRequestClean2K(benchmark::State& state) {
  const Scanner scanner({.entities = EntitySet::identifying()});
  Request request = request_of(clean_text(2 << 10));
  for (auto _ : state) {
    Pseudonyms map(scanner, "a key of the benchmark's tenant.");
    benchmark::DoNotOptimize(map.mask(request));
  }
}
BENCHMARK(BM_MaskRequestClean2K);

void BM_MaskRequestBusy2K(benchmark::State& state) {
  const Scanner scanner({.entities = EntitySet::identifying()});
  const std::string text = busy_text();
  for (auto _ : state) {
    Pseudonyms map(scanner, "a key of the benchmark's tenant.");
    Request request = request_of(text);
    benchmark::DoNotOptimize(map.mask(request));
  }
}
BENCHMARK(BM_MaskRequestBusy2K);

// An answer of 2 KB in fragments of `n` bytes; time is for the whole answer.
template <class Each>
void stream(benchmark::State& state, Each each) {
  const std::string text = clean_text(2 << 10);
  const auto n = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    auto judge = each();
    EventBatch batch;
    for (size_t at = 0; at < text.size(); at += n) {
      batch.clear();
      batch.push_back(Event::of_text(text.substr(at, n)));
      judge(batch);
      benchmark::DoNotOptimize(batch.data());
    }
  }
}
void BM_RestoreStream2K(benchmark::State& state) {
  const Scanner scanner;
  Pseudonyms map(scanner, "a key of the benchmark's tenant.");
  benchmark::DoNotOptimize(map.mask_text("My name is Mary Johnson"));
  stream(state,
         [&] { return [restorer = std::make_shared<Restorer>(map)](EventBatch& batch) { restorer->restore(batch); }; });
}
BENCHMARK(BM_RestoreStream2K)->Arg(4)->Arg(64)->Arg(2048);

void BM_JudgeStream2K(benchmark::State& state) {
  PolicyConfig policy = everything(Stage::kOutput, Mode::kWindow);
  policy.action = Action::kRefuse;
  const auto guard = *Guard::build({policy});
  stream(state,
         [&] { return [judge = std::make_shared<OutputGuard>(guard)](EventBatch& batch) { judge->judge(batch); }; });
}
BENCHMARK(BM_JudgeStream2K)->Arg(4)->Arg(64)->Arg(2048);

}  // namespace
}  // namespace ajar::guard
