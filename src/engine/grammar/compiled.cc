#include "engine/grammar/compiled.h"

#include <algorithm>

namespace ajar::engine {

Result<std::shared_ptr<const CompiledGrammar>> CompiledGrammar::make(Grammar grammar, Grammar::Node whole, std::shared_ptr<const TokenTrie> trie,
                                                                     bool leading_space) {
  if (leading_space) whole = grammar.sequence({grammar.repeat(grammar.chars({{' ', ' '}, {'\n', '\n'}}), 0, 3), whole});
  Grammar::Rule start = grammar.declare("the whole");
  grammar.define(start, whole);
  AJAR_ASSIGN(Program program, Program::compile(grammar, start, trie->writable()));
  auto made = std::make_shared<CompiledGrammar>();
  made->program_ = std::make_shared<const Program>(std::move(program));
  made->trie_ = std::move(trie);
  return made;
}

void CompiledGrammar::allow(Automaton& automaton, Automaton::State state, TokenMask& mask) const {
  auto add = [&](std::span<const uint64_t> bits) {
    auto words = mask.words();
    for (size_t i = 0; i < words.size() && i < bits.size(); ++i) words[i] |= bits[i];
  };
  for (size_t group = 0; group < TokenTrie::kGroups; ++group) {
    const Key key{automaton.key(state, group), group};
    {
      std::lock_guard lock(mutex_);
      if (auto known = found_.find(key); known != found_.end()) {
        masks_.splice(masks_.begin(), masks_, known->second);
        add(known->second->bits);
        continue;
      }
    }
    TokenMask part(trie_->vocabulary());
    if (group == 0) trie_->allow_bytes(automaton, state, kMaskWork, part);
    trie_->allow(automaton, state, group, kMaskWork, part);
    add(part.words());
    std::lock_guard lock(mutex_);
    if (found_.contains(key)) continue;
    masks_.push_front({key, {part.words().begin(), part.words().end()}});
    found_.emplace(key, masks_.begin());
    while (masks_.size() * part.words().size_bytes() > kCacheBytes && masks_.size() > 8) {
      found_.erase(masks_.back().key);
      masks_.pop_back();
    }
  }
  if (automaton.may_end(state))
    for (int32_t id : trie_->ends())
      if (static_cast<size_t>(id) < mask.size()) mask.allow(id);
}

}  // namespace ajar::engine
