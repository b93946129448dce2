#include "engine/prefix_cache.h"

#include <cstring>

namespace ajar::engine {

namespace {

PageKey key_of(uint64_t chain, uint64_t parent, const int32_t* tokens) {
  PageKey key{.chain = chain, .parent = parent};
  std::memcpy(key.tokens, tokens, sizeof(key.tokens));
  return key;
}

}  // namespace

PrefixCache::~PrefixCache() {
  for (auto& [key, node] : nodes_) pool_.release(node.page);
}

uint64_t PrefixCache::chain(uint64_t parent, const int32_t* tokens) {
  uint64_t h = parent ^ 0x9e3779b97f4a7c15;
  for (int i = 0; i < kPageTokens; ++i) {
    h = (h ^ static_cast<uint32_t>(tokens[i])) * 0xff51afd7ed558ccd;
    h ^= h >> 32;
  }
  return h;
}

// A hash alone would one day serve somebody else's text: tokens and parent are compared as well.
PrefixCache::Node* PrefixCache::lookup(uint64_t key, uint64_t parent, const int32_t* tokens) {
  auto it = nodes_.find(key);
  if (it == nodes_.end() || it->second.parent != parent || std::memcmp(it->second.tokens, tokens, sizeof(it->second.tokens)) != 0) return nullptr;
  return &it->second;
}

void PrefixCache::touch(Node& node) { order_.splice(order_.end(), order_, node.used); }

std::vector<int> PrefixCache::find(uint64_t root, std::span<const int32_t> tokens) {
  std::vector<int> pages;
  uint64_t parent = root;
  for (size_t at = 0; at + kPageTokens <= tokens.size(); at += kPageTokens) {
    uint64_t key = chain(parent, tokens.data() + at);
    Node* node = lookup(key, parent, tokens.data() + at);
    if (node == nullptr) break;
    touch(*node);
    pool_.share(node->page);
    pages.push_back(node->page);
    parent = key;
  }
  return pages;
}

void PrefixCache::insert(uint64_t root, std::span<const int32_t> tokens, std::span<const int> pages, bool lasting) {
  uint64_t parent = root;
  for (size_t at = 0, p = 0; at + kPageTokens <= tokens.size() && p < pages.size(); at += kPageTokens, ++p) {
    uint64_t key = chain(parent, tokens.data() + at);
    if (Node* known = lookup(key, parent, tokens.data() + at)) {
      touch(*known);
    } else {
      if (nodes_.contains(key)) return;  // two beginnings with one hash: the first stays
      add(key_of(key, parent, tokens.data() + at), pages[p], lasting);
      pool_.share(pages[p]);
    }
    parent = key;
  }
}

PrefixCache::Node& PrefixCache::add(const PageKey& key, int page, bool lasting) {
  Node& node = nodes_[key.chain];
  node.key = key.chain, node.parent = key.parent, node.page = page, node.lasting = lasting;
  std::memcpy(node.tokens, key.tokens, sizeof(node.tokens));
  node.used = order_.insert(order_.end(), key.chain);
  if (auto above = nodes_.find(key.parent); above != nodes_.end()) ++above->second.children;
  return node;
}

std::vector<PageKey> PrefixCache::on_disk(uint64_t root, std::span<const int32_t> tokens) {
  std::vector<PageKey> keys;
  uint64_t parent = root;
  for (size_t at = 0; at + kPageTokens <= tokens.size(); at += kPageTokens) {
    const uint64_t chain = this->chain(parent, tokens.data() + at);
    Node* node = keys.empty() ? lookup(chain, parent, tokens.data() + at) : nullptr;
    if (node != nullptr) touch(*node);
    else keys.push_back(key_of(chain, parent, tokens.data() + at));
    parent = chain;
  }
  keys.resize(disk_ == nullptr ? 0 : disk_->known(keys));
  return keys;
}

void PrefixCache::adopt(const PageKey& key, int page) {
  if (nodes_.contains(key.chain)) return pool_.release(page);  // it was computed meanwhile
  add(key, page, true);
}

void PrefixCache::spill(std::chrono::steady_clock::time_point deadline) {
  if (disk_ == nullptr) return;
  for (auto it = order_.rbegin(); it != order_.rend() && std::chrono::steady_clock::now() < deadline; ++it) {
    const Node& node = nodes_.at(*it);
    if (node.lasting) disk_->write_patiently(key_of(node.key, node.parent, node.tokens), pool_.page(node.page), deadline);
  }
}

int PrefixCache::evict(int wanted) {
  int given = 0;
  for (auto it = order_.begin(); it != order_.end() && given < wanted;) {
    Node& node = nodes_.at(*it);
    if (node.children > 0 || pool_.owners(node.page) > 1) {
      ++it;
      continue;
    }
    if (disk_ != nullptr && node.lasting) disk_->write(key_of(node.key, node.parent, node.tokens), pool_.page(node.page));
    pool_.release(node.page);
    ++given;
    uint64_t parent = node.parent;
    nodes_.erase(*it);
    it = order_.erase(it);
    if (auto above = nodes_.find(parent); above != nodes_.end() && above->second.children > 0) {
      --above->second.children;
      it = order_.begin();  // the page before may be free now, and is as old
    }
  }
  return given;
}

}  // namespace ajar::engine
