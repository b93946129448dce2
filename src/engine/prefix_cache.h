#pragma once
// Which pages hold the keys and values of which beginnings. A tree of whole pages: a page is found by the page before it and its 16
// tokens, under a root that stands for everything else that changes keys and values (model, adapter, kind of cache).
// It owns one share of each page that it knows. What it forgets goes to the disk where there is one. Confined to the engine's thread.

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/kv_pool.h"
#include "engine/prefix_disk.h"

namespace ajar::engine {

class PrefixCache {
 public:
  explicit PrefixCache(KvPool& pool, PrefixDisk* disk = nullptr) : pool_(pool), disk_(disk) {}
  ~PrefixCache();
  PrefixCache(const PrefixCache&) = delete;

  // The pages that hold the longest known beginning of `tokens`; each gets one more owner: the caller.
  std::vector<int> find(uint64_t root, std::span<const int32_t> tokens);
  // Remembers the full pages of a sequence. Those that are known already are only marked as used. `lasting`: the root means the
  // same to the next process, so the disk may keep them.
  void insert(uint64_t root, std::span<const int32_t> tokens, std::span<const int> pages, bool lasting = false);
  // The pages behind those that find() would give, as far as the disk has them.
  std::vector<PageKey> on_disk(uint64_t root, std::span<const int32_t> tokens);
  // A page that came from the disk, and the caller's share of it.
  void adopt(const PageKey& key, int page);
  // Writes what the disk does not have yet, the latest used first, until then.
  void spill(std::chrono::steady_clock::time_point deadline);
  // Forgets pages that nobody else uses, the longest unused first and never one that others build upon, until `wanted` have
  // been given back or none is left. Returns how many were.
  int evict(int wanted);
  size_t size() const { return nodes_.size(); }

 private:
  struct Node {
    uint64_t key = 0, parent = 0;  // of the chain of tokens up to here
    int page = -1;
    int children = 0;
    bool lasting = false;
    int32_t tokens[kPageTokens];
    std::list<uint64_t>::iterator used;
  };
  static uint64_t chain(uint64_t parent, const int32_t* tokens);
  Node* lookup(uint64_t key, uint64_t parent, const int32_t* tokens);
  void touch(Node& node);

  Node& add(const PageKey& key, int page, bool lasting);

  KvPool& pool_;
  PrefixDisk* const disk_;
  std::unordered_map<uint64_t, Node> nodes_;
  std::list<uint64_t> order_;  // keys, the longest unused first
};

}  // namespace ajar::engine
