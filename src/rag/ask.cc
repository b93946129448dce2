#include "rag/ask.h"

#include <algorithm>

#include "base/clock.h"
#include "base/text.h"

namespace ajar::rag {
namespace {

struct Found {
  std::vector<Hit> hits;
  std::vector<float> embedding;  // of the question; empty: words alone
  std::string degraded;
  bool store_failed = false;     // of the vectors, wholly or in part
};

// A fault of who named the route; all others are of the world, and the search goes on without.
bool is_callers(Code code) { return code == Code::kNotFound || code == Code::kInvalid || code == Code::kForbidden || code == Code::kUnsupported; }

Status add_rerank(const Collection& collection, const Question& question, SearchRequest& request) {
  const Reranking& options = collection.options().rerank;
  const std::string& route = question.rerank.empty() ? options.route : question.rerank;
  if (route.empty() || route == kNoRerank) return {};
  if (!options.score) {
    if (!question.rerank_asked) return {};
    return invalid("rerank", "nobody can re-rank here");
  }
  request.rerank_candidates = options.candidates;
  const TimePoint until = std::min(after(options.timeout), question.rerank_until);
  request.rerank = [&options, route, until, &payer = question.payer](const std::string& query, std::span<const std::string> passages) -> Result<std::vector<float>> {
    if (now() >= until) return fail(Code::kTimeout, "there was no time left");
    return options.score({.route = route, .query = query, .passages = passages, .payer = payer, .until = until});
  };
  return {};
}

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
  SearchRequest request{.text = question.text, .embedding = found.embedding, .filter = question.filter, .reader = question.reader,
                        .limit = question.limit, .degraded = &found.degraded, .times = question.times};
  std::optional<Error> unranked;
  AJAR_TRY(add_rerank(collection, question, request));
  request.rerank_failed = &unranked;
  AJAR_ASSIGN(found.hits, collection.search(request));
  found.store_failed = !found.degraded.empty();
  if (unranked) {
    if (question.rerank_asked && is_callers(unranked->code)) return std::unexpected(std::move(*unranked));
    found.degraded += (found.degraded.empty() ? "" : "; ") + ("not re-ranked: " + unranked->message);
  }
  return found;
}

}  // namespace

Result<Passages> find_passages(Collection& collection, const Question& question) {
  AJAR_ASSIGN(Found found, find(collection, question));
  return Passages{std::move(found.hits), std::move(found.degraded)};
}

Result<AnswerWithPassages> ask_with_passages(Collection& collection, const Question& question) {
  AJAR_ASSIGN(Found found, find(collection, question));
  // Without cosines of the passages words alone decide, as if there were no embedder.
  const bool words_alone = std::ranges::none_of(found.hits, [](const Hit& hit) { return hit.meaning.has_value(); });
  if (found.store_failed && words_alone) found.embedding.clear();
  AnswerOptions options;
  // What is known of cosines is known of this embedder's only; with another one words alone decide whether there is an answer.
  if (!collection.embedded_with().ends_with("all-MiniLM-L6-v2") || (found.store_failed && words_alone)) options.calibration = kByWords;
  AJAR_ASSIGN(Answer answer, extract_answer(question.text, found.embedding, found.hits, collection.term_weights(question.text),
                                            found.embedding.empty() ? Embed() : collection.options().embedder->embed, options));
  answer.degraded = std::move(found.degraded);
  return AnswerWithPassages{std::move(answer), std::move(found.hits)};
}

Result<Answer> ask(Collection& collection, const Question& question) {
  AJAR_ASSIGN(AnswerWithPassages found, ask_with_passages(collection, question));
  return std::move(found.answer);
}

}  // namespace ajar::rag
