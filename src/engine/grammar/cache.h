#pragma once
// The compiled grammars of one model, so that requests that repeat a schema share its work and its masks.

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "engine/grammar/compile.h"

namespace ajar::engine {

class GrammarCache {
 public:
  static constexpr size_t kMost = 16;  // with their masks at most some 80 MiB

  // `make` is only called where no grammar of this key is known; not under the lock. Errors are not kept. Any thread.
  Compiled get(const std::string& key, const std::function<Compiled()>& make);

  // The model's vocabulary, made once; `make` as above, under the lock.
  std::shared_ptr<const TokenTrie> trie(const std::function<std::shared_ptr<const TokenTrie>()>& make);

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const CompiledGrammar> grammar;
  };
  std::mutex mutex_;
  std::list<Entry> entries_;               // guarded by mutex_, the last used first
  std::shared_ptr<const TokenTrie> trie_;  // guarded by mutex_
};

}  // namespace ajar::engine
