#pragma once
// Answers that were given before, by the canonical key of their request. In memory, with a log beside it that survives a
// restart. Any thread; a look-up takes one lock of sixteen for a few hundred nanoseconds.

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/request_key.h"
#include "store/record_log.h"

namespace ajar {

struct CachedAnswer {
  RequestKey key;
  int64_t created_ms = 0, expires_ms = 0;
  int64_t cost = 0;                 // nano-dollars that it cost when it was made
  bool simulator = false;
  std::string route, target, model; // who made it
  std::vector<std::string> tags;
  std::string events;               // of event_codec.h
};

class AnswerCache {
 public:
  // `file` empty: memory only. Reads the file; entries that have expired or do not fit stay out. Blocks.
  static Result<std::unique_ptr<AnswerCache>> open(int64_t max_bytes, const std::string& file);
  ~AnswerCache();

  std::shared_ptr<const CachedAnswer> find(const RequestKey& key, int64_t now_ms);
  bool holds(const RequestKey& key, int64_t now_ms);  // without using it
  // An answer larger than a sixteenth of a lock's share is not kept.
  void put(CachedAnswer answer);

  struct Purge {  // all that is said must hold; nothing said: everything
    std::string id;          // RequestKey::hex
    std::string tag;
    std::string tag_prefix;
    std::string route;
  };
  // How many were dropped. Looks at every entry unless an id is given.
  int64_t purge(const Purge& what);

  void set_max_bytes(int64_t max_bytes);
  // Once a minute or so: what has expired goes, and a log that is mostly of dead entries is written anew. Blocks.
  void tidy(int64_t now_ms);

  void flush();  // returns when all that was put and purged before is in the log

  struct Stats {
    int64_t entries = 0, bytes = 0, log_bytes = 0, evicted = 0, log_dropped = 0;
  };
  Stats stats() const;

 private:
  explicit AnswerCache(int64_t max_bytes) : max_bytes_(max_bytes) {}

  using Packed = std::shared_ptr<const std::string>;  // of pack()
  struct Entry {
    RequestKey key;
    int64_t expires_ms;
    Packed packed;
  };
  struct Shard {
    mutable std::mutex lock;  // guards all below
    std::list<Entry> recent;  // latest first
    std::unordered_map<RequestKey, std::list<Entry>::iterator, RequestKeyHash> by_key;
    int64_t bytes = 0, evicted = 0;
  };
  Shard& shard(const RequestKey& key) { return shards_[key.bytes[15] % shards_.size()]; }
  void insert(const RequestKey& key, int64_t expires_ms, Packed packed);
  static void drop(Shard& shard, std::list<Entry>::iterator entry);
  void read_record(std::string_view record, int64_t now_ms);

  std::array<Shard, 16> shards_;
  std::atomic<int64_t> max_bytes_;
  std::unique_ptr<store::RecordLog> log_;  // null: memory only
};

}  // namespace ajar
