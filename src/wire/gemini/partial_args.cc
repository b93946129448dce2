#include "wire/gemini/partial_args.h"

#include <optional>

#include "base/text.h"
#include "json/write.h"

namespace ajar::wire::gemini {

namespace {

constexpr size_t kMaxPath = 64;      // steps
constexpr int64_t kMaxIndex = 9999;  // of one array

struct Step {
  bool is_index = false;
  int64_t index = 0;
  std::string name;
};

// "$.a[0]['b c']" in steps; nothing when it is not such a path.
// https://www.rfc-editor.org/rfc/rfc9535
std::optional<std::vector<Step>> parse_path(std::string_view path) {
  if (!path.starts_with('$')) return std::nullopt;
  path.remove_prefix(1);
  std::vector<Step> steps;
  while (!path.empty()) {
    if (steps.size() >= kMaxPath) return std::nullopt;
    if (path.front() == '.') {
      path.remove_prefix(1);
      const std::string_view name = path.substr(0, path.find_first_of(".["));
      if (name.empty()) return std::nullopt;
      steps.push_back({.name = std::string(name)});
      path.remove_prefix(name.size());
      continue;
    }
    if (path.front() != '[' || path.size() < 3) return std::nullopt;
    path.remove_prefix(1);
    if (const char quote = path.front(); quote == '\'' || quote == '"') {
      std::string name;
      size_t at = 1;
      while (at < path.size() && path[at] != quote) {
        if (path[at] == '\\' && at + 1 < path.size()) ++at;
        name.push_back(path[at++]);
      }
      if (at + 1 >= path.size() || path[at + 1] != ']') return std::nullopt;
      steps.push_back({.name = std::move(name)});
      path.remove_prefix(at + 2);
      continue;
    }
    const size_t end = path.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const auto index = parse_int(path.substr(0, end));
    if (!index || *index < 0 || *index > kMaxIndex) return std::nullopt;
    steps.push_back({.is_index = true, .index = *index});
    path.remove_prefix(end + 1);
  }
  return steps;
}

}  // namespace

struct PartialArgs::Node {
  enum class Type : uint8_t { kNone, kString, kRaw, kObject, kArray };
  Type type = Type::kNone;
  std::string text;  // kString: the string; kRaw: JSON
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> members;  // kObject
  std::vector<std::unique_ptr<Node>> items;                            // kArray

  Node* child(const Step& step) {
    const Type wanted = step.is_index ? Type::kArray : Type::kObject;
    if (type != wanted && type != Type::kNone) return nullptr;
    type = wanted;
    if (step.is_index) {
      while (items.size() <= size_t(step.index)) items.push_back(std::make_unique<Node>());
      return items[size_t(step.index)].get();
    }
    for (auto& [name, node] : members) {
      if (name == step.name) return node.get();
    }
    return members.emplace_back(step.name, std::make_unique<Node>()).second.get();
  }

  void write(json::Writer& w) const {
    switch (type) {
      case Type::kNone:
        return w.null();
      case Type::kString:
        return w.string(text);
      case Type::kRaw:
        return w.raw(text);
      case Type::kObject:
        w.begin_object();
        for (const auto& [name, node] : members) {
          w.key(name);
          node->write(w);
        }
        return w.end_object();
      case Type::kArray:
        w.begin_array();
        for (const auto& node : items) node->write(w);
        return w.end_array();
    }
  }
};

PartialArgs::PartialArgs() = default;
PartialArgs::~PartialArgs() = default;
bool PartialArgs::empty() const { return root_ == nullptr; }
void PartialArgs::clear() { root_.reset(); }

Status PartialArgs::add(const json::Object& piece) {
  const auto steps = parse_path(json::string_or(piece, "jsonPath"));
  if (!steps || steps->empty() || steps->front().is_index) {
    return fail(Code::kUpstream, "the provider sent a function argument with an unusable path");
  }
  if (root_ == nullptr) root_ = std::make_unique<Node>();
  Node* node = root_.get();
  for (const Step& step : *steps) {
    node = node->child(step);
    if (node == nullptr) {
      return fail(Code::kUpstream,
                  "the provider sent function arguments that contradict each other");
    }
  }
  for (const auto field : piece) {
    if (field.key == "stringValue") {
      if (node->type != Node::Type::kNone && node->type != Node::Type::kString) continue;
      node->type = Node::Type::kString;
      node->text += json::as_string(field.value).value_or("");
    } else if (field.key == "numberValue" || field.key == "boolValue") {
      node->type = Node::Type::kRaw;
      node->text = json::raw(field.value);
    } else if (field.key == "nullValue") {
      node->type = Node::Type::kRaw;
      node->text = "null";
    }
  }
  return {};
}

std::string PartialArgs::json() const {
  if (root_ == nullptr) return "{}";
  std::string out;
  json::Writer w(out);
  root_->write(w);
  return out;
}

}  // namespace ajar::wire::gemini
