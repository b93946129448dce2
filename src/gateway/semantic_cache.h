#pragma once
// Answers to questions that only are worded otherwise: nearest neighbour by embedding among requests that are equal but for their one
// question, then a gate for what embeddings do not see (numbers, names, negations), then a threshold that each entry learns by itself (vCache,
// learn/vcache.h). In memory only; entries point into the AnswerCache. Any thread.

#include <array>
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

namespace ajar {

class SemanticCache {
 public:
  static constexpr float kFloor = 0.7f;          // cosine below which nothing is alike
  static constexpr size_t kMostInBucket = 2'000; // the oldest make room
  static constexpr size_t kMostBuckets = 256;    // of one of sixteen locks; the longest unused makes room

  struct Entry {
    RequestKey answer;
    std::string question, said;   // `said`: gateway/judge.h's comparable
    std::vector<int8_t> vector;   // of length 1, times 127
    learn::VCacheEntry learnt;    // guarded by the lock of its bucket
  };
  struct Neighbour {
    std::shared_ptr<Entry> entry;
    float similarity = 0;
  };
  // The nearest that the gate lets pass; `embedding` is of length 1. Nothing: none is alike.
  std::optional<Neighbour> nearest(const RequestKey& bucket, std::span<const float> embedding, std::string_view question);
  // `u` uniform in [0, 1): false says to ask the model and to observe what it says.
  bool serves(const RequestKey& bucket, const Neighbour& neighbour, double u, double delta);
  void observe(const RequestKey& bucket, const Neighbour& neighbour, bool same, double delta);
  void add(const RequestKey& bucket, std::span<const float> embedding, std::string question, std::string said, const RequestKey& answer);
  void forget(const RequestKey& bucket, const Entry& entry);  // its answer is no longer kept
  size_t size() const;

 private:
  struct Bucket {
    RequestKey key;
    std::vector<std::shared_ptr<Entry>> entries;  // oldest first
  };
  struct Shard {
    mutable std::mutex lock;  // guards all below, and what entries have learnt
    std::list<Bucket> recent;
    std::unordered_map<RequestKey, std::list<Bucket>::iterator, RequestKeyHash> by_key;
  };
  Shard& shard(const RequestKey& key) { return shards_[key.bytes[15] % shards_.size()]; }

  std::array<Shard, 16> shards_;
};

}  // namespace ajar
