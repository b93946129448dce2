#include "chat/jinja/interpreter.h"

#include <algorithm>
#include <utility>

#include "chat/jinja/parser.h"

namespace ajar::jinja {

using Kind = Node::Kind;

const Value* Scope::find(std::string_view name) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->parent.get()) {
    for (const auto& [mine, value] : scope->names) {
      if (mine == name) return &value;
    }
  }
  return nullptr;
}

void Scope::set(std::string_view name, Value value) {
  for (auto& [mine, there] : names) {
    if (mine == name) {
      there = std::move(value);
      return;
    }
  }
  names.emplace_back(name, std::move(value));
}

Interpreter::Interpreter(const Value& context, int64_t now, const Limits& limits)
    : context_(context), now_(now), limits_(limits), scope_(std::make_shared<Scope>()) {}

Interpreter::~Interpreter() {
  for (const auto& space : spaces_) *space = Dict{};
  for (const auto& closure : closures_) closure->names.clear();
}

Interpreter::Deeper::Deeper(Interpreter& interpreter) : i(interpreter) {
  if (++i.depth_ > i.limits_.depth) {
    i.fail("it is nested deeper than the limit of " + std::to_string(i.limits_.depth), Code::kTooLarge);
  }
}

Value Interpreter::fail(std::string what, Code code) {
  if (!error_) {
    error_ = Error{.code = code, .message = "line " + std::to_string(line_) + ": " + std::move(what), .field = "chat_template"};
  }
  return {};
}

Value Interpreter::raise(std::string what) {
  if (!error_) {
    error_ = Error{.code = Code::kInvalid, .message = std::move(what), .field = "chat_template", .type = "raise_exception"};
  }
  return {};
}

bool Interpreter::charge(int64_t steps, size_t bytes) {
  if (failed()) return false;
  steps_ += steps + int64_t(bytes / 64);
  bytes_ += bytes;
  if (steps_ > limits_.steps) {
    fail("the template takes more than the limit of " + std::to_string(limits_.steps) + " steps", Code::kTooLarge);
  } else if (bytes_ > limits_.memory_bytes) {
    fail("the template makes more than the limit of " + std::to_string(limits_.memory_bytes) + " bytes of values", Code::kTooLarge);
  }
  return !failed();
}

Value Interpreter::text(std::string text) { return charge(1, text.size()) ? Value(std::move(text)) : Value(); }

Value Interpreter::list(std::vector<Value> items, List::Kind kind) {
  return charge(int64_t(items.size()), items.size() * sizeof(Value)) ? shallow(Value::list(std::move(items), kind)) : Value();
}

Value Interpreter::dict(Dict dict) {
  const size_t size = dict.entries.size();
  return charge(int64_t(size), size * 3 * sizeof(Value)) ? shallow(Value(std::move(dict))) : Value();
}

Value Interpreter::function(Callable made) {
  for (const auto& [name, value] : made.members) made.depth = std::max(made.depth, value.depth() + 1);
  return shallow(Value(std::make_shared<const Callable>(std::move(made))));
}

Value Interpreter::shallow(Value value) {
  if (value.depth() <= limits_.depth) return value;
  return fail("a value is nested deeper than the limit of " + std::to_string(limits_.depth), Code::kTooLarge);
}

Value Interpreter::new_namespace(Dict members) {
  auto space = std::make_shared<Dict>(std::move(members));
  spaces_.push_back(space);
  return Value::space(std::move(space));
}

Result<std::string> Interpreter::run(const Nodes& nodes) {
  std::string out;
  out_ = &out;
  run_body(nodes);
  if (error_) return std::unexpected(std::move(*error_));
  return out;
}

void Interpreter::put(std::string_view text) {
  if (out_->size() + text.size() > limits_.output_bytes) {
    fail("the text is longer than the limit of " + std::to_string(limits_.output_bytes) + " bytes", Code::kTooLarge);
    return;
  }
  out_->append(text);
}

// Statements.

Interpreter::Flow Interpreter::run_body(const Nodes& nodes) {
  for (const NodePtr& node : nodes) {
    if (!charge(1)) return Flow::kBreak;
    const Flow flow = run_node(*node);
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

std::string Interpreter::capture(const Nodes& nodes) {
  std::string out;
  std::string* const before = std::exchange(out_, &out);
  run_body(nodes);
  out_ = before;
  charge(1, out.size());
  return out;
}

Interpreter::Flow Interpreter::run_node(const Node& node) {
  const Deeper deeper(*this);
  if (failed()) return Flow::kBreak;
  line_ = node.line;
  const auto scoped = [&](auto&& body) {
    const ScopePtr before = scope_;
    scope_ = std::make_shared<Scope>(Scope{before, {}});
    body();
    scope_ = before;
  };
  switch (node.kind) {
    case Kind::kData: put(node.text); break;
    case Kind::kPrint: {
      const Value value = eval(*node.kids[0]);
      if (const std::string* text = value.string()) put(*text);
      else put(value.str());
      break;
    }
    case Kind::kIf:
      for (size_t i = 0; i < node.kids.size(); ++i) {
        if (eval(*node.kids[i]).truth()) return failed() ? Flow::kBreak : run_body(node.bodies[i]);
        if (failed()) return Flow::kBreak;
      }
      if (node.bodies.size() > node.kids.size()) return run_body(node.bodies.back());
      break;
    case Kind::kFor: return run_for(node);
    case Kind::kSet: assign(*node.kids[0], eval(*node.kids[1])); break;
    case Kind::kSetBlock: {
      std::string inner;
      scoped([&] { inner = capture(node.bodies[0]); });
      Value value(std::move(inner));
      // The innermost filter of the chain takes the block.
      std::vector<const Node*> chain;
      for (const Node* filter = node.kids[1].get(); filter != nullptr; filter = filter->kids[0].get()) chain.push_back(filter);
      for (size_t i = chain.size(); i-- > 0 && !failed();) value = filter(chain[i]->text, value, arguments(*chain[i]));
      assign(*node.kids[0], value);
      break;
    }
    case Kind::kFilterBlock: {
      std::string inner;
      scoped([&] { inner = capture(node.bodies[0]); });
      Value value(std::move(inner));
      std::vector<const Node*> chain;
      for (const Node* filter = node.kids[0].get(); filter != nullptr; filter = filter->kids[0].get()) chain.push_back(filter);
      for (size_t i = chain.size(); i-- > 0 && !failed();) value = filter(chain[i]->text, value, arguments(*chain[i]));
      put(value.str());
      break;
    }
    case Kind::kMacro: scope_->set(node.text, macro(node, node.names, node.kids, node.text)); break;
    case Kind::kCallBlock: {
      const Node& callee = *node.kids[0];
      const Value caller = macro(node, node.names, node.rest, "caller");
      Arguments given = arguments(callee);
      given.names.emplace_back("caller", caller);
      const Value result = call(eval(*callee.kids[0]), given);
      put(result.str());
      break;
    }
    case Kind::kWith:
      scoped([&] {
        std::vector<Value> values;
        const ScopePtr inner = scope_;
        scope_ = inner->parent;
        for (size_t i = 1; i < node.kids.size(); i += 2) values.push_back(eval(*node.kids[i]));
        scope_ = inner;
        for (size_t i = 0; i < values.size(); ++i) assign(*node.kids[i * 2], values[i]);
        run_body(node.bodies[0]);
      });
      break;
    case Kind::kScope: {
      Flow flow = Flow::kNext;
      scoped([&] { flow = run_body(node.bodies[0]); });
      return flow;
    }
    case Kind::kBreak: return Flow::kBreak;
    case Kind::kContinue: return Flow::kContinue;
    default: eval(node); break;
  }
  return failed() ? Flow::kBreak : Flow::kNext;
}

Interpreter::Flow Interpreter::run_for(const Node& node) {
  const Value over = eval(*node.kids[1]);
  if (!failed()) run_loop(node, over, 0);
  return failed() ? Flow::kBreak : Flow::kNext;
}

// Writes into out_; of a recursive loop's own call it is the caller who captures.
Value Interpreter::run_loop(const Node& node, const Value& over, int level) {
  const Deeper deeper(*this);
  std::vector<Value> items = walk(over);
  const ScopePtr outer = scope_;
  const auto enter = [&] { scope_ = std::make_shared<Scope>(Scope{outer, {}}); };
  if (node.kids[2]) {
    std::vector<Value> kept;
    for (Value& item : items) {
      if (!charge(1)) break;
      enter();
      assign(*node.kids[0], item);
      if (eval(*node.kids[2]).truth()) kept.push_back(std::move(item));
    }
    items = std::move(kept);
    scope_ = outer;
  }
  if (failed()) return {};
  if (items.empty()) {
    run_body(node.bodies[1]);
    return {};
  }
  const size_t n = items.size();
  auto changed = std::make_shared<Value>();
  for (size_t i = 0; i < n && charge(4); ++i) {
    enter();
    Callable loop{.name = "loop", .call = {}, .members = {
        {"index", i + 1}, {"index0", i}, {"first", i == 0}, {"last", i + 1 == n}, {"length", n},
        {"revindex", n - i}, {"revindex0", n - i - 1}, {"depth", level + 1}, {"depth0", level},
        {"previtem", i > 0 ? items[i - 1] : Value::undefined("there is no previous item")},
        {"nextitem", i + 1 < n ? items[i + 1] : Value::undefined("there is no next item")}}};
    loop.members.emplace_back("cycle", function({.name = "cycle", .call = [i](Interpreter& in, const Arguments& given) {
      if (given.places.empty()) return in.fail("no items for cycling given");
      return given.places[i % given.places.size()];
    }}));
    loop.members.emplace_back("changed", function({.name = "changed", .call = [before = std::weak_ptr<Value>(changed)](
                                                       Interpreter& in, const Arguments& given) {
      const auto value = before.lock();
      if (!value) return in.fail("the loop is over");
      const Value now = in.list(given.places, List::Kind::kTuple);
      const bool same = equal(*value, now);
      *value = now;
      return Value(!same);
    }}));
    if (node.flag) {
      loop.call = [this, &node, weak = std::weak_ptr<Scope>(outer), level](Interpreter& in, const Arguments& given) {
        const Value* inner = given.find(0, "iterable");
        if (inner == nullptr) return in.fail("loop() takes what it is to walk");
        const ScopePtr around = weak.lock();
        if (!around) return in.fail("the loop is over");
        std::string text;
        std::string* const before = std::exchange(out_, &text);
        const ScopePtr scope = std::exchange(scope_, around);
        run_loop(node, *inner, level + 1);
        scope_ = scope;
        out_ = before;
        return in.text(std::move(text));
      };
    } else {
      loop.call = [](Interpreter& in, const Arguments&) { return in.fail("the loop is not recursive"); };
    }
    assign(*node.kids[0], items[i]);
    scope_->set("loop", function(std::move(loop)));
    if (run_body(node.bodies[0]) == Flow::kBreak) break;
  }
  scope_ = outer;
  return {};
}

void Interpreter::assign(const Node& target, const Value& value) {
  if (failed()) return;
  if (target.kind == Kind::kName) {
    scope_->set(target.text, value);
  } else if (target.kind == Kind::kAttribute) {
    const Value owner = eval(*target.kids[0]);
    if (Dict* space = owner.space()) space->set(Value(target.text), value);
    else fail("cannot assign an attribute of something that is no namespace");
  } else {
    const std::vector<Value> items = walk(value);
    if (failed()) return;
    if (items.size() != target.kids.size()) {
      fail("cannot unpack " + std::to_string(items.size()) + " values into " + std::to_string(target.kids.size()));
      return;
    }
    for (size_t i = 0; i < items.size(); ++i) assign(*target.kids[i], items[i]);
  }
}

Value Interpreter::macro(const Node& node, const std::vector<std::string>& names, const Nodes& defaults, std::string name) {
  if (closures_.empty() || closures_.back() != scope_) closures_.push_back(scope_);
  Callable made{.name = name, .call = {}, .members = {{"name", Value(name)}}};
  // The scope lives in closures_ as long as anything can call.
  made.call = [this, &node, closure = std::weak_ptr<Scope>(scope_), &names, &defaults](Interpreter&, const Arguments& given) {
    return run_macro(node, closure.lock(), names, defaults, given);
  };
  return function(std::move(made));
}

Value Interpreter::run_macro(const Node& node, const ScopePtr& closure, const std::vector<std::string>& names,
                             const Nodes& defaults, const Arguments& given) {
  const Deeper deeper(*this);
  if (failed()) return {};
  if (given.places.size() > names.size() && !node.uses_varargs) {
    return fail("a macro takes not more than " + std::to_string(names.size()) + " argument(s)");
  }
  const ScopePtr before = std::exchange(scope_, std::make_shared<Scope>(Scope{closure, {}}));
  std::vector<bool> used(given.names.size());
  const auto named = [&](std::string_view name) -> const Value* {
    for (size_t i = 0; i < given.names.size(); ++i) {
      if (given.names[i].first == name && !used[i]) return used[i] = true, &given.names[i].second;
    }
    return nullptr;
  };
  for (size_t i = 0; i < names.size(); ++i) {
    const Value* value = i < given.places.size() ? &given.places[i] : named(names[i]);
    if (value != nullptr) scope_->set(names[i], *value);
    else if (i < defaults.size() && defaults[i]) scope_->set(names[i], eval(*defaults[i]));
    else scope_->set(names[i], Value::undefined("parameter '" + names[i] + "' was not provided"));
  }
  if (node.uses_caller && std::ranges::find(names, "caller") == names.end()) {
    const Value* caller = named("caller");
    scope_->set("caller", caller ? *caller : Value::undefined("no caller defined"));
  }
  if (node.uses_varargs) {
    std::vector<Value> more;
    for (size_t i = names.size(); i < given.places.size(); ++i) more.push_back(given.places[i]);
    scope_->set("varargs", list(std::move(more), List::Kind::kTuple));
  }
  Dict rest;
  for (size_t i = 0; i < given.names.size(); ++i) {
    if (!used[i]) rest.set(Value(given.names[i].first), given.names[i].second);
  }
  if (node.uses_kwargs) scope_->set("kwargs", Value(std::move(rest)));
  else if (!rest.entries.empty()) fail("a macro takes no argument '" + rest.entries[0].first.str() + "'");
  std::string text;
  if (!failed()) text = capture(node.bodies[0]);
  scope_ = before;
  return failed() ? Value() : Value(std::move(text));
}

// Expressions.

Arguments Interpreter::arguments(const Node& node) {
  Arguments out;
  for (const NodePtr& value : node.rest) out.places.push_back(eval(*value));
  if (node.star) {
    for (Value& value : walk(eval(*node.star))) out.places.push_back(std::move(value));
  }
  for (const auto& [name, value] : node.named) out.names.emplace_back(name, eval(*value));
  if (node.star_star) {
    const Value more = eval(*node.star_star);
    if (const Dict* dict = more.dict()) {
      for (const auto& [key, value] : dict->entries) out.names.emplace_back(key.str(), value);
    } else {
      fail("what follows ** is no mapping");
    }
  }
  return out;
}

Value Interpreter::eval(const Node& node) {
  const Deeper deeper(*this);
  if (!charge(1)) return {};
  switch (node.kind) {
    case Kind::kConst: return node.value;
    case Kind::kName: {
      if (const Value* found = scope_->find(node.text)) return *found;
      if (const Dict* context = context_.dict()) {
        if (const Value* found = context->find(std::string_view(node.text))) return *found;
      }
      Value found = global(node.text);
      return found.is_undefined() ? Value::undefined("'" + node.text + "' is undefined") : found;
    }
    case Kind::kAttribute: return attribute(eval(*node.kids[0]), node.text);
    case Kind::kItem: return eval_item(node);
    case Kind::kCall: return eval_call(node);
    case Kind::kFilter: {
      const Value of = eval(*node.kids[0]);
      const Arguments given = arguments(node);
      line_ = node.line;
      return failed() ? Value() : filter(node.text, of, given);
    }
    case Kind::kTest: {
      const Value of = eval(*node.kids[0]);
      const Arguments given = arguments(node);
      return failed() ? Value() : Value(test(node.text, of, given));
    }
    case Kind::kNot: return Value(!eval(*node.kids[0]).truth());
    case Kind::kNegate:
    case Kind::kPlus: {
      const Value of = eval(*node.kids[0]);
      int64_t number;
      double real;
      const bool minus = node.kind == Kind::kNegate;
      if (of.integer(number)) return number == INT64_MIN ? fail("the number is too large") : Value(minus ? -number : number);
      if (of.real(real)) return Value(minus ? -real : real);
      return of.is_undefined() ? fail(of.what()) : fail("a sign before a " + std::string(of.type()));
    }
    case Kind::kBinary: {
      const Value a = eval(*node.kids[0]);
      const Value b = eval(*node.kids[1]);
      return failed() ? Value() : binary(node.text, a, b);
    }
    case Kind::kCompare: return eval_compare(node);
    case Kind::kAnd: {
      Value a = eval(*node.kids[0]);
      return a.truth() ? eval(*node.kids[1]) : a;
    }
    case Kind::kOr: {
      Value a = eval(*node.kids[0]);
      return a.truth() ? a : eval(*node.kids[1]);
    }
    case Kind::kConcat: {
      std::string out;
      for (const NodePtr& kid : node.kids) {
        out += eval(*kid).str();
        if (!charge(0, out.size() / 8)) return {};
      }
      return text(std::move(out));
    }
    case Kind::kTernary:
      if (eval(*node.kids[1]).truth()) return eval(*node.kids[0]);
      if (node.kids[2]) return eval(*node.kids[2]);
      return Value::undefined("the inline if-expression evaluated to false and no else section was defined");
    case Kind::kList:
    case Kind::kTuple: {
      std::vector<Value> items;
      for (const NodePtr& kid : node.kids) items.push_back(eval(*kid));
      return list(std::move(items), node.kind == Kind::kList ? List::Kind::kList : List::Kind::kTuple);
    }
    case Kind::kDict: {
      Dict dict;
      for (size_t i = 0; i + 1 < node.kids.size(); i += 2) {
        Value key = eval(*node.kids[i]);
        dict.set(std::move(key), eval(*node.kids[i + 1]));
      }
      return this->dict(std::move(dict));
    }
    default: return fail("a statement where an expression is expected");
  }
}

Value Interpreter::eval_call(const Node& node) {
  const Node& callee = *node.kids[0];
  if (callee.kind == Kind::kAttribute) {  // a method, without making it a value first
    const Value of = eval(*callee.kids[0]);
    if (has_method(of, callee.text)) {
      const Arguments given = arguments(node);
      line_ = node.line;
      return failed() ? Value() : call_method(*this, of, callee.text, given);
    }
    const Value found = failed() ? Value() : attribute(of, callee.text);
    const Arguments given = arguments(node);
    line_ = node.line;
    return failed() ? Value() : call(found, given);
  }
  const Value found = eval(callee);
  const Arguments given = arguments(node);
  line_ = node.line;
  return failed() ? Value() : call(found, given);
}

Value Interpreter::call(const Value& callee, const Arguments& given) {
  const Deeper deeper(*this);
  if (failed()) return {};
  const Callable* function = callee.callable();
  if (function != nullptr && function->call) {
    const Value keep = callee;  // it may be replaced while it runs
    return function->call(*this, given);
  }
  if (callee.is_undefined()) return fail(callee.what());
  return fail("a " + std::string(callee.type()) + " cannot be called");
}

Value Interpreter::eval_item(const Node& node) {
  const Value of = eval(*node.kids[0]);
  if (node.kids[1]->kind == Kind::kSlice) return failed() ? Value() : slice(of, *node.kids[1]);
  const Value key = eval(*node.kids[1]);
  return failed() ? Value() : item(of, key);
}

Value Interpreter::eval_compare(const Node& node) {
  Value left = eval(*node.kids[0]);
  for (size_t i = 0; i < node.names.size(); ++i) {
    Value right = eval(*node.kids[i + 1]);
    if (failed()) return {};
    if (!compare(node.names[i], left, right)) return Value(false);
    left = std::move(right);
  }
  return Value(!failed());
}

Value Interpreter::slice(const Value& of, const Node& node) {
  int64_t bounds[3] = {INT64_MIN, INT64_MIN, 1};  // begin, end, step
  for (size_t i = 0; i < 3; ++i) {
    if (!node.kids[i]) continue;
    const Value value = eval(*node.kids[i]);
    if (failed()) return {};
    if (!value.is_none() && !value.integer(bounds[i])) return fail("slice indices must be integers");
  }
  const int64_t step = bounds[2];
  if (step == 0) return fail("slice step cannot be zero");
  const std::string* chars = of.string();
  const List* list = of.items();
  if (of.is_undefined()) return fail(of.what());
  if (chars == nullptr && (list == nullptr || list->kind > List::Kind::kTuple)) return Value::undefined("it cannot be sliced");
  const std::vector<std::string_view> letters = chars ? characters(*chars) : std::vector<std::string_view>();
  const auto size = int64_t(chars ? letters.size() : list->items.size());
  const auto clip = [&](int64_t at, int64_t otherwise) {
    if (at == INT64_MIN) return otherwise;
    if (at < 0) at = std::max(at + size, step < 0 ? int64_t(-1) : int64_t(0));
    return std::min(at, step < 0 ? size - 1 : size);
  };
  const int64_t begin = clip(bounds[0], step < 0 ? size - 1 : 0), end = clip(bounds[1], step < 0 ? -1 : size);
  std::string out;
  std::vector<Value> items;
  for (int64_t i = begin; step > 0 ? i < end : i > end;) {
    if (chars) out += letters[size_t(i)]; else items.push_back(list->items[size_t(i)]);
    if (step > 0 ? step >= end - i : step <= end - i) break;
    i += step;
  }
  return chars ? text(std::move(out)) : this->list(std::move(items), list->kind);
}

// Template.

struct Program {
  Nodes nodes;
};

Result<Template> Template::parse(std::string_view source) {
  AJAR_ASSIGN(auto nodes, jinja::parse(source));
  Template out;
  out.program_ = std::make_shared<const Program>(Program{std::move(nodes)});
  return out;
}

Result<std::string> Template::render(const Value& context, int64_t now, const Limits& limits) const {
  Interpreter interpreter(context, now, limits);
  return interpreter.run(program_->nodes);
}

}  // namespace ajar::jinja
