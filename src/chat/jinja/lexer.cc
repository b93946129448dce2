#include "chat/jinja/lexer.h"

#include <algorithm>

namespace ajar::jinja {
namespace {

using TokenKind = Token::Kind;

bool space(char c) { return c == ' ' || (c >= 9 && c <= 13); }
bool name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || uint8_t(c) >= 0x80; }
bool digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += char(c);
  } else if (c < 0x800) {
    out += char(0xc0 | c >> 6), out += char(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += char(0xe0 | c >> 12), out += char(0x80 | (c >> 6 & 0x3f)), out += char(0x80 | (c & 0x3f));
  } else {
    out += char(0xf0 | c >> 18), out += char(0x80 | (c >> 12 & 0x3f)), out += char(0x80 | (c >> 6 & 0x3f));
    out += char(0x80 | (c & 0x3f));
  }
}

// Python's escapes within quotes; one that it does not know stays as it is.
std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    constexpr std::string_view kFrom = "\\'\"abfnrtv", kTo = "\\'\"\a\b\f\n\r\t\v";
    if (const size_t at = kFrom.find(c); at != kFrom.npos) {
      out += kTo[at];
    } else if (c == '\n') {
    } else if (c >= '0' && c <= '7') {
      uint32_t code = 0;
      size_t n = 0;
      for (; n < 3 && i + n < text.size() && text[i + n] >= '0' && text[i + n] <= '7'; ++n) code = code * 8 + uint32_t(text[i + n] - '0');
      append_utf8(out, code);
      i += n - 1;
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const size_t wanted = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      uint32_t code = 0;
      size_t n = 0;
      for (; n < wanted && i + 1 + n < text.size(); ++n) {
        const char h = text[i + 1 + n];
        const int value = digit(h) ? h - '0' : h >= 'a' && h <= 'f' ? h - 'a' + 10 : h >= 'A' && h <= 'F' ? h - 'A' + 10 : -1;
        if (value < 0) break;
        code = code << 4 | uint32_t(value);
      }
      if (n == wanted && code < 0x110000 && (code < 0xd800 || code > 0xdfff)) {
        append_utf8(out, code);
        i += n;
      } else {
        out += '\\', out += c;
      }
    } else {
      out += '\\', out += c;
    }
  }
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) {
    for (size_t i = 0; i < source.size(); ++i) {  // one kind of line end
      if (source[i] == '\r') {
        source_ += '\n';
        if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
      } else {
        source_ += source[i];
      }
    }
    if (source_.ends_with('\n')) source_.pop_back();
  }

  Result<std::vector<Token>> run() {
    while (at_ < source_.size()) {
      if (!root()) return invalid("chat_template", "line " + std::to_string(line()) + ": " + fault_);
    }
    add(TokenKind::kEof, {});
    return std::move(tokens_);
  }

 private:
  bool fail(std::string what) {
    fault_ = std::move(what);
    return false;
  }
  size_t line() {
    line_ += size_t(std::count(source_.begin() + long(counted_), source_.begin() + long(std::max(counted_, at_)), '\n'));
    counted_ = std::max(counted_, at_);
    return line_;
  }
  void add(TokenKind kind, std::string text) { tokens_.push_back({kind, std::move(text), line()}); }
  std::string_view rest() const { return std::string_view(source_).substr(at_); }

  // Text up to the next tag, then the tag.
  bool root() {
    size_t tag = at_;
    for (;; ++tag) {
      tag = source_.find('{', tag);
      if (tag == std::string::npos || tag + 1 >= source_.size()) {
        add(TokenKind::kData, source_.substr(at_));
        at_ = source_.size();
        return true;
      }
      if (source_[tag + 1] == '{' || source_[tag + 1] == '%' || source_[tag + 1] == '#') break;
    }
    const char kind = source_[tag + 1];
    const char sign = tag + 2 < source_.size() ? source_[tag + 2] : '\0';
    size_t end = tag;
    if (sign == '-') {
      while (end > at_ && space(source_[end - 1])) --end;
    } else if (sign != '+' && kind != '{') {  // lstrip_blocks
      const size_t newline = end > at_ ? source_.rfind('\n', end - 1) : std::string::npos;
      const bool in_text = newline != std::string::npos && newline >= at_;
      const size_t begin = in_text ? newline + 1 : at_;
      if ((in_text || line_starting_) && std::all_of(source_.begin() + long(begin), source_.begin() + long(end), space)) end = begin;
    }
    if (end > at_) add(TokenKind::kData, source_.substr(at_, end - at_));
    at_ = tag + 2 + (sign == '-' || sign == '+');
    line_starting_ = false;
    if (kind == '#') return comment();
    if (kind == '%') {
      if (size_t after = raw_tag(at_, "raw"); after != 0) return raw(after);
      add(TokenKind::kBlockBegin, {});
      return expression("%}", TokenKind::kBlockEnd);
    }
    add(TokenKind::kBegin, {});
    return expression("}}", TokenKind::kEnd);
  }

  // What a tag's end takes of the text behind it.
  void after_tag(char sign, bool block) {
    if (sign == '-') {
      while (at_ < source_.size() && space(source_[at_])) ++at_;
    } else if (block && sign != '+' && at_ < source_.size() && source_[at_] == '\n') {
      ++at_;
    }
    line_starting_ = source_[at_ - 1] == '\n';
  }

  bool comment() {
    const size_t end = source_.find("#}", at_);
    if (end == std::string::npos) return fail("a comment is not closed");
    const char sign = end > at_ ? source_[end - 1] : '\0';
    at_ = end + 2;
    after_tag(sign, true);
    return true;
  }

  // The place after `{% word %}` whose inside begins at `at`; 0: it is another tag.
  size_t raw_tag(size_t at, std::string_view word) const {
    while (at < source_.size() && space(source_[at])) ++at;
    if (source_.compare(at, word.size(), word) != 0) return 0;
    at += word.size();
    while (at < source_.size() && space(source_[at])) ++at;
    if (at < source_.size() && (source_[at] == '-' || source_[at] == '+')) ++at;
    return source_.compare(at, 2, "%}") == 0 ? at + 2 : 0;
  }

  bool raw(size_t after) {
    at_ = after;
    if (source_[after - 3] == '-') {
      while (at_ < source_.size() && space(source_[at_])) ++at_;
    }
    for (size_t tag = at_; (tag = source_.find("{%", tag)) != std::string::npos; tag += 2) {
      const char sign = tag + 2 < source_.size() ? source_[tag + 2] : '\0';
      const size_t stop = raw_tag(tag + 2 + (sign == '-' || sign == '+'), "endraw");
      if (stop == 0) continue;
      size_t end = tag;
      if (sign == '-') {
        while (end > at_ && space(source_[end - 1])) --end;
      } else if (sign != '+') {
        size_t begin = end;
        while (begin > at_ && source_[begin - 1] != '\n' && space(source_[begin - 1])) --begin;
        if (begin > at_ && source_[begin - 1] == '\n') end = begin;
      }
      if (end > at_) add(TokenKind::kData, source_.substr(at_, end - at_));
      at_ = stop;
      after_tag(source_[stop - 3], true);
      return true;
    }
    return fail("{% raw %} is not closed");
  }

  bool expression(std::string_view closing, TokenKind end_kind) {
    std::string open;
    while (at_ < source_.size()) {
      const char c = source_[at_];
      if (space(c)) {
        ++at_;
        continue;
      }
      if (open.empty()) {
        const bool sign = (c == '-' || (c == '+' && closing[0] == '%')) && rest().substr(1).starts_with(closing);
        if (sign || rest().starts_with(closing)) {
          at_ += sign ? 3 : 2;
          add(end_kind, {});
          after_tag(sign ? c : '\0', closing[0] == '%');
          return true;
        }
      }
      if (!token(c, open)) return false;
    }
    return fail("a tag is not closed");
  }

  bool token(char c, std::string& open) {
    const size_t begin = at_;
    if (name_start(c)) {
      while (at_ < source_.size() && (name_start(source_[at_]) || digit(source_[at_]))) ++at_;
      add(TokenKind::kName, source_.substr(begin, at_ - begin));
      return true;
    }
    if (digit(c)) return number();
    if (c == '\'' || c == '"') {
      for (++at_; at_ < source_.size() && source_[at_] != c; ++at_) {
        if (source_[at_] == '\\') ++at_;
      }
      if (at_ >= source_.size()) return at_ = begin, fail("a string is not closed");
      add(TokenKind::kString, unescape(std::string_view(source_).substr(begin + 1, at_ - begin - 1)));
      ++at_;
      return true;
    }
    for (const std::string_view op : {"//", "**", "==", "!=", ">=", "<="}) {
      if (rest().starts_with(op)) {
        at_ += 2;
        add(TokenKind::kOperator, std::string(op));
        return true;
      }
    }
    if (std::string_view("+-/*%~[](){}<>=.:|,;").find(c) == std::string_view::npos) {
      return fail(std::string("the character '") + c + "' is not expected");
    }
    if (c == '(' || c == '[' || c == '{') {
      open += c == '(' ? ')' : c == '[' ? ']' : '}';
    } else if (c == ')' || c == ']' || c == '}') {
      if (open.empty() || open.back() != c) return fail(std::string("unexpected '") + c + "'");
      open.pop_back();
    }
    ++at_;
    add(TokenKind::kOperator, std::string(1, c));
    return true;
  }

  bool number() {
    const size_t begin = at_;
    std::string text;
    const auto digits = [&] {
      while (at_ < source_.size() && (digit(source_[at_]) || source_[at_] == '_')) {
        if (source_[at_] != '_') text += source_[at_];
        ++at_;
      }
    };
    digits();
    bool real = false;
    const bool after_dot = begin > 0 && source_[begin - 1] == '.';  // a.0.1 is two subscripts
    if (!after_dot && at_ + 1 < source_.size() && source_[at_] == '.' && digit(source_[at_ + 1])) {
      real = true;
      text += source_[at_++];
      digits();
    }
    if (at_ < source_.size() && (source_[at_] == 'e' || source_[at_] == 'E')) {
      const size_t sign = at_ + 1 < source_.size() && (source_[at_ + 1] == '-' || source_[at_ + 1] == '+') ? 1 : 0;
      if (at_ + 1 + sign < source_.size() && digit(source_[at_ + 1 + sign])) {
        real = true;
        text.append(source_, at_, 1 + sign);
        at_ += 1 + sign;
        digits();
      }
    }
    add(real ? TokenKind::kFloat : TokenKind::kInt, std::move(text));
    return true;
  }

  std::string source_;
  size_t at_ = 0;
  size_t line_ = 1, counted_ = 0;
  bool line_starting_ = true;
  std::string fault_;
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> lex(std::string_view source) { return Lexer(source).run(); }

}  // namespace ajar::jinja
