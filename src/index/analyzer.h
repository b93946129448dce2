#pragma once
// Text to index terms: Unicode words (the word rules of UAX #29 without dictionaries), compatibility case folding, stop
// words, Snowball stems, no diacritics. Scripts without spaces (Han, Kana, Hangul, Thai, Lao, Khmer, Burmese) become
// overlapping pairs of characters. An index and its queries must use the same language.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct sb_stemmer;

namespace ajar::index {

enum class Language : uint8_t {
  kNone,  // no stems, no stop words
  kEnglish, kSpanish, kFrench, kGerman, kItalian, kPortuguese, kDutch, kSwedish, kNorwegian, kDanish, kFinnish, kRussian,
};
inline constexpr size_t kLanguages = 13;

std::string_view language_code(Language language);  // "en"; kNone: "none"
std::optional<Language> language_of(std::string_view code);
bool is_stop_word(Language language, std::string_view folded_word);

// By script and by how many of the words are a language's stop words, of the first 4 KB. kNone: not sure.
Language detect_language(std::string_view text);

// A word of a text as bytes [begin, end). `pairs`: characters of a script without spaces.
struct Word {
  uint32_t begin, end;
  bool pairs;
};
// The next word at or after byte `from`; nothing at the end. Bytes that are not UTF-8 separate words.
std::optional<Word> next_word(std::string_view text, size_t from);

// Not thread-safe: it keeps the terms of words that it has seen. One per thread.
class Analyzer {
 public:
  static constexpr size_t kMaxWord = 255;         // bytes; longer words are cut into pieces, as Lucene does
  static constexpr size_t kMaxKnown = 200'000;    // words whose terms are remembered

  explicit Analyzer(Language language);
  ~Analyzer();
  Analyzer(Analyzer&&) noexcept;
  Analyzer& operator=(Analyzer&&) noexcept;

  Language language() const { return language_; }

  // f(std::string_view term, uint32_t begin, uint32_t end): the term lives until the next call of the analyzer.
  template <class F>
  void each(std::string_view text, F f) {
    size_t at = 0;
    while (const auto word = next_word(text, at)) {
      at = word->end;
      if (word->pairs) {
        each_pair(text, *word, [&](std::string_view term, uint32_t begin, uint32_t end) {
          if (!term.empty()) f(term, begin, end);  // of characters that folding leaves out
        });
      } else if (const std::string& term = term_of(text.substr(word->begin, word->end - word->begin)); !term.empty()) {
        f(std::string_view(term), word->begin, word->end);
      }
    }
  }
  std::vector<std::string> terms(std::string_view text);
  // The term of one word; empty for a stop word.
  const std::string& term_of(std::string_view word);

 private:
  template <class F>
  void each_pair(std::string_view text, Word word, F f);
  std::string make_term(std::string_view word);
  size_t char_end(std::string_view text, size_t at) const;

  Language language_;
  sb_stemmer* stemmer_ = nullptr;
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  std::unordered_map<std::string, std::string, Hash, std::equal_to<>> known_;
  std::string pair_;
};

// Case folded (NFKC_Casefold), marks removed: how two spellings of a word are compared.
std::string fold(std::string_view text);

template <class F>
void Analyzer::each_pair(std::string_view text, Word word, F f) {
  size_t first = word.begin, second = char_end(text, first);
  if (second >= word.end) {
    pair_ = fold(text.substr(first, word.end - first));
    return f(std::string_view(pair_), word.begin, word.end);
  }
  while (second < word.end) {
    const size_t end = char_end(text, second);
    pair_ = fold(text.substr(first, end - first));
    f(std::string_view(pair_), static_cast<uint32_t>(first), static_cast<uint32_t>(end));
    first = second, second = end;
  }
}

}  // namespace ajar::index
