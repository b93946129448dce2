#pragma once

#include <string_view>

namespace ajar::wire {

// Tells when a JSON text is over: the arguments of a call whose end nobody announces.
class JsonEnd {
 public:
  void feed(std::string_view text);
  bool reached() const { return reached_; }

 private:
  int depth_ = 0;
  bool in_string_ = false, escaped_ = false, reached_ = false;
};

}  // namespace ajar::wire
