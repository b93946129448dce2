#include "engine/grammar/constraint.h"

#include <algorithm>

namespace ajar::engine {

GrammarConstraint::GrammarConstraint(std::shared_ptr<const CompiledGrammar> grammar, const ThoughtMarks& thought)
    : grammar_(std::move(grammar)), thought_(thought), automaton_(grammar_->program()), state_(automaton_.start()) {
  if (thought_.end.empty()) return;
  const TokenTrie& trie = grammar_->trie();
  const int32_t begin = thought_.begin.empty() ? -1 : trie.tokenizer().find(thought_.begin);
  if (begin >= 0 && (trie.tokenizer().is_control(begin) || trie.text(begin) == thought_.begin)) begin_token_ = begin;
  thinking_ = thought_.open;
}

size_t GrammarConstraint::match(size_t matched, std::string_view text, size_t& completed) const {
  const std::string& mark = thought_.end;
  completed = std::string_view::npos;
  for (size_t i = 0; i < text.size(); ++i) {
    // Marks are short: fall back by trying.
    while (matched > 0 && mark[matched] != text[i]) {
      size_t shorter = matched - 1;
      while (shorter > 0 && mark.compare(0, shorter, mark, matched - shorter, shorter) != 0) --shorter;
      matched = shorter;
    }
    if (mark[matched] == text[i]) ++matched;
    if (matched == mark.size()) return completed = i + 1, matched;
  }
  return matched;
}

void GrammarConstraint::allow(TokenMask& mask) {
  const TokenTrie& trie = grammar_->trie();
  if (thinking_) {
    for (auto& word : mask.words()) word = ~uint64_t{0};
    for (size_t i = mask.size(); i < mask.words().size() * 64; ++i) mask.words()[i / 64] &= ~(uint64_t{1} << i % 64);
    auto forbid = [&](int32_t id) {
      if (static_cast<size_t>(id) < mask.size()) mask.words()[static_cast<size_t>(id) / 64] &= ~(uint64_t{1} << id % 64);
    };
    if (!thought_.may_end)
      for (int32_t id : trie.ends()) forbid(id);
    // A token may end the thought and begin the answer, which then has to fit.
    for (int32_t id : trie.going_on_after(static_cast<uint8_t>(thought_.end.back()))) {
      std::string_view text = trie.text(id);
      size_t completed;
      match(matched_, text, completed);
      if (completed == std::string_view::npos) continue;
      Automaton::State state = automaton_.start();
      for (char c : text.substr(completed))
        if (state != Automaton::kDead) state = automaton_.next(state, static_cast<uint8_t>(c));
      if (state == Automaton::kDead) forbid(id);
    }
    return;
  }
  grammar_->allow(automaton_, state_, mask);
  if (at_start_ && begin_token_ >= 0 && static_cast<size_t>(begin_token_) < mask.size()) mask.allow(begin_token_);
  if (std::ranges::all_of(mask.words(), [](uint64_t word) { return word == 0; })) {
    // Only where the text is over and the vocabulary has no token to say so.
    lost_ = true;
    mask.allow(0);
  }
}

bool GrammarConstraint::read(std::string_view text) {
  for (char c : text) {
    state_ = automaton_.next(state_, static_cast<uint8_t>(c));
    if (state_ == Automaton::kDead) return false;
  }
  return true;
}

bool GrammarConstraint::accept(int32_t token) {
  const TokenTrie& trie = grammar_->trie();
  if (lost_ || state_ == Automaton::kDead) return false;
  std::string_view text = trie.text(token);
  if (thinking_) {
    const bool control = trie.tokenizer().is_control(token);
    if (control) text = trie.tokenizer().piece(token);
    size_t completed;
    matched_ = match(matched_, text, completed);
    if (completed == std::string_view::npos) return !std::ranges::binary_search(trie.ends(), token);
    thinking_ = at_start_ = false;
    return read(text.substr(completed));
  }
  if (at_start_ && token == begin_token_ && token >= 0) return thinking_ = true;
  at_start_ = false;
  if (text.empty() || !read(text)) return state_ = Automaton::kDead, false;
  if (automaton_.large()) state_ = automaton_.compact(state_);
  return true;
}

void GrammarConstraint::forced(std::vector<int32_t>& tokens) {
  if (thinking_ || at_start_ || lost_ || state_ == Automaton::kDead) return;
  static constexpr size_t kMost = 256;
  std::string text;
  Automaton::State state = state_;
  while (text.size() < kMost) {
    int byte = automaton_.only_byte(state);
    if (byte < 0 || byte >= TokenTrie::kMarks) break;
    text.push_back(static_cast<char>(byte));
    state = automaton_.next(state, static_cast<uint8_t>(byte));
  }
  if (text.size() < 2) return;
  // What the last token would have been depends on the bytes that follow, so it is left to the model.
  const TokenTrie& trie = grammar_->trie();
  std::vector<int32_t> ids;
  trie.tokenizer().encode(text, ids);
  if (ids.size() < 2) return;
  std::string_view rest = text;
  for (int32_t id : ids) {
    std::string_view piece = trie.text(id);
    if (piece.empty() || !rest.starts_with(piece)) return;  // the tokenizer adds a space, or changes the text
    rest.remove_prefix(piece.size());
  }
  if (rest.empty()) tokens.insert(tokens.end(), ids.begin(), ids.end() - 1);
}

bool GrammarConstraint::finished() const {
  return !thinking_ && !lost_ && state_ != Automaton::kDead && automaton_.may_end(state_) && !automaton_.may_go_on(state_);
}

}  // namespace ajar::engine
