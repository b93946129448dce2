#pragma once
// The probability that an answer of an open model is right, from all that is known without asking a better one: how sure the tokens
// were, what verifiers say, how samples agree, what the text looks like, and what the prompt is about. A logistic regression over
// these, then isotonic calibration on scores of rows that did not teach it. Immutable once made; any thread.

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "learn/features.h"
#include "learn/isotonic.h"

namespace ajar::learn {

// What was seen of one answer. What is not known is left empty, and counts as average.
struct AnswerEvidence {
  std::string_view prompt, answer;
  std::span<const float> logprobs;    // of the answer's tokens, natural logarithms
  std::span<const float> margins;     // probability of the first token minus the second's
  std::span<const float> entropies;   // nats
  std::span<const std::string> samples;  // further answers to the same prompt
  std::optional<int> failed_checks;   // of the route's verifiers: schema, regular expression, citations
};

// Names of the numbers, in their order; stable, since models refer to them.
inline constexpr auto kAnswerFeatures = std::to_array<std::string_view>(
    {"logprob_mean", "logprob_least", "margin_mean", "margin_least", "margin_low_share", "entropy_mean", "entropy_most", "samples_agree", "samples_entropy",
     "samples_same", "failed_checks", "sums", "sums_wrong", "sums_any_wrong", "sums_rounded", "has_final", "final_is_last_result", "final_whole", "final_size",
     "final_in_prompt", "prompt_numbers", "numbers_used", "numbers_unused", "numbers_unexplained", "prompt_length", "answer_length", "steps", "steps_per_number", "hedges", "refuses",
     "cut", "repeats"});
// Not a number (NaN) where nothing is known.
std::array<float, kAnswerFeatures.size()> answer_features(const AnswerEvidence& evidence);

struct AnswerScoreOptions {
  FeatureOptions prompt{.bits = 11, .words = 1, .pieces_from = 1, .pieces_to = 0};
  double prompt_scale = 0.3;   // weight of the prompt's words beside the numbers; 0: none
  double l2 = 3e-3;
  int epochs = 30;
  uint64_t seed = 1;
};

class AnswerScore {
 public:
  struct Row {
    AnswerEvidence evidence;
    bool right;
  };
  // kInvalid: fewer than 20 rows, or all right, or all wrong: that is said.
  static Result<AnswerScore> fit(std::span<const Row> rows, const AnswerScoreOptions& options = {});

  double operator()(const AnswerEvidence& evidence) const { return calibration_(score(evidence)); }
  double score(const AnswerEvidence& evidence) const;   // the logit: finer than the probability for ranking

  std::string json() const;
  static Result<AnswerScore> parse(std::string_view json);
  // The same from a file. kNotFound, kTooLarge (over 16 MB) and the above, with the file's name.
  static Result<AnswerScore> read(const std::string& file);
  // True where it was taught with log probabilities, without which it knows less.
  bool uses_logprobs() const;

 private:
  using Numbers = std::array<float, kAnswerFeatures.size()>;
  Numbers standard(const AnswerEvidence& evidence) const;
  static Result<AnswerScore> learn(std::span<const Row> rows, const AnswerScoreOptions& options);

  FeatureOptions prompt_;
  float prompt_scale_ = 0;
  Numbers mean_{}, scale_{}, weights_{};
  std::vector<float> prompt_weights_;
  float bias_ = 0;
  Isotonic calibration_;
};

}  // namespace ajar::learn
