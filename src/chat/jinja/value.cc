#include "chat/jinja/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace ajar::jinja {
namespace {

constexpr int kMaxDepth = 100;  // of nested values: a namespace may hold itself

std::string repr_of(std::string_view text) {  // Python's repr of a str
  const bool single = text.find('\'') == text.npos || text.find('"') != text.npos;
  const char quote = single ? '\'' : '"';
  std::string out(1, quote);
  constexpr char kHex[] = "0123456789abcdef";
  for (const char c : text) {
    if (c == quote || c == '\\') out += '\\', out += c;
    else if (c == '\n') out += "\\n";
    else if (c == '\r') out += "\\r";
    else if (c == '\t') out += "\\t";
    else if (uint8_t(c) < 0x20 || c == 0x7f) out += "\\x", out += kHex[uint8_t(c) >> 4], out += kHex[c & 15];
    else out += c;
  }
  return out += quote;
}

void append_repr(std::string& out, const Value& value, int depth);

void append_items(std::string& out, const List& list, int depth) {
  for (size_t i = 0; i < list.items.size(); ++i) {
    if (i > 0) out += ", ";
    append_repr(out, list.items[i], depth + 1);
  }
}

void append_repr(std::string& out, const Value& value, int depth) {
  if (depth > kMaxDepth) {
    out += "...";
  } else if (const std::string* text = value.string()) {
    out += repr_of(*text);
  } else if (const List* list = value.items()) {
    using enum List::Kind;
    if (list->kind == kTuple) {
      out += '(';
      append_items(out, *list, depth);
      out += list->items.size() == 1 ? ",)" : ")";
    } else if (list->kind == kIterator) {
      out += "<generator object>";
    } else {
      out += list->kind == kView ? "dict_items([" : "[";
      append_items(out, *list, depth);
      out += list->kind == kView ? "])" : "]";
    }
  } else if (const Dict* dict = value.dict()) {
    if (value.space() != nullptr) out += "<Namespace ";
    out += '{';
    for (size_t i = 0; i < dict->entries.size(); ++i) {
      if (i > 0) out += ", ";
      append_repr(out, dict->entries[i].first, depth + 1);
      out += ": ";
      append_repr(out, dict->entries[i].second, depth + 1);
    }
    out += value.space() != nullptr ? "}>" : "}";
  } else if (value.is_undefined()) {
    out += "Undefined";
  } else {
    out += value.str();
  }
}

bool list_like(const Value& value) { return value.items() != nullptr; }

void append_json_string(std::string& out, std::string_view text, bool ascii) {
  constexpr char kHex[] = "0123456789abcdef";
  const auto escape = [&](uint32_t unit) {
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += kHex[unit >> shift & 15];
  };
  out += '"';
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    switch (c) {
      case '"': out += "\\\""; continue;
      case '\\': out += "\\\\"; continue;
      case '\n': out += "\\n"; continue;
      case '\r': out += "\\r"; continue;
      case '\t': out += "\\t"; continue;
      case '\b': out += "\\b"; continue;
      case '\f': out += "\\f"; continue;
      default: break;
    }
    if (uint8_t(c) < 0x20) {
      escape(uint8_t(c));
    } else if (uint8_t(c) < 0x80 || !ascii) {
      out += c;
    } else {
      uint32_t code = 0;
      const auto lead = uint8_t(c);
      const size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
      code = lead & (0x7f >> length);
      for (size_t i = 1; i < length && at + 1 < text.size(); ++i) code = code << 6 | (uint8_t(text[++at]) & 0x3f);
      if (code >= 0x10000) {
        code -= 0x10000;
        escape(0xd800 + (code >> 10));
        escape(0xdc00 + (code & 0x3ff));
      } else {
        escape(code);
      }
    }
  }
  out += '"';
}

}  // namespace

Value::Value(Dict dict) : data_(std::shared_ptr<const Dict>(std::make_shared<Dict>(std::move(dict)))) {}

Value Value::undefined(std::string what) {
  Value out;
  out.data_ = Undefined{std::make_shared<const std::string>(std::move(what))};
  return out;
}

Value Value::space(std::shared_ptr<Dict> members) {
  Value out;
  out.data_ = std::move(members);
  return out;
}

Value Value::list(std::vector<Value> items, List::Kind kind) {
  List list{kind, std::move(items)};
  for (const Value& item : list.items) list.depth = std::max(list.depth, item.depth() + 1);
  return Value(std::move(list));
}

int Value::depth() const {
  if (const List* list = items()) return list->depth;
  if (space() != nullptr) return 1;  // is emptied at the end of a rendering
  if (const Dict* members = dict()) return members->depth;
  if (const Callable* call = callable()) return call->depth;
  return 0;
}

const std::string* Value::string() const {
  if (const auto* text = std::get_if<Text>(&data_)) return text->get();
  const auto* markup = std::get_if<Markup>(&data_);
  return markup ? markup->text.get() : nullptr;
}
Value Value::markup(std::string text) {
  Value out;
  out.data_ = Markup{std::make_shared<const std::string>(std::move(text))};
  return out;
}
bool Value::is_markup() const { return std::holds_alternative<Markup>(data_); }
const List* Value::items() const {
  const auto* list = std::get_if<std::shared_ptr<const List>>(&data_);
  return list ? list->get() : nullptr;
}
const Dict* Value::dict() const {
  if (const auto* dict = std::get_if<std::shared_ptr<const Dict>>(&data_)) return dict->get();
  return space();
}
Dict* Value::space() const {
  const auto* dict = std::get_if<std::shared_ptr<Dict>>(&data_);
  return dict ? dict->get() : nullptr;
}
const Callable* Value::callable() const {
  const auto* call = std::get_if<std::shared_ptr<const Callable>>(&data_);
  return call ? call->get() : nullptr;
}
bool Value::integer(int64_t& out) const {
  if (const auto* number = std::get_if<int64_t>(&data_)) return out = *number, true;
  if (const auto* flag = std::get_if<bool>(&data_)) return out = *flag, true;
  return false;
}
bool Value::real(double& out) const {
  if (const auto* number = std::get_if<double>(&data_)) return out = *number, true;
  int64_t number;
  return integer(number) ? (out = double(number), true) : false;
}
const std::string& Value::what() const {
  static const std::string kPlain = "the value is undefined";
  const auto* undefined = std::get_if<Undefined>(&data_);
  return undefined && undefined->what ? *undefined->what : kPlain;
}

bool Value::truth() const {
  if (const std::string* text = string()) return !text->empty();
  if (const List* list = items()) return !list->items.empty() || list->kind == List::Kind::kIterator;
  if (space() != nullptr) return true;
  if (const Dict* members = dict()) return !members->entries.empty();
  if (callable() != nullptr) return true;
  double number;
  return real(number) && number != 0;
}

std::string Value::str() const {
  if (const std::string* text = string()) return *text;
  if (is_undefined()) return {};
  if (is_none()) return "None";
  if (const auto* flag = std::get_if<bool>(&data_)) return *flag ? "True" : "False";
  if (const auto* number = std::get_if<int64_t>(&data_)) return std::to_string(*number);
  if (const auto* number = std::get_if<double>(&data_)) return float_text(*number);
  if (const Callable* call = callable()) return "<" + call->name + ">";
  return repr();
}

std::string Value::repr() const {
  std::string out;
  append_repr(out, *this, 0);
  return out;
}

std::string_view Value::type() const {
  if (is_string()) return "str";
  if (is_none()) return "NoneType";
  if (is_bool()) return "bool";
  if (is_int()) return "int";
  if (is_float()) return "float";
  if (is_undefined()) return "Undefined";
  if (space() != nullptr) return "Namespace";
  if (dict() != nullptr) return "dict";
  if (callable() != nullptr) return "function";
  switch (items()->kind) {
    case List::Kind::kList: return "list";
    case List::Kind::kTuple: return "tuple";
    case List::Kind::kView: return "dict_items";
    case List::Kind::kIterator: return "generator";
  }
  return "object";
}

const Value* Arguments::find(size_t place, std::string_view name) const {
  if (place < places.size()) return &places[place];
  for (const auto& [key, value] : names) {
    if (key == name) return &value;
  }
  return nullptr;
}

const Value* Dict::find(std::string_view key) const {
  const auto found = index_.find(std::string(key));
  return found == index_.end() ? nullptr : &entries[found->second].second;
}
const Value* Dict::find(const Value& key) const {
  if (const std::string* text = key.string()) return find(std::string_view(*text));
  for (const auto& [mine, value] : entries) {
    if (!mine.is_string() && equal(mine, key)) return &value;
  }
  return nullptr;
}
void Dict::set(Value key, Value value) {
  depth = std::max({depth, key.depth() + 1, value.depth() + 1});
  if (const Value* there = find(key)) {
    *const_cast<Value*>(there) = std::move(value);
    return;
  }
  if (const std::string* text = key.string()) index_.emplace(*text, entries.size());
  entries.emplace_back(std::move(key), std::move(value));
}

bool equal(const Value& a, const Value& b) {
  int64_t i, j;
  if (a.integer(i) && b.integer(j)) return i == j;
  double x, y;
  if (a.real(x) && b.real(y)) return x == y;
  if (a.string() && b.string()) return *a.string() == *b.string();
  if (a.is_none() || b.is_none()) return a.is_none() && b.is_none();
  if (a.is_undefined() || b.is_undefined()) return a.is_undefined() && b.is_undefined();
  if (list_like(a) && list_like(b)) {
    return a.items()->kind == b.items()->kind && a.items()->kind != List::Kind::kIterator &&
           std::ranges::equal(a.items()->items, b.items()->items, equal);
  }
  if (a.space() || b.space()) return a.space() == b.space();
  if (a.dict() && b.dict()) {
    if (a.dict()->entries.size() != b.dict()->entries.size()) return false;
    return std::ranges::all_of(a.dict()->entries, [&](const auto& entry) {
      const Value* other = b.dict()->find(entry.first);
      return other != nullptr && equal(entry.second, *other);
    });
  }
  return a.callable() != nullptr && a.callable() == b.callable();
}

bool less(const Value& a, const Value& b, bool& known) {
  int64_t i, j;
  if (a.integer(i) && b.integer(j)) return i < j;
  double x, y;
  if (a.real(x) && b.real(y)) return x < y;
  if (a.string() && b.string()) return *a.string() < *b.string();  // UTF-8 sorts as its code points
  if (list_like(a) && list_like(b) && a.items()->kind == b.items()->kind && a.items()->kind <= List::Kind::kTuple) {
    const auto& left = a.items()->items;
    const auto& right = b.items()->items;
    for (size_t k = 0; k < left.size() && k < right.size(); ++k) {
      if (!equal(left[k], right[k])) return less(left[k], right[k], known);
    }
    return left.size() < right.size();
  }
  known = false;
  return false;
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '\'': out += "&#39;"; break;
      case '"': out += "&#34;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string float_text(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, std::chars_format::scientific).ptr;
  const std::string_view text(digits, size_t(end - digits));
  const size_t e = text.find('e');
  const int exponent = std::atoi(std::string(text.substr(e + 1)).c_str());
  if (exponent >= -4 && exponent < 16) {
    const auto stop = std::to_chars(digits, digits + sizeof digits, number, std::chars_format::fixed).ptr;
    std::string out(digits, size_t(stop - digits));
    if (out.find('.') == out.npos) out += ".0";
    return out;
  }
  char tail[8];
  std::snprintf(tail, sizeof tail, "e%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent));
  return std::string(text.substr(0, e)) + tail;
}

void append_json(std::string& out, const Value& value, const JsonStyle& style, std::string& failed, int level) {
  if (!failed.empty()) return;
  if (level > kMaxDepth) {
    failed = "a value nested that deep";
    return;
  }
  const bool lines = style.indent >= 0 || !style.indent_text.empty();
  const auto line = [&](int depth) {
    if (!lines) return;
    out += '\n';
    for (int i = 0; i < depth; ++i) {
      if (!style.indent_text.empty()) out += style.indent_text; else out.append(size_t(style.indent), ' ');
    }
  };
  if (const std::string* text = value.string()) {
    append_json_string(out, *text, style.ascii);
  } else if (value.is_none()) {
    out += "null";
  } else if (value.is_bool()) {
    out += value.truth() ? "true" : "false";
  } else if (value.is_int()) {
    out += value.str();
  } else if (value.is_float()) {
    const std::string text = value.str();
    out += text == "nan" ? "NaN" : text == "inf" ? "Infinity" : text == "-inf" ? "-Infinity" : text;
  } else if (const List* list = value.items(); list && list->kind <= List::Kind::kTuple) {
    if (list->items.empty()) {
      out += "[]";
      return;
    }
    out += '[';
    for (size_t i = 0; i < list->items.size(); ++i) {
      if (i > 0) out += style.item_separator;
      line(level + 1);
      append_json(out, list->items[i], style, failed, level + 1);
    }
    line(level);
    out += ']';
  } else if (const Dict* dict = value.dict(); dict && value.space() == nullptr) {
    if (dict->entries.empty()) {
      out += "{}";
      return;
    }
    std::vector<const std::pair<Value, Value>*> entries;
    for (const auto& entry : dict->entries) entries.push_back(&entry);
    if (style.sort_keys) {
      std::ranges::sort(entries, [](const auto* a, const auto* b) { return a->first.str() < b->first.str(); });
    }
    out += '{';
    bool first = true;
    for (const auto* entry : entries) {
      if (!first) out += style.item_separator;
      first = false;
      line(level + 1);
      const Value& key = entry->first;
      std::string name = key.str();
      if (key.is_none()) name = "null";
      else if (key.is_bool()) name = key.truth() ? "true" : "false";
      append_json_string(out, name, style.ascii);
      out += style.key_separator;
      append_json(out, entry->second, style, failed, level + 1);
    }
    line(level);
    out += '}';
  } else {
    failed = value.type();
  }
}

size_t length_of(std::string_view text) {
  return size_t(std::ranges::count_if(text, [](char c) { return (uint8_t(c) & 0xc0) != 0x80; }));
}

std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> out;
  for (size_t at = 0; at < text.size();) {
    size_t end = at + 1;
    while (end < text.size() && (uint8_t(text[end]) & 0xc0) == 0x80) ++end;
    out.push_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

}  // namespace ajar::jinja
