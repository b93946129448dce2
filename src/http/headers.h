#pragma once
// Headers: the fields of one message in order, names compared without case. All text lies in one string, so a
// message's headers cost two allocations. Views are valid until the next set, add or remove.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ajar {

class Headers {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields);

  std::string_view get(std::string_view name) const;  // the first value, or empty
  bool has(std::string_view name) const;
  size_t count(std::string_view name) const;
  void add(std::string_view name, std::string_view value);
  void set(std::string_view name, std::string_view value);  // replaces all of that name
  void remove(std::string_view name);

  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  Field operator[](size_t i) const;
  void clear();  // keeps the memory

  class Iterator {
   public:
    Iterator(const Headers* headers, size_t i) : headers_(headers), i_(i) {}
    Field operator*() const { return (*headers_)[i_]; }
    Iterator& operator++() { return ++i_, *this; }
    bool operator!=(const Iterator& other) const { return i_ != other.i_; }

   private:
    const Headers* headers_;
    size_t i_;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }

  // Takes a whole head as text; index() then names the fields in it (for parsers).
  void adopt(std::string_view text);
  void index(std::string_view name, std::string_view value);  // both inside text()
  std::string_view text() const { return text_; }

  // A name is a token and a value has no control characters but tab (RFC 9110 sections 5.1 and 5.5).
  static bool valid_name(std::string_view name);
  static bool valid_value(std::string_view value);

 private:
  struct Entry {
    uint32_t name, name_size, value, value_size;
  };
  std::string text_;
  std::vector<Entry> entries_;
};

}  // namespace ajar
