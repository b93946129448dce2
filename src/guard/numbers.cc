// Numbers in groups: reading them, and cards.
#include <algorithm>
#include <array>

#include "guard/checks.h"
#include "guard/detectors.h"

namespace ajar::guard {
namespace {

// The separator at `at` that leads to another digit: how many bytes, and its kind. 0: none.
size_t separator(std::string_view text, size_t at, char& kind) {
  const auto digit = [&](size_t i) { return i < text.size() && is_digit(text[i]); };
  const char c = at < text.size() ? text[at] : '\0';
  const char next = at + 1 < text.size() ? text[at + 1] : '\0';
  if (c == ' ' || c == '-' || c == '.' || c == '/') {
    kind = c;
    if (digit(at + 1)) return 1;
    if (next == '(' && c != '/' && digit(at + 2)) return kind = '(', 2;
    if (c == ' ' && next == '-' && at + 2 < text.size() && text[at + 2] == ' ' && digit(at + 3)) return 3;
    return 0;
  }
  if (c == ')') {
    kind = ')';
    if (digit(at + 1)) return 1;
    if ((next == ' ' || next == '-') && digit(at + 2)) return 2;
    return 0;
  }
  if (c == '(' && digit(at + 1)) return kind = '(', 1;
  if (text.substr(at, 2) == "\xC2\xA0" && digit(at + 2)) return kind = ' ', 2;  // no-break space
  if ((text.substr(at, 3) == "\xE2\x80\x91" || text.substr(at, 3) == "\xE2\x80\xAF") && digit(at + 3))
    return kind = '-', 3;
  return 0;
}

// Whether the word that ends at `end` makes what follows it ("-1234", ".1234") a part of one token.
bool ends_token(std::string_view text, size_t end) {
  size_t begin = end;
  bool digits = false, beyond_hex = false;
  while (begin > 0 && is_word(text[begin - 1]) && end - begin < 64) {
    --begin;
    digits |= is_digit(text[begin]);
    beyond_hex |= !is_hex(text[begin]);
  }
  if (begin == end) return false;
  return digits || end - begin == 1 || !beyond_hex;
}

bool starts_token(std::string_view text, size_t begin) {
  size_t end = begin;
  bool digits = false, beyond_hex = false;
  while (end < text.size() && is_word(text[end]) && end - begin < 64) {
    digits |= is_digit(text[end]);
    beyond_hex |= !is_hex(text[end]);
    ++end;
  }
  return end > begin && (digits || (end - begin >= 4 && !beyond_hex));
}

void find_cards(Scan& scan, const NumberRun& run) {
  for (size_t i = 0; i < run.count; ++i) {
    if (i > 0 && run.groups[i].separator != ' ') continue;  // what follows a point is a fraction
    char digits[20];
    size_t n = 0;
    for (size_t j = i; j < run.count && n + run.groups[j].length <= 19; ++j) {
      const auto& group = run.groups[j];
      if (j > i + 1 && group.separator != run.groups[i + 1].separator) break;
      if (j > i && group.separator != ' ' && group.separator != '-') break;
      n = static_cast<size_t>(std::copy_n(scan.text.data() + group.begin, group.length, digits + n) - digits);
      if (n < 12) continue;
      // 4-4-4-4, 4-6-5, 4-6-4, 4-4-4-4-3; or no groups at all.
      bool shaped = j == i || run.groups[i].length == 4;
      for (size_t k = i + 1; k < j; ++k) shaped &= run.groups[k].length >= 4 && run.groups[k].length <= 6;
      const std::string_view number(digits, n);
      if (!shaped || !luhn(number)) continue;
      const auto around = surroundings(scan.text, run.groups[i].begin, run.end(j));
      const bool brand = card_brand(number);
      float score = !brand ? 0.2f : n < 14 ? 0.4f : 0.75f;
      if (around.has(kCardTopic))
        score += kContextBoost;
      else if (around.has(kNotTopic))
        score -= kContextBoost;
      scan.add(run.groups[i].begin, run.end(j), Entity::kCreditCard, score, brand ? "card_brand_luhn" : "card_luhn");
    }
  }
}

}  // namespace

NumberRun read_number(std::string_view text, size_t at) {
  NumberRun run;
  const char before = at > 0 ? text[at - 1] : '\0';
  run.plus = before == '+' && (at < 2 || !is_word(text[at - 2]));
  if (before == '(' && at > 1 && text[at - 2] == '+') run.plus = true;
  if (std::string_view("-./\\+=%~").find(before) != std::string_view::npos && before != '\0' && before != '=' &&
      at > 1 && !run.plus) {
    run.glued = ends_token(text, at - 1);
  }
  run.money = before == '$' ||
              (at > 1 && (text.substr(at - 2, 2) == "\xC2\xA3" || text.substr(at - 2, 2) == "\xC2\xA5")) ||
              (at > 2 && text.substr(at - 3, 3) == "\xE2\x82\xAC");
  char kind = 0;
  while (run.count < NumberRun::kMaxGroups) {
    size_t end = at;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end < text.size() && (is_letter(text[end]) || text[end] == '_')) {
      run.loose = true;
      const bool extension =
          (text[end] == 'x' || text[end] == 'X') && end + 1 < text.size() && is_digit(text[end + 1]) && end - at != 1;
      if (!extension && run.count > 0 && kind != '-' && kind != '.') break;  // "555 1234 5th": the number ended before
      if (!extension && text[end] != 'T') run.glued |= starts_token(text, end) || end - at > 2;
      run.groups[run.count++] = {at, end - at, kind};
      return run;
    }
    run.groups[run.count++] = {at, end - at, kind};
    const size_t skip = separator(text, end, kind);
    if (skip == 0) {
      if (end + 1 < text.size() && text[end] == '-') run.glued |= starts_token(text, end + 1);
      break;
    }
    at = end + skip;
  }
  return run;
}

void find_numbers(Scan& scan, const NumberRun& run) {
  if (run.glued) return;
  size_t digits = 0;
  for (size_t i = 0; i < run.count; ++i) digits += run.groups[i].length;
  if (digits >= 4) find_dates(scan, run);
  if (digits < 7) return;
  if (digits >= 12 && !run.loose) find_cards(scan, run);
  if (digits >= 7 && !run.loose) find_national_numbers(scan, run);
  if (!run.money) find_phones(scan, run);
}

}  // namespace ajar::guard
