// Attributes, subscripts and operators, as Jinja2 and Python have them.
#include <algorithm>
#include <cmath>

#include "chat/jinja/interpreter.h"

namespace ajar::jinja {
namespace {

bool mutating(const Value& of, std::string_view name) {
  for (const char* known : {"append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove", "popitem", "setdefault", "update"}) {
    if (name == known) return of.items() != nullptr || (of.dict() != nullptr && of.space() == nullptr);
  }
  return false;
}

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

}  // namespace

Value Interpreter::attribute(const Value& of, std::string_view name) {
  if (failed()) return {};
  if (of.is_undefined()) return fail(of.what());
  if (has_method(of, name)) {
    Callable method{.name = std::string(name), .call = {}, .depth = of.depth() + 1};
    method.call = [of, name = std::string(name)](Interpreter& in, const Arguments& given) {
      return call_method(in, of, name, given);
    };
    return function(std::move(method));
  }
  if (mutating(of, name)) {
    return Value::undefined("access to attribute '" + std::string(name) + "' of '" + std::string(of.type()) + "' object is unsafe");
  }
  if (const Dict* dict = of.dict()) {
    if (const Value* found = dict->find(name)) return *found;
  } else if (const Callable* call = of.callable()) {
    for (const auto& [member, value] : call->members) {
      if (member == name) return value;
    }
  }
  return Value::undefined("'" + std::string(of.type()) + " object' has no attribute '" + std::string(name) + "'");
}

Value Interpreter::item(const Value& of, const Value& key) {
  if (failed()) return {};
  if (of.is_undefined()) return fail(of.what());
  int64_t at;
  if (const Dict* dict = of.dict()) {
    if (const Value* found = dict->find(key)) return *found;
  } else if (const List* list = of.items(); list && list->kind <= List::Kind::kTuple && key.integer(at)) {
    const auto size = int64_t(list->items.size());
    if (at < 0) at += size;
    if (at >= 0 && at < size) return list->items[size_t(at)];
  } else if (const std::string* text = of.string(); text && key.integer(at)) {
    const auto letters = characters(*text);
    if (!charge(int64_t(letters.size() / 8))) return {};
    if (at < 0) at += int64_t(letters.size());
    if (at >= 0 && at < int64_t(letters.size())) return Value(letters[size_t(at)]);
  }
  if (const std::string* name = key.string(); name && of.space() == nullptr) {
    const bool member = of.callable() || has_method(of, *name) || mutating(of, *name);
    if (member) return attribute(of, *name);
  }
  return Value::undefined("'" + std::string(of.type()) + " object' has no element " + key.repr());
}

Value Interpreter::path(Value of, const Value& dotted) {
  if (dotted.is_int()) return item(of, dotted);
  const std::string whole = dotted.str();
  for (size_t at = 0; at <= whole.size();) {
    const size_t end = std::min(whole.find('.', at), whole.size());
    const std::string part = whole.substr(at, end - at);
    const bool number = !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; }) && part.size() < 10;
    of = item(of, number ? Value(int64_t(std::stoll(part))) : Value(part));
    at = end + 1;
  }
  return of;
}

std::vector<Value> Interpreter::walk(const Value& value) {
  std::vector<Value> out;
  if (failed() || value.is_undefined()) return out;
  if (const List* list = value.items()) {
    out = list->items;
  } else if (const Dict* dict = value.dict(); dict && value.space() == nullptr) {
    for (const auto& [key, item] : dict->entries) out.push_back(key);
  } else if (const std::string* text = value.string()) {
    charge(int64_t(text->size()), text->size() * sizeof(Value));
    if (failed()) return out;
    for (const std::string_view letter : characters(*text)) out.emplace_back(letter);
  } else {
    fail("'" + std::string(value.type()) + "' object is not iterable");
  }
  if (!charge(int64_t(out.size()), out.size() * sizeof(Value))) out.clear();
  return out;
}

bool Interpreter::contains(const Value& in, const Value& what) {
  if (const std::string* text = in.string()) {
    if (!charge(1 + int64_t(text->size() / 64))) return false;
    if (const std::string* part = what.string()) return text->find(*part) != text->npos;
    fail("'in <string>' requires string as left operand, not " + std::string(what.type()));
    return false;
  }
  if (const Dict* dict = in.dict(); dict && in.space() == nullptr) return dict->find(what) != nullptr;
  if (const List* list = in.items()) {
    charge(int64_t(list->items.size()));
    return std::ranges::any_of(list->items, [&](const Value& item) { return equal(item, what); });
  }
  if (!in.is_undefined()) fail("argument of type '" + std::string(in.type()) + "' is not iterable");
  return false;
}

bool Interpreter::compare(std::string_view op, const Value& a, const Value& b) {
  if (op == "==") return equal(a, b);
  if (op == "!=") return !equal(a, b);
  if (op == "in") return contains(b, a);
  if (op == "not in") return !contains(b, a);
  if (a.is_undefined() || b.is_undefined()) return fail(a.is_undefined() ? a.what() : b.what()), false;
  bool known = true;
  const bool swapped = op[0] == '>';
  const Value& x = swapped ? b : a;
  const Value& y = swapped ? a : b;
  const bool result = less(x, y, known) || (op.size() == 2 && equal(x, y));
  if (!known) fail("'" + std::string(op) + "' not supported between instances of '" + std::string(a.type()) + "' and '" + std::string(b.type()) + "'");
  return known && result;
}

Value Interpreter::binary(std::string_view op, const Value& a, const Value& b) {
  if (a.is_undefined() || b.is_undefined()) return fail(a.is_undefined() ? a.what() : b.what());
  int64_t i, j;
  double x, y;
  if (a.integer(i) && b.integer(j) && op != "/") {
    int64_t out = 0;
    bool over = false;
    if (op == "+") over = __builtin_add_overflow(i, j, &out);
    else if (op == "-") over = __builtin_sub_overflow(i, j, &out);
    else if (op == "*") over = __builtin_mul_overflow(i, j, &out);
    else if (op == "**") {
      if (j < 0) return Value(std::pow(double(i), double(j)));
      out = 1;
      for (int64_t n = 0; n < j && !over && n < 64; ++n) over = __builtin_mul_overflow(out, i, &out);
      if (j > 64 && i != 0 && i != 1 && i != -1) over = true;
      if (j > 64 && i == -1) out = j % 2 == 0 ? 1 : -1;
    } else {
      if (j == 0) return fail("integer division or modulo by zero");
      if (i == INT64_MIN && j == -1) return fail("the number is too large");
      out = op == "//" ? floor_div(i, j) : i - floor_div(i, j) * j;
    }
    return over ? fail("the number is too large") : Value(out);
  }
  if (a.real(x) && b.real(y)) {
    if (op == "+") return Value(x + y);
    if (op == "-") return Value(x - y);
    if (op == "*") return Value(x * y);
    if (op == "**") return Value(std::pow(x, y));
    if (y == 0) return fail("division by zero");
    if (op == "/") return Value(x / y);
    if (op == "//") return Value(std::floor(x / y));
    return Value(x - std::floor(x / y) * y);
  }
  if (op == "+") {
    if (a.string() && b.string()) {
      if (!charge(1, a.string()->size() + b.string()->size())) return {};
      if (a.is_markup() || b.is_markup()) {
        const auto escaped = [](const Value& v) { return v.is_markup() ? *v.string() : escape_html(*v.string()); };
        return Value::markup(escaped(a) + escaped(b));
      }
      return Value(*a.string() + *b.string());
    }
    const List* left = a.items();
    const List* right = b.items();
    if (left && right && left->kind == right->kind && left->kind <= List::Kind::kTuple) {
      if (!charge(1, (left->items.size() + right->items.size()) * sizeof(Value))) return {};
      std::vector<Value> items = left->items;
      items.insert(items.end(), right->items.begin(), right->items.end());
      return list(std::move(items), left->kind);
    }
  }
  if (op == "*" && (a.integer(i) || b.integer(i))) {
    const Value& other = a.integer(i) ? b : a;
    const auto times = size_t(std::max<int64_t>(0, i));
    if (const std::string* part = other.string()) {
      if (part->empty()) return Value("");
      if (times > limits_.memory_bytes / part->size() || !charge(1, part->size() * times)) {
        return fail("the text is longer than the limit of " + std::to_string(limits_.memory_bytes) + " bytes", Code::kTooLarge);
      }
      std::string out;
      for (size_t n = 0; n < times; ++n) out += *part;
      return Value(std::move(out));
    }
    if (const List* part = other.items(); part && part->kind <= List::Kind::kTuple) {
      if (part->items.empty()) return other;
      const size_t bytes = part->items.size() * sizeof(Value);
      if (times > limits_.memory_bytes / bytes || !charge(1, bytes * times)) {
        return fail("the list is longer than the limit of " + std::to_string(limits_.memory_bytes) + " bytes", Code::kTooLarge);
      }
      std::vector<Value> items;
      for (size_t n = 0; n < times; ++n) items.insert(items.end(), part->items.begin(), part->items.end());
      return Value::list(std::move(items), part->kind);
    }
  }
  if (op == "%" && a.string()) return fail("formatting with % is not supported", Code::kUnsupported);
  return fail("unsupported operand type(s) for " + std::string(op) + ": '" + std::string(a.type()) + "' and '" + std::string(b.type()) + "'");
}

}  // namespace ajar::jinja
