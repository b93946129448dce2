#include "json/read.h"

#include <cstring>

#include "json/write.h"

namespace ajar::json {
namespace {

// RFC 8259, section by section; stops at the first fault.
class Explainer {
 public:
  explicit Explainer(std::string_view text) : text_(text) {}

  std::string run() {
    space();
    if (at_ == text_.size()) return fault("the document is empty");
    if (!value(0)) return fault_;
    space();
    if (at_ != text_.size()) return fault("there is more after the end of the document");
    return {};
  }

 private:
  std::string fault(std::string_view what) {
    if (!fault_.empty()) return fault_;
    size_t line = 1, column = 1;
    for (size_t i = 0; i < at_ && i < text_.size(); ++i) {
      if (text_[i] == '\n') {
        ++line;
        column = 1;
      } else {
        ++column;
      }
    }
    fault_ = "line " + std::to_string(line) + ", column " + std::to_string(column) + ": " +
             std::string(what);
    return fault_;
  }
  bool no(std::string_view what) {
    fault(at_ >= text_.size() ? "the document ends too early" : what);
    return false;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void space() {
    while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) && text_[at_] != '\0') ++at_;
  }
  bool word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return no("expected a value");
    at_ += expected.size();
    return true;
  }
  bool value(size_t depth) {
    if (depth >= kMaxDepth) return no("nested deeper than " + std::to_string(kMaxDepth) + " levels");
    switch (peek()) {
      case '{': return object(depth);
      case '[': return array(depth);
      case '"': return string();
      case 't': return word("true");
      case 'f': return word("false");
      case 'n': return word("null");
      default: return number();
    }
  }
  bool object(size_t depth) {
    ++at_;
    space();
    if (peek() == '}') return ++at_, true;
    for (;;) {
      space();
      if (peek() != '"') return no("expected a member name in double quotes");
      if (!string()) return false;
      space();
      if (peek() != ':') return no("expected ':'");
      ++at_;
      space();
      if (!value(depth + 1)) return false;
      space();
      if (peek() == '}') return ++at_, true;
      if (peek() != ',') return no("expected ',' or '}'");
      ++at_;
    }
  }
  bool array(size_t depth) {
    ++at_;
    space();
    if (peek() == ']') return ++at_, true;
    for (;;) {
      space();
      if (!value(depth + 1)) return false;
      space();
      if (peek() == ']') return ++at_, true;
      if (peek() != ',') return no("expected ',' or ']'");
      ++at_;
    }
  }
  bool hex4(unsigned& out) {
    out = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      if (c >= '0' && c <= '9') out = out * 16 + unsigned(c - '0');
      else if (c >= 'a' && c <= 'f') out = out * 16 + unsigned(c - 'a' + 10);
      else if (c >= 'A' && c <= 'F') out = out * 16 + unsigned(c - 'A' + 10);
      else return no("expected four hexadecimal digits after \\u");
    }
    return true;
  }
  bool string() {
    ++at_;
    while (at_ < text_.size()) {
      const unsigned char c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') return ++at_, true;
      if (c < 0x20) return no("a control character inside a string must be escaped");
      ++at_;
      if (c != '\\') continue;
      if (at_ == text_.size()) break;
      if (text_[at_] == 'u') {
        ++at_;
        unsigned unit;
        if (!hex4(unit)) return false;
        if (unit >= 0xDC00 && unit <= 0xDFFF) return no("a lone low surrogate in \\u escapes");
        if (unit >= 0xD800 && unit <= 0xDBFF) {
          if (text_.substr(at_, 2) != "\\u") return no("a lone high surrogate in \\u escapes");
          at_ += 2;
          if (!hex4(unit)) return false;
          if (unit < 0xDC00 || unit > 0xDFFF) return no("a lone high surrogate in \\u escapes");
        }
      } else if (!std::strchr("\"\\/bfnrt", text_[at_]) || text_[at_] == '\0') {
        return no("unknown escape in a string");
      } else {
        ++at_;
      }
    }
    return no("the string has no end");
  }
  bool digits() {
    if (peek() < '0' || peek() > '9') return no("expected a value");
    while (peek() >= '0' && peek() <= '9') ++at_;
    return true;
  }
  bool number() {
    if (peek() == '-') ++at_;
    if (peek() == '0') {
      ++at_;
      if (peek() >= '0' && peek() <= '9') return no("a number must not start with 0");
    } else if (!digits()) {
      return false;
    }
    if (peek() == '.') {
      ++at_;
      if (!digits()) return false;
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!digits()) return false;
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string fault_;
};

}  // namespace

Document::Document() = default;

Result<Value> Document::parse(std::string_view text) {
  padded_.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  padded_.assign(text);
  // The first allocation fixes the depth for the parser's life.
  if (parser_.max_depth() != kMaxDepth &&
      parser_.allocate(std::max<size_t>(text.size(), 4096), kMaxDepth) != simdjson::SUCCESS) {
    return fail(Code::kInternal, "out of memory while reading JSON");
  }
  Value root;
  const auto code = parser_.parse(padded_.data(), padded_.size(), false).get(root);
  if (code == simdjson::SUCCESS) return root;
  std::string why;
  if (code == simdjson::UTF8_ERROR) {
    why = "the text is not valid UTF-8";
  } else if (code == simdjson::CAPACITY || code == simdjson::MEMALLOC) {
    return fail(Code::kTooLarge, "the JSON document is too large");
  } else {
    why = explain(text);
    if (why.empty()) why = simdjson::error_message(code);  // such as a number out of range
  }
  return fail(Code::kInvalid, "invalid JSON: " + why);
}

Result<Object> Document::parse_object(std::string_view text) {
  AJAR_ASSIGN(const Value root, parse(text));
  const auto object = as_object(root);
  if (!object) return fail(Code::kInvalid, "expected a JSON object");
  return *object;
}

Document& scratch() {
  thread_local Document document;
  return document;
}

std::string explain(std::string_view text) { return Explainer(text).run(); }

void append_raw(std::string& out, const Value& value) {
  Writer writer(out);
  switch (value.type()) {
    case Type::OBJECT: {
      out.push_back('{');
      bool first = true;
      for (const auto field : Object(value.get_object().value_unsafe())) {
        if (!first) out.push_back(',');
        first = false;
        append_string(out, field.key);
        out.push_back(':');
        append_raw(out, field.value);
      }
      out.push_back('}');
      return;
    }
    case Type::ARRAY: {
      out.push_back('[');
      bool first = true;
      for (const auto item : Array(value.get_array().value_unsafe())) {
        if (!first) out.push_back(',');
        first = false;
        append_raw(out, item);
      }
      out.push_back(']');
      return;
    }
    case Type::STRING: append_string(out, value.get_string().value_unsafe()); return;
    case Type::INT64: append_int(out, value.get_int64().value_unsafe()); return;
    case Type::UINT64: out += std::to_string(value.get_uint64().value_unsafe()); return;
    case Type::DOUBLE: append_double(out, value.get_double().value_unsafe()); return;
    case Type::BOOL: out += value.get_bool().value_unsafe() ? "true" : "false"; return;
    case Type::NULL_VALUE: out += "null"; return;
  }
}

std::string raw(const Value& value) {
  std::string out;
  append_raw(out, value);
  return out;
}

std::string_view type_name(const Value& value) {
  switch (value.type()) {
    case Type::OBJECT: return "an object";
    case Type::ARRAY: return "an array";
    case Type::STRING: return "a string";
    case Type::INT64:
    case Type::UINT64: return "an integer";
    case Type::DOUBLE: return "a number";
    case Type::BOOL: return "a boolean";
    case Type::NULL_VALUE: return "null";
  }
  return "a value";
}

}  // namespace ajar::json
