#include "learn/task_answer.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "json/read.h"
#include "json/write.h"

namespace ajar::learn {
namespace {

constexpr auto kLabelNames = std::to_array<std::string_view>({"label", "category", "intent", "class", "answer"});
constexpr auto kConfidenceNames = std::to_array<std::string_view>({"confidence", "score", "probability"});

std::unexpected<Error> unsupported(std::string message) { return fail(Code::kUnsupported, std::move(message), "response_format"); }

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::any_of(names, [&](std::string_view n) { return iequals(n, name); });
}

bool may_be(const json::Object& schema, std::string_view type) {
  const auto value = json::find(schema, "type");
  if (!value) return true;
  if (const auto one = json::as_string(*value)) return *one == type;
  const auto several = json::as_array(*value);
  return several && std::ranges::any_of(*several, [&](const json::Value& v) { return json::as_string(v) == type; });
}

// The labels that the schema's enum lacks; none where it has no enum.
std::string missing(const json::Object& schema, std::span<const std::string> labels) {
  const auto value = json::find(schema, "enum");
  const auto allowed = value ? json::as_array(*value) : std::nullopt;
  if (!allowed) return {};
  std::set<std::string_view> known;
  for (const json::Value v : *allowed)
    if (const auto text = json::as_string(v)) known.insert(*text);
  for (const std::string& label : labels)
    if (!known.contains(label)) return label;
  return {};
}

std::vector<std::string> required_of(const json::Object& schema) {
  std::vector<std::string> out;
  const auto value = json::find(schema, "required");
  if (const auto names = value ? json::as_array(*value) : std::nullopt)
    for (const json::Value v : *names)
      if (const auto name = json::as_string(v)) out.emplace_back(*name);
  return out;
}

}  // namespace

bool is_json_object(std::string_view label) { return trim(label).starts_with('{') && json::explain(label).empty(); }

Result<TaskAnswer> TaskAnswer::of_schema(std::string_view text, std::span<const std::string> labels) {
  json::Document document;
  AJAR_ASSIGN(const json::Object schema, document.parse_object(text));
  TaskAnswer out;
  if (std::ranges::all_of(labels, is_json_object)) {
    if (!may_be(schema, "object")) return unsupported("the task's answers are objects, and the schema wants something else");
    out.form_ = Form::kAsItIs;
    return out;
  }
  if (!may_be(schema, "object")) {
    if (!may_be(schema, "string")) return unsupported("the task's answers are texts, and the schema wants something else");
    if (const auto label = missing(schema, labels); !label.empty()) return unsupported("the schema does not allow the label '" + label + "'");
    out.form_ = Form::kString;
    return out;
  }

  out.form_ = Form::kObject;
  const auto value = json::find(schema, "properties");
  const auto properties = value ? json::as_object(*value) : std::nullopt;
  if (!properties) return unsupported("the schema names no properties");
  const auto required = required_of(schema);
  bool has_label = false;
  for (const auto [name, described] : *properties) {
    const auto property = json::as_object(described);
    if (!property) continue;
    const bool listed = json::find(*property, "enum").has_value() && missing(*property, labels).empty();
    if (!has_label && may_be(*property, "string") && (listed || is_one_of(name, kLabelNames))) {
      if (const auto label = missing(*property, labels); !label.empty()) return unsupported("'" + std::string(name) + "' does not allow the label '" + label + "'");
      out.properties_.push_back({std::string(name), true});
      has_label = true;
    } else if (may_be(*property, "number") && is_one_of(name, kConfidenceNames)) {
      out.properties_.push_back({std::string(name), false});
    } else if (std::ranges::find(required, name) != required.end()) {
      return unsupported("the schema requires '" + std::string(name) + "', which a task model cannot say");
    }
  }
  if (!has_label) return unsupported("no property of the schema takes the label: call it 'label' or list the labels in its enum");
  return out;
}

std::string TaskAnswer::say(std::string_view label, double confidence) const {
  if (form_ == Form::kText || form_ == Form::kAsItIs) return std::string(label);
  std::string out;
  json::Writer w(out);
  if (form_ == Form::kString) {
    w.string(label);
    return out;
  }
  w.begin_object();
  for (const Property& p : properties_) {
    if (p.is_label) w.field(p.name, label);
    else w.field(p.name, confidence);
  }
  w.end_object();
  return out;
}

}  // namespace ajar::learn
