#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rag/answer.h"
#include "rag/extract.h"

namespace ajar::rag {
namespace {

Hit passage(std::string document, std::string text, uint32_t begin = 0) {
  Hit hit{.document = document, .name = document + ".pdf", .language = "en", .text = std::move(text)};
  hit.page = 4, hit.begin = begin, hit.end = begin + static_cast<uint32_t>(hit.text.size());
  return hit;
}

const std::vector<Hit> kPassages = {
    passage("tower", "The tower was finished in 1889. It is 330 metres high. Visitors may climb to the second floor.", 100),
    passage("bridge", "The bridge was not damaged by the flood. It carries 40,000 cars a day.", 0)};

// anything-llm#826, #3242: citations are what was retrieved, not what bears the answer out.
TEST(Cite, TheSpanThatBearsItOut) {
  const auto cited = cite("The tower is 330 metres high. The bridge carries 40,000 cars each day.", kPassages, {});
  ASSERT_EQ(cited.size(), 2u);
  ASSERT_TRUE(cited[0].supported);
  EXPECT_EQ(cited[0].evidence[0].document, "tower");
  EXPECT_THAT(cited[0].evidence[0].quote, ::testing::HasSubstr("330 metres"));
  EXPECT_EQ(cited[0].evidence[0].page, 4u);
  const Evidence& evidence = cited[0].evidence[0];
  EXPECT_EQ(kPassages[0].text.substr(evidence.begin - 100, evidence.end - evidence.begin), evidence.quote);
  ASSERT_TRUE(cited[1].supported);
  EXPECT_EQ(cited[1].evidence[0].document, "bridge");
}

TEST(Cite, MarksWhatNothingBearsOut) {
  const auto cited = cite("The tower was painted green by dwarves. The tower is 331 metres high. The bridge was damaged by the flood. Yes.", kPassages, {});
  ASSERT_EQ(cited.size(), 4u);
  EXPECT_FALSE(cited[0].supported);
  EXPECT_FALSE(cited[1].supported) << "another number";
  EXPECT_FALSE(cited[2].supported) << "the opposite";
  EXPECT_FALSE(cited[3].supported);
  EXPECT_FALSE(cited[3].claims);
  EXPECT_TRUE(cite("", kPassages, {}).empty());
  EXPECT_FALSE(cite("Some claim about nothing.", {}, {})[0].supported);
}

TEST(Answer, QuotesTheSentenceThatAnswers) {
  const TermWeights weights = {{"high", 3}, {"tower", 2}, {"finish", 4}};
  const auto answer = extract_answer("How high is the tower?", {}, kPassages, weights, {}, {.sentences = 1, .threshold = 0.2f});
  ASSERT_TRUE(answer);
  ASSERT_TRUE(answer->found) << answer->probability;
  ASSERT_EQ(answer->sentences.size(), 1u);
  EXPECT_EQ(answer->sentences[0].evidence[0].document, "tower");
}

TEST(Answer, AHeadingIsNoAnswer) {
  const TermWeights weights = {{"remov", 3}, {"tower", 2}};
  const auto ask = [&](const std::string& body) {
    const auto read = extract_markdown(body);
    EXPECT_TRUE(read);
    std::vector<Hit> hits;
    for (const Chunk& chunk : make_chunks(*read, {})) {
      Hit& hit = hits.emplace_back();
      hit.document = "d", hit.language = "en", hit.headings = chunk.headings, hit.heads = chunk.heads, hit.begin = chunk.begin;
      hit.text = read->text.substr(chunk.begin, chunk.end - chunk.begin);
    }
    return *extract_answer("How is the tower removed?", {}, hits, weights, {}, {.sentences = 1, .threshold = 0});
  };
  const Answer answer = ask("# Removing the tower\n\nA crane takes it down in pieces.\n");
  ASSERT_EQ(answer.sentences.size(), 1u);
  EXPECT_EQ(answer.sentences[0].text, "A crane takes it down in pieces.");
  const Answer nothing = ask("# Removing the tower\n\n## Removing the tower is hard\n");
  EXPECT_FALSE(nothing.found);
  EXPECT_TRUE(nothing.sentences.empty());
}

// anything-llm#1430, #740: "query mode" answers anyway.
TEST(Answer, SaysWhenTheDocumentsDoNotHoldIt) {
  const TermWeights weights = {{"capit", 0}, {"mongolia", 0}, {"tower", 2}};
  const auto answer = extract_answer("What is the capital of Mongolia?", {}, kPassages, weights);
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->found);
  EXPECT_TRUE(answer->sentences.empty());
  EXPECT_FALSE(extract_answer("anything", {}, {}, weights)->found);
}

TEST(Answer, ACalibrationSeparatesWhatItWasFittedOn) {
  std::vector<JudgedSignals> cases;
  for (int i = 0; i < 40; ++i) cases.push_back({{.coverage = 0.3f + 0.01f * float(i % 10), .cosine = 0.2f, .meaning = true}, false}), cases.push_back({{.coverage = 0.7f + 0.01f * float(i % 10), .cosine = 0.6f, .meaning = true}, true});
  const Calibration fitted = fit_calibration(cases);
  for (const JudgedSignals& one : cases) EXPECT_EQ(probability(one.signals, fitted) >= 0.5f, one.answered);
}

}  // namespace
}  // namespace ajar::rag
