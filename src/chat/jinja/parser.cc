#include "chat/jinja/parser.h"

#include <algorithm>
#include <charconv>

#include "chat/jinja/lexer.h"

namespace ajar::jinja {
namespace {

using Kind = Node::Kind;
constexpr uint32_t kMaxDepth = 300;  // of the tree, so that walking it needs little stack
constexpr size_t kMaxNesting = 120;  // of brackets and tags

// The first fault ends the parse: what follows sees the end of the template.
class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Result<Nodes> run() {
    Nodes nodes = statements({});
    if (fault_.empty()) return nodes;
    return ajar::fail(code_, "line " + std::to_string(fault_line_) + ": " + fault_, "chat_template");
  }

 private:
  const Token& now() const { return tokens_[at_]; }
  void advance() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  bool skip(std::string_view op) {
    if (!now().is(op)) return false;
    advance();
    return true;
  }
  bool skip_name(std::string_view name) {
    if (!now().named(name)) return false;
    advance();
    return true;
  }
  NodePtr fault(std::string what, Code code = Code::kInvalid) {
    if (fault_.empty()) fault_ = std::move(what), fault_line_ = now().line, code_ = code;
    at_ = tokens_.size() - 1;
    return std::make_unique<Node>();
  }
  bool failed() const { return !fault_.empty(); }
  void expect(std::string_view op) {
    if (!skip(op)) fault("expected '" + std::string(op) + "'");
  }
  void block_end() {
    if (now().kind != Token::Kind::kBlockEnd) fault("expected the end of the tag, not '" + now().text + "'");
    else advance();
  }
  std::string name() {
    if (now().kind != Token::Kind::kName) return fault("expected a name"), std::string();
    std::string out = now().text;
    advance();
    return out;
  }

  NodePtr make(Kind kind) const {
    auto node = std::make_unique<Node>();
    node->kind = kind;
    node->line = uint32_t(now().line);
    return node;
  }
  NodePtr with(NodePtr node, NodePtr kid) {
    if (kid) node->depth = std::max(node->depth, kid->depth + 1);
    node->kids.push_back(std::move(kid));
    return checked(std::move(node));
  }
  NodePtr checked(NodePtr node) {
    return node->depth > kMaxDepth ? fault("an expression is nested deeper than " + std::to_string(kMaxDepth)) : std::move(node);
  }
  struct Nest {
    explicit Nest(Parser& parser) : parser(parser) {
      if (++parser.nesting_ > kMaxNesting) parser.fault("nested deeper than " + std::to_string(kMaxNesting) + " levels");
    }
    ~Nest() { --parser.nesting_; }
    Parser& parser;
  };

  // Statements.

  // Up to a tag whose name is one of `ends`, which stays; without any, to the end of the template.
  Nodes statements(std::vector<std::string_view> ends) {
    Nest nest(*this);
    Nodes out;
    while (!failed()) {
      const Token& token = now();
      if (token.kind == Token::Kind::kEof) {
        if (!ends.empty()) fault("the template ends where '" + std::string(ends[0]) + "' is expected");
        break;
      }
      if (token.kind == Token::Kind::kData) {
        NodePtr node = make(Kind::kData);
        node->text = token.text;
        advance();
        out.push_back(std::move(node));
      } else if (token.kind == Token::Kind::kBegin) {
        advance();
        NodePtr node = with(make(Kind::kPrint), tuple());
        if (now().kind != Token::Kind::kEnd && !failed()) fault("expected '}}', not '" + now().text + "'");
        advance();
        out.push_back(std::move(node));
      } else if (token.kind == Token::Kind::kBlockBegin) {
        advance();
        if (now().kind != Token::Kind::kName) fault("expected the name of a tag");
        if (std::ranges::any_of(ends, [&](std::string_view end) { return now().text == end; })) return out;
        if (!failed()) out.push_back(statement());
      } else {
        fault("unexpected '" + token.text + "'");
      }
    }
    return out;
  }
  Nodes body(std::string_view end) {
    Nodes out = statements({end});
    advance();
    block_end();
    return out;
  }

  NodePtr statement() {
    const std::string tag = name();
    if (tag == "if") return if_tag();
    if (tag == "for") return for_tag();
    if (tag == "set") return set_tag();
    if (tag == "macro") return macro_tag();
    if (tag == "call") return call_tag();
    if (tag == "with") return with_tag();
    if (tag == "filter") {
      NodePtr node = with(make(Kind::kFilterBlock), filters(nullptr, true));
      block_end();
      node->bodies.push_back(body("endfilter"));
      return node;
    }
    if (tag == "generation") {
      NodePtr node = make(Kind::kScope);
      block_end();
      node->bodies.push_back(body("endgeneration"));
      return node;
    }
    if (tag == "break" || tag == "continue") {
      NodePtr node = make(tag == "break" ? Kind::kBreak : Kind::kContinue);
      if (loops_ == 0) return fault("'" + tag + "' outside a loop");
      block_end();
      return node;
    }
    return fault("the tag '" + tag + "' is not supported", Code::kUnsupported);
  }

  NodePtr if_tag() {
    NodePtr node = make(Kind::kIf);
    node = with(std::move(node), tuple(false));
    block_end();
    while (!failed()) {
      node->bodies.push_back(statements({"elif", "else", "endif"}));
      const std::string tag = name();
      if (tag == "elif") {
        node = with(std::move(node), tuple(false));
        block_end();
        continue;
      }
      block_end();
      if (tag == "else") node->bodies.push_back(body("endif"));
      break;
    }
    return node;
  }

  NodePtr for_tag() {
    NodePtr node = make(Kind::kFor);
    node = with(std::move(node), target({"in"}));
    if (!skip_name("in")) fault("expected 'in'");
    node = with(std::move(node), tuple(false));
    NodePtr test;
    if (skip_name("if")) test = expression();
    node = with(std::move(node), std::move(test));
    node->flag = skip_name("recursive");
    block_end();
    ++loops_;
    node->bodies.push_back(statements({"endfor", "else"}));
    --loops_;
    const std::string tag = name();
    block_end();
    node->bodies.push_back(tag == "else" ? body("endfor") : Nodes());
    return node;
  }

  NodePtr set_tag() {
    NodePtr node = make(Kind::kSet);
    node = with(std::move(node), target({}));
    if (skip("=")) {
      node = with(std::move(node), tuple());
      block_end();
      return node;
    }
    node->kind = Kind::kSetBlock;
    node = with(std::move(node), now().is("|") ? filters(nullptr, false) : nullptr);
    block_end();
    node->bodies.push_back(body("endset"));
    return node;
  }

  // a | ns.a | a, b | (a, b)
  NodePtr target(std::vector<std::string_view> ends) {
    Nest nest(*this);
    NodePtr first = one_target();
    if (!now().is(",")) return first;
    NodePtr node = with(make(Kind::kTuple), std::move(first));
    while (skip(",") && !failed()) {
      const bool over = now().kind == Token::Kind::kBlockEnd || now().is("=") || now().is(")") ||
                        std::ranges::any_of(ends, [&](std::string_view end) { return now().named(end); });
      if (over) break;
      node = with(std::move(node), one_target());
    }
    return node;
  }
  NodePtr one_target() {
    if (skip("(")) {
      NodePtr inner = target({});
      expect(")");
      return inner;
    }
    NodePtr node = make(Kind::kName);
    node->text = name();
    for (const std::string_view word : {"true", "false", "none", "True", "False", "None", "and", "or", "not", "if", "else", "in", "is"}) {
      if (node->text == word) return fault("cannot assign to '" + node->text + "'");
    }
    if (!skip(".")) return node;
    NodePtr attribute = make(Kind::kAttribute);
    attribute->text = name();
    return with(std::move(attribute), std::move(node));
  }

  // (a, b=1): names, and defaults in the list that is handed in.
  void parameters(Node& node, Nodes& defaults) {
    expect("(");
    while (!failed() && !now().is(")")) {
      if (!node.names.empty()) expect(",");
      if (now().is(")")) break;
      node.names.push_back(name());
      NodePtr otherwise;
      if (skip("=")) otherwise = expression();
      else if (!defaults.empty() && defaults.back()) fault("a parameter without a default follows one with");
      if (otherwise) node.depth = std::max(node.depth, otherwise->depth + 1);
      defaults.push_back(std::move(otherwise));
    }
    expect(")");
  }

  void macro_body(Node& node, std::string_view end) {
    macros_.push_back(&node);
    const size_t loops = std::exchange(loops_, 0);
    node.bodies.push_back(body(end));
    loops_ = loops;
    macros_.pop_back();
  }

  NodePtr macro_tag() {
    NodePtr node = make(Kind::kMacro);
    node->text = name();
    parameters(*node, node->kids);
    block_end();
    macro_body(*node, "endmacro");
    return node;
  }

  NodePtr call_tag() {
    NodePtr node = make(Kind::kCallBlock);
    if (now().is("(")) parameters(*node, node->rest);
    node = with(std::move(node), expression());
    if (!failed() && node->kids[0]->kind != Kind::kCall) return fault("expected a call");
    block_end();
    macro_body(*node, "endcall");
    return node;
  }

  NodePtr with_tag() {
    NodePtr node = make(Kind::kWith);
    while (!failed() && now().kind != Token::Kind::kBlockEnd) {
      if (!node->kids.empty()) expect(",");
      node = with(std::move(node), target({}));
      expect("=");
      node = with(std::move(node), expression());
    }
    block_end();
    node->bodies.push_back(body("endwith"));
    return node;
  }

  // Expressions, loosest first.

  // `a` or `a, b`; without conditions in `for` and `if`, which use their words themselves.
  NodePtr tuple(bool conditions = true, bool in_brackets = false) {
    const auto over = [&] {
      using enum Token::Kind;
      return now().kind == kBlockEnd || now().kind == kEnd || now().kind == kEof || now().is(")") || now().named("recursive");
    };
    Nodes items;
    bool commas = false;
    while (!failed()) {
      if (over()) break;
      items.push_back(conditions ? expression() : either());
      if (!now().is(",")) break;
      commas = true;
      advance();
    }
    if (!commas && !items.empty()) return std::move(items[0]);
    if (items.empty() && !in_brackets) return fault("expected an expression");
    NodePtr node = make(Kind::kTuple);
    for (NodePtr& item : items) node = with(std::move(node), std::move(item));
    return node;
  }

  NodePtr expression() {
    Nest nest(*this);
    NodePtr left = either();
    while (skip_name("if")) {
      NodePtr node = with(make(Kind::kTernary), std::move(left));
      node = with(std::move(node), either());
      node = with(std::move(node), skip_name("else") ? expression() : nullptr);
      left = std::move(node);
    }
    return left;
  }

  NodePtr either() {
    NodePtr left = both();
    while (skip_name("or")) left = two(Kind::kOr, std::move(left), both());
    return left;
  }
  NodePtr both() {
    NodePtr left = negation();
    while (skip_name("and")) left = two(Kind::kAnd, std::move(left), negation());
    return left;
  }
  NodePtr two(Kind kind, NodePtr left, NodePtr right, std::string text = {}) {
    NodePtr node = with(make(kind), std::move(left));
    node->text = std::move(text);
    return with(std::move(node), std::move(right));
  }
  NodePtr negation() {
    if (!now().named("not")) return comparison();
    Nest nest(*this);
    advance();
    return with(make(Kind::kNot), negation());
  }

  NodePtr comparison() {
    NodePtr left = sum();
    NodePtr node;
    while (!failed()) {
      std::string op;
      for (const std::string_view known : {"==", "!=", "<", "<=", ">", ">="}) {
        if (now().is(known)) op = known;
      }
      if (!op.empty()) {
        advance();
      } else if (skip_name("in")) {
        op = "in";
      } else if (now().named("not") && at_ + 1 < tokens_.size() && tokens_[at_ + 1].named("in")) {
        advance(), advance();
        op = "not in";
      } else {
        break;
      }
      if (!node) node = with(make(Kind::kCompare), std::move(left));
      node->names.push_back(std::move(op));
      node = with(std::move(node), sum());
    }
    return node ? std::move(node) : std::move(left);
  }

  NodePtr sum() {
    NodePtr left = concatenation();
    while (now().is("+") || now().is("-")) {
      std::string op = now().text;
      advance();
      left = two(Kind::kBinary, std::move(left), concatenation(), std::move(op));
    }
    return left;
  }
  NodePtr concatenation() {
    NodePtr left = product();
    if (!now().is("~")) return left;
    NodePtr node = with(make(Kind::kConcat), std::move(left));
    while (skip("~")) node = with(std::move(node), product());
    return node;
  }
  NodePtr product() {
    NodePtr left = power();
    while (now().is("*") || now().is("/") || now().is("//") || now().is("%")) {
      std::string op = now().text;
      advance();
      left = two(Kind::kBinary, std::move(left), power(), std::move(op));
    }
    return left;
  }
  NodePtr power() {
    NodePtr left = unary();
    while (skip("**")) left = two(Kind::kBinary, std::move(left), unary(), "**");
    return left;
  }
  NodePtr unary(bool with_filters = true) {
    Nest nest(*this);
    NodePtr node;
    if (skip("-")) node = with(make(Kind::kNegate), unary(false));
    else if (skip("+")) node = with(make(Kind::kPlus), unary(false));
    else node = primary();
    node = postfix(std::move(node));
    return with_filters ? filters(std::move(node), false) : std::move(node);
  }

  NodePtr constant(Value value) {
    NodePtr node = make(Kind::kConst);
    node->value = std::move(value);
    advance();
    return node;
  }

  NodePtr primary() {
    const Token& token = now();
    switch (token.kind) {
      case Token::Kind::kString: {
        std::string text;
        NodePtr node = make(Kind::kConst);
        for (; now().kind == Token::Kind::kString; advance()) text += now().text;
        node->value = Value(std::move(text));
        return node;
      }
      case Token::Kind::kInt: {
        int64_t number = 0;
        const auto [end, error] = std::from_chars(token.text.data(), token.text.data() + token.text.size(), number);
        if (error != std::errc()) return fault("the number " + token.text + " is too large");
        return constant(Value(number));
      }
      case Token::Kind::kFloat: return constant(Value(std::strtod(token.text.c_str(), nullptr)));
      case Token::Kind::kName: {
        if (token.text == "true" || token.text == "True") return constant(Value(true));
        if (token.text == "false" || token.text == "False") return constant(Value(false));
        if (token.text == "none" || token.text == "None") return constant(Value(None{}));
        NodePtr node = make(Kind::kName);
        node->text = token.text;
        if (!macros_.empty()) {
          macros_.back()->uses_varargs |= token.text == "varargs";
          macros_.back()->uses_kwargs |= token.text == "kwargs";
          macros_.back()->uses_caller |= token.text == "caller";
        }
        advance();
        return node;
      }
      default: break;
    }
    if (skip("(")) {
      NodePtr node = tuple(true, true);
      expect(")");
      return node;
    }
    if (skip("[")) {
      NodePtr node = make(Kind::kList);
      while (!failed() && !now().is("]")) {
        if (!node->kids.empty()) expect(",");
        if (now().is("]")) break;
        node = with(std::move(node), expression());
      }
      expect("]");
      return node;
    }
    if (skip("{")) {
      NodePtr node = make(Kind::kDict);
      while (!failed() && !now().is("}")) {
        if (!node->kids.empty()) expect(",");
        if (now().is("}")) break;
        node = with(std::move(node), expression());
        expect(":");
        node = with(std::move(node), expression());
      }
      expect("}");
      return node;
    }
    return fault("unexpected '" + token.text + "'");
  }

  NodePtr postfix(NodePtr node) {
    while (!failed()) {
      if (now().is("(")) {
        node = call(std::move(node));
      } else if (skip(".")) {
        if (now().kind == Token::Kind::kInt) {
          node = with(make(Kind::kItem), std::move(node));
          node = with(std::move(node), primary());
        } else {
          NodePtr attribute = make(Kind::kAttribute);
          attribute->text = name();
          node = with(std::move(attribute), std::move(node));
        }
      } else if (skip("[")) {
        node = with(make(Kind::kItem), std::move(node));
        node = with(std::move(node), subscript());
        expect("]");
      } else {
        break;
      }
    }
    return node;
  }

  NodePtr subscript() {
    const auto over = [&] { return now().is(":") || now().is("]") || now().is(","); };
    NodePtr first = now().is(":") ? nullptr : expression();
    if (!now().is(":")) return first ? std::move(first) : fault("expected a subscript");
    NodePtr node = with(make(Kind::kSlice), std::move(first));
    advance();
    node = with(std::move(node), over() ? nullptr : expression());
    NodePtr step;
    if (skip(":") && !over()) step = expression();
    return with(std::move(node), std::move(step));
  }

  NodePtr call(NodePtr callee) {
    NodePtr node = with(make(Kind::kCall), std::move(callee));
    arguments(*node);
    return checked(std::move(node));
  }

  void arguments(Node& node) {
    Nest nest(*this);
    const auto note = [&](NodePtr value) {
      node.depth = std::max(node.depth, value->depth + 1);
      return value;
    };
    expect("(");
    bool any = false;
    while (!failed() && !now().is(")")) {
      if (any) expect(",");
      if (now().is(")")) break;
      any = true;
      if (skip("*")) {
        node.star = note(expression());
      } else if (skip("**")) {
        node.star_star = note(expression());
      } else if (now().kind == Token::Kind::kName && at_ + 1 < tokens_.size() && tokens_[at_ + 1].is("=")) {
        std::string key = name();
        advance();
        NodePtr value = note(expression());
        node.named.emplace_back(std::move(key), std::move(value));
      } else {
        if (!node.named.empty() || node.star_star) fault("an argument by place follows one by name");
        NodePtr value = note(expression());
        node.rest.push_back(std::move(value));
      }
    }
    expect(")");
  }

  // | filters, `is` tests and calls. Inline: the first filter stands without its bar.
  NodePtr filters(NodePtr node, bool inline_first) {
    bool bare = inline_first;
    while (!failed()) {
      if (bare || skip("|")) {
        NodePtr filter = with(make(Kind::kFilter), std::move(node));
        bare = false;
        filter->text = name();
        while (skip(".")) filter->text += "." + name();
        if (now().is("(")) arguments(*filter);
        node = checked(std::move(filter));
      } else if (node && now().named("is")) {
        advance();
        node = test(std::move(node));
      } else if (node && now().is("(")) {
        node = call(std::move(node));
      } else {
        break;
      }
    }
    return node;
  }

  NodePtr test(NodePtr node) {
    const bool negated = skip_name("not");
    NodePtr test = with(make(Kind::kTest), std::move(node));
    test->text = name();
    while (skip(".")) test->text += "." + name();
    using enum Token::Kind;
    const Token& next = now();
    if (next.is("(")) {
      arguments(*test);
    } else if ((next.kind == kName && !next.named("else") && !next.named("or") && !next.named("and")) ||
               next.kind == kString || next.kind == kInt || next.kind == kFloat || next.is("[") || next.is("{")) {
      if (next.named("is")) return fault("tests cannot be chained with 'is'");
      NodePtr argument = postfix(primary());
      test->depth = std::max(test->depth, argument->depth + 1);
      test->rest.push_back(std::move(argument));
    }
    test = checked(std::move(test));
    return negated ? with(make(Kind::kNot), std::move(test)) : std::move(test);
  }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  size_t nesting_ = 0;
  size_t loops_ = 0;
  std::vector<Node*> macros_;  // whose bodies are being read
  std::string fault_;
  size_t fault_line_ = 0;
  Code code_ = Code::kInvalid;
};

}  // namespace

Result<Nodes> parse(std::string_view source) {
  AJAR_ASSIGN(auto tokens, lex(source));
  return Parser(std::move(tokens)).run();
}

}  // namespace ajar::jinja
