// Telephone numbers, by their shape and the words around them.
#include <algorithm>

#include "guard/detectors.h"

namespace ajar::guard {
namespace {

struct Window {
  const NumberRun& run;
  size_t first, last;
  size_t length(size_t i) const { return run.groups[first + i].length; }
  size_t count() const { return last - first + 1; }
  char separator(size_t i) const { return run.groups[first + i].separator; }
};

// How much the shape alone looks like a telephone number; negative: it does not.
float shape_score(const Scan& scan, const Window& w) {
  size_t digits = 0;
  bool brackets = false, slash = false, tiny = false;
  for (size_t i = 0; i < w.count(); ++i) {
    digits += w.length(i);
    if (i > 0) {
      brackets |= w.separator(i) == '(' || w.separator(i) == ')';
      slash |= w.separator(i) == '/';
    }
    tiny |= w.length(i) == 1 && i > 0 && !(w.separator(i) == '(') &&
            !(i + 1 < w.count() && w.separator(i + 1) == ')') && !(i > 0 && w.run.groups[w.first + i].separator == ')');
  }
  const auto group = [&](size_t i) { return scan.text.substr(w.run.groups[w.first + i].begin, w.length(i)); };
  const bool opens = scan.before(w.run.groups[w.first].begin) == '(';
  if (opens && (w.count() < 2 || w.separator(1) != ')')) return -1;
  if (digits < 7 || digits > 15 || w.count() > 7) return -1;
  if (w.first == 0 && w.run.plus) return digits >= 8 && group(0)[0] != '0' ? 0.7f : -1;
  if (slash && w.count() > 2) return -1;
  if (tiny) return -1;
  const bool dashed = w.count() > 1 && w.separator(w.count() - 1) != ' ';
  // North America: 3-3-4, with or without the country's 1 or 001.
  if (w.count() >= 3) {
    const size_t n = w.count();
    const bool nanp = w.length(n - 1) == 4 && w.length(n - 2) == 3 && w.length(n - 3) == 3;
    const bool prefixed = n == 4 && (group(0) == "1" || group(0) == "001" || group(0) == "011");
    if (nanp && (n == 3 || prefixed)) {
      if (group(n - 3)[0] < '2') return dashed ? 0.35f : 0.25f;
      return dashed || brackets || opens ? 0.6f : 0.4f;
    }
  }
  if (group(0).starts_with("00") && digits >= 10 && digits <= 15 && group(0)[2 < w.length(0) ? 2 : 0] != '0')
    return w.count() > 1 ? 0.45f : 0.3f;
  if (w.count() == 1) return digits <= 12 ? 0.2f : -1;
  for (size_t i = 0; i < w.count(); ++i) {
    if (w.length(i) > 8) return -1;
  }
  // A range of years; thousands.
  if (w.count() == 2 && w.length(0) == 4 && w.length(1) == 4 && (group(0)[0] == '1' || group(0)[0] == '2') &&
      group(1)[0] == group(0)[0])
    return 0.05f;
  bool thousands = w.length(0) <= 3 && group(0)[0] != '0';
  for (size_t i = 1; i < w.count(); ++i)
    thousands &= w.length(i) == 3 && (w.separator(i) == ' ' || w.separator(i) == '.');
  if (digits > 12) return -1;
  if (thousands) return 0.2f;
  if (brackets || opens) return 0.35f;
  if (w.count() > 5) return 0.1f;
  return group(0)[0] == '0' && w.length(0) >= 2 ? 0.35f : 0.25f;
}

// "x123", " ext. 123": where it ends, or `at`.
size_t extension(std::string_view text, size_t at) {
  size_t i = at;
  while (i < text.size() && text[i] == ' ' && i < at + 2) ++i;
  if (i < text.size() && text[i] == ',') ++i;
  while (i < text.size() && text[i] == ' ' && i < at + 3) ++i;
  const auto rest = text.substr(i, 10);
  const auto low = [](char c) { return static_cast<char>(c | 0x20); };
  if (rest.size() >= 3 && low(rest[0]) == 'e' && low(rest[1]) == 'x' && low(rest[2]) == 't') {
    i += rest.size() >= 9 && low(rest[3]) == 'e' ? 9 : 3;
    if (i < text.size() && text[i] == '.') ++i;
  } else if (!rest.empty() && low(rest[0]) == 'x') {
    ++i;
  } else {
    return at;
  }
  while (i < text.size() && text[i] == ' ' && i < at + 14) ++i;
  const size_t first = i;
  while (i < text.size() && is_digit(text[i])) ++i;
  return i > first && i - first <= 7 && (i == text.size() || !is_word(text[i])) ? i : at;
}

}  // namespace

void find_phones(Scan& scan, const NumberRun& run) {
  for (size_t first = 0; first < run.count;) {
    size_t next = first + 1;
    for (size_t last = run.count; last-- > first;) {
      const Window window{run, first, last};
      float score = shape_score(scan, window);
      if (score < 0) continue;
      size_t begin = run.groups[first].begin, end = run.end(last);
      if (scan.before(begin) == '(') --begin;
      if (first == 0 && run.plus && scan.before(begin) == '+') --begin;
      const size_t with_extension = last + 1 == run.count ? extension(scan.text, end) : end;
      if (last + 1 == run.count && run.loose && with_extension == end) continue;
      if (with_extension > end) score += 0.15f;
      // Parts of a longer number count for less than the whole.
      if (first > 0 || last + 1 < run.count) score -= 0.1f;
      const auto around = surroundings(scan.text, begin, with_extension);
      if (around.has(kPhoneTopic))
        score += kContextBoost;
      else if (around.before &
               (kNotTopic | kCardTopic | kBankTopic | kPostTopic | kSsnTopic | kDriverTopic | kPassportTopic))
        score -= 0.3f;
      scan.add(begin, with_extension, Entity::kPhone, score, first == 0 && run.plus ? "phone_international" : "phone");
      if (score >= scan.minimum) {
        next = last + 1;
        break;
      }
    }
    first = next;
  }
}

}  // namespace ajar::guard
