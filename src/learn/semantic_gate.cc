#include "learn/semantic_gate.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/text.h"
#include "learn/prompt_words.h"

namespace ajar::learn {
namespace {

using Bag = std::multiset<std::string>;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80; }

// What of a prompt must be equal for its answer to be.
struct Meaning {
  Bag identifiers, numbers, units, dates;
  std::set<std::string> names;              // in lower case
  int negations = 0;
  std::set<std::string> words;              // all, in lower case
  std::vector<std::string> content;         // words of meaning in order, one name for synonyms
  std::map<std::string, std::string> roles; // "from" and "to" and the word of meaning that each governs
  bool directional = false;
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Meaning read() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' && quoted()) continue;
      if (c == '$') out_.units.insert("usd");
      if (c == '%') out_.units.insert("%");
      if (text_.substr(at_).starts_with("€")) out_.units.insert("eur"), at_ += 2;
      if (text_.substr(at_).starts_with("£")) out_.units.insert("gbp"), ++at_;
      if (c == '.' || c == '!' || c == '?' || c == '\n' || c == ':') starts_ = true;
      if (is_digit(c) || (is_letter(c) && at_ < text_.size() && is_letter(text_[at_]) && !symbol())) token();
      else ++at_;
    }
    if (out_.roles.contains("from")) out_.roles.erase("before to");
    return std::move(out_);
  }

 private:
  bool symbol() const { return text_.substr(at_).starts_with("\xac") || text_.substr(at_).starts_with("\xa3"); }

  // A quoted text of more than nothing is kept as it stands.
  bool quoted() {
    const size_t end = text_.find('"', at_ + 1);
    if (end == text_.npos || end == at_ + 1) return false;
    out_.identifiers.insert(std::string(text_.substr(at_ + 1, end - at_ - 1)));
    at_ = end + 1;
    return true;
  }

  // A run without spaces; marks at its end do not belong to it.
  void token() {
    size_t end = at_;
    while (end < text_.size() && text_[end] != ' ' && text_[end] != '\n' && text_[end] != '\t' && text_[end] != '"') ++end;
    size_t stop = end;
    while (stop > at_ && !is_letter(text_[stop - 1]) && !is_digit(text_[stop - 1])) --stop;
    const std::string_view run = text_.substr(at_, stop - at_);
    at_ = stop;
    const bool letters = std::ranges::any_of(run, is_letter), digits = std::ranges::any_of(run, is_digit);
    if (digits && !letters) number(run);
    else if (digits && amount(run)) return;
    else if (digits || run.find_first_of("@/\\_") != run.npos || run.find('.') != run.npos) identifier(run);
    else words(run);
  }

  void identifier(std::string_view run) {
    out_.identifiers.insert(to_lower(run));
    out_.words.insert(to_lower(run));
    out_.content.push_back(to_lower(run));
    starts_ = false;
  }

  // Dates and versions have several marks and stay as they are; 1,000.50 is a number.
  void number(std::string_view run) {
    std::string plain;
    for (const char c : run)
      if (c != ',') plain.push_back(c);
    const auto value = parse_double(plain);
    std::string name = value ? shortest(*value) : std::string(run);
    if (at_ - run.size() > 0 && text_[at_ - run.size() - 1] == '-') name.insert(0, "-");
    out_.numbers.insert(name);
    out_.content.push_back(std::move(name));
    starts_ = false;
  }

  // "5kg", "10am", "3rd".
  bool amount(std::string_view run) {
    const size_t end = run.find_first_not_of("0123456789.,");
    const std::string unit = to_lower(run.substr(end));
    if (end == 0 || end == run.npos) return false;
    const bool ordinal = unit == "st" || unit == "nd" || unit == "rd" || unit == "th", hour = unit == "am" || unit == "pm";
    const bool scale = unit == "k";
    if (unit_of(unit).empty() && !ordinal && !hour && !scale) return false;
    number(run.substr(0, end));
    if (!ordinal) out_.units.insert(hour || scale ? unit : std::string(unit_of(unit)));
    return true;
  }

  static std::string shortest(double value) {
    char text[32];
    return {text, std::to_chars(text, text + sizeof text, value).ptr};
  }

  // Hyphens part words; an apostrophe goes ("don't" is "dont").
  void words(std::string_view run) {
    for (const std::string_view part : split(run, '-')) {
      std::string word, plain;
      for (size_t i = 0; i < part.size(); ++i) {
        if (part[i] == '\'') continue;
        if (part.substr(i).starts_with("\xe2\x80\x99")) {
          i += 2;
          continue;
        }
        if (is_letter(part[i])) word.push_back(part[i]);
      }
      if (word.empty()) continue;
      one(word);
      starts_ = false;
    }
  }

  void one(const std::string& word) {
    const std::string low = to_lower(word);
    out_.words.insert(low);
    if (is_negation(low)) ++out_.negations;
    if (is_directional(low)) out_.directional = true, governs_ = low;
    const std::string_view unit = unit_of(low), date = date_of(low);
    const int value = number_of(low);
    if (value >= 0) out_.numbers.insert(std::to_string(value));
    if (!unit.empty()) out_.units.insert(std::string(unit));
    if (!date.empty()) out_.dates.insert(std::string(date));
    const bool shouts = word.size() > 1 && std::ranges::all_of(word, is_upper);
    if (is_upper(word[0]) && (!starts_ || shouts) && !is_filler(low) && date.empty() && unit.empty() && value < 0) out_.names.insert(low);
    if (is_filler(low) || is_negation(low) || is_directional(low)) return;
    std::string name(synonym_of(low));
    if (value >= 0) name = std::to_string(value);
    if (!unit.empty()) name = unit;
    // "from EUR", and what stands before "to" where nothing said from.
    if (!governs_.empty()) {
      if (governs_ == "to" && !out_.roles.contains("from") && !out_.content.empty()) out_.roles.emplace("before to", out_.content.back());
      out_.roles.emplace(governs_, name);
      governs_.clear();
    }
    out_.content.push_back(std::move(name));
  }

  std::string_view text_;
  size_t at_ = 0;
  bool starts_ = true;     // a sentence: a capital here says nothing
  std::string governs_;
  Meaning out_;
};

std::string joined(const auto& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : " ") + item;
  return out.empty() ? "nothing" : out;
}

std::optional<Comparison> unequal(const Bag& a, const Bag& b, Difference kind) {
  if (a == b) return std::nullopt;
  return Comparison{kind, joined(a) + " | " + joined(b)};
}

// A name of one that the other does not have, however it spells it.
std::optional<Comparison> other_names(const Meaning& a, const Meaning& b) {
  for (const auto& [has, lacks] : {std::pair(&a, &b), std::pair(&b, &a)})
    for (const std::string& name : has->names)
      if (!lacks->words.contains(name)) return Comparison{Difference::kEntity, name};
  return std::nullopt;
}

std::optional<Comparison> opposite(const Meaning& a, const Meaning& b) {
  for (const auto& [x, y] : opposites()) {
    const std::string left(x), right(y);
    const bool ax = a.words.contains(left), ay = a.words.contains(right), bx = b.words.contains(left), by = b.words.contains(right);
    if ((ax && !ay && by && !bx) || (ay && !ax && bx && !by)) return Comparison{Difference::kOpposite, left + " | " + right};
  }
  return std::nullopt;
}

// The same words of meaning in another order: fine where both say from and to of the same, or where nothing has sides and no two
// words changed places.
std::optional<Comparison> turned(const Meaning& a, const Meaning& b) {
  const auto in = [](const Meaning& m, const std::string& word) { return std::ranges::find(m.content, word) != m.content.end(); };
  for (const auto& [role, word] : a.roles) {
    const auto other = b.roles.find(role);
    if (other == b.roles.end() || other->second == word || !(in(b, word) || in(a, other->second))) continue;
    return Comparison{Difference::kDirection, role + " " + word + " | " + role + " " + other->second};
  }
  if (a.content == b.content || Bag(a.content.begin(), a.content.end()) != Bag(b.content.begin(), b.content.end())) return std::nullopt;
  const bool both_said = !a.roles.empty() && a.roles == b.roles;
  if (both_said) return std::nullopt;
  std::vector<size_t> moved;
  for (size_t i = 0; i < a.content.size(); ++i)
    if (a.content[i] != b.content[i]) moved.push_back(i);
  const bool exchanged = moved.size() == 2 && moved[1] - moved[0] > 1;
  if (a.directional || b.directional || exchanged || !a.names.empty())
    return Comparison{Difference::kDirection, joined(a.content) + " | " + joined(b.content)};
  return std::nullopt;
}

bool inflected(const std::string& a, const std::string& b) {
  const size_t least = std::min(a.size(), b.size());
  size_t common = 0;
  while (common < least && a[common] == b[common]) ++common;
  return common >= 4 && common + 4 > std::max(a.size(), b.size()) && common + 2 > least;
}

// Two prompts of several words that differ in one: a minimal edit, which nearly always asks for something else.
std::optional<Comparison> one_word(const Meaning& a, const Meaning& b) {
  if (a.content.size() != b.content.size() || a.content.size() < 2) return std::nullopt;
  size_t different = 0, at = 0;
  for (size_t i = 0; i < a.content.size(); ++i)
    if (a.content[i] != b.content[i] && !inflected(a.content[i], b.content[i])) ++different, at = i;
  if (different != 1) return std::nullopt;
  return Comparison{Difference::kWord, a.content[at] + " | " + b.content[at]};
}

}  // namespace

std::string_view difference_name(Difference difference) {
  constexpr std::array<std::string_view, 10> kNames = {"none",     "identifier", "number", "unit",      "date",
                                                       "negation", "opposite",   "entity", "direction", "word"};
  return kNames[static_cast<size_t>(difference)];
}

Comparison compare_prompts(std::string_view left, std::string_view right) {
  const Meaning a = Reader(left).read(), b = Reader(right).read();
  if (auto found = unequal(a.identifiers, b.identifiers, Difference::kIdentifier)) return *found;
  if (auto found = unequal(a.numbers, b.numbers, Difference::kNumber)) return *found;
  if (auto found = unequal(a.units, b.units, Difference::kUnit)) return *found;
  if (auto found = unequal(a.dates, b.dates, Difference::kDate)) return *found;
  if (a.negations != b.negations)
    return {Difference::kNegation, std::to_string(a.negations) + " | " + std::to_string(b.negations) + " negations"};
  if (auto found = opposite(a, b)) return *found;
  if (auto found = other_names(a, b)) return *found;
  if (auto found = turned(a, b)) return *found;
  if (auto found = one_word(a, b)) return *found;
  return {};
}

}  // namespace ajar::learn
