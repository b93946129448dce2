// Global functions: Jinja's own, and the two that transformers adds.
#include <ctime>

#include "chat/jinja/interpreter.h"

namespace ajar::jinja {
namespace {

constexpr int64_t kMaxRange = 100'000;  // Jinja's sandbox has the same

Value make(std::string name, std::function<Value(Interpreter&, const Arguments&)> call) {
  return Value(std::make_shared<const Callable>(Callable{.name = std::move(name), .call = std::move(call)}));
}

Value range(Interpreter& in, const Arguments& given) {
  int64_t bounds[3] = {0, 0, 1};
  const size_t n = given.places.size();
  if (n == 0 || n > 3) return in.fail("range expected 1 to 3 arguments");
  for (size_t i = 0; i < n; ++i) {
    if (!given.places[i].integer(bounds[n == 1 ? 1 : i])) return in.fail("range takes integers, not " + std::string(given.places[i].type()));
  }
  const auto [begin, end, step] = bounds;
  if (step == 0) return in.fail("range() arg 3 must not be zero");
  std::vector<Value> items;
  for (int64_t at = begin; step > 0 ? at < end : at > end;) {
    if (int64_t(items.size()) >= kMaxRange) return in.fail("range is longer than the limit of " + std::to_string(kMaxRange), Code::kTooLarge);
    items.emplace_back(at);
    if (__builtin_add_overflow(at, step, &at)) break;
  }
  return in.list(std::move(items));
}

Dict members(Interpreter& in, const Arguments& given) {
  Dict out;
  for (const Value& place : given.places) {
    if (const Dict* dict = place.dict()) {
      for (const auto& [key, value] : dict->entries) out.set(key, value);
      continue;
    }
    for (const Value& pair : in.walk(place)) {
      const std::vector<Value> two = in.walk(pair);
      if (two.size() == 2) out.set(two[0], two[1]);
      else in.fail("dict() takes pairs");
    }
  }
  for (const auto& [name, value] : given.names) out.set(Value(name), value);
  return out;
}

Value strftime(Interpreter& in, const Arguments& given) {
  const Value* format = given.find(0, "format");
  if (format == nullptr || !format->string()) return in.fail("strftime_now takes a format");
  if (format->string()->empty() || format->string()->size() > 200) return Value("");
  const time_t now = time_t(in.now());
  tm parts{};
  gmtime_r(&now, &parts);
  char out[4096];
  return in.text(std::string(out, std::strftime(out, sizeof out, format->string()->c_str(), &parts)));
}

}  // namespace

Value global(std::string_view name) {
  if (name == "range") return make("range", range);
  if (name == "namespace") {
    return make("namespace", [](Interpreter& in, const Arguments& given) { return in.new_namespace(members(in, given)); });
  }
  if (name == "dict") return make("dict", [](Interpreter& in, const Arguments& given) { return in.dict(members(in, given)); });
  if (name == "raise_exception") {
    return make("raise_exception", [](Interpreter& in, const Arguments& given) {
      const Value* message = given.find(0, "message");
      return in.raise(message ? message->str() : "");
    });
  }
  if (name == "strftime_now") return make("strftime_now", strftime);
  return {};
}

}  // namespace ajar::jinja
