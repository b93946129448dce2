#pragma once
// Walks the tree of a template. The first fault is kept and everything after it does nothing.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/jinja/ast.h"
#include "chat/jinja/jinja.h"

namespace ajar::jinja {

struct Scope {
  std::shared_ptr<Scope> parent;
  std::vector<std::pair<std::string, Value>> names;

  const Value* find(std::string_view name) const;  // here or above; null: nowhere
  void set(std::string_view name, Value value);    // here
};
using ScopePtr = std::shared_ptr<Scope>;

class Interpreter {
 public:
  Interpreter(const Value& context, int64_t now, const Limits& limits);
  ~Interpreter();

  Result<std::string> run(const Nodes& nodes);

  // For filters, tests and methods. All return an undefined value after a fault.
  Value fail(std::string what, Code code = Code::kInvalid);
  Value raise(std::string what);  // raise_exception: the template's own words
  bool failed() const { return error_.has_value(); }
  bool charge(int64_t steps, size_t bytes = 0);  // false: a limit is reached, which is a fault
  Value text(std::string text);                  // charged
  Value list(std::vector<Value> items, List::Kind kind = List::Kind::kList);
  Value dict(Dict dict);
  Value function(Callable made);

  Value attribute(const Value& of, std::string_view name);  // of.name
  Value item(const Value& of, const Value& key);            // of[key]
  Value path(Value of, const Value& dotted);                // "a.b.0" or 0, as filters take attributes
  Value call(const Value& callee, const Arguments& arguments);
  Value filter(std::string_view name, const Value& of, const Arguments& arguments);
  bool test(std::string_view name, const Value& of, const Arguments& arguments);
  bool contains(const Value& in, const Value& what);
  // What a for loop sees; a fault where it cannot be walked.
  std::vector<Value> walk(const Value& value);
  Value binary(std::string_view op, const Value& a, const Value& b);
  bool compare(std::string_view op, const Value& a, const Value& b);
  Value new_namespace(Dict members);
  int64_t now() const { return now_; }

 private:
  enum class Flow : uint8_t { kNext, kBreak, kContinue };
  struct Deeper {
    explicit Deeper(Interpreter& i);
    ~Deeper() { --i.depth_; }
    Interpreter& i;
  };

  Value eval(const Node& node);
  Value eval_call(const Node& node);
  Value eval_item(const Node& node);
  Value eval_compare(const Node& node);
  Value slice(const Value& of, const Node& node);
  Arguments arguments(const Node& node);

  Flow run_body(const Nodes& nodes);
  Flow run_node(const Node& node);
  Flow run_for(const Node& node);
  Value run_loop(const Node& node, const Value& over, int level);
  std::string capture(const Nodes& nodes);
  void assign(const Node& target, const Value& value);
  Value macro(const Node& node, const std::vector<std::string>& names, const Nodes& defaults, std::string name);
  Value run_macro(const Node& node, const ScopePtr& closure, const std::vector<std::string>& names, const Nodes& defaults,
                  const Arguments& given);
  void put(std::string_view text);
  Value shallow(Value value);  // a fault where it is nested too deep

  const Value context_;
  const int64_t now_;
  const Limits limits_;
  ScopePtr scope_;
  std::string* out_ = nullptr;
  int depth_ = 0;
  int64_t steps_ = 0;
  size_t bytes_ = 0;
  uint32_t line_ = 0;
  std::optional<Error> error_;
  // What may hold itself: emptied at the end, so that nothing stays.
  std::vector<std::shared_ptr<Dict>> spaces_;
  std::vector<ScopePtr> closures_;
};

// Methods of strings, dicts and lists (methods.cc). False: there is no such method.
bool has_method(const Value& of, std::string_view name);
Value call_method(Interpreter& in, const Value& of, std::string_view name, const Arguments& arguments);
// Global functions (functions.cc): an undefined value where there is none.
Value global(std::string_view name);

}  // namespace ajar::jinja
