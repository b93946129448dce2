#include "engine/grammar/token_trie.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace ajar::engine {

std::shared_ptr<const TokenTrie> TokenTrie::make(std::shared_ptr<const Tokenizer> tokenizer, size_t vocabulary, std::vector<std::string> marks) {
  auto trie = std::make_shared<TokenTrie>();
  trie->tokenizer_ = std::move(tokenizer);
  const Tokenizer& t = *trie->tokenizer_;
  trie->vocabulary_ = vocabulary;
  const size_t count = std::min(t.size(), vocabulary);
  std::vector<int32_t> ids[kGroups];
  std::string text;
  std::unordered_map<int32_t, char> mark_bytes;
  for (const std::string& mark : marks) {
    int32_t id = mark.empty() ? -1 : t.find(mark);
    if (id < 0 || !t.is_control(id) || t.special().ends_generation(id) || trie->marks_.size() >= 256 - kMarks) continue;
    auto byte = static_cast<char>(kMarks + static_cast<int>(trie->marks_.size()));
    if (mark_bytes.emplace(id, byte).second) trie->marks_.emplace_back(mark, byte);
  }
  for (size_t i = 0; i < count; ++i) {
    trie->at_.push_back(static_cast<uint32_t>(trie->texts_.size()));
    const auto id = static_cast<int32_t>(i);
    if (t.special().ends_generation(id)) {
      trie->ends_.push_back(id);
      continue;
    }
    text.clear();
    if (auto mark = mark_bytes.find(id); mark != mark_bytes.end()) {
      text = mark->second;
    } else {
      if (t.is_control(id)) continue;
      t.append_bytes(id, text);
      if (std::ranges::any_of(text, [](char c) { return static_cast<uint8_t>(c) >= kMarks; })) continue;
    }
    if (text.empty() || text.size() > 255) continue;
    trie->texts_ += text;
    size_t group = 0;
    while (text.size() > static_cast<size_t>(Automaton::kHorizons[group])) ++group;
    ids[group].push_back(id);
    if (text.size() == 1) {
      trie->bytes_.emplace_back(static_cast<uint8_t>(text[0]), id);
      trie->writable_.set(static_cast<uint8_t>(text[0]));
    }
  }
  trie->at_.push_back(static_cast<uint32_t>(trie->texts_.size()));
  for (size_t g = 0; g < kGroups; ++g) {
    // Stable, so that the first of several equal tokens is the one in the trie.
    std::ranges::stable_sort(ids[g], {}, [&](int32_t id) { return trie->text(id); });
    auto& nodes = trie->groups_[g];
    std::vector<uint32_t> open;  // nodes of the last text
    std::string_view last;
    for (int32_t id : ids[g]) {
      std::string_view now = trie->text(id);
      if (now == last) {
        trie->twins_.emplace(nodes.back().token, id);
        continue;
      }
      size_t same = 0;
      while (same < last.size() && same < now.size() && last[same] == now[same]) ++same;
      for (; open.size() > same; open.pop_back()) nodes[open.back()].skip = static_cast<uint32_t>(nodes.size());
      for (size_t i = same; i < now.size(); ++i) {
        open.push_back(static_cast<uint32_t>(nodes.size()));
        nodes.push_back({.skip = 0, .token = -1, .byte = static_cast<uint8_t>(now[i]), .depth = static_cast<uint8_t>(i)});
      }
      nodes.back().token = id;
      last = now;
    }
    for (uint32_t node : open) nodes[node].skip = static_cast<uint32_t>(nodes.size());
  }
  return trie;
}

std::string TokenTrie::mark(std::string_view text) const {
  for (const auto& [mark, byte] : marks_)
    if (mark == text) return std::string(1, byte);
  return std::string(text);
}

std::string_view TokenTrie::text(int32_t token) const {
  const auto i = static_cast<size_t>(token);
  if (token < 0 || i + 1 >= at_.size()) return {};
  return std::string_view(texts_).substr(at_[i], at_[i + 1] - at_[i]);
}

void TokenTrie::allow(Automaton& automaton, Automaton::State state, size_t group, uint64_t budget, TokenMask& mask) const {
  const auto& nodes = groups_[group];
  std::array<Automaton::State, 257> states;
  states[0] = state;
  const uint64_t until = automaton.work() + budget;
  for (size_t i = 0; i < nodes.size();) {
    const Node& node = nodes[i];
    const Automaton::State to = automaton.next(states[node.depth], node.byte);
    if (to == Automaton::kDead) {
      i = node.skip;
      continue;
    }
    states[node.depth + 1u] = to;
    if (node.token >= 0) {
      mask.allow(node.token);
      if (!twins_.empty())
        for (auto [at, end] = twins_.equal_range(node.token); at != end; ++at) mask.allow(at->second);
    }
    if (automaton.work() > until) return;
    ++i;
  }
}

void TokenTrie::allow_bytes(Automaton& automaton, Automaton::State state, uint64_t budget, TokenMask& mask) const {
  const uint64_t until = automaton.work() + budget;
  bool any = false;
  for (auto [byte, id] : bytes_) {
    if (any && automaton.work() > until) return;
    if (automaton.next(state, byte) != Automaton::kDead) mask.allow(id), any = true;
  }
}

const std::vector<int32_t>& TokenTrie::going_on_after(uint8_t last) const {
  std::lock_guard lock(mutex_);
  auto [known, fresh] = going_on_.try_emplace(last);
  if (fresh) {
    for (size_t i = 0; i + 1 < at_.size(); ++i) {
      auto text = this->text(static_cast<int32_t>(i));
      size_t at = text.find(static_cast<char>(last));
      if (at != text.npos && at + 1 < text.size()) known->second.push_back(static_cast<int32_t>(i));
    }
  }
  return known->second;
}

}  // namespace ajar::engine
