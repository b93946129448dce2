#pragma once
// What the selftest has found, and what an OpenAI client would make of an answer.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "http/headers.h"

namespace ajar::app {

struct Check {
  std::string group, name, expected, got;
  bool ok = false;
};

class Checks {
 public:
  // `on_check` is told of each, for a progress bar.
  explicit Checks(std::function<void(int64_t done)> on_check) : on_check_(std::move(on_check)) {}
  // Only what fails keeps `got` in view.
  void add(std::string group, std::string name, bool ok, std::string expected, std::string got);
  void skip(std::string group, std::string why) { skipped_.emplace_back(std::move(group), std::move(why)); }
  // A later observation about a check that is already there.
  void also(size_t index, bool ok, const std::string& expected, const std::string& got);

  const std::vector<Check>& all() const { return all_; }
  const std::vector<std::pair<std::string, std::string>>& skipped() const { return skipped_; }
  int64_t failed() const;

 private:
  std::function<void(int64_t)> on_check_;
  std::vector<Check> all_;
  std::vector<std::pair<std::string, std::string>> skipped_;
};

// One HTTP answer as it came.
struct Heard {
  int status = 0;          // 0: no answer; `trouble` says why
  Headers headers;
  std::string body;
  bool whole = false;      // the body has its proper end
  std::string trouble;
};

// A chat answer, streamed or not, read as strictly as a client may.
struct Told {
  std::string text, model, id, finish, tool, arguments;
  std::string error_message, error_type, error_param, error_code;
  int64_t choices = 0, events = 0, errors = 0;
  int64_t input = -1, output = -1, total = -1;
  bool done = false;        // [DONE] is the last event
  bool after_error = false; // something came behind an error
  bool usage = false;       // not null
  std::string fault;        // what is wrong with its form, empty: nothing
};
Told read_chat(const Heard& heard);

// "200, finish stop, …": for the column "got".
std::string describe(const Heard& heard, const Told& told);

}  // namespace ajar::app
