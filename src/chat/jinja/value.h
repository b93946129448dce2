#pragma once
// A value of a Jinja template, with the semantics of the Python object that it stands for. Values are shared and, except
// for namespaces, never change after they are made: that is what the sandbox of chat templates promises.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace ajar::jinja {

class Value;
class Interpreter;
struct Dict;
struct Callable;

// A list, or something else that Python walks in order: what differs is what may be done with it.
struct List {
  enum class Kind : uint8_t { kList, kTuple, kView /* dict.items() */, kIterator /* map, select: has no length */ };
  Kind kind = Kind::kList;
  std::vector<Value> items;
  int depth = 1;  // of nested values, so that no template can make what takes a deep stack to compare or free
};

// Arguments of a call, by place and by name.
struct Arguments {
  std::vector<Value> places;
  std::vector<std::pair<std::string, Value>> names;

  const Value* find(size_t place, std::string_view name) const;  // null: not given
};

struct Undefined {
  std::shared_ptr<const std::string> what;  // "'x' is undefined", for errors
};
struct None {};

class Value {
 public:
  Value() : data_(Undefined{}) {}
  Value(None) : data_(None{}) {}
  Value(bool flag) : data_(flag) {}
  Value(int64_t number) : data_(number) {}
  Value(int number) : data_(int64_t(number)) {}
  Value(size_t number) : data_(int64_t(number)) {}
  Value(double number) : data_(number) {}
  Value(std::string text) : data_(std::make_shared<const std::string>(std::move(text))) {}
  Value(std::string_view text) : Value(std::string(text)) {}
  Value(const char* text) : Value(std::string(text)) {}
  Value(List list) : data_(std::make_shared<const List>(std::move(list))) {}
  Value(std::shared_ptr<const Dict> dict) : data_(std::move(dict)) {}
  Value(Dict dict);
  Value(std::shared_ptr<const Callable> call) : data_(std::move(call)) {}

  static Value undefined(std::string what);
  static Value space(std::shared_ptr<Dict> members);  // a namespace, which templates may change
  static Value list(std::vector<Value> items, List::Kind kind = List::Kind::kList);

  bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
  bool is_none() const { return std::holds_alternative<None>(data_); }
  bool is_string() const { return string() != nullptr; }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_int() const { return std::holds_alternative<int64_t>(data_); }
  bool is_float() const { return std::holds_alternative<double>(data_); }
  bool is_number() const { return is_bool() || is_int() || is_float(); }

  // The same text as `safe` marks it: what is added to it is escaped for HTML, whatever the template wants to make.
  static Value markup(std::string text);
  bool is_markup() const;

  // Null or false where it is something else.
  const std::string* string() const;
  const List* items() const;
  const Dict* dict() const;
  Dict* space() const;
  const Callable* callable() const;
  bool integer(int64_t& out) const;  // bools too
  bool real(double& out) const;      // every number
  const std::string& what() const;   // of an undefined value

  int depth() const;  // 0: holds no values
  bool truth() const;
  std::string str() const;           // Python's str()
  std::string repr() const;          // Python's repr()
  std::string_view type() const;     // Python's name of the type

 private:
  using Text = std::shared_ptr<const std::string>;
  struct Markup {
    Text text;
  };
  std::variant<Undefined, None, bool, int64_t, double, Text, Markup, std::shared_ptr<const List>, std::shared_ptr<const Dict>,
               std::shared_ptr<Dict>, std::shared_ptr<const Callable>> data_;
};

// Keeps the order of insertion. Keys are strings, numbers or None, as far as JSON and templates make them.
struct Dict {
  std::vector<std::pair<Value, Value>> entries;
  int depth = 1;

  const Value* find(std::string_view key) const;
  const Value* find(const Value& key) const;
  void set(Value key, Value value);

 private:
  std::unordered_map<std::string, size_t> index_;  // of string keys
};

struct Callable {
  std::string name;
  std::function<Value(Interpreter&, const Arguments&)> call;
  std::vector<std::pair<std::string, Value>> members = {};  // attributes: of `loop`
  int depth = 1;
};

bool equal(const Value& a, const Value& b);
// Python's <: false and an unset `known` where the types have no order.
bool less(const Value& a, const Value& b, bool& known);

// json.dumps. Empty `failed` on success, otherwise the type that JSON lacks.
struct JsonStyle {
  bool ascii = false, sort_keys = false;
  int indent = -1;  // -1: one line
  std::string indent_text;
  std::string item_separator = ", ", key_separator = ": ";
};
void append_json(std::string& out, const Value& value, const JsonStyle& style, std::string& failed, int level = 0);

std::string escape_html(std::string_view text);
std::string float_text(double number);  // as Python writes it

// Code points, as Python counts.
size_t length_of(std::string_view text);
std::vector<std::string_view> characters(std::string_view text);

}  // namespace ajar::jinja
