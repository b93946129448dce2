#pragma once
// How a task model says its label: as plain text, or as the JSON that a route's schema demands. Immutable; any thread.
//
// Under a schema of an object, the label goes to the one property whose "enum" has the labels, or that is called label, category,
// intent, class or answer; a number called confidence, score or probability gets the confidence. A label that is itself an object
// (of data whose answers are small JSON) is said as it is. Under a schema of a string, the label is a JSON string.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ajar::learn {

class TaskAnswer {
 public:
  TaskAnswer() = default;  // plain text
  // kUnsupported: a schema that these labels cannot answer; says which property or label.
  static Result<TaskAnswer> of_schema(std::string_view schema, std::span<const std::string> labels);

  std::string say(std::string_view label, double confidence) const;

 private:
  struct Property {
    std::string name;
    bool is_label;         // otherwise the confidence
  };
  enum class Form : uint8_t { kText, kString, kObject, kAsItIs };
  Form form_ = Form::kText;
  std::vector<Property> properties_;
};

// Whether a label is a JSON object.
bool is_json_object(std::string_view label);

}  // namespace ajar::learn
