#pragma once
// The second place of the prefix cache: pages that memory gave up, one file each in a folder of this model's own, within a budget.
// Nothing in the folder is trusted: a file that is damaged, cut short or of another model is removed and counted. All disk work is done
// by one thread of its own; what is to be written waits in a queue with an end, and what does not fit there is not kept.
//
// A file NAME.kv, NAME the chain of its tokens as 16 hexadecimal digits, little-endian:
//   8 bytes "AJARKV\r\n", u32 version, u32 bytes of the identity, u64 chain, u64 chain of the page before, 16 x i32 tokens,
//   u64 bytes of the page, u64 checksum of the page, u64 checksum of all above and the identity; the identity; the page.
// It is written as NAME.kv.tmp and then renamed. Ours alone: the folder is locked while it is open.

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine/kv_pool.h"

namespace ajar::engine {

// Which page: the chain of all tokens up to its end, and what confirms it, as in PrefixCache.
struct PageKey {
  uint64_t chain = 0, parent = 0;
  int32_t tokens[kPageTokens] = {};
};

struct PrefixDiskOptions {
  std::string folder;          // of one model; made if it is not there
  int64_t bytes = 0;           // of all files together
  int64_t queue_bytes = 64 << 20;
  std::string identity;        // everything that keys and values depend on but the tokens; at most 64 KiB
  int64_t page_bytes = 0;
};

struct PrefixDiskMetrics {  // since it was opened, but for the first two
  int64_t bytes = 0, pages = 0;
  int64_t written = 0, read = 0;   // pages
  int64_t dropped = 0;             // not written: the queue was full, or the disk failed
  int64_t removed_damaged = 0, removed_foreign = 0, removed_old = 0;  // not what they should be; of another model or version; for the budget
};

class PrefixDisk {
 public:
  // `news` is called by its thread whenever finished() has more to give. The folder is read in the background.
  PrefixDisk(PrefixDiskOptions options, std::function<void()> news);
  ~PrefixDisk();  // writes what waits, for at most `kLastWrites`

  // From any thread. Of these pages, one after the other, so many of the first are there; they count as used.
  size_t known(std::span<const PageKey> keys);
  // Copies the page; written later. False: it will not be (the queue is full, the folder not yet open), or it is there already.
  bool write(const PageKey& key, std::span<const std::byte> page);
  // As write(), but waits until the queue has room; until `deadline` at most.
  bool write_patiently(const PageKey& key, std::span<const std::byte> page, std::chrono::steady_clock::time_point deadline);
  // Reads into `to`, which nobody else may touch until finished() gives `ticket` back.
  void read(const PageKey& key, std::span<std::byte> to, int ticket);
  struct Read {
    int ticket = 0;
    bool ok = false;  // false: `to` holds anything
  };
  std::vector<Read> finished();
  PrefixDiskMetrics metrics() const;
  // Until all that was asked for is done and the folder has been read; for tests.
  void settle();

  static constexpr std::chrono::seconds kLastWrites{5};

 private:
  struct Work {
    PageKey key;
    std::vector<std::byte> page;  // to be written; empty: to be read
    std::span<std::byte> to;
    int ticket = 0;
  };
  struct File {
    int64_t bytes = 0;
    std::list<uint64_t>::iterator used;
  };
  void run();
  bool lock_folder();
  void scan();
  void do_write(Work& work);
  bool do_read(const Work& work);
  bool queue(std::unique_lock<std::mutex>& lock, const PageKey& key, std::span<const std::byte> page);
  void forget(uint64_t chain);                 // under mutex_
  void make_room(int64_t bytes);
  std::string path(uint64_t chain) const;
  std::vector<std::byte> header(const PageKey& key, std::span<const std::byte> page) const;

  const PrefixDiskOptions options_;
  const std::function<void()> news_;
  int lock_ = -1;  // the thread's

  mutable std::mutex mutex_;
  std::condition_variable wake_, room_;
  std::deque<Work> reads_, writes_;                // guarded by mutex_; reads go first
  int64_t queued_bytes_ = 0;                       // guarded by mutex_
  std::unordered_map<uint64_t, int> queued_;       // guarded by mutex_: chains in writes_
  std::unordered_map<uint64_t, File> files_;       // guarded by mutex_
  std::list<uint64_t> order_;                      // guarded by mutex_: chains, the longest unused first
  std::vector<Read> finished_;                     // guarded by mutex_
  PrefixDiskMetrics counts_;                       // guarded by mutex_
  bool open_ = false, busy_ = false, stop_ = false;  // guarded by mutex_
  std::thread thread_;
};

// Against damage, not against malice: 64 bits of all bytes in order.
uint64_t page_checksum(std::span<const std::byte> bytes);

}  // namespace ajar::engine
