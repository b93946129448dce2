#pragma once
// Writing JSON: an appender on a std::string. Commas are the Writer's business; values are the caller's.

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ajar::json {

void append_string(std::string& out, std::string_view text);  // quoted and escaped; text is UTF-8
inline void append_int(std::string& out, int64_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, size_t(end - digits));
}
void append_double(std::string& out, double number);  // shortest form that reads back the same

// The name of a member. One that the program says itself is looked at by the compiler, and written as it stands.
struct Name {
  template <size_t N>
  consteval Name(const char (&literal)[N]) : text(literal, N - 1), plain(N <= 48) {
    for (const char c : text) {
      if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\') plain = false;
    }
  }
  template <class T>
    requires std::same_as<T, const char*>  // a literal must not decay into this
  Name(const T& name) : text(name) {}
  Name(std::string_view name) : text(name) {}
  Name(const std::string& name) : text(name) {}

  std::string_view text;
  bool plain = false;
};

void append_key(std::string& out, Name name, bool comma_before);  // `,"name":`

// Writes one JSON text. Example:
//   Writer w(out); w.begin_object(); w.field("model", name); w.key("stop"); w.begin_array(); ...
// The caller keeps begin/end paired. `raw` takes text that is already JSON.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  void key(Name name) {
    append_key(out_, name, need_comma_);
    need_comma_ = false;
  }
  void string(std::string_view text) { comma(), append_string(out_, text), need_comma_ = true; }
  void integer(int64_t number) { comma(), append_int(out_, number), need_comma_ = true; }
  void number(double value) { comma(), append_double(out_, value), need_comma_ = true; }
  void boolean(bool flag) { comma(), out_ += flag ? "true" : "false", need_comma_ = true; }
  void null() { comma(), out_ += "null", need_comma_ = true; }
  void raw(std::string_view json) { comma(), out_ += json, need_comma_ = true; }
  // Members that are already written: `"a":1,"b":[2]`. Empty text adds nothing.
  void members(std::string_view raw_members) {
    if (!raw_members.empty()) raw(raw_members);
  }

  void field(Name name, std::string_view text) { key(name), string(text); }
  void field(Name name, const char* text) { key(name), string(text); }
  void field(Name name, const std::string& text) { key(name), string(text); }
  void field(Name name, int64_t value) { key(name), integer(value); }
  void field(Name name, int value) { key(name), integer(value); }
  void field(Name name, double value) { key(name), number(value); }
  void field(Name name, bool value) { key(name), boolean(value); }
  void raw_field(Name name, std::string_view json) { key(name), raw(json); }
  void null_field(Name name) { key(name), null(); }

 private:
  void comma() {
    if (need_comma_) out_.push_back(',');
  }
  void open(char bracket) { comma(), out_.push_back(bracket), need_comma_ = false; }
  void close(char bracket) { out_.push_back(bracket), need_comma_ = true; }

  std::string& out_;
  bool need_comma_ = false;
};

}  // namespace ajar::json
