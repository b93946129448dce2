#include "index/analyzer.h"

#include <libstemmer.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#include <array>
#include <utility>

namespace ajar::index {
namespace {

enum Class : uint8_t { kOther, kLetter, kDigit, kPair, kMidLetter, kMidNumber, kMidBoth, kJoin };

// Scripts whose words are not set apart by spaces.
bool is_pair_script(UChar32 c) {
  return (c >= 0x3400 && c <= 0x9FFF) || (c >= 0x3041 && c <= 0x30FF) || (c >= 0xAC00 && c <= 0xD7AF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x20000 && c <= 0x3FFFF) || (c >= 0x0E01 && c <= 0x0EFF) || (c >= 0x1000 && c <= 0x109F) || (c >= 0x1780 && c <= 0x17FF) ||
         (c >= 0x31F0 && c <= 0x31FF) || (c >= 0xFF66 && c <= 0xFF9F);
}

Class class_of(UChar32 c) {
  switch (c) {
    case '\'': case '.': case 0x2018: case 0x2019: case 0x2024: case 0xFF07: case 0xFF0E: return kMidBoth;
    case ':': case 0xB7: case 0x387: case 0x5F4: case 0x2027: return kMidLetter;
    case ',': case ';': return kMidNumber;
    case '_': case 0x203F: return kJoin;
    case 0xAD: case 0x200D: return kJoin;  // soft hyphens and joiners stand inside words
    default: break;
  }
  if (c < 0) return kOther;
  const uint32_t mask = U_GET_GC_MASK(c);
  if ((mask & U_GC_ND_MASK) != 0) return kDigit;
  if ((mask & (U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK)) == 0) return kOther;
  return is_pair_script(c) ? kPair : kLetter;
}

const std::array<Class, 128> kAscii = [] {
  std::array<Class, 128> table{};
  for (int c = 0; c < 128; ++c) table[static_cast<size_t>(c)] = class_of(c);
  return table;
}();

// The class of the character at `at`, which is moved behind it.
Class take(std::string_view text, size_t& at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 128) return ++at, kAscii[byte];
  UChar32 c;
  U8_NEXT(text.data(), at, text.size(), c);
  return class_of(c);
}

// UTF-8 through one of ICU's normal forms; as it was when ICU cannot.
std::string normalized(std::string_view text, const UNormalizer2* form, bool drop_marks) {
  UErrorCode error = U_ZERO_ERROR;
  std::u16string wide(text.size(), u'\0'), out(text.size() * 4 + 16, u'\0');
  int32_t length = 0, written;
  u_strFromUTF8WithSub(wide.data(), static_cast<int32_t>(wide.size()), &length, text.data(), static_cast<int32_t>(text.size()), 0xFFFD, nullptr, &error);
  written = unorm2_normalize(form, wide.data(), length, out.data(), static_cast<int32_t>(out.size()), &error);
  if (error == U_BUFFER_OVERFLOW_ERROR) {
    error = U_ZERO_ERROR;
    out.resize(static_cast<size_t>(written));
    written = unorm2_normalize(form, wide.data(), length, out.data(), static_cast<int32_t>(out.size()), &error);
  }
  if (U_FAILURE(error)) return std::string(text);
  std::string result;
  for (int32_t i = 0; i < written;) {
    UChar32 c;
    U16_NEXT(out.data(), i, written, c);
    if (drop_marks && u_charType(c) == U_NON_SPACING_MARK) continue;
    char bytes[4];
    int32_t n = 0;
    U8_APPEND_UNSAFE(bytes, n, c);
    result.append(bytes, static_cast<size_t>(n));
  }
  return result;
}

const UNormalizer2* case_folding() {
  UErrorCode error = U_ZERO_ERROR;
  return unorm2_getNFKCCasefoldInstance(&error);
}
const UNormalizer2* decomposition() {
  UErrorCode error = U_ZERO_ERROR;
  return unorm2_getNFDInstance(&error);
}

bool is_ascii(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 128) return false;
  return true;
}

std::string ascii_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

std::string folded_case(std::string_view text) { return is_ascii(text) ? ascii_lower(text) : normalized(text, case_folding(), false); }
std::string without_marks(std::string text) { return is_ascii(text) ? text : normalized(text, decomposition(), true); }

constexpr const char* kStemmers[kLanguages] = {nullptr, "english", "spanish", "french", "german", "italian", "portuguese",
                                               "dutch", "swedish", "norwegian", "danish", "finnish", "russian"};

}  // namespace

std::string fold(std::string_view text) { return without_marks(folded_case(text)); }

std::optional<Word> next_word(std::string_view text, size_t from) {
  size_t at = from, begin = 0;
  Class last = kOther;
  while (true) {  // to the first character of a word
    if (at >= text.size()) return std::nullopt;
    begin = at;
    last = take(text, at);
    if (last == kLetter || last == kDigit || last == kPair) break;
  }
  if (last == kPair) {
    size_t end = at;
    while (at < text.size() && take(text, at) == kPair && at - begin <= 4096) end = at;
    return Word{static_cast<uint32_t>(begin), static_cast<uint32_t>(end), true};
  }
  size_t end = at;
  while (at < text.size()) {
    const size_t here = at;
    Class next = take(text, at);
    if (next == kMidLetter || next == kMidNumber || next == kMidBoth) {
      if (at >= text.size()) break;
      const Class behind = take(text, at);
      const bool letters = next != kMidNumber && last == kLetter && behind == kLetter;
      const bool digits = next != kMidLetter && last == kDigit && behind == kDigit;
      if (!letters && !digits) break;
      next = behind;
    }
    if (next != kLetter && next != kDigit && next != kJoin) break;
    if (at - begin > Analyzer::kMaxWord) {
      end = here;
      break;
    }
    if (next != kJoin) last = next;
    end = at;
  }
  return Word{static_cast<uint32_t>(begin), static_cast<uint32_t>(end), false};
}

Analyzer::Analyzer(Language language) : language_(language) {
  if (const char* name = kStemmers[static_cast<size_t>(language)]) stemmer_ = sb_stemmer_new(name, "UTF_8");
}
Analyzer::~Analyzer() {
  if (stemmer_ != nullptr) sb_stemmer_delete(stemmer_);
}
Analyzer::Analyzer(Analyzer&& other) noexcept
    : language_(other.language_), stemmer_(std::exchange(other.stemmer_, nullptr)), known_(std::move(other.known_)) {}
Analyzer& Analyzer::operator=(Analyzer&& other) noexcept {
  std::swap(language_, other.language_);
  std::swap(stemmer_, other.stemmer_);
  std::swap(known_, other.known_);
  return *this;
}

size_t Analyzer::char_end(std::string_view text, size_t at) const {
  take(text, at);
  return at;
}

const std::string& Analyzer::term_of(std::string_view word) {
  if (const auto it = known_.find(word); it != known_.end()) return it->second;
  if (known_.size() >= kMaxKnown) known_.clear();
  return known_.emplace(std::string(word), make_term(word)).first->second;
}

std::string Analyzer::make_term(std::string_view word) {
  std::string text = folded_case(word);
  for (size_t at; (at = text.find("\xE2\x80\x99")) != std::string::npos;) text.replace(at, 3, "'");
  if (is_stop_word(language_, text)) return {};
  if (language_ == Language::kEnglish && text.ends_with("'s")) text.resize(text.size() - 2);
  if ((language_ == Language::kFrench || language_ == Language::kItalian) && text.find('\'') < 6) {  // l'arbre, dell'arte
    text.erase(0, text.find('\'') + 1);
    if (is_stop_word(language_, text)) return {};
  }
  if (stemmer_ != nullptr) {
    const sb_symbol* stem = sb_stemmer_stem(stemmer_, reinterpret_cast<const sb_symbol*>(text.data()), static_cast<int>(text.size()));
    if (stem != nullptr) text.assign(reinterpret_cast<const char*>(stem), static_cast<size_t>(sb_stemmer_length(stemmer_)));
  }
  return without_marks(std::move(text));
}

std::vector<std::string> Analyzer::terms(std::string_view text) {
  std::vector<std::string> out;
  each(text, [&](std::string_view term, uint32_t, uint32_t) { out.emplace_back(term); });
  return out;
}

Language detect_language(std::string_view text) {
  text = text.substr(0, 4096);
  size_t words = 0, cyrillic = 0;
  std::array<size_t, kLanguages> hits{};
  size_t at = 0;
  while (const auto word = next_word(text, at)) {
    at = word->end;
    if (word->pairs) continue;
    ++words;
    const std::string folded = folded_case(text.substr(word->begin, word->end - word->begin));
    const auto first = static_cast<unsigned char>(folded[0]);
    if (first == 0xD0 || first == 0xD1) ++cyrillic;
    for (size_t i = 1; i < kLanguages; ++i) hits[i] += is_stop_word(static_cast<Language>(i), folded) ? 1 : 0;
  }
  size_t best = 0, second = 0;
  for (size_t i = 1; i < kLanguages; ++i) {
    if (best == 0 || hits[i] > hits[best]) second = best, best = i;
    else if (second == 0 || hits[i] > hits[second]) second = i;
  }
  if (words == 0 || hits[best] == 0) return cyrillic * 2 > words ? Language::kRussian : Language::kNone;
  // Six in a hundred words at the least, and well ahead of the runner-up in a longer text: lists share words ("de", "la").
  const size_t margin = words > 30 ? hits[best] / 8 : 0;
  if (hits[best] * 100 < words * 6 || hits[best] <= hits[second] + margin) return Language::kNone;
  return static_cast<Language>(best);
}

}  // namespace ajar::index
