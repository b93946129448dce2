#include "engine/grammar/program.h"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace ajar::engine {
namespace {

using Node = Grammar::Node;
using Kind = Grammar::Kind;
using Op = Instruction::Kind;

class Compiler {
 public:
  Compiler(Grammar grammar, const ByteSet& writable) : grammar_(std::move(grammar)), writable_(writable) {}

  Result<Program> run(Grammar::Rule start) {
    if (grammar_.overflowed()) return too_large();
    find_productive();
    find_nullable();
    if (!productive_rules_[start]) return fail(Code::kInvalid, "no text that the model's vocabulary can write fits");
    code_.push_back({.kind = Op::kReturn});  // 0: what ends every rule
    rule_entry_.assign(grammar_.rules().size(), kUnset);
    Node whole = grammar_.call(start);
    update_facts();
    program_.start = emit(whole, 0);
    while (!todo_.empty()) {
      Grammar::Rule rule = todo_.back();
      todo_.pop_back();
      uint32_t entry = emit(grammar_.rules()[rule].body, 0);
      code_[rule_entry_[rule]] = {.kind = Op::kJump, .a = entry};
    }
    if (full_ || grammar_.overflowed()) return too_large();
    program_.code = std::move(code_);
    AJAR_TRY(check_recursion());
    classify();
    return std::move(program_);
  }

 private:
  static constexpr uint32_t kUnset = UINT32_MAX;

  static std::unexpected<Error> too_large() {
    return fail(Code::kTooLarge, "it needs more than " + std::to_string(Program::kMaxInstructions) + " instructions, or nests too deep");
  }

  // Facts of nodes hold once those of their rules do: repeat until no rule changes.
  void find_productive() {
    productive_rules_.assign(grammar_.rules().size(), false);
    for (bool changed = true; changed;) {
      changed = false;
      productive_.clear();
      update_productive();
      for (size_t r = 0; r < grammar_.rules().size(); ++r)
        if (!productive_rules_[r] && productive_[grammar_.rules()[r].body]) productive_rules_[r] = changed = true;
    }
  }
  void find_nullable() {
    nullable_rules_.assign(grammar_.rules().size(), false);
    for (bool changed = true; changed;) {
      changed = false;
      nullable_.clear();
      update_nullable();
      for (size_t r = 0; r < grammar_.rules().size(); ++r)
        if (!nullable_rules_[r] && nullable_[grammar_.rules()[r].body]) nullable_rules_[r] = changed = true;
    }
  }

  // What this very pass has found out about a rule already; saves most of the rounds.
  bool known(const std::vector<bool>& facts, Grammar::Rule rule, Node at) const {
    Node body = grammar_.rules()[rule].body;
    return body < at && facts[body];
  }
  // Children stand before their parents, so one pass over the new nodes is enough.
  void update_productive() {
    for (Node n = static_cast<Node>(productive_.size()); n < grammar_.size(); ++n) {
      const auto& item = grammar_.item(n);
      bool yes = true;
      switch (item.kind) {
        case Kind::kEmpty: break;
        case Kind::kLiteral: for (char c : grammar_.text(n)) yes = yes && writable_.test(static_cast<uint8_t>(c)); break;
        case Kind::kBytes: yes = (grammar_.set(n) & writable_).any(); break;
        case Kind::kSequence: for (Node part : grammar_.parts(n)) yes = yes && productive_[part]; break;
        case Kind::kChoice:
          yes = false;
          for (Node part : grammar_.parts(n)) yes = yes || productive_[part];
          break;
        case Kind::kRepeat: yes = item.least == 0 || productive_[item.a]; break;
        case Kind::kCall: yes = productive_rules_[item.a] || known(productive_, item.a, n); break;
      }
      productive_.push_back(yes);
    }
  }
  void update_nullable() {
    for (Node n = static_cast<Node>(nullable_.size()); n < grammar_.size(); ++n) {
      const auto& item = grammar_.item(n);
      bool yes = false;
      switch (item.kind) {
        case Kind::kEmpty: yes = true; break;
        case Kind::kLiteral: case Kind::kBytes: break;
        case Kind::kSequence:
          yes = true;
          for (Node part : grammar_.parts(n)) yes = yes && nullable_[part];
          break;
        case Kind::kChoice: for (Node part : grammar_.parts(n)) yes = yes || nullable_[part]; break;
        case Kind::kRepeat: yes = item.least == 0 || nullable_[item.a]; break;
        case Kind::kCall: yes = nullable_rules_[item.a] || known(nullable_, item.a, n); break;
      }
      nullable_.push_back(yes);
    }
  }
  void update_facts() { update_productive(), update_nullable(); }

  // The same texts but for the empty one. A repetition whose part may be empty would otherwise count without reading.
  Node without_empty(Node n) {
    if (!nullable_[n]) return n;
    if (auto known = without_empty_.find(n); known != without_empty_.end()) return known->second;
    const Grammar::Item item = grammar_.item(n);
    Node made = grammar_.nothing();
    switch (item.kind) {
      case Kind::kEmpty: case Kind::kLiteral: case Kind::kBytes: break;
      case Kind::kSequence: {
        std::vector<Node> parts = grammar_.parts(n), choices;
        for (size_t i = 0; i < parts.size(); ++i) {  // all parts are nullable: the first that is not empty
          std::vector<Node> rest(parts.begin() + static_cast<ptrdiff_t>(i), parts.end());
          rest[0] = without_empty(parts[i]);
          choices.push_back(grammar_.sequence(std::move(rest)));
        }
        made = grammar_.choice(std::move(choices));
        break;
      }
      case Kind::kChoice: {
        std::vector<Node> choices;
        for (Node part : grammar_.parts(n)) choices.push_back(without_empty(part));
        made = grammar_.choice(std::move(choices));
        break;
      }
      case Kind::kRepeat: made = grammar_.repeat(without_empty(item.a), 1, item.most); break;
      case Kind::kCall: {
        auto [known, fresh] = rule_without_empty_.try_emplace(item.a, 0);
        if (fresh) {
          Grammar::Rule rule = known->second = grammar_.declare(grammar_.rules()[item.a].name);
          rule_entry_.push_back(kUnset);
          productive_rules_.push_back(true), nullable_rules_.push_back(false);
          grammar_.define(rule, without_empty(grammar_.rules()[item.a].body));
          update_facts();
          // A rule that only ever was empty.
          productive_rules_[rule] = productive_[grammar_.rules()[rule].body];
        }
        made = grammar_.call(rule_without_empty_.at(item.a));
        break;
      }
    }
    update_facts();
    without_empty_[n] = made;
    return made;
  }

  uint32_t push(Instruction instruction) {
    if (code_.size() >= Program::kMaxInstructions) return full_ = true, 0;
    code_.push_back(instruction);
    return static_cast<uint32_t>(code_.size() - 1);
  }
  uint32_t byte(const ByteSet& set, uint32_t next) {
    auto [known, fresh] = set_ids_.try_emplace(set, static_cast<uint32_t>(program_.sets.size()));
    if (fresh) program_.sets.push_back(set);
    return push({.kind = Op::kByte, .a = known->second, .next = next});
  }

  // Where to begin so that the node is read and then what stands at `next`. Unproductive branches are left out.
  uint32_t emit(Node n, uint32_t next) {
    if (full_) return 0;
    const Grammar::Item item = grammar_.item(n);
    switch (item.kind) {
      case Kind::kEmpty: return next;
      case Kind::kLiteral: {
        const std::string text = grammar_.text(n);
        for (size_t i = text.size(); i-- > 0;) next = byte(ByteSet().set(static_cast<uint8_t>(text[i])), next);
        return next;
      }
      case Kind::kBytes: return byte(grammar_.set(n) & writable_, next);
      case Kind::kSequence: {
        auto parts = grammar_.parts(n);
        for (size_t i = parts.size(); i-- > 0;) next = emit(parts[i], next);
        return next;
      }
      case Kind::kChoice: {
        std::vector<uint32_t> to;
        for (Node part : grammar_.parts(n))
          if (productive_[part]) to.push_back(emit(part, next));
        if (to.size() == 1) return to[0];
        auto from = static_cast<uint32_t>(program_.targets.size());
        program_.targets.insert(program_.targets.end(), to.begin(), to.end());
        return push({.kind = Op::kSplit, .a = from, .b = static_cast<uint32_t>(program_.targets.size())});
      }
      case Kind::kRepeat: {
        if (!productive_[item.a]) return next;
        const int32_t least = nullable_[item.a] ? 0 : item.least;
        const Node part = without_empty(item.a);
        if (!productive_[part]) return next;
        if (least == 0 && item.most == 1) {
          uint32_t entry = emit(part, next);
          auto from = static_cast<uint32_t>(program_.targets.size());
          program_.targets.insert(program_.targets.end(), {entry, next});
          return push({.kind = Op::kSplit, .a = from, .b = from + 2});
        }
        uint32_t entry = emit(part, 0);
        return push({.kind = Op::kRepeat, .a = entry, .next = next, .least = least, .most = item.most});
      }
      case Kind::kCall: {
        if (rule_entry_[item.a] == kUnset) {
          rule_entry_[item.a] = push({.kind = Op::kJump});
          todo_.push_back(item.a);
        }
        // A call in last place needs no way back, so that lists written by recursion do not pile up.
        return next == 0 ? rule_entry_[item.a] : push({.kind = Op::kCall, .a = rule_entry_[item.a], .b = nullable_rules_[item.a], .next = next});
      }
    }
    return next;
  }

  // A way round that reads no byte would pile up calls without end.
  Status check_recursion() const {
    std::vector<uint8_t> colour(program_.code.size());
    std::vector<std::pair<uint32_t, uint32_t>> path;  // and the next edge
    auto edge = [&](uint32_t pc, uint32_t i) -> uint32_t {
      const Instruction& at = program_.code[pc];
      switch (at.kind) {
        case Op::kSplit: return at.a + i < at.b ? program_.targets[at.a + i] : kUnset;
        case Op::kJump: return i == 0 ? at.a : kUnset;
        case Op::kCall: return i == 0 ? at.a : i == 1 && at.b != 0 ? at.next : kUnset;
        case Op::kRepeat: return i == 0 ? at.a : i == 1 && at.least == 0 ? at.next : kUnset;
        case Op::kByte: case Op::kReturn: return kUnset;
      }
      return kUnset;
    };
    for (uint32_t root = 0; root < program_.code.size(); ++root) {
      if (colour[root] != 0) continue;
      path.assign(1, {root, 0});
      colour[root] = 1;
      while (!path.empty()) {
        auto& [pc, i] = path.back();
        uint32_t to = edge(pc, i++);
        if (to == kUnset) {
          colour[pc] = 2;
          path.pop_back();
        } else if (colour[to] == 1) {
          for (size_t r = 0; r < rule_entry_.size(); ++r)
            for (auto [on, unused] : path)
              if (rule_entry_[r] == on && (colour[on] == 1)) return fail(Code::kInvalid, "'" + grammar_.rules()[r].name + "' begins with itself (left recursion)");
          return fail(Code::kInvalid, "a rule begins with itself (left recursion)");
        } else if (colour[to] == 0) {
          colour[to] = 1;
          path.emplace_back(to, 0);
        }
      }
    }
    return {};
  }

  void classify() {
    std::map<std::vector<bool>, int> known;
    for (size_t b = 0; b < 256; ++b) {
      std::vector<bool> in(program_.sets.size());
      for (size_t s = 0; s < program_.sets.size(); ++s) in[s] = program_.sets[s].test(b);
      program_.byte_class[b] = static_cast<uint8_t>(known.try_emplace(std::move(in), static_cast<int>(known.size())).first->second);
    }
    program_.classes = static_cast<int>(known.size());
    program_.class_sets.resize(program_.sets.size());
    for (size_t s = 0; s < program_.sets.size(); ++s)
      for (size_t b = 0; b < 256; ++b)
        if (program_.sets[s].test(b)) program_.class_sets[s][program_.byte_class[b] / 64] |= uint64_t{1} << program_.byte_class[b] % 64;
  }

  Grammar grammar_;  // a copy: rules are added
  const ByteSet writable_;
  std::vector<bool> productive_, nullable_, productive_rules_, nullable_rules_;
  std::map<Node, Node> without_empty_;
  std::map<Grammar::Rule, Grammar::Rule> rule_without_empty_;
  std::vector<uint32_t> rule_entry_;
  std::vector<Grammar::Rule> todo_;
  std::unordered_map<ByteSet, uint32_t> set_ids_;
  std::vector<Instruction> code_;
  Program program_;
  bool full_ = false;
};

}  // namespace

Result<Program> Program::compile(const Grammar& grammar, Grammar::Rule start, const ByteSet& writable) {
  return Compiler(grammar, writable).run(start);
}

}  // namespace ajar::engine
