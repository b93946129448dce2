#include "engine/grammar/cache.h"

#include <algorithm>

namespace ajar::engine {

Compiled GrammarCache::get(const std::string& key, const std::function<Compiled()>& make) {
  auto look = [&]() -> std::shared_ptr<const CompiledGrammar> {
    auto at = std::ranges::find(entries_, key, &Entry::key);
    if (at == entries_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, at);
    return at->grammar;
  };
  {
    std::lock_guard lock(mutex_);
    if (auto known = look()) return known;
  }
  AJAR_ASSIGN(auto made, make());
  std::lock_guard lock(mutex_);
  if (auto known = look()) return known;
  entries_.push_front({key, made});
  if (entries_.size() > kMost) entries_.pop_back();
  return made;
}

std::shared_ptr<const TokenTrie> GrammarCache::trie(const std::function<std::shared_ptr<const TokenTrie>()>& make) {
  std::lock_guard lock(mutex_);
  if (!trie_) trie_ = make();
  return trie_;
}

}  // namespace ajar::engine
