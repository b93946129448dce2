#include "index/analyzer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ajar::index {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  for (size_t at = 0; const auto word = next_word(text, at); at = word->end) out.emplace_back(text.substr(word->begin, word->end - word->begin));
  return out;
}

TEST(Words, KeepWhatBelongsTogether) {
  EXPECT_THAT(words("Don't pay 1,234.56 to e.g. x_y, wi-fi!"), ElementsAre("Don't", "pay", "1,234.56", "to", "e.g", "x_y", "wi", "fi"));
  EXPECT_THAT(words("¿Qué? naïve Ωμέγα"), ElementsAre("Qué", "naïve", "Ωμέγα"));
  EXPECT_THAT(words(" ... "), IsEmpty());
  EXPECT_THAT(words("a\xFF\xFE" "b"), ElementsAre("a", "b"));
  EXPECT_THAT(words("東京 tower"), ElementsAre("東京", "tower"));
}

TEST(Words, AreCutWhenTheyAreTooLong) {
  const std::string text(1000, 'x');
  for (const std::string& word : words(text)) EXPECT_LE(word.size(), Analyzer::kMaxWord);
}

TEST(Analyzer, English) {
  Analyzer english(Language::kEnglish);
  EXPECT_THAT(english.terms("The Council's councils were running"), ElementsAre("council", "council", "were", "run"));
  EXPECT_THAT(english.terms("ＦＵＬＬ width, ﬁne café"), ElementsAre("full", "width", "fine", "cafe"));
  EXPECT_THAT(english.terms("error code XJ-4471/b"), ElementsAre("error", "code", "xj", "4471", "b"));
}

TEST(Analyzer, OffsetsAreThoseOfTheText) {
  Analyzer english(Language::kEnglish);
  const std::string text = "Die Größe — the SIZES.";
  std::vector<std::string> seen;
  english.each(text, [&](std::string_view, uint32_t begin, uint32_t end) { seen.push_back(text.substr(begin, end - begin)); });
  EXPECT_THAT(seen, ElementsAre("Die", "Größe", "SIZES"));
}

TEST(Analyzer, OtherLanguages) {
  EXPECT_THAT(Analyzer(Language::kSpanish).terms("¿Cuándo ganaron las canciones?"), ElementsAre("gan", "cancion"));
  EXPECT_THAT(Analyzer(Language::kFrench).terms("L’arbre et l'école"), ElementsAre("arbre", "ecol"));
  EXPECT_THAT(Analyzer(Language::kGerman).terms("die Häuser und das Haus"), ElementsAre("haus", "haus"));
  EXPECT_EQ(Analyzer(Language::kRussian).terms("книги и книга").size(), 2u);
}

TEST(Analyzer, ScriptsWithoutSpacesBecomePairs) {
  EXPECT_THAT(Analyzer(Language::kEnglish).terms("東京都 大"), ElementsAre("東京", "京都", "大"));
}

TEST(Language, IsDetected) {
  EXPECT_EQ(detect_language("What is the height of the tower, and who is it that built it?"), Language::kEnglish);
  EXPECT_EQ(detect_language("¿Cuál es la altura de la torre y quién fue el que la construyó?"), Language::kSpanish);
  EXPECT_EQ(detect_language("Wie hoch ist der Turm und wer hat ihn für die Stadt gebaut?"), Language::kGerman);
  EXPECT_EQ(detect_language("Какова высота башни и кто её построил?"), Language::kRussian);
  EXPECT_EQ(detect_language("12345 67890"), Language::kNone);
  EXPECT_EQ(detect_language(""), Language::kNone);
}

TEST(Language, CodesGoBothWays) {
  for (size_t i = 0; i < kLanguages; ++i) EXPECT_EQ(language_of(language_code(static_cast<Language>(i))), static_cast<Language>(i));
  EXPECT_EQ(language_of("tlh"), std::nullopt);
}

}  // namespace
}  // namespace ajar::index
