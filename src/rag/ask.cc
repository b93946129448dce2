#include "rag/ask.h"

#include "base/clock.h"
#include "base/text.h"

namespace ajar::rag {
namespace {

struct Found {
  std::vector<Hit> hits;
  std::vector<float> embedding;  // of the question; empty: words alone
};

Result<Found> find(Collection& collection, const Question& question) {
  if (trim(question.text).empty()) return invalid("query", "the question is empty");
  if (question.text.size() > kMaxQuestion) return invalid("query", "a question has at most 16,384 bytes");
  Found found;
  const auto& embedder = collection.options().embedder;
  if (embedder && !collection.needs_reembedding()) {
    const TimePoint at = now();
    AJAR_ASSIGN(found.embedding, embedder->embed(std::span(&question.text, 1)));
    if (question.times != nullptr) question.times->embed += seconds_between(at, now());
  }
  AJAR_ASSIGN(found.hits, collection.search({.text = question.text, .embedding = found.embedding, .filter = question.filter, .reader = question.reader,
                                             .limit = question.limit, .times = question.times}));
  return found;
}

}  // namespace

Result<std::vector<Hit>> find_passages(Collection& collection, const Question& question) {
  AJAR_ASSIGN(Found found, find(collection, question));
  return std::move(found.hits);
}

Result<Answer> ask(Collection& collection, const Question& question) {
  AJAR_ASSIGN(const Found found, find(collection, question));
  AnswerOptions options;
  // What is known of cosines is known of this embedder's only; with another one words alone decide whether there is an answer.
  if (!collection.embedded_with().ends_with("all-MiniLM-L6-v2")) options.calibration = kByWords;
  const TimePoint at = now();
  auto answer = extract_answer(question.text, found.embedding, found.hits, collection.term_weights(question.text),
                               found.embedding.empty() ? Embed() : collection.options().embedder->embed, options);
  if (question.times != nullptr) question.times->answer += seconds_between(at, now());
  return answer;
}

}  // namespace ajar::rag
