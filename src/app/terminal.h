#pragma once
// What people see: colours only on a terminal, tables, progress.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ajar::app {

bool is_terminal(int fd);
// Text in a colour when standard output is a terminal and NO_COLOR is not set; otherwise as it is.
std::string bold(std::string_view text);
std::string dim(std::string_view text);
std::string green(std::string_view text);
std::string red(std::string_view text);
std::string yellow(std::string_view text);
void set_colours(bool on);

// Columns aligned by their widest cell; numbers (cells that start with a digit, '$' or '-') to the right.
std::string table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows);

std::string dollars(double amount);     // "$0.001234"
std::string percent(double share);      // "12.3 %"
std::string count(int64_t number);      // "1,234,567"
std::string bytes_text(int64_t bytes);  // "1.23 GiB"

// A line on stderr that redraws itself, shown on a terminal only.
class Progress {
 public:
  Progress(std::string what, int64_t total);
  ~Progress();
  void update(int64_t done);

 private:
  const std::string what_;
  const int64_t total_;
  int64_t shown_ = -1;
};

}  // namespace ajar::app
