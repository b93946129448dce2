#include "engine/prefix_cache.h"

#include <cstring>

namespace ajar::engine {

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

void PrefixCache::insert(uint64_t root, std::span<const int32_t> tokens, std::span<const int> pages) {
  uint64_t parent = root;
  for (size_t at = 0, p = 0; at + kPageTokens <= tokens.size() && p < pages.size(); at += kPageTokens, ++p) {
    uint64_t key = chain(parent, tokens.data() + at);
    if (Node* known = lookup(key, parent, tokens.data() + at)) {
      touch(*known);
    } else {
      if (nodes_.contains(key)) return;  // two beginnings with one hash: the first stays
      Node& node = nodes_[key];
      node.key = key, node.parent = parent, node.page = pages[p];
      std::memcpy(node.tokens, tokens.data() + at, sizeof(node.tokens));
      node.used = order_.insert(order_.end(), key);
      if (auto above = nodes_.find(parent); above != nodes_.end()) ++above->second.children;
      pool_.share(pages[p]);
    }
    parent = key;
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
    pool_.release(node.page);
    ++given;
    uint64_t parent = node.parent;
    nodes_.erase(*it);
    it = order_.erase(it);
    if (auto above = nodes_.find(parent); above != nodes_.end()) {
      --above->second.children;
      it = order_.begin();  // the page before may be free now, and is as old
    }
  }
  return given;
}

}  // namespace ajar::engine
