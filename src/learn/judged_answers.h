#pragma once
// Answers of a model that somebody judged right or wrong, from a file: what `ajar tune answers` learns from.
//
//   JSONL   {"question": …, "answer": …, "correct": true} a line; prompt for question, response for answer, right or label for correct.
//           Perhaps "logprobs" and "margins": numbers, one for each of the answer's tokens.
//   CSV     RFC 4180 with a header that names the columns question, answer and correct.

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "learn/answer_score.h"
#include "learn/threshold.h"

namespace ajar::learn {

struct JudgedAnswer {
  std::string question, answer;
  bool correct = false;
  std::vector<float> logprobs, margins;
  AnswerScore::Row row() const;  // refers to this
};

// kInvalid names the source and the line: a member is missing or of the wrong type, not UTF-8, or no rows.
Result<std::vector<JudgedAnswer>> parse_judged_answers(std::string_view bytes, std::string_view source);
// kNotFound, kTooLarge (over 1 GB) and the above.
Result<std::vector<JudgedAnswer>> read_judged_answers(const std::string& path);

// How good a score is on answers that did not teach it.
struct AnswerScoreQuality {
  size_t taught = 0, held_out = 0;
  double right = 0;                  // share of the held-out answers
  std::optional<double> auroc;
  double calibration_error = 0;      // expected, over 15 bins
  Calibration threshold;             // with the guarantee, by the held-out answers
};
struct AnswerScoreFit {
  AnswerScore score;
  AnswerScoreQuality quality;
};
// A share of the questions (by their hash, so that answers to one question stand on one side) is held out, and proves the threshold.
// kInvalid: too few answers, or all of one kind, on either side.
Result<AnswerScoreFit> fit_answer_score(const std::vector<JudgedAnswer>& answers, double held_out, const ThresholdOptions& guarantee);

}  // namespace ajar::learn
