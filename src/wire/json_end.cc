#include "wire/json_end.h"

namespace ajar::wire {

void JsonEnd::feed(std::string_view text) {
  for (const char c : text) {
    if (reached_) return;
    if (escaped_) {
      escaped_ = false;
    } else if (in_string_) {
      if (c == '\\') escaped_ = true;
      if (c == '"') in_string_ = false;
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if (c == '}' || c == ']') {
      reached_ = --depth_ <= 0;
    }
  }
}

}  // namespace ajar::wire
