#include "compare.h"

#include <algorithm>
#include <map>

#include "json/read.h"

namespace ajar::wiretest {
namespace {

std::string shorten(std::string text) {
  if (text.size() > 300)
    text = text.substr(0, 300) + "... (" + std::to_string(text.size()) + " bytes)";
  return text;
}

class Differ {
 public:
  std::string out;
  int count = 0;

  void say(const std::string& path, const std::string& expected, const std::string& got) {
    if (++count > 20) return;
    out += "      at " + (path.empty() ? "the top" : path) + "\n        expected " +
           shorten(expected) + "\n        got      " + shorten(got) + "\n";
  }

  void compare(const json::Value& expected, const json::Value& got, const std::string& path,
               const std::vector<std::string>& mask) {
    if (json::as_string(expected) == "*any*") return;
    if (expected.is_number() && got.is_number()) {
      if (expected.is_int64() && got.is_int64()) {
        if (json::as_int(expected) == json::as_int(got)) return;
      } else if (json::as_double(expected) == json::as_double(got)) {
        return;
      }
      return say(path, json::raw(expected), json::raw(got));
    }
    if (expected.type() != got.type()) return say(path, json::raw(expected), json::raw(got));
    if (const auto left = json::as_object(expected))
      return objects(*left, *json::as_object(got), path, mask);
    if (const auto left = json::as_array(expected))
      return arrays(*left, *json::as_array(got), path);
    if (json::raw(expected) != json::raw(got)) say(path, json::raw(expected), json::raw(got));
  }

 private:
  void objects(const json::Object& expected, const json::Object& got, const std::string& path,
               const std::vector<std::string>& mask) {
    std::map<std::string_view, json::Value> left, right;
    for (const auto field : expected)
      left[field.key] = field.value;  // of duplicates the last one counts
    for (const auto field : got) {
      if (right.contains(field.key))
        say(path + "." + std::string(field.key), "one member", "it twice");
      right[field.key] = field.value;
    }
    const auto masked = [&](std::string_view key) {
      return std::ranges::find(mask, key) != mask.end();
    };
    for (const auto& [key, value] : left) {
      if (masked(key)) continue;
      const std::string below = path + "." + std::string(key);
      if (const auto found = right.find(key); found != right.end()) {
        compare(value, found->second, below, {});
      } else {
        say(below, json::raw(value), "(absent)");
      }
    }
    for (const auto& [key, value] : right) {
      if (!masked(key) && !left.contains(key)) {
        say(path + "." + std::string(key), "(absent)", json::raw(value));
      }
    }
  }
  void arrays(const json::Array& expected, const json::Array& got, const std::string& path) {
    std::vector<json::Value> left(expected.begin(), expected.end()), right(got.begin(), got.end());
    for (size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
      const std::string below = path + "[" + std::to_string(i) + "]";
      if (i >= left.size()) {
        say(below, "(absent)", json::raw(right[i]));
      } else if (i >= right.size()) {
        say(below, json::raw(left[i]), "(absent)");
      } else {
        compare(left[i], right[i], below, {});
      }
    }
  }
};

}  // namespace

std::string json_diff(std::string_view expected, std::string_view got,
                      const std::vector<std::string>& mask) {
  json::Document first, second;
  const auto left = first.parse(expected);
  if (!left) return "      the expected text: " + left.error().message + "\n";
  const auto right = second.parse(got);
  if (!right) return "      " + right.error().message + " in: " + shorten(std::string(got)) + "\n";
  Differ differ;
  differ.compare(*left, *right, "", mask);
  return std::move(differ.out);
}

}  // namespace ajar::wiretest
