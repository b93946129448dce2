#pragma once
// Answers that are quotes: the sentences of what was found that fit a question best, each with its place; and whether the
// documents hold an answer at all. Needs no model; with an embedder sentences are compared by meaning too.

#include <optional>
#include <string>
#include <vector>

#include "rag/cite.h"

namespace ajar::rag {

// A logistic model over what retrieval says: 1 / (1 + exp(-(bias + coverage * c + cosine * m))), where c is the share of the
// question's weight that the best passage holds and m the highest cosine of passage and question. Never over ranks: the first of
// nothing is first too.
struct Calibration {
  float bias, coverage, cosine;
};
// Fitted on XQuAD, English (docs/rag.md): questions against the paragraphs that hold the answer or are without it.
inline constexpr Calibration kByWords = {-7.1f, 15.3f, 0};
inline constexpr Calibration kByBoth = {-14.8f, 12.8f, 23.8f};  // cosines of all-MiniLM-L6-v2; another embedder needs another

struct Signals {
  float coverage = 0;
  float cosine = 0;
  bool meaning = false;
};
Signals signals_of(std::string_view question, std::span<const Hit> hits, const TermWeights& weights);
struct JudgedSignals {
  Signals signals;
  bool answered = false;                      // the documents hold an answer
};
Calibration fit_calibration(std::span<const JudgedSignals> cases);  // by gradient descent on the log loss
float probability(const Signals& signals, const std::optional<Calibration>& calibration = {});

struct AnswerOptions {
  size_t sentences = 3;
  float threshold = 0.5f;                     // of the probability that the documents answer it
  std::optional<Calibration> calibration;     // nothing: the one above that fits
};

struct Answer {
  bool found = false;                         // false: "not in the documents"; then no sentences
  float probability = 0;
  std::vector<AnswerSentence> sentences;
  std::string degraded;                       // what the search lacked (ask.h); otherwise empty
};

// `hits`: of search(); `weights`: Collection::term_weights of the question; `question`: its vector, empty without.
Result<Answer> extract_answer(std::string_view text, std::span<const float> question, std::span<const Hit> hits, const TermWeights& weights,
                              const Embed& embed = {}, const AnswerOptions& options = {});

}  // namespace ajar::rag
