#include "engine/grammar/gbnf.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace ajar::engine {
namespace {

using Node = Grammar::Node;

constexpr int kMaxNesting = 200;
constexpr int32_t kMaxCount = 100'000;

class Reader {
 public:
  Reader(Grammar& grammar, std::string_view text) : g_(grammar), text_(text) {}

  Result<Node> run() {
    for (skip(true); at_ < text_.size(); skip(true)) AJAR_TRY(rule());
    for (const auto& [name, known] : rules_)
      if (!known.defined) return fail(Code::kInvalid, "GBNF: the rule '" + name + "' is used but not defined");
    auto root = rules_.find("root");
    if (root == rules_.end()) return fail(Code::kInvalid, "GBNF: there is no rule 'root'");
    return g_.call(root->second.rule);
  }

 private:
  struct Known {
    Grammar::Rule rule;
    bool defined = false;
  };

  std::unexpected<Error> error(std::string_view what, Code code = Code::kInvalid) const {
    const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<ptrdiff_t>(std::min(at_, text_.size())), '\n');
    return fail(code, "GBNF, line " + std::to_string(line) + ": " + std::string(what));
  }
  bool more() const { return at_ < text_.size(); }
  bool take(std::string_view what) {
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }
  // Blanks and comments; line ends too where the rule goes on in any case.
  void skip(bool lines) {
    while (more()) {
      const char c = text_[at_];
      if (c == '#') at_ = std::min(text_.find('\n', at_), text_.size());
      else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) ++at_;
      else break;
    }
  }
  std::string_view name() {
    const size_t from = at_;
    while (more() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '-' || text_[at_] == '_')) ++at_;
    return text_.substr(from, at_ - from);
  }
  Known& known(std::string_view name) {
    auto at = rules_.find(name);
    if (at == rules_.end()) at = rules_.emplace(std::string(name), Known{g_.declare(std::string(name))}).first;
    return at->second;
  }

  Status rule() {
    const std::string_view called = name();
    if (called.empty()) return error("the name of a rule is missing");
    skip(false);
    if (!take("::=")) return error("'::=' is missing after '" + std::string(called) + "'");
    skip(true);
    Known& rule = known(called);
    if (rule.defined) return error("the rule '" + std::string(called) + "' is defined twice");
    rule.defined = true;
    AJAR_ASSIGN(const Node body, alternatives(0));
    g_.define(rule.rule, body);
    if (more() && text_[at_] != '\n' && text_[at_] != '\r') return error("unexpected '" + std::string(1, text_[at_]) + "'");
    return {};
  }

  Result<Node> alternatives(int depth) {
    if (depth > kMaxNesting) return error("more than 200 groups within groups", Code::kTooLarge);
    std::vector<Node> choices;
    do {
      skip(true);
      AJAR_ASSIGN(const Node one, sequence(depth));
      choices.push_back(one);
      // An alternative may stand on the next line.
      const size_t before = at_;
      skip(true);
      if (more() && text_[at_] != '|' && depth == 0) at_ = before;
    } while (take("|"));
    return g_.choice(std::move(choices));
  }

  Result<Node> sequence(int depth) {
    std::vector<Node> parts;
    for (;; skip(depth > 0)) {
      if (!more() || text_[at_] == '|' || text_[at_] == ')' || text_[at_] == '\n' || text_[at_] == '\r') break;
      AJAR_ASSIGN(Node part, item(depth));
      AJAR_ASSIGN(part, repeated(part));
      parts.push_back(part);
    }
    return g_.sequence(std::move(parts));
  }

  Result<Node> item(int depth) {
    if (take("(")) {
      AJAR_ASSIGN(const Node inside, alternatives(depth + 1));
      skip(true);
      if (!take(")")) return error("'(' without ')'");
      return inside;
    }
    if (take("\"")) {
      std::string text;
      while (!take("\"")) {
        if (!more() || text_[at_] == '\n') return error("a literal without end");
        AJAR_ASSIGN(const uint32_t c, character());
        append_utf8(text, c);
      }
      return g_.literal(text);
    }
    if (take("[")) {
      const bool negated = take("^");
      CharClass chars;
      while (!take("]")) {
        if (!more()) return error("'[' without ']'");
        AJAR_ASSIGN(const uint32_t from, character());
        uint32_t to = from;
        if (at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
          ++at_;
          AJAR_ASSIGN(to, character());
          if (to < from) return error("a range that is the wrong way round");
        }
        chars.add(from, to);
      }
      return g_.chars(negated ? chars.complement() : chars);
    }
    if (take(".")) return g_.chars(CharClass::any());
    const std::string_view called = name();
    if (called.empty()) return error("unexpected '" + std::string(1, text_[at_]) + "'");
    return g_.call(known(called).rule);
  }

  Result<Node> repeated(Node part) {
    while (more()) {
      int32_t least = 0, most = Grammar::kNoMaximum;
      if (take("*")) {
      } else if (take("+")) {
        least = 1;
      } else if (take("?")) {
        most = 1;
      } else if (take("{")) {
        auto number = [&](int32_t& out) {
          const size_t from = at_;
          for (out = 0; more() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) out = std::min(kMaxCount + 1, out * 10 + (text_[at_] - '0'));
          return at_ > from;
        };
        skip(true);
        if (!number(least)) return error("a number is missing after '{'");
        most = least;
        skip(true);
        if (take(",")) {
          skip(true);
          if (!number(most)) most = Grammar::kNoMaximum;
        }
        skip(true);
        if (!take("}")) return error("'{' without '}'");
        if (least > kMaxCount || most > kMaxCount) return error("a count above 100000", Code::kTooLarge);
        if (most >= 0 && least > most) return error("the counts are the wrong way round");
      } else {
        break;
      }
      part = g_.repeat(part, least, most);
    }
    return part;
  }

  // One character, or an escape.
  Result<uint32_t> character() {
    if (!take("\\")) {
      uint32_t c;
      if (!read_utf8(text_, at_, c)) return error("not UTF-8");
      return c;
    }
    if (!more()) return error("a '\\' at the end");
    const char c = text_[at_++];
    switch (c) {
      case 'n': return '\n';
      case 'r': return '\r';
      case 't': return '\t';
      case '\\': case '"': case '[': case ']': case '^': case '-': return static_cast<uint32_t>(c);
      case 'x': return hex(2);
      case 'u': return hex(4);
      case 'U': return hex(8);
      default: return error("the escape \\" + std::string(1, c) + " is not known");
    }
  }
  Result<uint32_t> hex(int digits) {
    uint32_t value = 0;
    for (int i = 0; i < digits; ++i, ++at_) {
      const char c = more() ? text_[at_] : ' ';
      const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
      if (digit < 0) return error("hexadecimal digits are missing");
      value = value * 16 + static_cast<uint32_t>(digit);
    }
    if (value > CharClass::kLast || (value >= 0xD800 && value <= 0xDFFF)) return error("no character has this number");
    return value;
  }

  Grammar& g_;
  const std::string_view text_;
  size_t at_ = 0;
  std::map<std::string, Known, std::less<>> rules_;
};

}  // namespace

Result<Grammar::Node> add_gbnf(Grammar& grammar, std::string_view text) {
  if (text.size() > kMaxGbnfBytes) return fail(Code::kTooLarge, "GBNF above 512 KiB");
  return Reader(grammar, text).run();
}

}  // namespace ajar::engine
