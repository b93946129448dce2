#pragma once
// What the scanner's parts share: the text under the scan and where candidates go. Internal to this folder.

#include <cstddef>
#include <string_view>

#include "guard/context.h"
#include "guard/finding.h"
#include "guard/masks.h"

namespace ajar::guard {

struct Scan {
  std::string_view text;
  EntitySet wanted;
  float minimum;
  Findings& out;
  int depth = 0;             // 1: within what a token decodes to
  size_t numbers_until = 0;  // digits before this belong to a number that was looked at

  void add(size_t begin, size_t end, Entity entity, float score, std::string_view rule) const {
    if (score >= minimum && wanted.has(entity)) out.push_back({begin, end, entity, score > 1 ? 1 : score, rule});
  }
  char at(size_t i) const { return i < text.size() ? text[i] : '\0'; }
  char before(size_t i) const { return i > 0 ? text[i - 1] : '\0'; }
};

inline constexpr float kContextBoost = 0.35f;

// A number as people write it: groups of digits with single separators between them, on one line.
struct NumberRun {
  static constexpr size_t kMaxGroups = 12;
  struct Group {
    size_t begin = 0;
    size_t length = 0;
    char separator = 0;  // before this group: ' ', '-', '.', '/', '(' or ')', 0 for the first
  };
  Group groups[kMaxGroups];
  size_t count = 0;
  bool plus = false;   // '+' before the first group
  bool glued = false;  // continues a token of letters and digits: no number of its own
  bool money = false;
  bool loose = false;  // letters follow the last group
  size_t end(size_t group) const { return groups[group].begin + groups[group].length; }
};
NumberRun read_number(std::string_view text, size_t first_digit);

// Each looks at [begin, end) of the scan's text and adds what it finds.
void find_addresses(Scan& scan, size_t begin, size_t end,
                    std::vector<std::pair<size_t, size_t>>& claimed);  // URL, e-mail, IP, MAC
void find_secrets(Scan& scan, size_t begin, size_t end);   // of a chunk without white space; looks left and right of it
bool find_encoded(Scan& scan, size_t begin, size_t end);   // base64, hex, percent: what is inside
void find_word_ids(Scan& scan, size_t begin, size_t end);  // of a word with letters and digits
void find_numbers(Scan& scan, const NumberRun& run);       // cards, phones, dates, national numbers
void find_phones(Scan& scan, const NumberRun& run);
void find_dates(Scan& scan, const NumberRun& run);
void find_national_numbers(Scan& scan, const NumberRun& run);
void find_names(Scan& scan, const Masks& masks);  // PERSON, LOCATION, NRP, dates in words
void scan_into(Scan& scan);

}  // namespace ajar::guard
