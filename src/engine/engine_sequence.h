#pragma once
// One reply under way, as the files of the engine share it.

#include <algorithm>

#include "engine/engine.h"

namespace ajar::engine {

// Under one root of the caller's every adapter has its own, and every type of keys and values. The steps are bijections: two
// adapters never meet.
inline uint64_t root_of(const Generation& want, KvType kv) {
  uint64_t z = (want.adapter ? want.adapter->identity() : 0) << 8 | static_cast<uint64_t>(kv);
  z *= 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  return want.cache_root ^ (z ^ z >> 27);
}

struct Engine::Sequence {
  Generation want;
  Sampler sampler;
  const uint64_t cache_root;
  std::shared_ptr<std::atomic<bool>> cancelled;
  std::vector<int32_t> tokens;     // prompt and answer
  KvSequence kv;                   // kv.length of tokens are computed
  GenerationStats stats;
  std::vector<Sampled> prompt_scores;
  TimePoint submitted = now(), admitted{}, first{};
  bool fetched = false;            // the disk was asked
  bool counted = false;            // its prompt is in the statistics
  bool done = false;
  GuessRecord record;
  Drafter::Reply draft;
  std::vector<int32_t> guesses;    // of the step under way: what may follow its latest token
  bool drafted = false;            // they are the draft model's

  Sequence(Generation generation, std::shared_ptr<std::atomic<bool>> flag, KvType kv)
      : want(std::move(generation)), sampler(want.sampling), cache_root(root_of(want, kv)), cancelled(std::move(flag)), tokens(want.prompt) {
    for (int32_t token : tokens) sampler.accept(token, true);
  }
  int32_t pending() const { return static_cast<int32_t>(tokens.size()) - kv.length; }
  int32_t answered() const { return static_cast<int32_t>(tokens.size() - want.prompt.size()); }
  // Only its latest token is to be computed, and then the next one is known.
  // An adapter's number is another in the next process.
  bool lasting() const { return want.adapter == nullptr; }
  bool decoding() const { return pending() == 1 && answered() > 0; }
};

}  // namespace ajar::engine
