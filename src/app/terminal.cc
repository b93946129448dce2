#include "app/terminal.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace ajar::app {
namespace {

bool colours = false;

std::string paint(const char* code, std::string_view text) {
  if (!colours) return std::string(text);
  return "\033[" + std::string(code) + "m" + std::string(text) + "\033[0m";
}

// Columns on the screen: escape sequences take none, a UTF-8 character takes one.
size_t width(std::string_view text) {
  size_t columns = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\033') {
      while (i < text.size() && text[i] != 'm') ++i;
    } else if ((text[i] & 0xC0) != 0x80) {
      ++columns;
    }
  }
  return columns;
}

}  // namespace

bool is_terminal(int fd) { return isatty(fd) == 1; }
void set_colours(bool on) { colours = on; }
std::string bold(std::string_view text) { return paint("1", text); }
std::string dim(std::string_view text) { return paint("2", text); }
std::string green(std::string_view text) { return paint("32", text); }
std::string red(std::string_view text) { return paint("31", text); }
std::string yellow(std::string_view text) { return paint("33", text); }

std::string table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& cell : head) widths.push_back(width(cell));
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size() && i < widths.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string out;
  const auto line = [&](const std::vector<std::string>& row, bool heading) {
    std::string text;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string pad(widths[i] - width(row[i]), ' ');
      const bool number = !heading && !row[i].empty() && (std::isdigit(static_cast<unsigned char>(row[i][0])) || row[i][0] == '$' || row[i][0] == '-');
      if (i > 0) text += "  ";
      text += number ? pad + row[i] : row[i] + pad;
    }
    while (text.ends_with(' ')) text.pop_back();
    out += (heading ? bold(text) : text) + "\n";
  };
  line(head, true);
  for (const auto& row : rows) line(row, false);
  return out;
}

std::string dollars(double amount) {
  char text[48];
  std::snprintf(text, sizeof text, amount != 0 && amount < 0.01 ? "$%.6f" : "$%.2f", amount);
  return text;
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", share * 100);
  return text;
}

std::string count(int64_t number) {
  std::string digits = std::to_string(number);
  for (int at = int(digits.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3) digits.insert(size_t(at), ",");
  return digits;
}

std::string bytes_text(int64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double amount = double(bytes);
  size_t unit = 0;
  while (amount >= 1024 && unit + 1 < std::size(kUnits)) amount /= 1024, ++unit;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.2f %s", amount, kUnits[unit]);
  return text;
}

Progress::Progress(std::string what, int64_t total) : what_(std::move(what)), total_(total) {}

Progress::~Progress() {
  if (shown_ >= 0) std::fputs("\r\033[K", stderr);
}

void Progress::update(int64_t done) {
  if (!is_terminal(STDERR_FILENO) || total_ <= 0) return;
  const int64_t percent = std::clamp<int64_t>(done * 100 / total_, 0, 100);
  if (percent == shown_) return;
  shown_ = percent;
  std::string bar(size_t(percent * 30 / 100), '#');
  bar.resize(30, '.');
  std::fprintf(stderr, "\r%s [%s] %3d %%", what_.c_str(), bar.c_str(), int(percent));
  std::fflush(stderr);
}

}  // namespace ajar::app
