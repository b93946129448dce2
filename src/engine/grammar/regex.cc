#include "engine/grammar/regex.h"

#include <algorithm>

namespace ajar::engine {
namespace {

using Node = Grammar::Node;

constexpr int kMaxNesting = 100;
constexpr int kMaxCount = 100'000;

const CharClass kDigit{{'0', '9'}}, kWord{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}, kSpace{{'\t', '\r'}, {' ', ' '}};
// What some dialects count as such: left out of the negations.
const CharClass kWideSpace{{'\t', '\r'}, {' ', ' '}, {0x85, 0x85}, {0xA0, 0xA0}, {0x1680, 0x1680}, {0x2000, 0x200A},
                           {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};

class Reader {
 public:
  Reader(Grammar& grammar, std::string_view text, const RegexForm& form) : g_(grammar), text_(text), form_(form) {}

  Result<RegexGrammar> run() {
    AJAR_ASSIGN(RegexGrammar out, alternatives(0));
    if (at_ < text_.size()) return error("')' without '('");
    return out;
  }

 private:
  std::unexpected<Error> error(std::string_view what, Code code = Code::kInvalid) const {
    return fail(code, "regular expression, byte " + std::to_string(at_) + ": " + std::string(what));
  }
  std::unexpected<Error> unsupported(std::string_view what) const { return error(std::string(what) + " cannot be followed", Code::kUnsupported); }
  bool more() const { return at_ < text_.size(); }
  bool take(std::string_view what) {
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }

  Node write(const CharClass& chars) { return form_.write ? form_.write(chars) : g_.chars(chars); }

  Result<RegexGrammar> alternatives(int depth) {
    if (depth > kMaxNesting) return error("more than 100 groups within groups", Code::kTooLarge);
    RegexGrammar out{.node = g_.nothing(), .least = -1};
    std::vector<Node> choices;
    do {
      AJAR_ASSIGN(RegexGrammar one, sequence(depth));
      choices.push_back(one.node);
      out.one_character = choices.size() == 1 && one.one_character;
      out.least = out.least < 0 ? one.least : std::min(out.least, one.least);
      out.most = out.most < 0 || one.most < 0 ? -1 : std::max(out.most, one.most);
    } while (take("|"));
    out.node = g_.choice(std::move(choices));
    return out;
  }

  Result<RegexGrammar> sequence(int depth) {
    RegexGrammar out{.node = g_.empty()};
    std::vector<Node> parts;
    const bool top = depth == 0;
    bool from_start = !top, to_end = !top;
    while (take("^") || take("\\A")) {
      if (!top) return unsupported("an anchor within a group");
      from_start = true;
    }
    while (more() && text_[at_] != '|' && text_[at_] != ')') {
      if (take("$") || take("\\z") || take("\\Z")) {
        if (more() && text_[at_] != '|' && text_[at_] != ')' && text_[at_] != '$') return unsupported("an anchor in the middle");
        if (!top) return unsupported("an anchor within a group");
        to_end = true;
        continue;
      }
      AJAR_ASSIGN(RegexGrammar one, quantified(depth));
      parts.push_back(one.node);
      out.one_character = parts.size() == 1 && one.one_character;
      out.least += one.least;
      out.most = out.most < 0 || one.most < 0 ? -1 : out.most + one.most;
    }
    if (form_.search && (!from_start || !to_end)) {
      Node anything = g_.repeat(write(CharClass::any()), 0, Grammar::kNoMaximum);
      if (!from_start) parts.insert(parts.begin(), anything);
      if (!to_end) parts.push_back(anything);
      out.most = -1;
      out.one_character = false;
    }
    out.node = g_.sequence(std::move(parts));
    return out;
  }

  Result<RegexGrammar> quantified(int depth) {
    AJAR_ASSIGN(RegexGrammar one, atom(depth));
    for (int times = 0; more(); ++times) {
      int32_t least = 0, most = Grammar::kNoMaximum;
      const size_t before = at_;
      if (take("*")) {
      } else if (take("+")) {
        least = 1;
      } else if (take("?")) {
        most = 1;
      } else if (text_[at_] != '{' || !counts(least, most)) {
        break;
      }
      if (times > 0) {
        at_ = before;
        return error("nothing to repeat");
      }
      if (most >= 0 && least > most) return error("the counts are the wrong way round");
      if (least > kMaxCount || most > kMaxCount) return error("a count above 100000", Code::kTooLarge);
      if (take("+")) return unsupported("a possessive quantifier");
      take("?");  // lazy: the same texts
      one.one_character = one.one_character && one.least == 1 && one.most == 1;
      one.node = g_.repeat(one.node, least, most);
      one.most = most < 0 || one.most < 0 ? (one.most == 0 || most == 0 ? 0 : -1) : std::min<int64_t>(one.most * most, INT32_MAX);
      one.least = std::min<int64_t>(one.least * least, INT32_MAX);
    }
    return one;
  }

  // {2} {2,} {2,5}; anything else in braces is text.
  bool counts(int32_t& least, int32_t& most) {
    size_t at = at_ + 1;
    auto number = [&](int32_t& out) {
      const size_t from = at;
      for (out = 0; at < text_.size() && text_[at] >= '0' && text_[at] <= '9'; ++at) out = std::min(kMaxCount + 1, out * 10 + (text_[at] - '0'));
      return at > from;
    };
    if (!number(least)) return false;
    most = least;
    if (at < text_.size() && text_[at] == ',') {
      ++at;
      if (!number(most)) most = Grammar::kNoMaximum;
    }
    if (at >= text_.size() || text_[at] != '}') return false;
    at_ = at + 1;
    return true;
  }

  RegexGrammar one(const CharClass& chars) { return {.node = write(chars), .least = 1, .most = 1, .one_character = true}; }

  Result<RegexGrammar> atom(int depth) {
    const char c = text_[at_];
    if (c == '*' || c == '+' || c == '?') return error("nothing to repeat");
    if (c == '^') return unsupported("an anchor in the middle");
    if (take("(")) {
      if (take("?")) {
        if (take("<=") || take("<!") || take("=") || take("!")) return unsupported("look-around");
        if (take("P<") || take("<")) {
          size_t end = text_.find('>', at_);
          if (end == text_.npos) return error("a group's name without end");
          at_ = end + 1;
        } else if (!take(":")) {
          return unsupported("this kind of group");
        }
      }
      AJAR_ASSIGN(RegexGrammar inside, alternatives(depth + 1));
      if (!take(")")) return error("'(' without ')'");
      return inside;
    }
    if (take(".")) return one(CharClass{{'\n', '\n'}, {'\r', '\r'}}.complement());
    if (take("[")) {
      AJAR_ASSIGN(CharClass chars, bracket());
      return one(chars);
    }
    if (take("\\")) {
      AJAR_ASSIGN(CharClass chars, escape(false));
      return one(chars);
    }
    uint32_t character;
    if (!read_utf8(text_, at_, character)) return error("not UTF-8");
    return one({{character, character}});
  }

  Result<CharClass> bracket() {
    CharClass chars;
    const bool negated = take("^");
    for (bool first = true;; first = false) {
      if (!more()) return error("'[' without ']'");
      if (text_[at_] == ']' && !first) break;
      if (text_[at_] == '[' && at_ + 1 < text_.size() && text_[at_ + 1] == ':') return unsupported("a named class");
      AJAR_ASSIGN(CharClass from, member(negated));
      const bool single = from.ranges().size() == 1 && from.ranges()[0].first == from.ranges()[0].second;
      if (single && at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
        ++at_;
        AJAR_ASSIGN(CharClass to, member(negated));
        if (to.ranges().size() != 1 || to.ranges()[0].first != to.ranges()[0].second) return error("a range that ends in a class");
        if (to.ranges()[0].first < from.ranges()[0].first) return error("a range that is the wrong way round");
        chars.add(from.ranges()[0].first, to.ranges()[0].first);
      } else {
        chars.add(from);
      }
    }
    ++at_;
    return negated ? chars.complement() : chars;
  }
  Result<CharClass> member(bool negated) {
    if (take("\\")) return escape(true, negated);
    uint32_t c;
    if (!read_utf8(text_, at_, c)) return error("not UTF-8");
    return CharClass{{c, c}};
  }

  Result<CharClass> escape(bool in_class, bool negated = false) {
    if (!more()) return error("a '\\' at the end");
    const char c = text_[at_++];
    auto code = [&](uint32_t v) { return CharClass{{v, v}}; };
    switch (c) {
      case 'd': return kDigit;
      case 'D': return kDigit.complement();
      case 'w': return kWord;
      case 'W': return kWord.complement();
      case 's': return negated ? kWideSpace : kSpace;
      case 'S': return (negated ? kSpace : kWideSpace).complement();
      case 'n': return code('\n');
      case 'r': return code('\r');
      case 't': return code('\t');
      case 'f': return code('\f');
      case 'v': return code('\v');
      case 'x': return hex(2);
      case 'u': return hex(4);
      case 'b': if (in_class) return code(8); [[fallthrough]];
      case 'B': return unsupported("a word boundary");
      case 'p': case 'P': return unsupported("a Unicode property");
      case '0': if (!more() || text_[at_] < '0' || text_[at_] > '9') return code(0); [[fallthrough]];
      default:
        if (c >= '1' && c <= '9') return unsupported("a back reference");
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '0') return unsupported("the escape \\" + std::string(1, c));
        --at_;
        uint32_t itself;
        if (!read_utf8(text_, at_, itself)) return error("not UTF-8");
        return code(itself);
    }
  }

  Result<CharClass> hex(int digits) {
    const bool braces = take("{");
    uint32_t value = 0;
    int read = 0;
    for (; more() && read < (braces ? 6 : digits); ++read, ++at_) {
      const char c = text_[at_];
      const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
      if (digit < 0) break;
      value = value * 16 + static_cast<uint32_t>(digit);
    }
    if (braces ? read == 0 || !take("}") : read < digits) return error("hexadecimal digits are missing");
    if (value >= 0xD800 && value <= 0xDBFF && digits == 4 && !braces && take("\\u")) {
      AJAR_ASSIGN(uint32_t low, half());
      value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
    }
    if (value > CharClass::kLast || (value >= 0xD800 && value <= 0xDFFF)) return error("no character has this number");
    return CharClass{{value, value}};
  }
  Result<uint32_t> half() {
    uint32_t value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = more() ? text_[at_] : 'x';
      const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
      if (digit < 0) return error("hexadecimal digits are missing");
      value = value * 16 + static_cast<uint32_t>(digit);
    }
    if (value < 0xDC00 || value > 0xDFFF) return error("half a surrogate pair");
    return value;
  }

  Grammar& g_;
  const std::string_view text_;
  const RegexForm& form_;
  size_t at_ = 0;
};

}  // namespace

Result<RegexGrammar> add_regex(Grammar& grammar, std::string_view pattern, const RegexForm& form) {
  if (pattern.size() > kMaxRegexBytes) return fail(Code::kTooLarge, "a regular expression above 16 KiB");
  return Reader(grammar, pattern, form).run();
}

}  // namespace ajar::engine
