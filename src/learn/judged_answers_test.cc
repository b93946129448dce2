#include "learn/judged_answers.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

namespace ajar::learn {
namespace {

std::string error_of(std::string_view bytes) {
  const auto rows = parse_judged_answers(bytes, "f");
  return rows ? "" : rows.error().message;
}

TEST(JudgedAnswers, ReadsLinesAndTables) {
  const auto lines = parse_judged_answers("{\"question\":\"2+2?\",\"answer\":\"4\",\"correct\":true,\"logprobs\":[-0.1],\"margins\":[0.9]}\n\n"
                                          "{\"prompt\":\"3+3?\",\"response\":\"7\",\"right\":0}\n", "f");
  ASSERT_TRUE(lines) << lines.error().message;
  ASSERT_EQ(lines->size(), 2u);
  EXPECT_TRUE((*lines)[0].correct);
  EXPECT_EQ((*lines)[0].logprobs, (std::vector<float>{-0.1f}));
  EXPECT_FALSE((*lines)[1].correct);
  EXPECT_EQ((*lines)[1].answer, "7");
  const auto table = parse_judged_answers("question,answer,correct\n\"a, b?\",yes,True\nc?,no,0\n", "f");
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ((*table)[0].question, "a, b?");
  EXPECT_TRUE((*table)[0].correct);
  EXPECT_FALSE((*table)[1].correct);
}

TEST(JudgedAnswers, SaysWhatIsWrong) {
  EXPECT_EQ(error_of(""), "f: no rows");
  EXPECT_EQ(error_of("{\"answer\":\"4\",\"correct\":true}"), "f:1: no question");
  EXPECT_EQ(error_of("{\"question\":\"q\",\"answer\":\"4\",\"correct\":\"maybe\"}"), "f:1: 'correct' must be true or false");
  EXPECT_EQ(error_of("{\"question\":\"q\",\"answer\":\"4\",\"correct\":true,\"margins\":[\"x\"]}"), "f:1: 'margins' must be an array of numbers");
  EXPECT_EQ(error_of("a,b\nc,d\n"), "f:1: no header with question, answer and correct");
  EXPECT_EQ(error_of("question,answer,correct\nq,a\n"), "f:2: 2 columns, expected 3");
}

TEST(JudgedAnswers, WhatTellsRightFromWrongIsLearntAndProven) {
  // Sums, of which the wrong ones are told by their arithmetic.
  std::vector<JudgedAnswer> answers;
  std::mt19937 random(3);
  for (int i = 0; i < 1200; ++i) {
    const int a = int(random() % 90), b = int(random() % 90);
    const bool right = random() % 3 != 0;
    answers.push_back({.question = "How much is " + std::to_string(a) + " and " + std::to_string(b) + "?",
                       .answer = std::to_string(a) + " + " + std::to_string(b) + " = " + std::to_string(a + b + (right ? 0 : 1)) + "\n#### " + std::to_string(a + b + (right ? 0 : 1)),
                       .correct = right, .logprobs = {}, .margins = {}});
  }
  const auto fit = fit_answer_score(answers, 0.3, {.alpha = 0.05, .delta = 0.05});
  ASSERT_TRUE(fit) << fit.error().message;
  EXPECT_GT(fit->quality.held_out, 250u);
  EXPECT_GT(*fit->quality.auroc, 0.99);
  ASSERT_TRUE(fit->quality.threshold.found) << fit->quality.threshold.refusal.reason;
  EXPECT_GT(fit->quality.threshold.found->share(), 0.6);
  EXPECT_FALSE(fit->score.uses_logprobs());
  char pattern[] = "/tmp/ajar-score-XXXXXX";
  const std::string folder = mkdtemp(pattern), file = folder + "/a.score";
  std::ofstream(file) << fit->score.json();
  const auto read = AnswerScore::read(file);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_NEAR((*read)(answers[0].row().evidence), fit->score(answers[0].row().evidence), 1e-6);
  EXPECT_FALSE(AnswerScore::read(folder + "/none"));
  std::filesystem::remove_all(folder);
  for (JudgedAnswer& answer : answers) answer.margins = {answer.correct ? 0.9f : 0.3f, 0.8f};
  EXPECT_TRUE(fit_answer_score(answers, 0.3, {})->score.uses_logprobs());
  EXPECT_FALSE(fit_answer_score({answers.begin(), answers.begin() + 30}, 0.3, {})) << "too few";
}

}  // namespace
}  // namespace ajar::learn
