// PERSON, LOCATION, NRP and dates in words: capitals, lists of names, titles, and the words before them.
#include <algorithm>
#include <array>

#include "guard/detectors.h"
#include "guard/gazetteer.h"

namespace ajar::guard {
namespace {

constexpr size_t kMaxNameBytes = 48;

struct Word {
  size_t begin, end;
  uint64_t bits;
  bool initial() const { return end - begin == 1; }  // "J." or "J"
};
constexpr size_t kMaxWords = 6;
using Words = Word[kMaxWords];

// Capitals of the alphabets whose names we know: Latin-1, Latin Extended-A, Greek, Cyrillic.
bool is_capital(std::string_view text, size_t at) {
  const auto a = static_cast<unsigned char>(text[at]);
  if (a < 0x80) return is_upper(text[at]);
  const unsigned char b = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0;
  switch (a) {
    case 0xC3:
      return b >= 0x80 && b <= 0x9E && b != 0x97;
    case 0xC4:
      return b <= 0xB7 ? b % 2 == 0 : b % 2 == 1;
    case 0xC5:
      return b <= 0x88 ? b % 2 == 1 : b <= 0xB7 ? b % 2 == 0 : b == 0xB9 || b == 0xBB || b == 0xBD;
    case 0xCE:
      return b >= 0x86 && b <= 0xA9;
    case 0xD0:
      return b <= 0xAF;
    default:
      return false;
  }
}

constexpr std::array<bool, 256> kNameByte = [] {
  std::array<bool, 256> bytes{};
  for (size_t i = 0; i < 256; ++i) bytes[i] = i >= 0x80 || is_letter(static_cast<char>(i));
  return bytes;
}();
bool in_name(char c) { return kNameByte[static_cast<unsigned char>(c)]; }

Word read_word(std::string_view text, size_t begin) {
  size_t end = begin;
  const size_t limit = std::min(text.size(), begin + kMaxNameBytes);
  while (end < limit) {
    if (text[end] == '\xE2' && end + 1 < text.size() && text[end + 1] == '\x80') break;  // dashes, quotes, ellipses
    if (in_name(text[end]))
      ++end;
    else if ((text[end] == '\'' || text[end] == '-') && end > begin && end + 1 < limit && in_name(text[end + 1]))
      end += 2;
    else
      break;
  }
  // The possessive is not part of the name.
  if (end - begin > 2 && text[end - 1] == 's' && text[end - 2] == '\'') end -= 2;
  const auto spelled = text.substr(begin, end - begin);
  uint64_t bits = gazetteer().of(spelled);
  if (bits == 0) {
    if (const size_t dash = spelled.find('-'); dash != spelled.npos)
      bits = gazetteer().of(spelled.substr(0, dash)) & (kGiven | kSurname);
  }
  return {begin, end, bits};
}

// Endings that surnames have and ordinary capitalised words seldom.
bool surname_ending(std::string_view word) {
  static constexpr std::string_view kEndings[] = {
      "ová",   "ský",   "ski",   "ska",     "ić",   "enko", "sson", "dóttir", "nen",  "sen",  "oğlu",
      "escu",  "yan",   "idis",  "opoulos", "czyk", "wicz", "ov",   "ova",    "ev",   "eva",  "berg",
      "ström", "quist", "qvist", "mann",    "ez",   "ães",  "eira", "elli",   "etti", "ucci", "ini"};
  if (word.size() < 5) return false;
  for (const std::string_view end : kEndings) {
    if (word.back() == end.back() && word.size() >= end.size() + 3 && word.ends_with(end)) return true;
  }
  return false;
}

// What links given name and surname: "van der Berg", "de la Cruz". How long it is with its space, or 0.
size_t particle(std::string_view text) {
  static constexpr std::string_view kParticles[] = {"van der ", "van den ", "van ",   "von ", "de la ", "de ", "da ",
                                                    "dos ",     "del ",     "della ", "di ",  "bin ",   "al "};
  for (const std::string_view p : kParticles) {
    if (text.starts_with(p) && text.size() > p.size() && is_capital(text, p.size())) return p.size();
  }
  return 0;
}

// The lower-case or other word before `begin`, on the same line or the one before.
std::string_view word_before(std::string_view text, size_t begin, size_t* start = nullptr) {
  size_t end = begin;
  while (end > 0 && begin - end < 6 && std::string_view(" \n\t:,>\"'(*").find(text[end - 1]) != std::string_view::npos)
    --end;
  size_t first = end;
  while (first > 0 && end - first < 24 && (is_word(text[first - 1]) || text[first - 1] == '\'')) --first;
  if (start) *start = first;
  return text.substr(first, end - first);
}

bool lower_equal(std::string_view a, std::string_view low) {
  if (a.size() != low.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if ((is_upper(a[i]) ? static_cast<char>(a[i] | 0x20) : a[i]) != low[i]) return false;
  }
  return true;
}

// "my name is", "I'm", "it's under", "called", "Dear": what follows is a person.
bool introduces_person(std::string_view text, std::string_view last, size_t start, uint64_t bits) {
  if (bits & kNamesPerson) return true;
  if (!(bits & kIntroduces)) return false;
  if (lower_equal(last, "i'm") || lower_equal(last, "under")) return true;
  const auto before = word_before(text, start);
  if (lower_equal(last, "me")) return lower_equal(before, "call") || lower_equal(before, "calls");
  return lower_equal(before, "name") || lower_equal(before, "i") || lower_equal(before, "this");
}

// "says", "lives" right behind.
bool acts(std::string_view text, size_t end) {
  if (end >= text.size() || text[end] != ' ') return false;
  size_t stop = end + 1;
  while (stop < text.size() && is_lower(text[stop])) ++stop;
  return gazetteer().of(text.substr(end + 1, stop - end - 1)) & kPersonDoes;
}

// "lives in", "moved to", "originally from": what follows is a place.
bool introduces_place(std::string_view text, size_t start, uint64_t bits) {
  static constexpr std::string_view kVerbs[] = {"live",      "lives",  "lived",  "living",  "moved",      "move",
                                                "here",      "born",   "based",  "located", "originally", "travelling",
                                                "traveling", "travel", "flew",   "fly",     "arrived",    "returned",
                                                "up",        "am",     "office", "offices", "resident",   "i'm"};
  if (!(bits & kNamesPlace)) return false;
  const auto before = word_before(text, start);
  return std::any_of(std::begin(kVerbs), std::end(kVerbs), [&](std::string_view w) { return lower_equal(before, w); });
}

struct Names {
  Scan& scan;
  std::string_view text = scan.text;

  size_t month_date(const Word& word);  // end of a date that the month begins or ends in; 0: none
  void person(const Words& words, size_t count);
  bool place(const Words& words, size_t first, size_t count);
  bool street(const Words& words, size_t count);
};

size_t Names::month_date(const Word& word) {
  const auto digits = [&](size_t at) {
    size_t n = 0;
    while (at + n < text.size() && is_digit(text[at + n])) ++n;
    return n;
  };
  size_t begin = word.begin, end = word.end;
  bool day = false, year = false;
  if (scan.at(end) == '.') ++end;
  // "4 July", "4th of July"
  size_t at = begin;
  if (at > 1 && text[at - 1] == ' ') {
    size_t back = at - 1;
    if (back > 3 && text.substr(back - 3, 3) == " of") back -= 3;
    if (back > 2 && is_letter(text[back - 1]) && is_letter(text[back - 2]) && is_digit(text[back - 3]))
      back -= 2;
    else if (back > 1 && text[back - 1] == '.')
      --back;
    const size_t stop = back;
    while (back > 0 && is_digit(text[back - 1]) && stop - back < 3) --back;
    if (stop > back && stop - back <= 2 && (back == 0 || !is_word(text[back - 1]))) begin = back, day = true;
  }
  // "July 4", "July 4th, 1999", "July 1999"
  size_t next = end;
  if (scan.at(next) == ' ' || scan.at(next) == ',') next += scan.at(next) == ',' && scan.at(next + 1) == ' ' ? 2 : 1;
  if (const size_t n = next > end ? digits(next) : 0; n > 0) {
    if (n <= 2 && !day) {
      size_t stop = next + n;
      if (stop + 1 < text.size() && is_letter(text[stop]) && is_letter(text[stop + 1])) stop += 2;
      if (!is_word(scan.at(stop))) {
        day = true;
        end = stop;
        size_t y = stop;
        if (scan.at(y) == ',') ++y;
        if (scan.at(y) == ' ' && digits(y + 1) == 4) end = y + 5, year = true;
      }
    } else if (n == 4 && !is_word(scan.at(next + 4))) {
      end = next + 4, year = true;
    }
  }
  if (!day && !year) return 0;
  scan.add(begin, end, Entity::kDateTime, day && year ? 0.85f : 0.65f, "date_words");
  return end;
}

bool Names::place(const Words& words, size_t first, size_t count) {
  for (size_t n = std::min<size_t>(3, count - first); n > 1 && (words[first].bits & kPlaceStart); --n) {
    const size_t begin = words[first].begin, end = words[first + n - 1].end;
    if (long_places().of(text.substr(begin, end - begin)) != 0) {
      scan.add(begin, end, Entity::kLocation, 0.8f, "place_list");
      return true;
    }
  }
  return false;
}

// "12 Baker Street", "Hoge Wei 32": a number beside the name of a street.
bool Names::street(const Words& words, size_t count) {
  size_t last = count;
  for (size_t i = 0; i < count; ++i) {
    if ((words[i].bits & kStreet) && count > 1) last = i;
  }
  const auto spelled = text.substr(words[0].begin, words[0].end - words[0].begin);
  const auto suffix = [&](std::string_view s) { return spelled.size() > s.size() + 2 && spelled.ends_with(s); };
  const bool compound = suffix("straße") || suffix("strasse") || suffix("gatan") || suffix("vägen") ||
                        suffix("veien") || suffix("laan") || suffix("straat") || suffix("katu") || suffix("gade") ||
                        suffix("vej") || suffix("gasse") || suffix("tie");
  if (last == count && !compound) return false;
  if (compound) last = 0;
  size_t begin = words[0].begin, end = words[last].end;
  if (scan.at(end) == '.') ++end;
  bool numbered = false;
  size_t at = begin;
  while (at > 0 && text[at - 1] == ' ' && begin - at < 2) --at;
  size_t digit = at;
  while (digit > 0 && is_digit(text[digit - 1]) && at - digit < 6) --digit;
  if (at < begin && digit < at && (digit == 0 || !is_word(text[digit - 1]))) begin = digit, numbered = true;
  if (scan.at(end) == ' ' && is_digit(scan.at(end + 1))) {
    size_t stop = end + 1;
    while (is_digit(scan.at(stop))) ++stop;
    if (stop - end <= 6) end = stop, numbered = true;
  }
  if (!numbered) return false;
  scan.add(begin, end, Entity::kLocation, 0.75f, "street");
  return true;
}

void Names::person(const Words& words, size_t count) {
  if (count > 0 && (words[0].bits & kTitle)) {
    size_t last = 1;
    while (last < count && !(words[last].bits & kCommon && !(words[last].bits & (kGiven | kSurname)))) ++last;
    if (last > 1) scan.add(words[1].begin, words[last - 1].end, Entity::kPerson, 0.85f, "person_title");
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    if (place(words, i, count)) return;
  }
  if (scan.wanted.has(Entity::kLocation) && street(words, count)) return;
  size_t first = 0;
  while (first < count && (words[first].bits & kCommon) &&
         !(words[first].bits & (kGiven | kAmbiguous) && first + 1 < count && (words[first + 1].bits & kSurname)))
    ++first;
  while (count > first && (words[count - 1].bits & (kCommon | kCompanyEnd)) &&
         !(words[count - 1].bits & (kSurname | kGiven))) {
    if (words[count - 1].bits & kCompanyEnd) return;  // "Davis Group"
    --count;
  }
  if (first == count) return;
  const size_t n = count - first;
  const Word& head = words[first];
  const Word& tail = words[count - 1];
  const auto spelled = [&](const Word& w) { return text.substr(w.begin, w.end - w.begin); };
  const auto shouted = [&](const Word& w) {
    return !w.initial() && std::none_of(text.begin() + static_cast<ptrdiff_t>(w.begin),
                                        text.begin() + static_cast<ptrdiff_t>(w.end), is_lower);
  };
  if (n == 1 && head.initial()) return;
  size_t start = 0;
  const auto last = word_before(text, head.begin, &start);
  const uint64_t last_bits = gazetteer().of(last);
  const bool introduced = introduces_person(text, last, start, last_bits);
  const bool given = head.bits & kGiven, ambiguous = head.bits & kAmbiguous;
  if (n == 1) {
    if (head.bits & kPlace) {
      const bool also = head.bits & kGiven;
      return scan.add(head.begin, head.end, Entity::kLocation, also && introduced ? 0.3f : 0.75f, "place_list");
    }
    if (head.bits & kNationality) return scan.add(head.begin, head.end, Entity::kNrp, 0.75f, "nationality_list");
    float score = given && !ambiguous             ? 0.6f
                  : (head.bits & kSurname)        ? 0.4f
                  : surname_ending(spelled(head)) ? 0.35f
                                                  : 0.1f;
    if (ambiguous) score = 0.3f;
    if (head.bits == 0 && introduces_place(text, start, last_bits))
      return scan.add(head.begin, head.end, Entity::kLocation, 0.6f, "place_context");
    if ((introduced || acts(text, head.end)) && !shouted(head)) score += head.bits == 0 ? 0.45f : 0.3f;
    // "Smith's", "by Smith"
    if (text.substr(head.end).starts_with("'s ") || lower_equal(last, "by")) score += 0.15f;
    if (shouted(head) && !introduced) score -= 0.3f;
    return scan.add(head.begin, head.end, Entity::kPerson, score, introduced ? "person_context" : "person_list");
  }
  // A list of places, a nationality before a noun: word by word.
  if ((head.bits & kNationality) && !given) {
    scan.add(head.begin, head.end, Entity::kNrp, 0.75f, "nationality_list");
    Words rest;
    std::copy(words + first + 1, words + count, rest);
    return person(rest, n - 1);
  }
  const bool known_tail = tail.bits & kSurname, shaped_tail = surname_ending(spelled(tail)),
             is_place = head.bits & kPlace;
  if (is_place && !given && !known_tail && !introduced)
    return scan.add(head.begin, head.end, Entity::kLocation, 0.7f, "place_list");
  float score = 0.1f;
  if (given)
    score = known_tail || shaped_tail ? 0.9f : ambiguous ? 0.5f : 0.75f;
  else if (known_tail)
    score = ambiguous ? 0.7f : head.bits == 0 || head.initial() ? 0.6f : 0.55f;
  else if (shaped_tail && head.bits == 0)
    score = 0.5f;
  else if (head.bits & kSurname)
    score = 0.45f;
  else if (head.bits == 0 && tail.bits == 0 &&
           std::any_of(text.begin() + static_cast<ptrdiff_t>(head.begin),
                       text.begin() + static_cast<ptrdiff_t>(tail.end), is_high))
    score = 0.5f;
  if (n > 4) score -= 0.2f;
  if (introduced || acts(text, tail.end)) score += head.bits & kCommon ? 0.2f : 0.45f;
  if (shouted(head) && shouted(tail) && !introduced) score -= 0.2f;
  if ((tail.bits & kPlace) && !known_tail && !(tail.bits & kGiven)) score -= 0.2f;
  scan.add(head.begin, tail.end, Entity::kPerson, score, introduced ? "person_context" : "person_list");
}

}  // namespace

void find_names(Scan& scan, const Masks& masks) {
  Names names{scan};
  const auto text = scan.text;
  for (size_t at = masks.next_name(0); at != Masks::kNone;) {
    if (!is_capital(text, at) ||
        (at > 0 && (text[at - 1] == '@' || text[at - 1] == '/' || text[at - 1] == '.' || text[at - 1] == '#')) ||
        (at > 1 && text[at - 1] == '-' && is_word(text[at - 2]))) {
      at = masks.next_name(at + 1);
      continue;
    }
    Words words;
    size_t count = 0, end = at;
    for (size_t next = at; count < kMaxWords;) {
      Word word = read_word(text, next);
      if (word.end == next) break;
      // Part of an identifier (camelCase2, snake_Case) rather than a word.
      if (word.end < text.size() && (is_digit(text[word.end]) || text[word.end] == '_')) {
        end = word.end;
        break;
      }
      words[count++] = word;
      end = word.end;
      // An initial or a title may have a dot.
      if (scan.at(end) == '.' && (word.initial() || (word.bits & kTitle)) && scan.at(end + 1) == ' ') {
        next = end + 2;
      } else if (scan.at(end) == ' ') {
        next = end + 1;
      } else {
        break;
      }
      if (next >= text.size() || !is_capital(text, next)) {
        const size_t skip = words[0].bits & kGiven ? particle(text.substr(std::min(next, text.size()))) : 0;
        if (skip == 0) break;
        next += skip;
      }
    }
    if (count > 0 && !(count == 1 && words[0].bits == kCommon)) {
      size_t used = 0;
      for (size_t i = 0; i < count; ++i) {
        if (words[i].bits & kMonth) {
          if (const size_t stop = names.month_date(words[i])) used = std::max(used, stop);
        } else if (words[i].bits & kWeekday) {
          scan.add(words[i].begin, words[i].end, Entity::kDateTime, 0.6f, "weekday");
        }
      }
      if (used == 0)
        names.person(words, count);
      else
        end = std::max(end, used);
    }
    at = masks.next_name(std::max(end, at + 1));
  }
}

}  // namespace ajar::guard
