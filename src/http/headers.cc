#include "http/headers.h"

#include <algorithm>

#include "base/text.h"
#include "http/syntax.h"

namespace ajar {

Headers::Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  for (const auto& [name, value] : fields) add(name, value);
}

Headers::Field Headers::operator[](size_t i) const {
  const Entry& e = entries_[i];
  return {{text_.data() + e.name, e.name_size}, {text_.data() + e.value, e.value_size}};
}

std::string_view Headers::get(std::string_view name) const {
  for (Field field : *this)
    if (field.name.size() == name.size() && iequals(field.name, name)) return field.value;
  return {};
}

bool Headers::has(std::string_view name) const { return count(name) > 0; }

size_t Headers::count(std::string_view name) const {
  size_t n = 0;
  for (Field field : *this) n += field.name.size() == name.size() && iequals(field.name, name);
  return n;
}

void Headers::add(std::string_view name, std::string_view value) {
  size_t need = text_.size() + name.size() + value.size();
  if (text_.capacity() >= need) {
    text_.append(name).append(value);
  } else {  // by hand, since the views may point into text_
    std::string grown;
    grown.reserve(2 * need + 192);
    grown.append(text_).append(name).append(value);
    text_ = std::move(grown);
  }
  if (entries_.capacity() == 0) entries_.reserve(8);
  uint32_t value_at = uint32_t(text_.size() - value.size());
  entries_.push_back({uint32_t(value_at - name.size()), uint32_t(name.size()), value_at,
                      uint32_t(value.size())});
}

void Headers::set(std::string_view name, std::string_view value) {
  std::string kept_name(name), kept_value(value);
  remove(kept_name);
  add(kept_name, kept_value);
}

void Headers::remove(std::string_view name) {
  std::erase_if(entries_, [&](const Entry& e) {
    return iequals({text_.data() + e.name, e.name_size}, name);
  });
}

void Headers::clear() {
  text_.clear();
  entries_.clear();
}

void Headers::adopt(std::string_view text) {
  text_.assign(text);
  entries_.clear();
  entries_.reserve(16);
}

void Headers::index(std::string_view name, std::string_view value) {
  entries_.push_back({uint32_t(name.data() - text_.data()), uint32_t(name.size()),
                      uint32_t(value.data() - text_.data()), uint32_t(value.size())});
}

bool Headers::valid_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), is_token_char);
}

bool Headers::valid_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(), is_field_char);
}

}  // namespace ajar
