// Dates in digits.
#include <algorithm>

#include "guard/checks.h"
#include "guard/detectors.h"

namespace ajar::guard {
namespace {

int number(std::string_view digits) {
  int n = 0;
  for (const char c : digits) n = n * 10 + c - '0';
  return n;
}

// "T10:30", " 10:30:00.5Z", "+02:00" behind a date: where it ends.
size_t time_of_day(std::string_view text, size_t at) {
  const auto two = [&](size_t i) { return i + 1 < text.size() && is_digit(text[i]) && is_digit(text[i + 1]); };
  if (at >= text.size() || (text[at] != ' ' && text[at] != 'T' && text[at] != 't') || !two(at + 1) ||
      at + 3 >= text.size() || text[at + 3] != ':' || !two(at + 4)) {
    return at;
  }
  size_t end = at + 6;
  if (end < text.size() && text[end] == ':' && two(end + 1)) end += 3;
  if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1])) {
    ++end;
    while (end < text.size() && is_digit(text[end])) ++end;
  }
  if (end < text.size() && (text[end] == 'Z' || text[end] == 'z')) return end + 1;
  if (end < text.size() && (text[end] == '+' || text[end] == '-') && two(end + 1)) {
    const size_t zone = end + 3;
    if (zone < text.size() && text[zone] == ':' && two(zone + 1)) return zone + 3;
  }
  return end;
}

bool before_year(std::string_view text, size_t begin) {
  size_t end = begin;
  while (end > 0 && text[end - 1] == ' ') --end;
  if (end == begin) return false;
  size_t start = end;
  while (start > 0 && is_letter(text[start - 1])) --start;
  const auto word = text.substr(start, end - start);
  for (const std::string_view w :
       {"in",    "In",     "of",    "during", "During",  "since",  "Since",  "from",   "From",
        "until", "by",     "a",     "year",   "founded", "born",   "spring", "summer", "autumn",
        "fall",  "winter", "early", "late",   "mid",     "around", "circa"}) {
    if (word == w) return true;
  }
  return false;
}

}  // namespace

void find_dates(Scan& scan, const NumberRun& run) {
  if (!scan.wanted.has(Entity::kDateTime)) return;
  for (size_t i = 0; i < run.count; ++i) {
    const auto group = [&](size_t k) { return scan.text.substr(run.groups[k].begin, run.groups[k].length); };
    const size_t begin = run.groups[i].begin;
    if (i + 2 < run.count) {
      const char separator = run.groups[i + 1].separator;
      const size_t end = run.end(i + 2);
      const int a = number(group(i).substr(0, 4)), b = number(group(i + 1).substr(0, 4)),
                c = number(group(i + 2).substr(0, 4));
      const size_t la = run.groups[i].length, lb = run.groups[i + 1].length, lc = run.groups[i + 2].length;
      const bool whole =
          (i == 0 || run.groups[i].separator == ' ') && (i + 3 == run.count || run.groups[i + 3].separator == ' ');
      if (whole && separator == run.groups[i + 2].separator &&
          (separator == '-' || separator == '/' || separator == '.') && lb <= 2) {
        if (la == 4 && lc <= 2 && a >= 1000 && a < 2200 && plausible_day(a, b, c)) {
          scan.add(begin, time_of_day(scan.text, end), Entity::kDateTime, 0.85f, "date_iso");
          return;
        }
        const bool day = plausible_day(lc == 4 ? c : 0, a, b) || plausible_day(lc == 4 ? c : 0, b, a);
        if (la <= 2 && lc == 4 && c >= 1000 && c < 2200 && day) {
          scan.add(begin, time_of_day(scan.text, end), Entity::kDateTime, 0.75f, "date");
          return;
        }
        if (la <= 2 && lc == 2 && day) {
          const bool named = surroundings(scan.text, begin, end).has(kDateTopic);
          scan.add(begin, time_of_day(scan.text, end), Entity::kDateTime,
                   (separator == '/' ? 0.5f : 0.3f) + (named ? kContextBoost : 0), "date_short");
          return;
        }
      }
    }
    // A year by itself, behind a word that years stand behind.
    if (run.groups[i].length == 4 && run.count == 1 && !run.loose && !run.money) {
      const int year = number(group(i));
      if (year >= 1900 && year < 2100 && before_year(scan.text, begin))
        scan.add(begin, begin + 4, Entity::kDateTime, 0.55f, "year");
    }
  }
}

}  // namespace ajar::guard
