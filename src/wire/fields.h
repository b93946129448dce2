#pragma once
// Reading JSON objects strictly: known members by number, unknown ones kept as raw text, errors
// that name the exact field. Shared by the dialects' request readers.

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "core/request.h"
#include "json/read.h"

namespace ajar::wire {

// Where a value stands, as a chain on the stack: nothing is built unless there is an error to
// report.
class Path {
 public:
  Path() = default;
  Path operator/(std::string_view name) const { return Path(this, name, 0); }
  Path operator[](size_t index) const { return Path(this, {}, index); }
  std::string str() const;  // "messages[2].content[0].type"

 private:
  Path(const Path* up, std::string_view name, size_t index) : up_(up), name_(name), index_(index) {}
  const Path* up_ = nullptr;
  std::string_view name_;
  size_t index_ = 0;
};

std::unexpected<Error> wrong_type(const Path& path, std::string_view expected,
                                  const json::Value& got);

struct ExactName {
  static bool same(std::string_view name, std::string_view key) { return name == key; }
};
// Google's APIs read "system_instruction" where they document "systemInstruction".
struct CamelName {
  static bool same(std::string_view name, std::string_view key);
};

// An object's members: those of `names` by their number, the rest as they came. Of a member that is
// there twice the last counts. null counts as absent for known members.
template <size_t N, class Name = ExactName>
class Fields {
 public:
  using Names = std::array<std::string_view, N>;

  Fields(const json::Object& object, const Names& names) {
    for (const auto field : object) {
      size_t i = 0;
      while (i < N && !Name::same(names[i], field.key)) ++i;
      if (i < N) {
        known_[i] = field.value;
        present_[i] = !field.value.is_null();
        continue;
      }
      size_t j = 0;
      while (j < unknown_.size() && unknown_[j].first != field.key) ++j;
      if (j == unknown_.size()) unknown_.emplace_back();
      unknown_[j] = {field.key, field.value};
    }
  }

  bool has(size_t i) const { return present_[i]; }
  const json::Value& operator[](size_t i) const { return known_[i]; }  // only when has(i)
  bool has_unknown() const { return !unknown_.empty(); }
  RawMembers extra() const;
  const std::vector<std::pair<std::string_view, json::Value>>& unknown() const { return unknown_; }

 private:
  std::array<json::Value, N> known_;
  std::array<bool, N> present_{};
  std::vector<std::pair<std::string_view, json::Value>> unknown_;
};

// Adds `"name":<value>` to members.
void add_member(RawMembers& members, std::string_view name, const json::Value& value);
void add_member(RawMembers& members, std::string_view name, std::string_view raw);

template <size_t N, class Name>
RawMembers Fields<N, Name>::extra() const {
  RawMembers out;
  for (const auto& [name, value] : unknown_) add_member(out, name, value);
  return out;
}

// One typed value. The error names the field, what was expected and what was there.
Result<std::string_view> need_string(const json::Value& value, const Path& path);
Result<int64_t> need_int(const json::Value& value, const Path& path);
Result<double> need_number(const json::Value& value, const Path& path);
Result<bool> need_bool(const json::Value& value, const Path& path);
Result<json::Object> need_object(const json::Value& value, const Path& path);
Result<json::Array> need_array(const json::Value& value, const Path& path);
Status check_range(double value, double low, double high, const Path& path);
std::unexpected<Error> missing(const Path& path);

// The names at the top level of raw members, for `dropped` lists.
std::vector<std::string> member_names(const RawMembers& members);
bool has_member(const RawMembers& members, std::string_view name);
RawMembers only_member(const RawMembers& members, std::string_view name);
RawMembers without_member(const RawMembers& members, std::string_view name);

}  // namespace ajar::wire
