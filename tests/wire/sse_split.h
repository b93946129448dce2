#pragma once
// Bytes to server-sent events, for the tests only, so that they do not depend on http.
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

#include <functional>
#include <string>
#include <string_view>

namespace ajar::wiretest {

class SseSplitter {
 public:
  using OnEvent = std::function<void(std::string_view name, std::string_view data)>;
  explicit SseSplitter(OnEvent on_event) : on_event_(std::move(on_event)) {}

  void feed(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\n' && after_cr_) {
        after_cr_ = false;
        continue;
      }
      after_cr_ = c == '\r';
      if (c == '\n' || c == '\r') {
        line();
      } else {
        line_.push_back(c);
      }
    }
  }

 private:
  void line() {
    std::string line;
    line.swap(line_);
    if (line.empty()) {
      if (has_data_) on_event_(name_, std::string_view(data_).substr(0, data_.size() - 1));
      data_.clear();
      name_.clear();
      has_data_ = false;
      return;
    }
    const size_t colon = line.find(':');
    if (colon == 0) return;
    const std::string_view view = line;
    const std::string_view field = view.substr(0, colon);
    std::string_view value = colon == line.npos ? std::string_view() : view.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (field == "data") {
      data_.append(value).push_back('\n');
      has_data_ = true;
    } else if (field == "event") {
      name_ = value;
    }
  }

  OnEvent on_event_;
  std::string line_, data_, name_;
  bool after_cr_ = false, has_data_ = false;
};

}  // namespace ajar::wiretest
