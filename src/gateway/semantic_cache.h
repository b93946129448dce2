#pragma once
// Answers to questions that only are worded otherwise: nearest neighbour by embedding among requests that are equal but for their one
// question, then a gate for what embeddings do not see (numbers, names, negations), then a threshold that each entry learns by itself (vCache,
// learn/vcache.h). Entries point into the AnswerCache. In memory, with a log beside it that survives a restart (semantic_record.h). Any thread.

#include <array>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/request_key.h"
#include "learn/vcache.h"
#include "store/record_log.h"

namespace ajar {

class SemanticCache {
 public:
  static constexpr float kFloor = 0.7f;          // cosine below which nothing is alike
  static constexpr size_t kMostInBucket = 2'000; // the oldest make room
  static constexpr size_t kMostBuckets = 256;    // of one of sixteen locks; the longest unused makes room
  static constexpr size_t kMostBytes = 16 << 20; // of one of sixteen locks, about: the longest unused bucket makes room

  // What a bucket has asked is named by its answer's key.
  struct Entry {
    RequestKey answer, said;      // `said`: text_key of gateway/judge.h's comparable
    std::string question;
    std::vector<int8_t> vector;   // of length 1, times 127
    learn::VCacheEntry learnt;    // guarded by the lock of its bucket
    uint64_t observed = 0;        // how often, in all; guarded as `learnt`
  };
  struct Neighbour {
    std::shared_ptr<Entry> entry;
    float similarity = 0;
  };

  // Reads what was kept in `file` and keeps what comes there; before the first call of the others. `lives`: whether the answer of an entry
  // is still kept; of others nothing is read. A file that is no such log is set aside, records that cannot be read are passed over; the log
  // says so. kUnavailable: the file cannot be opened. Blocks.
  using Lives = std::function<bool(const RequestKey& answer)>;
  Status keep_in(const std::string& file, const Lives& lives);
  // Once a minute or so: what has lost its answer goes, and a log that is mostly of dead entries is written anew. Blocks.
  void tidy(const Lives& lives);
  void flush();  // returns when all that came before is in the log

  // The nearest that the gate lets pass; `embedding` is of length 1. Nothing: none is alike.
  std::optional<Neighbour> nearest(const RequestKey& bucket, std::span<const float> embedding, std::string_view question);
  // `u` uniform in [0, 1): false says to ask the model and to observe what it says.
  bool serves(const RequestKey& bucket, const Neighbour& neighbour, double u, double delta);
  void observe(const RequestKey& bucket, const Neighbour& neighbour, bool same, double delta);
  // In place of an entry with the same answer, if there is one.
  void add(const RequestKey& bucket, std::span<const float> embedding, std::string question, std::string_view said, const RequestKey& answer);
  void forget(const RequestKey& bucket, const Entry& entry);  // its answer is no longer kept
  size_t size() const;
  int64_t log_bytes() const { return log_ ? log_->file_bytes() : 0; }

 private:
  using Entries = std::vector<std::shared_ptr<Entry>>;  // oldest first
  struct Bucket {
    RequestKey key;
    Entries entries;
  };
  struct Shard {
    mutable std::mutex lock;  // guards all below, and what entries have learnt; records are queued under it, so that they are in its order
    std::list<Bucket> recent;
    std::unordered_map<RequestKey, std::list<Bucket>::iterator, RequestKeyHash> by_key;
    size_t bytes = 0;
  };
  Shard& shard(const RequestKey& key) { return shards_[key.bytes[15] % shards_.size()]; }
  static void insert(Shard& shard, const RequestKey& bucket, std::shared_ptr<Entry> entry);
  static void drop(Shard& shard, Entries& entries, Entries::iterator entry);
  static void drop_bucket(Shard& shard, std::list<Bucket>::iterator bucket);
  bool read_record(std::string_view record, const Lives& lives);
  void note(std::string record) {
    if (log_) log_->append(std::move(record));
  }

  std::array<Shard, 16> shards_;
  std::unique_ptr<store::RecordLog> log_;  // null: memory only
};

}  // namespace ajar
