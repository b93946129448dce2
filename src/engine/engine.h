#pragma once
// Runs one model for many callers at once: continuous batching on a thread of its own. Each step computes one token of every reply
// under way and, in what time is left, a piece of the prompts that wait. Replies share pages where their beginnings are equal.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "engine/decoder.h"
#include "engine/draft.h"
#include "engine/lookup.h"
#include "engine/prefix_cache.h"
#include "engine/sampler.h"
#include "engine/tokenizer.h"

namespace ajar::engine {

// Steers which tokens may come: a grammar, a schema. Used by the engine's thread only.
class Constraint {
 public:
  virtual ~Constraint() = default;
  // Which tokens may come next; at least one. `mask` is clear.
  virtual void allow(TokenMask& mask) = 0;
  // Tells of the token that came. False: it could not come here (the constraint is then over, nothing more is asked of it).
  virtual bool accept(int32_t token) = 0;
  // Tokens of which the next ones are certain, appended without being asked for. May be empty.
  virtual void forced(std::vector<int32_t>& tokens) = 0;
  // The text is whole and nothing may follow.
  virtual bool finished() const = 0;
};

enum class FinishReason : uint8_t { kStop, kLength, kContext, kCancelled, kFailed };

struct GenerationStats {
  int32_t prompt_tokens = 0, cached_tokens = 0, output_tokens = 0;
  double queue_s = 0, prefill_s = 0, decode_s = 0;
  double mean_margin = 0, lowest_margin = 1, mean_entropy = 0;  // of the tokens of the answer
};

// What a caller wants and where it goes. Callbacks run on the engine's thread and must be quick and must not throw.
struct Generation {
  std::vector<int32_t> prompt;      // at least one token
  SamplingParams sampling;
  int32_t max_tokens = -1;          // -1: as many as the context holds
  bool ignore_end = false;          // the model's end tokens are tokens like others
  bool prompt_logprobs = false;     // on_prompt gets those of prompt[1..]
  std::unique_ptr<Constraint> constraint;
  std::string tenant;               // who waits in which queue; queues take turns
  uint64_t cache_root = 0;          // beginnings are shared among equal roots only
  std::shared_ptr<const Adapter> adapter;  // of the engine's model, or none; beginnings are never shared across adapters

  std::function<void(const Sampled&)> on_token;
  std::function<void(std::vector<Sampled>)> on_prompt;
  // Once, last. kFailed comes with an error: memory is out, the engine stops.
  std::function<void(FinishReason, const GenerationStats&, Error)> on_done;
};

struct EngineOptions {
  int64_t cache_bytes = 0;          // of keys and values; 0: as much as `context` needs for four sequences
  int32_t context = 0;              // longest sequence; 0: the model's own
  int32_t max_running = 64;         // replies in one batch
  int32_t max_waiting = 512;
  int32_t prefill_tokens = 512;     // of prompts, in one step, when nobody is decoding
  int32_t speculate = 4;            // tokens guessed ahead, from the text or by a draft model, where it pays; 0: none. The answers are the same
  KvType kv = KvType::kF16;         // how keys and values are kept; kQ8_0 holds nearly twice the tokens in the same bytes
  std::string prefix_disk;          // a folder of this model's own for beginnings that memory gives up; empty: none
  int64_t prefix_disk_bytes = int64_t{1} << 30;
  double stall_factor = 1.1;        // how much of a decoding step's time a step may spend on prompts beside it
  MultiplierOptions multiplier;
};

struct EngineMetrics {  // all since start, but for the first three
  int running = 0, waiting = 0, free_pages = 0;
  int total_pages = 0;
  int64_t prompt_tokens = 0, cached_tokens = 0, output_tokens = 0, steps = 0, preemptions = 0, stalls = 0;
  int64_t proposed = 0, accepted = 0;  // tokens guessed from the text, and those of them that came
  PrefixDiskMetrics disk;
  int64_t drafted = 0, drafted_accepted = 0;  // the same of a draft model's guesses
};

class Engine {
 public:
  // `draft`: a small model that guesses ahead, or none; kInvalid: its tokenizer is another (says what differs).
  static Result<std::unique_ptr<Engine>> start(std::shared_ptr<const Model> model, std::shared_ptr<const Tokenizer> tokenizer,
                                               std::shared_ptr<ComputePool> pool, EngineOptions options, Draft draft = {});
  ~Engine();  // replies under way end with kFailed

  class Handle {  // cheap to copy; from any thread
   public:
    void cancel() { if (cancelled_) cancelled_->store(true, std::memory_order_relaxed); }
   private:
    friend class Engine;
    std::shared_ptr<std::atomic<bool>> cancelled_;
  };

  // From any thread. kTooLarge: the prompt does not fit the context (says both numbers); kUnavailable: the queue is full;
  // kInvalid: a token or an adapter that is not the model's.
  Result<Handle> submit(Generation generation);

  const Model& model() const { return *model_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  int32_t context() const { return context_; }
  EngineMetrics metrics() const;
  const EngineOptions& options() const { return options_; }
  void settle_disk();  // until the disk has done what it was asked for; for tests

 private:
  struct Sequence;
  Engine(std::shared_ptr<const Model> model, std::shared_ptr<const Tokenizer> tokenizer, std::shared_ptr<ComputePool> pool,
         EngineOptions options, KvPool cache, std::unique_ptr<Drafter> drafter);
  void run();
  void take_new();
  void admit();
  void step();
  bool grow(Sequence& sequence, int32_t tokens);
  int prompt_budget() const;
  int add_prompts(std::vector<Row>& rows, int budget);
  // Guesses of what follows, to be checked in the same step. `rows` and `tokens`: of the step so far, which they raise.
  void guess(std::span<Sequence* const> decoding);
  bool guess_from_text(Sequence& sequence, int room, int& rows, double& tokens);
  int guess_by_draft(Sequence& sequence, int room, int replies, int& rows, double& tokens);  // how many; to be made later
  int guessing_room(const Sequence& sequence, int rows) const;
  void leave_draft(Sequence& sequence);
  std::unique_ptr<PrefixDisk> open_disk();
  void fetch(Sequence& sequence);  // what the disk has of its prompt
  void take_fetched();
  // `sampled`: its next token where that was chosen already, or null.
  void handle(Sequence& sequence, std::span<float> logits, const Sampled* sampled);
  bool append(Sequence& sequence, int32_t token);
  void finish(Sequence& sequence, FinishReason reason, Error error = {});
  void preempt(Sequence& sequence);
  void forget_finished();
  void publish();

  const std::shared_ptr<const Model> model_;
  const std::shared_ptr<const Tokenizer> tokenizer_;
  const std::shared_ptr<ComputePool> pool_;
  const EngineOptions options_;
  int32_t context_;

  // The engine's thread only.
  KvPool cache_;
  std::unique_ptr<PrefixDisk> disk_;  // or none. Its thread may be writing to pages of fetching_
  PrefixCache prefixes_;
  struct Fetch {
    PageKey key;
    int page;
  };
  std::map<int, Fetch> fetching_;     // by ticket
  int last_ticket_ = 0;
  TimePoint fetch_until_{};           // then those who wait begin with what there is
  Decoder decoder_;
  std::unique_ptr<Drafter> drafter_;  // or none
  std::map<std::string, std::deque<std::unique_ptr<Sequence>>> queues_;  // by tenant
  std::string last_tenant_;
  std::vector<std::unique_ptr<Sequence>> running_;
  StepCosts costs_;
  double decode_s_ = 0, prefill_token_s_ = 0;  // smoothed: a step of decoding only; a token of a prompt
  EngineMetrics counts_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::unique_ptr<Sequence>> incoming_;  // guarded by mutex_
  int waiting_ = 0;                                  // guarded by mutex_: incoming and queued
  bool stop_ = false;                                // guarded by mutex_
  bool disk_news_ = false;                           // guarded by mutex_
  EngineMetrics published_;                          // guarded by mutex_
  std::thread thread_;
};

}  // namespace ajar::engine
