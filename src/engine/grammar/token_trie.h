#pragma once
// The texts of a vocabulary's tokens in order, so that an automaton reads what many begin with only once. Immutable; any thread.

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/grammar/automaton.h"
#include "engine/sampler.h"
#include "engine/tokenizer.h"

namespace ajar::engine {

class TokenTrie {
 public:
  // Of the ids below `vocabulary`, the size of the model's output. Control tokens are left out but for `marks` ("[TOOL_CALLS]"),
  // at most eleven, which a grammar writes as mark(): a byte from kMarks on, which stands in no UTF-8 text. So are tokens
  // above 255 bytes.
  static constexpr int kMarks = 0xF5;
  static std::shared_ptr<const TokenTrie> make(std::shared_ptr<const Tokenizer> tokenizer, size_t vocabulary,
                                               std::vector<std::string> marks = {});
  // How a grammar writes the mark: as its token, or as text where it is none.
  std::string mark(std::string_view text) const;

  // Allows the tokens of one length group whose bytes lead from `state` on. Stops early when that takes more than `budget` of
  // the automaton's work; what is allowed until then is right.
  void allow(Automaton& automaton, Automaton::State state, size_t group, uint64_t budget, TokenMask& mask) const;
  // The same for tokens of one byte; does not stop before something is allowed.
  void allow_bytes(Automaton& automaton, Automaton::State state, uint64_t budget, TokenMask& mask) const;
  // Groups are the automaton's horizons: tokens up to 8 bytes, up to 24, longer.
  static constexpr size_t kGroups = Automaton::kHorizons.size();

  const ByteSet& writable() const { return writable_; }  // bytes that are tokens of their own
  std::string_view text(int32_t token) const;            // empty: none, or a control token
  const std::vector<int32_t>& ends() const { return ends_; }
  size_t vocabulary() const { return vocabulary_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  // Tokens in whose text something stands behind the byte `last`.
  const std::vector<int32_t>& going_on_after(uint8_t last) const;

 private:
  struct Node {
    uint32_t skip;   // the node after all that begin like this one
    int32_t token;   // -1: no token ends here
    uint8_t byte, depth;
  };

  std::shared_ptr<const Tokenizer> tokenizer_;
  size_t vocabulary_ = 0;
  std::string texts_;
  std::vector<uint32_t> at_;  // of each id in texts_, and one more
  std::vector<Node> groups_[kGroups];
  std::unordered_multimap<int32_t, int32_t> twins_;  // of the token in the trie: others with the same bytes
  std::vector<std::pair<uint8_t, int32_t>> bytes_;
  std::vector<int32_t> ends_;
  ByteSet writable_;
  std::vector<std::pair<std::string, char>> marks_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<int, std::vector<int32_t>> going_on_;  // guarded by mutex_; entries never change
};

}  // namespace ajar::engine
