#pragma once
// A small model that guesses what a large one will say, a few tokens ahead, for all replies of a step at once. It only guesses: the
// large model computes all guesses in one step and keeps those that it would have said itself (Leviathan et al. 2023,
// https://arxiv.org/abs/2211.17192, with the target's own choice, not its distribution, as the measure). It draws with the numbers
// that the reply's own sampler will draw with, so that two models which agree choose alike at any temperature.
// Its keys and values are in a pool of its own. Confined to the engine's thread.

#include <memory>
#include <span>
#include <vector>

#include "engine/decoder.h"
#include "engine/lookup.h"
#include "engine/prefix_cache.h"
#include "engine/sampler.h"
#include "engine/tokenizer.h"

namespace ajar::engine {

struct Draft {
  std::shared_ptr<const Model> model;
  std::shared_ptr<const Tokenizer> tokenizer;
};

// kInvalid, which names both models and the first difference: a token's number means something else there.
Status same_tokens(const Draft& draft, const Model& target, const Tokenizer& tokenizer);

class Drafter {
 public:
  // As many pages as the target has, so that it hardly ever lacks one. kInvalid, kUnsupported: it cannot guess for the target.
  static Result<std::unique_ptr<Drafter>> make(Draft draft, const Model& target, const Tokenizer& tokenizer, ComputePool& pool,
                                               MultiplierOptions options, int32_t context, int pages, KvType kv);
  static int64_t bytes(const ModelConfig& draft, int pages, KvType kv) { return KvPool::page_bytes(draft, kv) * pages; }

  struct Reply {  // what it knows of one
    KvSequence kv;
    GuessRecord record;
    bool met = false;
  };
  struct Job {
    Reply* reply;
    std::span<const int32_t> tokens;  // all so far
    Sampler sampler;                  // as it will choose the next one; changed
    uint64_t root;                    // of beginnings
    int count;                        // how many to guess
    std::vector<int32_t>* guesses;    // added to
    bool going = false;
  };
  // A reply whose text it has not read yet is read first, `budget` tokens of all in this step; those that are not through get no
  // guesses. To be called with the pool's turn.
  void guess(std::span<Job> jobs, int budget);
  // After the target has spoken: of `tokens`, which stood before the guesses, all is known, and of the guesses `accepted`.
  static void told(Reply& reply, size_t tokens, int proposed, int accepted);
  // The reply is over or gives way: its pages are remembered for texts that begin alike.
  void leave(Reply& reply, std::span<const int32_t> tokens, uint64_t root);

  // How a new reply's guesses are expected to do: as those of others did.
  GuessRecord typical() const;
  void learn(int proposed, int accepted) { all_.tell(proposed, accepted), ++told_; }
  // What one round of guesses for so many replies takes; 0: unknown.
  double seconds(int replies) const { return costs_.seconds(replies); }
  const Model& model() const { return decoder_.model(); }

 private:
  Drafter(Draft draft, int32_t vocab, ComputePool& pool, MultiplierOptions options, int32_t context, KvPool cache);
  bool grow(Reply& reply, int tokens);
  void round(std::span<Job> jobs, std::span<const Row> rows);

  const int32_t vocab_;  // tokens that both have
  KvPool cache_;
  PrefixCache prefixes_;
  Decoder decoder_;
  StepCosts costs_;
  GuessRecord all_;
  int64_t told_ = 0;
};

}  // namespace ajar::engine
