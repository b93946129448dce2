#pragma once
// A grammar over one vocabulary, shared by the replies that follow it, with the masks of the states they came by.

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "engine/grammar/automaton.h"
#include "engine/grammar/grammar.h"
#include "engine/grammar/token_trie.h"

namespace ajar::engine {

// Immutable but for its cache of masks, which has a lock of its own. Any thread.
class CompiledGrammar {
 public:
  static constexpr size_t kCacheBytes = 4 << 20;
  static constexpr uint64_t kMaskWork = 50'000;  // instructions per length group; some milliseconds

  // The texts of `whole`. `leading_space`: up to three spaces and line ends may stand before it. Errors: see Program::compile.
  static Result<std::shared_ptr<const CompiledGrammar>> make(Grammar grammar, Grammar::Node whole, std::shared_ptr<const TokenTrie> trie,
                                                             bool leading_space = false);

  // Adds to `mask` every token that may come in `state`, the ones that end a reply where the text may end. `state` stays.
  void allow(Automaton& automaton, Automaton::State state, TokenMask& mask) const;

  const std::shared_ptr<const Program>& program() const { return program_; }
  const TokenTrie& trie() const { return *trie_; }

 private:
  struct Key {
    Automaton::Key state;
    size_t group;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const { return key.state.a ^ key.group; }
  };
  struct Entry {
    Key key;
    std::vector<uint64_t> bits;
  };

  std::shared_ptr<const Program> program_;
  std::shared_ptr<const TokenTrie> trie_;
  mutable std::mutex mutex_;
  mutable std::list<Entry> masks_;  // guarded by mutex_, the last used first
  mutable std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> found_;  // guarded by mutex_
};

}  // namespace ajar::engine
