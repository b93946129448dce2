#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "base/text.h"
#include "learn/answer_check.h"

namespace ajar::learn {
namespace {

struct Token {
  char kind;           // 'n' number, or the operator + - * / ( )
  double value = 0;
  int decimals = 0;
  size_t from = 0, to = 0;
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Numbers and operators of a piece of text; all else is left out.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::vector<Token> scan() {
    std::vector<Token> out;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (is_digit(c) || (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) {
        number(out);
      } else if (is_letter(c)) {
        word(out);
      } else if (text_.substr(at_).starts_with("×")) {
        out.push_back({.kind = '*', .from = at_, .to = at_ + 2}), at_ += 2;
      } else if (text_.substr(at_).starts_with("÷")) {
        out.push_back({.kind = '/', .from = at_, .to = at_ + 2}), at_ += 2;
      } else {
        if (std::string_view("+-*/()").find(c) != std::string_view::npos) out.push_back({.kind = c, .from = at_, .to = at_ + 1});
        ++at_;
      }
    }
    return out;
  }

 private:
  void number(std::vector<Token>& out) {
    std::string digits;
    const size_t from = at_;
    int decimals = -1;
    for (; at_ < text_.size() && digits.size() < 40; ++at_) {
      const char c = text_[at_];
      const bool follows = at_ + 1 < text_.size() && is_digit(text_[at_ + 1]);
      if (c == '.' && decimals < 0 && follows) decimals = 0, digits.push_back(c);
      else if (is_digit(c)) digits.push_back(c), decimals += decimals >= 0;
      else if (!(c == ',' && follows)) break;
    }
    double value = std::strtod(digits.c_str(), nullptr);
    if (at_ < text_.size() && text_[at_] == '%') value /= 100, decimals = std::max(0, decimals) + 2, ++at_;
    out.push_back({.kind = 'n', .value = value, .decimals = std::max(0, decimals), .from = from, .to = at_});
  }
  // A lone x between numbers multiplies.
  void word(std::vector<Token>& out) {
    const size_t from = at_;
    while (at_ < text_.size() && is_letter(text_[at_])) ++at_;
    if (at_ - from == 1 && (text_[from] == 'x' || text_[from] == 'X') && !out.empty()) out.push_back({.kind = '*', .from = from, .to = at_});
  }

  std::string_view text_;
  size_t at_ = 0;
};

// expression = product (("+" | "-") product)*; product = signed (("*" | "/") signed)*; signed = ["-"] (number | "(" expression ")").
class Parser {
 public:
  explicit Parser(std::span<const Token> tokens) : tokens_(tokens) {}
  std::optional<double> whole() {
    const auto value = expression(0);
    return value && at_ == tokens_.size() && std::isfinite(*value) ? value : std::nullopt;
  }
  // As far as it goes.
  std::optional<double> beginning() { return expression(0); }
  size_t used() const { return at_; }

 private:
  bool is(char kind) const { return at_ < tokens_.size() && tokens_[at_].kind == kind; }
  // An operator that something follows that can be its right side.
  bool goes_on(char a, char b) const {
    return (is(a) || is(b)) && at_ + 1 < tokens_.size() && (tokens_[at_ + 1].kind == 'n' || tokens_[at_ + 1].kind == '(');
  }

  std::optional<double> expression(int depth) {
    auto value = product(depth);
    while (value && goes_on('+', '-')) {
      const char sign = tokens_[at_++].kind;
      const auto right = product(depth);
      if (!right) return std::nullopt;
      *value += sign == '+' ? *right : -*right;
    }
    return value;
  }
  std::optional<double> product(int depth) {
    auto value = operand(depth);
    while (value && goes_on('*', '/')) {
      const char sign = tokens_[at_++].kind;
      const auto right = operand(depth);
      if (!right) return std::nullopt;
      *value = sign == '*' ? *value * *right : *value / *right;
    }
    return value;
  }
  std::optional<double> operand(int depth) {
    if (depth > 32) return std::nullopt;
    const bool minus = is('-');
    if (minus) ++at_;
    std::optional<double> value;
    if (is('n')) {
      value = tokens_[at_++].value;
    } else if (is('(')) {
      ++at_;
      value = expression(depth + 1);
      if (!is(')')) return std::nullopt;
      ++at_;
    }
    return value && minus ? -*value : value;
  }

  std::span<const Token> tokens_;
  size_t at_ = 0;
};

struct Side {
  double value;
  bool composed;      // more than a number
  int decimals = 0;   // of the number that stands there
  std::string text;
};

std::string spelt(std::string_view text, std::span<const Token> tokens) {
  std::string out;
  for (const Token& t : tokens) out += t.kind == '*' ? std::string_view("*") : text.substr(t.from, t.to - t.from);
  return out;
}

// The longest expression that ends the text; at most 64 tokens are tried.
std::optional<Side> ending(std::string_view text) {
  const auto tokens = Scanner(text).scan();
  for (size_t from = tokens.size() > 64 ? tokens.size() - 64 : 0; from < tokens.size(); ++from) {
    const auto part = std::span(tokens).subspan(from);
    if (from > 0 && part[0].kind == '-') continue;  // rather an operator than a sign
    if (const auto value = Parser(part).whole()) return Side{*value, part.size() > 1, part.back().decimals, spelt(text, part)};
  }
  return std::nullopt;
}

// The expression that begins the text.
std::optional<Side> beginning(std::string_view text) {
  auto tokens = Scanner(text.substr(0, 200)).scan();
  Parser parser(tokens);
  const auto value = parser.beginning();
  if (!value || !std::isfinite(*value)) return std::nullopt;
  const auto part = std::span(tokens).first(parser.used());
  return Side{*value, part.size() > 1, part.back().decimals, spelt(text, part)};
}

// Where a statement that ends at `at` begins: after the mark before it.
size_t start_of(std::string_view text, size_t at) {
  for (size_t i = at; i > 0; --i) {
    const char c = text[i - 1];
    if (c == '\n' || c == '=' || c == ';' || c == ':' || c == '<' || c == '>' || c == '?') return i;
    const bool space = i < text.size() && (text[i] == ' ' || text[i] == '\n');
    if ((c == '.' || c == ',') && space) return i;
  }
  return 0;
}
size_t end_of(std::string_view text, size_t at) {
  for (size_t i = at; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n' || c == '=' || c == ';' || c == '>' || c == '<') return i;
    if ((c == '.' || c == ',') && (i + 1 == text.size() || text[i + 1] == ' ' || text[i + 1] == '\n')) return i;
  }
  return text.size();
}

// "12 * 5 = $<<12*5=60>>60": what the marks hold is a statement of its own, and stands for nothing outside.
std::string without_marks(std::string_view text, std::vector<std::string_view>& held) {
  std::string out;
  while (!text.empty()) {
    const size_t from = text.find("<<"), to = from == text.npos ? text.npos : text.find(">>", from);
    out += text.substr(0, from);
    if (from == text.npos) break;
    if (to == text.npos) {
      out += text.substr(from + 2);
      break;
    }
    held.push_back(text.substr(from + 2, to - from - 2));
    text.remove_prefix(to + 2);
  }
  return out;
}

void check_statement(const Side& left, const Side& right, Arithmetic& out) {
  const double distance = std::abs(left.value - right.value), size = std::max(std::abs(left.value), std::abs(right.value));
  // Half a unit of the last decimal that is written, or the error of floats.
  const double last = right.composed || right.decimals == 0 ? 0 : 0.5000001 * std::pow(10.0, -right.decimals);
  out.last_result = right.value;
  if (distance > std::max(last, 1e-9 * size)) {
    if (right.decimals == 0 && !right.composed && distance < 1) {
      ++out.rounded;
      return;
    }
    if (out.wrong++ == 0) out.first_wrong = left.text + "=" + right.text;
  }
  ++out.checks;
}

void check_text(std::string_view text, Arithmetic& out) {
  for (size_t at = text.find('='); at != text.npos; at = text.find('=', at + 1)) {
    const size_t from = start_of(text, at);
    const auto left = ending(text.substr(from, at - from));
    const auto right = beginning(text.substr(at + 1, end_of(text, at + 1) - at - 1));
    if (left && right && (left->composed || right->composed)) check_statement(*left, *right, out);
  }
}

}  // namespace

Arithmetic check_arithmetic(std::string_view text) {
  Arithmetic out;
  std::vector<std::string_view> held;
  const std::string plain = without_marks(text, held);
  for (const std::string_view statement : held) check_text(statement, out);
  check_text(plain, out);
  return out;
}

}  // namespace ajar::learn
