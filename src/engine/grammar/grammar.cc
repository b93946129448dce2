#include "engine/grammar/grammar.h"

#include <algorithm>
#include <span>

namespace ajar::engine {

Grammar::Grammar() {
  items_.push_back({.kind = Kind::kEmpty});
  items_.push_back({.kind = Kind::kChoice});  // of nothing
}

Grammar::Node Grammar::add(Item item) {
  if (items_.size() >= kMaxNodes || children_.size() >= 4 * kMaxNodes || item.depth > kMaxDepth) {
    overflowed_ = true;
    return nothing();
  }
  items_.push_back(item);
  return static_cast<Node>(items_.size() - 1);
}

Grammar::Node Grammar::literal(std::string_view text) {
  if (text.empty()) return empty();
  literals_.emplace_back(text);
  return add({.kind = Kind::kLiteral, .a = static_cast<uint32_t>(literals_.size() - 1)});
}

Grammar::Node Grammar::bytes(const ByteSet& set) {
  if (set.none()) return nothing();
  sets_.push_back(set);
  return add({.kind = Kind::kBytes, .a = static_cast<uint32_t>(sets_.size() - 1)});
}

Grammar::Node Grammar::chars(const CharClass& chars) {
  if (auto known = classes_.find(chars); known != classes_.end()) return known->second;
  ByteSet single;
  std::vector<Node> choices;
  for (const Utf8Piece& piece : utf8_pieces(chars)) {
    std::vector<Node> parts;
    for (int i = 0; i < piece.length; ++i) {
      auto [from, to] = piece.bytes[static_cast<size_t>(i)];
      ByteSet set;
      for (int b = from; b <= to; ++b) set.set(static_cast<size_t>(b));
      if (piece.length == 1) single |= set;
      else parts.push_back(bytes(set));
    }
    if (!parts.empty()) choices.push_back(sequence(std::move(parts)));
  }
  if (single.any()) choices.push_back(bytes(single));
  Node made = choice(std::move(choices));
  classes_.emplace(chars, made);
  return made;
}

Grammar::Node Grammar::list(Kind kind, std::vector<Node> parts) {
  uint32_t depth = 0;
  for (Node part : parts) depth = std::max(depth, items_[part].depth);
  auto from = static_cast<uint32_t>(children_.size());
  children_.insert(children_.end(), parts.begin(), parts.end());
  return add({.kind = kind, .a = from, .b = static_cast<uint32_t>(children_.size()), .depth = depth + 1});
}

Grammar::Node Grammar::sequence(std::vector<Node> parts) {
  if (std::ranges::find(parts, nothing()) != parts.end()) return nothing();
  std::erase(parts, empty());
  if (parts.empty()) return empty();
  return parts.size() == 1 ? parts[0] : list(Kind::kSequence, std::move(parts));
}

Grammar::Node Grammar::choice(std::vector<Node> parts) {
  std::erase(parts, nothing());
  std::ranges::sort(parts);
  parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
  if (parts.empty()) return nothing();
  return parts.size() == 1 ? parts[0] : list(Kind::kChoice, std::move(parts));
}

Grammar::Node Grammar::literals(std::vector<std::string> texts) {
  std::ranges::sort(texts);
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  return texts.empty() ? nothing() : radix(texts, 0);
}

// Sorted texts that are equal up to `from`.
Grammar::Node Grammar::radix(std::span<const std::string> texts, size_t from) {
  if (texts.size() == 1) return literal(std::string_view(texts[0]).substr(from));
  if (overflowed_) return nothing();
  size_t same = from;  // sorted, so what the first and the last share, all share
  while (same < texts.front().size() && same < texts.back().size() && texts.front()[same] == texts.back()[same]) ++same;
  std::vector<Node> choices;
  for (size_t i = 0; i < texts.size();) {
    if (texts[i].size() == same) {
      choices.push_back(empty());
      ++i;
      continue;
    }
    size_t end = i + 1;
    while (end < texts.size() && texts[end][same] == texts[i][same]) ++end;
    choices.push_back(radix(texts.subspan(i, end - i), same));
    i = end;
  }
  return sequence({literal(std::string_view(texts[0]).substr(from, same - from)), choice(std::move(choices))});
}

Grammar::Node Grammar::repeat(Node part, int32_t least, int32_t most) {
  if (most == 0 || part == empty()) return empty();
  if (part == nothing()) return least == 0 ? empty() : nothing();
  if (least == 1 && most == 1) return part;
  return add({.kind = Kind::kRepeat, .a = part, .least = least, .most = most, .depth = items_[part].depth + 1});
}

Grammar::Rule Grammar::declare(std::string name) {
  rules_.push_back({.name = std::move(name)});
  return static_cast<Rule>(rules_.size() - 1);
}

Grammar::Node Grammar::call(Rule rule) { return add({.kind = Kind::kCall, .a = rule}); }

}  // namespace ajar::engine
