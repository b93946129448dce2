// The methods of Python's str, dict, list and tuple, as far as they change nothing.
#include <algorithm>
#include <span>
#include <utility>

#include "chat/jinja/interpreter.h"
#include "chat/jinja/text.h"

namespace ajar::jinja {
namespace {

constexpr std::string_view kStringMethods[] = {
    "split", "rsplit", "splitlines", "strip", "lstrip", "rstrip", "startswith", "endswith", "replace", "upper", "lower", "title",
    "capitalize", "join", "find", "rfind", "index", "count", "isdigit", "isalpha", "isalnum", "isspace", "isupper", "islower",
    "isnumeric", "isdecimal", "zfill", "removeprefix", "removesuffix", "partition", "rpartition", "center", "ljust", "rjust",
    "swapcase", "casefold", "format"};
constexpr std::string_view kDictMethods[] = {"get", "items", "keys", "values", "copy"};
constexpr std::string_view kListMethods[] = {"index", "count", "copy"};

bool has(std::span<const std::string_view> names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

// A text argument that must be there.
const std::string* wanted(Interpreter& in, const Arguments& given, size_t place, std::string_view name, std::string_view method) {
  const Value* value = given.find(place, name);
  if (value != nullptr && value->string()) return value->string();
  in.fail(std::string(method) + "() takes a string, not " + (value ? std::string(value->type()) : "nothing"));
  return nullptr;
}
int64_t number(const Arguments& given, size_t place, std::string_view name, int64_t otherwise) {
  const Value* value = given.find(place, name);
  int64_t out = otherwise;
  if (value != nullptr) value->integer(out);
  return out;
}

Value pieces(Interpreter& in, const std::vector<std::string_view>& parts) {
  std::vector<Value> out;
  size_t bytes = 0;
  for (const std::string_view part : parts) bytes += part.size() + 64;
  if (!in.charge(int64_t(parts.size()), bytes)) return {};
  for (const std::string_view part : parts) out.emplace_back(part);
  return in.list(std::move(out));
}

Value split(Interpreter& in, std::string_view text, const Arguments& given, bool from_right) {
  const Value* separator = given.find(0, "sep");
  int64_t limit = number(given, 1, "maxsplit", -1);
  if (limit < 0) limit = INT64_MAX;
  std::vector<std::string_view> parts;
  if (separator == nullptr || separator->is_none()) {
    std::string_view rest = from_right ? strip(text, nullptr, false, true) : strip(text, nullptr, true, false);
    for (; !rest.empty(); --limit) {
      const std::string_view word = limit == 0 ? rest : from_right ? last_word(rest) : first_word(rest);
      if (limit == 0) {
        parts.push_back(from_right ? strip(rest, nullptr, false, true) : rest);
        break;
      }
      parts.push_back(word);
      rest = from_right ? strip(rest.substr(0, rest.size() - word.size()), nullptr, false, true)
                        : strip(rest.substr(word.size()), nullptr, true, false);
    }
  } else if (separator->string() && !separator->string()->empty()) {
    const std::string& mark = *separator->string();
    if (from_right) {
      for (size_t at; limit > 0 && (at = text.rfind(mark)) != text.npos; --limit) {
        parts.push_back(text.substr(at + mark.size()));
        text = text.substr(0, at);
      }
    } else {
      for (size_t at; limit > 0 && (at = text.find(mark)) != text.npos; --limit) {
        parts.push_back(text.substr(0, at));
        text = text.substr(at + mark.size());
      }
    }
    parts.push_back(text);
  } else {
    return in.fail("split() takes a separator that is a string and not empty");
  }
  if (from_right) std::ranges::reverse(parts);
  return pieces(in, parts);
}

// startswith and endswith take one text or a tuple of them.
Value edge(Interpreter& in, const std::string& text, const Arguments& given, bool front) {
  const Value* what = given.find(0, "prefix");
  const auto fits = [&](const Value& part) {
    return part.string() && (front ? text.starts_with(*part.string()) : text.ends_with(*part.string()));
  };
  if (what != nullptr && what->string()) return Value(fits(*what));
  if (what != nullptr && what->items()) return Value(std::ranges::any_of(what->items()->items, fits));
  return in.fail(std::string(front ? "startswith" : "endswith") + " first arg must be str or a tuple of str");
}

Value find(Interpreter& in, const std::string& text, const Arguments& given, std::string_view name) {
  const std::string* part = wanted(in, given, 0, "sub", name);
  if (part == nullptr) return {};
  const size_t at = name == "rfind" ? text.rfind(*part) : text.find(*part);
  if (at == text.npos) return name == "index" ? in.fail("substring not found") : Value(-1);
  return Value(length_of(std::string_view(text).substr(0, at)));
}

Value pad(Interpreter& in, const std::string& text, const Arguments& given, std::string_view name) {
  const int64_t width = number(given, 0, "width", 0);
  const Value* with = given.find(1, "fillchar");
  const std::string fill = name == "zfill" ? "0" : with && with->string() ? *with->string() : " ";
  const auto length = int64_t(length_of(text));
  if (width <= length) return Value(text);
  const auto missing = size_t(width - length);
  if (missing > (64u << 20) || !in.charge(1, missing * fill.size())) return in.fail("the text is too long", Code::kTooLarge);
  const size_t left = name == "ljust" ? 0 : name == "center" ? missing / 2 + (missing & size_t(width) & 1) : missing;
  std::string out;
  const size_t sign = name == "zfill" && (text.starts_with('-') || text.starts_with('+')) ? 1 : 0;
  out.append(text, 0, sign);
  for (size_t i = 0; i < left; ++i) out += fill;
  out.append(text, sign);
  for (size_t i = left; i < missing; ++i) out += fill;
  return Value(std::move(out));
}

Value partition(Interpreter& in, const std::string& text, const Arguments& given, bool from_right) {
  const std::string* mark = wanted(in, given, 0, "sep", "partition");
  if (mark == nullptr) return {};
  const size_t at = from_right ? text.rfind(*mark) : text.find(*mark);
  if (at == text.npos) {
    return in.list(from_right ? std::vector<Value>{"", "", text} : std::vector<Value>{text, "", ""}, List::Kind::kTuple);
  }
  return in.list({Value(text.substr(0, at)), Value(*mark), Value(text.substr(at + mark->size()))}, List::Kind::kTuple);
}

bool all(std::string_view text, bool (*is)(char)) { return !text.empty() && std::ranges::all_of(text, is); }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool upper(char c) { return c >= 'A' && c <= 'Z'; }
bool lower(char c) { return c >= 'a' && c <= 'z'; }
bool letter(char c) { return upper(c) || lower(c) || uint8_t(c) >= 0x80; }

Value string_method(Interpreter& in, const std::string& text, std::string_view name, const Arguments& given) {
  if (!in.charge(1 + int64_t(text.size() / 64))) return {};
  if (name == "split" || name == "rsplit") return split(in, text, given, name == "rsplit");
  if (name == "splitlines") return pieces(in, lines(text));
  if (name == "strip" || name == "lstrip" || name == "rstrip") {
    const Value* what = given.find(0, "chars");
    const std::string* set = what ? what->string() : nullptr;
    if (what && !set && !what->is_none()) return in.fail("strip arg must be None or str");
    return in.text(std::string(strip(text, set, name != "rstrip", name != "lstrip")));
  }
  if (name == "startswith" || name == "endswith") return edge(in, text, given, name == "startswith");
  if (name == "replace") {
    const std::string* from = wanted(in, given, 0, "old", name);
    const std::string* to = from ? wanted(in, given, 1, "new", name) : nullptr;
    return to ? replaced(in, text, *from, *to, number(given, 2, "count", -1)) : Value();
  }
  if (name == "upper") return in.text(to_upper(text));
  if (name == "lower" || name == "casefold") return in.text(to_lower(text));
  if (name == "title") return in.text(to_title(text));
  if (name == "capitalize") return in.text(to_capital(text));
  if (name == "swapcase") {
    std::string out = text;
    for (char& c : out) c = upper(c) ? char(c + 32) : lower(c) ? char(c - 32) : c;
    return in.text(std::move(out));
  }
  if (name == "join") {
    const Value* what = given.find(0, "iterable");
    if (what == nullptr) return in.fail("join() takes what it is to join");
    std::string out;
    bool first = true;
    for (const Value& item : in.walk(*what)) {
      if (!item.string()) return in.fail("sequence item: expected str instance, " + std::string(item.type()) + " found");
      if (!in.charge(1, text.size() + item.string()->size())) return {};
      if (!std::exchange(first, false)) out += text;
      out += *item.string();
    }
    return Value(std::move(out));
  }
  if (name == "find" || name == "rfind" || name == "index") return find(in, text, given, name);
  if (name == "count") {
    const std::string* part = wanted(in, given, 0, "sub", name);
    if (part == nullptr) return {};
    if (part->empty()) return Value(length_of(text) + 1);
    int64_t n = 0;
    for (size_t at = 0; (at = text.find(*part, at)) != text.npos; at += part->size()) ++n;
    return Value(n);
  }
  if (name == "isdigit" || name == "isnumeric" || name == "isdecimal") return Value(all(text, digit));
  if (name == "isalpha") return Value(all(text, letter));
  if (name == "isalnum") return Value(all(text, [](char c) { return letter(c) || digit(c); }));
  if (name == "isspace") return Value(!text.empty() && strip(text, nullptr, true, true).empty());
  if (name == "isupper") return Value(std::ranges::any_of(text, upper) && !std::ranges::any_of(text, lower));
  if (name == "islower") return Value(std::ranges::any_of(text, lower) && !std::ranges::any_of(text, upper));
  if (name == "removeprefix" || name == "removesuffix") {
    const std::string* part = wanted(in, given, 0, "prefix", name);
    if (part == nullptr) return {};
    const bool front = name == "removeprefix";
    if (part->empty() || !(front ? text.starts_with(*part) : text.ends_with(*part))) return Value(text);
    return in.text(front ? text.substr(part->size()) : text.substr(0, text.size() - part->size()));
  }
  if (name == "partition" || name == "rpartition") return partition(in, text, given, name == "rpartition");
  if (name == "format") return in.fail("str.format is not supported", Code::kUnsupported);
  return pad(in, text, given, name);
}

Value dict_method(Interpreter& in, const Dict& dict, const Value& of, std::string_view name, const Arguments& given) {
  if (name == "copy") return of;
  if (name == "get") {
    const Value* key = given.find(0, "key");
    if (key == nullptr) return in.fail("get expected at least 1 argument, got 0");
    if (const Value* found = dict.find(*key)) return *found;
    const Value* otherwise = given.find(1, "default");
    return otherwise ? *otherwise : Value(None{});
  }
  std::vector<Value> out;
  for (const auto& [key, value] : dict.entries) {
    if (name == "keys") out.push_back(key);
    else if (name == "values") out.push_back(value);
    else out.push_back(in.list({key, value}, List::Kind::kTuple));
  }
  return in.list(std::move(out), List::Kind::kView);
}

Value list_method(Interpreter& in, const List& list, const Value& of, std::string_view name, const Arguments& given) {
  if (name == "copy") return of;
  const Value* what = given.find(0, "value");
  if (what == nullptr) return in.fail(std::string(name) + "() takes a value");
  in.charge(int64_t(list.items.size()));
  if (name == "count") return Value(int64_t(std::ranges::count_if(list.items, [&](const Value& v) { return equal(v, *what); })));
  const auto at = std::ranges::find_if(list.items, [&](const Value& v) { return equal(v, *what); });
  return at == list.items.end() ? in.fail(what->repr() + " is not in list") : Value(int64_t(at - list.items.begin()));
}

}  // namespace

bool has_method(const Value& of, std::string_view name) {
  if (of.string()) return has(kStringMethods, name);
  if (of.space()) return false;
  if (of.dict()) return has(kDictMethods, name);
  if (const List* list = of.items(); list && list->kind <= List::Kind::kTuple) {
    return has(kListMethods, name) && (name != "copy" || list->kind == List::Kind::kList);
  }
  return false;
}

Value call_method(Interpreter& in, const Value& of, std::string_view name, const Arguments& arguments) {
  if (const std::string* text = of.string()) return string_method(in, *text, name, arguments);
  if (const Dict* dict = of.dict()) return dict_method(in, *dict, of, name, arguments);
  return list_method(in, *of.items(), of, name, arguments);
}

}  // namespace ajar::jinja
