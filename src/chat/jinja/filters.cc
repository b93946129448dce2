#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "chat/jinja/interpreter.h"
#include "chat/jinja/text.h"

namespace ajar::jinja {
namespace {

using Filter = Value (*)(Interpreter&, const Value&, const Arguments&);

int64_t number(const Arguments& given, size_t place, std::string_view name, int64_t otherwise) {
  const Value* value = given.find(place, name);
  int64_t out = otherwise;
  if (value != nullptr) value->integer(out);
  return out;
}
bool flag(const Arguments& given, size_t place, std::string_view name, bool otherwise) {
  const Value* value = given.find(place, name);
  return value ? value->truth() : otherwise;
}
Arguments after_first(const Arguments& given) {
  Arguments out = given;
  if (!out.places.empty()) out.places.erase(out.places.begin());
  return out;
}
Value folded(const Value& value, bool case_sensitive) {
  return !case_sensitive && value.string() ? Value(to_lower(*value.string())) : value;
}
// Something that has a length, in order; false and a fault otherwise.
bool sequence(Interpreter& in, const Value& of, std::vector<Value>& out) {
  if (of.items() && of.items()->kind == List::Kind::kIterator) return in.fail("object of type 'generator' has no len()"), false;
  out = in.walk(of);
  return !in.failed();
}

Value tojson(Interpreter& in, const Value& of, const Arguments& given) {
  JsonStyle style;
  style.ascii = flag(given, 0, "ensure_ascii", false);
  if (const Value* indent = given.find(1, "indent"); indent && !indent->is_none()) {
    int64_t width = 0;
    if (indent->string()) style.indent_text = *indent->string(), style.indent = 0;
    else if (indent->integer(width)) style.indent = int(std::clamp<int64_t>(width, 0, 100));
    style.item_separator = ",";
  }
  if (const Value* both = given.find(2, "separators"); both && both->items() && both->items()->items.size() == 2) {
    style.item_separator = both->items()->items[0].str();
    style.key_separator = both->items()->items[1].str();
  }
  style.sort_keys = flag(given, 3, "sort_keys", false);
  std::string out, failed;
  append_json(out, of, style, failed);
  if (!failed.empty()) return in.fail("Object of type " + failed + " is not JSON serializable");
  return in.text(std::move(out));
}

Value length(Interpreter& in, const Value& of, const Arguments&) {
  if (const std::string* text = of.string()) return in.charge(1 + int64_t(text->size() / 64)) ? Value(length_of(*text)) : Value();
  if (const List* list = of.items(); list && list->kind != List::Kind::kIterator) return Value(list->items.size());
  if (const Dict* dict = of.dict(); dict && !of.space()) return Value(dict->entries.size());
  if (of.is_undefined()) return Value(0);
  return in.fail("object of type '" + std::string(of.type()) + "' has no len()");
}

Value otherwise(Interpreter&, const Value& of, const Arguments& given) {
  const Value* value = given.find(0, "default_value");
  const bool use = of.is_undefined() || (flag(given, 1, "boolean", false) && !of.truth());
  return !use ? of : value ? *value : Value("");
}

Value join(Interpreter& in, const Value& of, const Arguments& given) {
  const Value* between = given.find(0, "d");
  const Value* attribute = given.find(1, "attribute");
  const std::string mark = between ? between->str() : "";
  std::string out;
  bool first = true;
  for (const Value& item : in.walk(of)) {
    const std::string part = (attribute && !attribute->is_none() ? in.path(item, *attribute) : item).str();
    if (!in.charge(1, part.size() + mark.size())) return {};
    if (!std::exchange(first, false)) out += mark;
    out += part;
  }
  return Value(std::move(out));
}

Value items(Interpreter& in, const Value& of, const Arguments&) {
  if (of.is_undefined()) return in.list({}, List::Kind::kIterator);
  if (!of.dict() || of.space()) return in.fail("Can only get item pairs from a mapping.");
  std::vector<Value> out;
  for (const auto& [key, value] : of.dict()->entries) out.push_back(in.list({key, value}, List::Kind::kTuple));
  return in.list(std::move(out), List::Kind::kIterator);
}

// Sorted by key(value), stably; a fault where two have no order. By merging, which no odd order can lead astray.
template <class Key>
std::vector<Value> sorted(Interpreter& in, std::vector<Value> values, bool reverse, Key&& key) {
  using Keyed = std::pair<Value, const Value*>;
  std::vector<Keyed> now, next;
  for (const Value& value : values) now.emplace_back(key(value), &value);
  bool known = true;
  const auto before = [&](const Keyed& a, const Keyed& b) {
    return reverse ? less(b.first, a.first, known) : less(a.first, b.first, known);
  };
  for (size_t width = 1; width < now.size() && known && in.charge(int64_t(now.size())); width *= 2) {
    next.clear();
    for (size_t begin = 0; begin < now.size(); begin += 2 * width) {
      const size_t middle = std::min(begin + width, now.size()), end = std::min(begin + 2 * width, now.size());
      for (size_t i = begin, j = middle; i < middle || j < end;) {
        const bool right = i == middle || (j < end && before(now[j], now[i]));
        next.push_back(now[right ? j++ : i++]);
      }
    }
    now.swap(next);
  }
  if (!known) in.fail("'<' not supported between these values");
  if (in.failed()) return {};
  std::vector<Value> out;
  for (const Keyed& keyed : now) out.push_back(*keyed.second);
  return out;
}

Value dictsort(Interpreter& in, const Value& of, const Arguments& given) {
  if (!of.dict() || of.space()) return in.fail(of.is_undefined() ? of.what() : "dictsort takes a mapping");
  const bool case_sensitive = flag(given, 0, "case_sensitive", false);
  const Value* by = given.find(1, "by");
  const size_t at = by && by->str() == "value" ? 1 : 0;
  std::vector<Value> pairs;
  for (const auto& [key, value] : of.dict()->entries) pairs.push_back(in.list({key, value}, List::Kind::kTuple));
  return in.list(sorted(in, std::move(pairs), flag(given, 2, "reverse", false), [&](const Value& pair) {
    return folded(pair.items() ? pair.items()->items[at] : pair, case_sensitive);
  }));
}

Value sort(Interpreter& in, const Value& of, const Arguments& given) {
  const bool case_sensitive = flag(given, 1, "case_sensitive", false);
  const Value* attribute = given.find(2, "attribute");
  return in.list(sorted(in, in.walk(of), flag(given, 0, "reverse", false), [&](const Value& item) {
    return folded(attribute && !attribute->is_none() ? in.path(item, *attribute) : item, case_sensitive);
  }));
}

Value unique(Interpreter& in, const Value& of, const Arguments& given) {
  const bool case_sensitive = flag(given, 0, "case_sensitive", false);
  const Value* attribute = given.find(1, "attribute");
  std::vector<Value> out, seen;
  for (const Value& item : in.walk(of)) {
    Value key = folded(attribute && !attribute->is_none() ? in.path(item, *attribute) : item, case_sensitive);
    if (!in.charge(int64_t(seen.size()))) return {};
    if (std::ranges::any_of(seen, [&](const Value& other) { return equal(other, key); })) continue;
    seen.push_back(std::move(key));
    out.push_back(item);
  }
  return in.list(std::move(out), List::Kind::kIterator);
}

Value extreme(Interpreter& in, const Value& of, const Arguments& given, bool largest) {
  const Value* attribute = given.find(1, "attribute");
  const auto all = sorted(in, in.walk(of), false, [&](const Value& item) {
    return folded(attribute && !attribute->is_none() ? in.path(item, *attribute) : item, flag(given, 0, "case_sensitive", false));
  });
  if (all.empty()) return Value::undefined("No aggregated item, sequence was empty.");
  return largest ? all.back() : all.front();
}

Value map(Interpreter& in, const Value& of, const Arguments& given) {
  std::vector<Value> out;
  const Value* attribute = given.places.empty() ? given.find(SIZE_MAX, "attribute") : nullptr;
  const Value* fallback = given.find(SIZE_MAX, "default");
  const Arguments rest = after_first(given);
  if (!attribute && (given.places.empty() || !given.places[0].string())) return in.fail("map requires a filter argument");
  for (const Value& item : of.truth() ? in.walk(of) : std::vector<Value>()) {
    if (!in.charge(1)) return {};
    Value value = attribute ? in.path(item, *attribute) : in.filter(*given.places[0].string(), item, rest);
    if (attribute && fallback && value.is_undefined()) value = *fallback;
    out.push_back(std::move(value));
  }
  return in.list(std::move(out), List::Kind::kIterator);
}

Value choose(Interpreter& in, const Value& of, const Arguments& given, bool attributes, bool wanted) {
  Arguments rest = given;
  Value attribute;
  if (attributes) {
    if (rest.places.empty()) return in.fail("Missing parameter for attribute name");
    attribute = rest.places[0];
    rest = after_first(rest);
  }
  const std::string test = rest.places.empty() ? "" : rest.places[0].str();
  const Arguments more = after_first(rest);
  std::vector<Value> out;
  for (const Value& item : of.truth() ? in.walk(of) : std::vector<Value>()) {
    if (!in.charge(1)) return {};
    const Value value = attributes ? in.path(item, attribute) : item;
    if ((test.empty() ? value.truth() : in.test(test, value, more)) == wanted) out.push_back(item);
  }
  return in.list(std::move(out), List::Kind::kIterator);
}

Value indent(Interpreter& in, const Value& of, const Arguments& given) {
  const Value* width = given.find(0, "width");
  const std::string by = width && width->string() ? *width->string()
                                                  : std::string(size_t(std::clamp<int64_t>(number(given, 0, "width", 4), 0, 1000)), ' ');
  const bool first = flag(given, 1, "first", false), blank = flag(given, 2, "blank", false);
  if (!of.string()) return in.fail(of.is_undefined() ? of.what() : "indent takes a text");
  const std::string text = *of.string() + "\n";
  std::string out;
  bool begin = true;
  for (const std::string_view line : lines(text)) {
    if (!in.charge(1, line.size() + by.size())) return {};
    if (!begin) out += '\n';
    if (begin ? first : (blank || !line.empty())) out += by;
    out += line;
    begin = false;
  }
  return Value(std::move(out));
}

Value to_int(Interpreter&, const Value& of, const Arguments& given) {
  const Value* fallback = given.find(0, "default");
  const Value failed = fallback ? *fallback : Value(0);
  int64_t out = 0;
  double real = 0;
  if (of.integer(out)) return Value(out);
  if (const std::string* text = of.string()) {
    std::string_view digits = strip(*text, nullptr, true, true);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    int64_t base = number(given, 1, "base", 10);
    if (base == 16 && (digits.starts_with("0x") || digits.starts_with("0X"))) digits.remove_prefix(2);
    if (base < 2 || base > 36) base = 10;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out, int(base));
    if (error == std::errc() && end == digits.data() + digits.size()) return Value(out);
    auto [stop, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), real);
    if (fault != std::errc() || stop != digits.data() + digits.size()) return failed;
  } else if (!of.real(real)) {
    return failed;
  }
  return std::isfinite(real) && std::fabs(real) < 9.2e18 ? Value(int64_t(real)) : failed;
}

Value to_float(Interpreter&, const Value& of, const Arguments& given) {
  const Value* fallback = given.find(0, "default");
  double out = 0;
  if (of.real(out)) return Value(out);
  if (const std::string* text = of.string()) {
    std::string_view digits = strip(*text, nullptr, true, true);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    if (error == std::errc() && end == digits.data() + digits.size()) return Value(out);
  }
  return fallback ? *fallback : Value(0.0);
}

Value round(Interpreter& in, const Value& of, const Arguments& given) {
  double number_in;
  if (!of.real(number_in)) return in.fail("round takes a number");
  const Value* method = given.find(1, "method");
  const double scale = std::pow(10.0, double(number(given, 0, "precision", 0)));
  const std::string how = method ? method->str() : "common";
  double out;
  if (how == "ceil") out = std::ceil(number_in * scale) / scale;
  else if (how == "floor") out = std::floor(number_in * scale) / scale;
  else out = std::nearbyint(number_in * scale) / scale;
  return of.is_int() && how == "common" ? of : Value(out);
}

Value sum(Interpreter& in, const Value& of, const Arguments& given) {
  const Value* attribute = given.find(0, "attribute");
  const Value* start = given.find(1, "start");
  Value out = start ? *start : Value(0);
  for (const Value& item : in.walk(of)) {
    out = in.binary("+", out, attribute && !attribute->is_none() ? in.path(item, *attribute) : item);
    if (in.failed()) return {};
  }
  return out;
}

Value reverse(Interpreter& in, const Value& of, const Arguments&) {
  std::vector<Value> all = in.walk(of);
  std::ranges::reverse(all);
  if (!of.string()) return in.list(std::move(all), List::Kind::kIterator);
  std::string out;
  for (const Value& letter : all) out += letter.str();
  return Value(std::move(out));
}

Value batch(Interpreter& in, const Value& of, const Arguments& given) {
  const int64_t size = number(given, 0, "linecount", 0);
  const Value* fill = given.find(1, "fill_with");
  if (size < 1) return in.fail("batch takes how many");
  std::vector<Value> out, row;
  for (const Value& item : in.walk(of)) {
    row.push_back(item);
    if (int64_t(row.size()) == size) out.push_back(in.list(std::exchange(row, {})));
  }
  if (!row.empty()) {
    while (fill && int64_t(row.size()) < size && in.charge(1, sizeof(Value))) row.push_back(*fill);
    out.push_back(in.list(std::move(row)));
  }
  return in.list(std::move(out), List::Kind::kIterator);
}

Value groupby(Interpreter& in, const Value& of, const Arguments& given) {
  const Value* attribute = given.find(0, "attribute");
  const Value* fallback = given.find(1, "default");
  if (attribute == nullptr) return in.fail("groupby takes an attribute");
  const auto key_of = [&](const Value& item) {
    const Value value = in.path(item, *attribute);
    return value.is_undefined() && fallback ? *fallback : value;
  };
  const bool case_sensitive = flag(given, 2, "case_sensitive", false);
  const auto all = sorted(in, in.walk(of), false, [&](const Value& item) { return folded(key_of(item), case_sensitive); });
  std::vector<Value> out, group;
  for (size_t i = 0; i < all.size() && !in.failed(); ++i) {
    group.push_back(all[i]);
    const bool over = i + 1 == all.size() || !equal(folded(key_of(all[i]), case_sensitive), folded(key_of(all[i + 1]), case_sensitive));
    if (!over) continue;
    const Value key = key_of(group[0]);
    out.push_back(in.list({key, in.list(std::exchange(group, {}))}, List::Kind::kTuple));
  }
  return in.list(std::move(out));
}

Value marked(Interpreter& in, std::string text) {
  return in.charge(1, text.size()) ? Value::markup(std::move(text)) : Value();
}
// A text that was made of `of` stays marked when that was.
Value as(Interpreter& in, const Value& of, std::string text) {
  return of.is_markup() ? marked(in, std::move(text)) : in.text(std::move(text));
}

const std::unordered_map<std::string_view, Filter>& filters() {
  using A = const Arguments&;
  using V = const Value&;
  using I = Interpreter&;
  static const std::unordered_map<std::string_view, Filter> kAll = {
      {"tojson", tojson}, {"length", length}, {"count", length}, {"default", otherwise}, {"d", otherwise}, {"join", join},
      {"items", items}, {"dictsort", dictsort}, {"sort", sort}, {"unique", unique}, {"map", map}, {"indent", indent},
      {"int", to_int}, {"float", to_float}, {"round", round}, {"sum", sum}, {"reverse", reverse}, {"batch", batch},
      {"groupby", groupby},
      {"escape", [](I in, V of, A) { return of.is_markup() ? of : marked(in, escape_html(of.str())); }},
      {"e", [](I in, V of, A) { return of.is_markup() ? of : marked(in, escape_html(of.str())); }},
      {"min", [](I in, V of, A given) { return extreme(in, of, given, false); }},
      {"max", [](I in, V of, A given) { return extreme(in, of, given, true); }},
      {"select", [](I in, V of, A given) { return choose(in, of, given, false, true); }},
      {"reject", [](I in, V of, A given) { return choose(in, of, given, false, false); }},
      {"selectattr", [](I in, V of, A given) { return choose(in, of, given, true, true); }},
      {"rejectattr", [](I in, V of, A given) { return choose(in, of, given, true, false); }},
      {"string", [](I in, V of, A) { return of.string() ? of : in.text(of.str()); }},
      {"safe", [](I in, V of, A) { return of.is_markup() ? of : marked(in, of.str()); }},
      {"list", [](I in, V of, A) { return in.list(in.walk(of)); }},
      {"upper", [](I in, V of, A) { return as(in, of, to_upper(of.str())); }},
      {"lower", [](I in, V of, A) { return as(in, of, to_lower(of.str())); }},
      {"capitalize", [](I in, V of, A) { return in.text(to_capital(of.str())); }},
      {"title", [](I in, V of, A) { return in.text(to_title(of.str())); }},
      {"trim", [](I in, V of, A given) {
         const Value* what = given.find(0, "chars");
         const std::string text = of.str();
         return as(in, of, std::string(strip(text, what ? what->string() : nullptr, true, true)));
       }},
      {"replace", [](I in, V of, A given) {
         const Value* from = given.find(0, "old");
         const Value* to = given.find(1, "new");
         if (!from || !to) return in.fail("replace takes what and by what");
         return replaced(in, of.str(), from->str(), to->str(), number(given, 2, "count", -1));
       }},
      {"first", [](I in, V of, A) {
         const auto all = in.walk(of);
         return all.empty() ? Value::undefined("No first item, sequence was empty.") : all.front();
       }},
      {"last", [](I in, V of, A) {
         std::vector<Value> all;
         if (!sequence(in, of, all)) return Value();
         return all.empty() ? Value::undefined("No last item, sequence was empty.") : all.back();
       }},
      {"abs", [](I in, V of, A) {
         int64_t number_in;
         double real;
         if (of.integer(number_in)) return number_in == INT64_MIN ? in.fail("the number is too large") : Value(std::abs(number_in));
         return of.real(real) ? Value(std::fabs(real)) : in.fail("abs takes a number");
       }},
      {"attr", [](I in, V of, A given) {
         const Value* name = given.find(0, "name");
         return name && of.callable() ? in.attribute(of, name->str()) : Value::undefined("there is no such attribute");
       }},
      {"wordcount", [](I in, V of, A) {
         int64_t n = 0;
         const std::string text = of.str();
         for (std::string_view rest = strip(text, nullptr, true, true); !rest.empty(); ++n) {
           rest = strip(rest.substr(first_word(rest).size()), nullptr, true, false);
         }
         return in.charge(n) ? Value(n) : Value();
       }},
  };
  return kAll;
}

}  // namespace

Value Interpreter::filter(std::string_view name, const Value& of, const Arguments& given) {
  if (failed()) return {};
  const Deeper deeper(*this);
  const auto found = filters().find(name);
  if (found == filters().end()) return fail("No filter named '" + std::string(name) + "'.", Code::kUnsupported);
  return found->second(*this, of, given);
}

bool Interpreter::test(std::string_view name, const Value& of, const Arguments& given) {
  if (failed()) return false;
  const Value* other = given.find(0, "other");
  const auto against = [&](std::string_view op) {
    if (other == nullptr) return fail("the test '" + std::string(name) + "' takes a value"), false;
    return compare(op, of, *other);
  };
  int64_t number_in = 0, divisor = 0;
  const List* list = of.items();
  const bool members = of.dict() && !of.space();
  if (name == "defined") return !of.is_undefined();
  if (name == "undefined") return of.is_undefined();
  if (name == "none") return of.is_none();
  if (name == "boolean") return of.is_bool();
  if (name == "true") return of.is_bool() && of.truth();
  if (name == "false") return of.is_bool() && !of.truth();
  if (name == "integer") return of.is_int();
  if (name == "float") return of.is_float();
  if (name == "number") return of.is_number();
  if (name == "string") return of.is_string();
  if (name == "mapping") return members;
  if (name == "sequence") return of.is_string() || members || (list && list->kind <= List::Kind::kTuple);
  if (name == "iterable") return of.is_string() || members || list != nullptr || of.is_undefined();
  if (name == "callable") return of.callable() != nullptr;
  if (name == "in") return against("in");
  if (name == "eq" || name == "equalto" || name == "==") return against("==");
  if (name == "ne" || name == "!=") return against("!=");
  if (name == "lt" || name == "lessthan" || name == "<") return against("<");
  if (name == "le" || name == "<=") return against("<=");
  if (name == "gt" || name == "greaterthan" || name == ">") return against(">");
  if (name == "ge" || name == ">=") return against(">=");
  if (name == "sameas") return other && of.type() == other->type() && equal(of, *other);
  if (name == "lower") return of.str() == to_lower(of.str()) && of.str() != to_upper(of.str());
  if (name == "upper") return of.str() == to_upper(of.str()) && of.str() != to_lower(of.str());
  if (name == "escaped") return false;
  if (name == "filter") return of.string() && filters().contains(*of.string());
  if (name == "odd" || name == "even" || name == "divisibleby") {
    if (!of.integer(number_in)) return fail("the test '" + std::string(name) + "' takes an integer"), false;
    if (name != "divisibleby") return (number_in % 2 != 0) == (name == "odd");
    const Value* by = given.find(0, "num");
    if (!by || !by->integer(divisor) || divisor == 0) return fail("divisibleby takes a number"), false;
    return divisor != -1 ? number_in % divisor == 0 : true;
  }
  fail("No test named '" + std::string(name) + "'.", Code::kUnsupported);
  return false;
}

}  // namespace ajar::jinja
