#pragma once
// The models that this process runs itself: loaded when they are first asked for, kept while memory lasts, the longest unused of
// them let go when another needs its place. One set of computing threads for all.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "chat/chat_template.h"
#include "engine/encoder.h"
#include "engine/engine.h"
#include "engine/grammar/cache.h"
#include "net/cancel.h"
#include "net/task.h"
#include "provider/adapter_shelf.h"

namespace ajar {

struct ModelSpec {
  std::string name;            // as targets call it
  std::string path;            // a GGUF file or a Hugging Face folder
  int64_t context = 0;         // tokens; 0: the model's own, as far as `cache_bytes` goes
  int64_t cache_bytes = 0;     // of keys and values; 0: an eighth of the host's memory, at most what four full contexts need
  bool deterministic = false;
  bool exact = false;                // an encoder's floats stay floats
  bool pinned = false;         // loaded at start and never let go
  std::string chat_template;   // a file; empty: the model's own
  AdapterShelf::Paths adapters;
  engine::KvType kv = engine::KvType::kF16;
  int speculate = 4;           // tokens guessed ahead: EngineOptions::speculate
  std::string draft;           // another model by its name, which guesses for this one; empty: none
  std::string prefix_disk;     // a folder, in which this model gets one of its own; empty: none
  int64_t prefix_disk_bytes = int64_t{1} << 30;
};

struct HostOptions {
  int threads = 0;             // that compute; 0: one per core
  int64_t memory_bytes = 0;    // of weights and caches; 0: three quarters of what the machine or the control group has
  std::string kernels;         // "amx", "avx512-vnni", ...; empty: what is timed to be the fastest
  bool quiet = false;          // what was timed is not logged
};

// Shared by every request that uses it; the last of them lets it go.
struct LoadedModel {
  ModelSpec spec;
  std::shared_ptr<const engine::Model> model;
  std::shared_ptr<const engine::Tokenizer> tokenizer;
  std::shared_ptr<const chat::ChatTemplate> chat;  // of decoders
  AdapterShelf adapters;                           // of decoders
  std::unique_ptr<engine::Engine> engine;          // of decoders
  std::unique_ptr<engine::Encoder> encoder;        // of encoders; one caller at a time, under `encoding`
  std::mutex encoding;
  engine::GrammarCache grammars;                   // what replies were bound to
  std::atomic<float> seconds_per_turn{0};          // that a reply waits for its first token, for each that waits before it
  int64_t bytes = 0;                               // of weights and cache, adapters not counted
};

enum class ModelState : uint8_t { kUnloaded, kLoading, kReady, kFailed };
std::string_view model_state_name(ModelState state);

struct ModelStatus {
  std::string name, path, error;
  ModelState state = ModelState::kUnloaded;
  double progress = 0;         // while loading
  int64_t bytes = 0;
  bool pinned = false, encoder = false;
  engine::EngineMetrics metrics;  // of a decoder that is ready
};

class ModelHost {
 public:
  // `find` gives the path of a model that no spec names (one that was pulled), or an error that says what there is.
  using Find = std::function<Result<std::string>(const std::string& name)>;
  static Result<std::unique_ptr<ModelHost>> make(HostOptions options, Find find);
  ~ModelHost();  // requests must be over; loops may be stopped but must still be there

  // From now on these are the models by name. Those whose spec changed are loaded anew when they are asked for next; adapters
  // come and go without that.
  void configure(std::vector<ModelSpec> specs);

  // "MODEL" or "MODEL:ADAPTER". A model whose own name has the colon goes before.
  struct Named {
    std::string model, adapter;
  };
  Named resolve(const std::string& name) const;

  // The model, loaded if need be. On a loop. kNotFound; kInvalid, kUnsupported: the file's fault; kTooLarge: no memory for
  // it; kTimeout; kCancelled.
  Task<Result<std::shared_ptr<LoadedModel>>> get(std::string name, TimePoint deadline, CancelToken& cancel);
  // The same for threads that may wait.
  Result<std::shared_ptr<LoadedModel>> get_blocking(const std::string& name, const std::function<void(double)>& progress = {});

  std::vector<ModelStatus> status() const;
  std::shared_ptr<LoadedModel> loaded(const std::string& name) const;  // null: it would have to be loaded first
  const std::shared_ptr<engine::ComputePool>& pool() const { return pool_; }
  int64_t memory_bytes() const { return options_.memory_bytes; }

 private:
  struct Slot {
    ModelSpec spec;
    ModelState state = ModelState::kUnloaded;
    std::shared_ptr<LoadedModel> loaded;
    Error error;
    double progress = 0;
    TimePoint used{};
    std::vector<std::function<void()>> waiting;  // called without the lock, when the state is decided
  };
  ModelHost(HostOptions options, Find find);
  void run();
  Result<std::shared_ptr<LoadedModel>> load(const ModelSpec& spec, const std::function<void(double)>& progress);
  bool make_room(int64_t bytes);
  // Weights that another model uses already are shared.
  Result<std::shared_ptr<const engine::Model>> weights(const std::shared_ptr<const engine::Checkpoint>& checkpoint, const engine::LoadOptions& options);
  struct DraftFiles {
    std::shared_ptr<const engine::Checkpoint> checkpoint;  // null: no draft
    std::shared_ptr<const engine::Tokenizer> tokenizer;
  };
  Result<DraftFiles> open_draft(const ModelSpec& spec);
  // The model if it is ready, its error if it failed, nothing while it loads; then `ready` is called later.
  std::optional<Result<std::shared_ptr<LoadedModel>>> look(const std::string& name, std::function<void()> ready);

  HostOptions options_;
  const Find find_;
  std::shared_ptr<engine::ComputePool> pool_;
  const engine::Kernels* kernels_;  // those that were asked for, or null
  std::map<std::string, std::weak_ptr<const engine::Model>> weights_;  // by path; the loader's thread only

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::string, std::shared_ptr<Slot>> slots_;  // guarded by mutex_, the slots too
  std::vector<std::shared_ptr<Slot>> queue_;            // guarded by mutex_: to be loaded
  bool stop_ = false;                                   // guarded by mutex_
  std::thread loader_;
};

// What this process may use: the control group's limit (v2 or v1), or the machine's memory.
int64_t memory_limit();

}  // namespace ajar
