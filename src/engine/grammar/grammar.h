#pragma once
// A context-free grammar over bytes as the front ends (JSON Schema, regular expressions, GBNF) build it. Nodes are shared
// and immutable; only rules refer to what is defined later. Repetitions keep their counts, nothing is written out.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/grammar/char_class.h"

namespace ajar::engine {

class Grammar {
 public:
  using Node = uint32_t;
  using Rule = uint32_t;
  static constexpr int32_t kNoMaximum = -1;
  static constexpr size_t kMaxNodes = 1'000'000;  // then overflowed(): what is built further means nothing
  static constexpr uint32_t kMaxDepth = 4000;     // of nodes within nodes, rules aside

  Grammar();

  Node empty() const { return 0; }    // the empty text
  Node nothing() const { return 1; }  // no text at all
  Node literal(std::string_view text);
  Node bytes(const ByteSet& set);
  Node chars(const CharClass& chars);  // one character of it in UTF-8
  Node sequence(std::vector<Node> parts);
  Node choice(std::vector<Node> parts);
  // One of the texts. Common beginnings are joined, so that a long list costs no more at run time than its first bytes.
  Node literals(std::vector<std::string> texts);
  Node repeat(Node part, int32_t least, int32_t most);  // most may be kNoMaximum
  Node optional(Node part) { return repeat(part, 0, 1); }

  Rule declare(std::string name);
  void define(Rule rule, Node body) { rules_[rule].body = body; }
  Node call(Rule rule);
  Node rule(std::string name, Node body) {  // a body that is used in many places
    Rule made = declare(std::move(name));
    define(made, body);
    return call(made);
  }

  enum class Kind : uint8_t { kEmpty, kLiteral, kBytes, kSequence, kChoice, kRepeat, kCall };
  struct Item {
    Kind kind;
    uint32_t a = 0, b = 0;  // children_[a, b), or literals_[a], sets_[a], rule a, repeated node a
    int32_t least = 0, most = 0;
    uint32_t depth = 0;
  };
  struct RuleItem {
    std::string name;
    Node body = 1;
  };
  const Item& item(Node node) const { return items_[node]; }
  std::vector<Node> parts(Node node) const { return {children_.begin() + items_[node].a, children_.begin() + items_[node].b}; }
  const std::string& text(Node node) const { return literals_[items_[node].a]; }
  const ByteSet& set(Node node) const { return sets_[items_[node].a]; }
  const std::vector<RuleItem>& rules() const { return rules_; }
  size_t size() const { return items_.size(); }
  bool overflowed() const { return overflowed_; }

 private:
  Node add(Item item);
  Node list(Kind kind, std::vector<Node> parts);
  Node radix(std::span<const std::string> texts, size_t from);

  std::vector<Item> items_;
  std::vector<Node> children_;
  std::vector<std::string> literals_;
  std::vector<ByteSet> sets_;
  std::vector<RuleItem> rules_;
  std::map<CharClass, Node> classes_;
  bool overflowed_ = false;
};

}  // namespace ajar::engine
