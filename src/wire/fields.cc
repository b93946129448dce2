#include "wire/fields.h"

#include "json/write.h"

namespace ajar::wire {
namespace {

// Members as an object, until the next call. Not json::scratch(): callers may be reading from that one.
Result<json::Object> object_of(const RawMembers& members) {
  thread_local json::Document document;
  return document.parse_object("{" + members + "}");
}

}  // namespace

bool CamelName::same(std::string_view name, std::string_view key) {
  size_t at = 0;
  for (size_t i = 0; i < key.size(); ++i) {
    char c = key[i];
    if (c == '_' && i > 0 && i + 1 < key.size() && key[i + 1] >= 'a' && key[i + 1] <= 'z')
      c = char(key[++i] - 'a' + 'A');
    if (at == name.size() || name[at++] != c) return false;
  }
  return at == name.size();
}

std::string Path::str() const {
  if (up_ == nullptr) return {};
  std::string out = up_->str();
  if (name_.empty()) return out + "[" + std::to_string(index_) + "]";
  if (!out.empty()) out.push_back('.');
  return out.append(name_);
}

std::unexpected<Error> wrong_type(const Path& path, std::string_view expected,
                                  const json::Value& got) {
  std::string field = path.str();
  std::string message = "'" + (field.empty() ? "the body" : field) + "' must be " +
                        std::string(expected) + ", not " + std::string(json::type_name(got));
  return invalid(std::move(field), std::move(message));
}

std::unexpected<Error> missing(const Path& path) {
  std::string field = path.str();
  std::string message = "'" + field + "' is required";
  return invalid(std::move(field), std::move(message));
}

void add_member(RawMembers& members, std::string_view name, const json::Value& value) {
  if (!members.empty()) members.push_back(',');
  json::append_string(members, name);
  members.push_back(':');
  json::append_raw(members, value);
}

void add_member(RawMembers& members, std::string_view name, std::string_view raw) {
  if (!members.empty()) members.push_back(',');
  json::append_string(members, name);
  members.append(":").append(raw);
}

Result<std::string_view> need_string(const json::Value& value, const Path& path) {
  const auto text = json::as_string(value);
  if (!text) return wrong_type(path, "a string", value);
  return *text;
}

Result<int64_t> need_int(const json::Value& value, const Path& path) {
  const auto number = json::as_int(value);
  if (!number) return wrong_type(path, "an integer", value);
  return *number;
}

Result<double> need_number(const json::Value& value, const Path& path) {
  const auto number = json::as_double(value);
  if (!number) return wrong_type(path, "a number", value);
  return *number;
}

Result<bool> need_bool(const json::Value& value, const Path& path) {
  const auto flag = json::as_bool(value);
  if (!flag) return wrong_type(path, "a boolean", value);
  return *flag;
}

Result<json::Object> need_object(const json::Value& value, const Path& path) {
  const auto object = json::as_object(value);
  if (!object) return wrong_type(path, "an object", value);
  return *object;
}

Result<json::Array> need_array(const json::Value& value, const Path& path) {
  const auto array = json::as_array(value);
  if (!array) return wrong_type(path, "an array", value);
  return *array;
}

Status check_range(double value, double low, double high, const Path& path) {
  if (value >= low && value <= high) return {};
  std::string field = path.str(), lowest, highest;
  json::append_double(lowest, low);
  json::append_double(highest, high);
  std::string message = "'" + field + "' must be between " + lowest + " and " + highest;
  return invalid(std::move(field), std::move(message));
}

std::vector<std::string> member_names(const RawMembers& members) {
  std::vector<std::string> out;
  if (members.empty()) return out;
  const auto object = object_of(members);
  if (!object) return out;
  for (const auto field : *object) out.emplace_back(field.key);
  return out;
}

bool has_member(const RawMembers& members, std::string_view name) {
  if (members.find(name) == members.npos) return false;
  for (const std::string& member : member_names(members)) {
    if (member == name) return true;
  }
  return false;
}

RawMembers only_member(const RawMembers& members, std::string_view name) {
  RawMembers out;
  if (members.find(name) == members.npos) return out;
  const auto object = object_of(members);
  if (!object) return out;
  for (const auto field : *object) {
    if (field.key == name) add_member(out, field.key, field.value);
  }
  return out;
}

RawMembers without_member(const RawMembers& members, std::string_view name) {
  if (members.find(name) == members.npos) return members;
  const auto object = object_of(members);
  if (!object) return members;
  RawMembers out;
  for (const auto field : *object) {
    if (field.key != name) add_member(out, field.key, field.value);
  }
  return out;
}

}  // namespace ajar::wire
