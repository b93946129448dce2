// A question's way: the rows that its reader may see, both legs over these, one order, the texts.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/clock.h"
#include "base/text.h"
#include "rag/collection_parts.h"
#include "rag/predicate.h"

namespace ajar::rag {

// Terms of the text in every language of the collection (three at the most): a document's language is not known before it is found.
// A stop word of one of them is none of the others' terms: "the" is rare in Spanish and still says nothing.
Result<std::vector<index::QueryTerm>> Collection::query_terms(std::string_view text) const {
  std::vector<index::QueryTerm> out;
  std::vector<index::Language> used = languages();
  if (used.size() > 3) used.resize(3);
  const auto stops = [&](std::string_view word) {
    const std::string folded = to_lower(word);
    return std::any_of(used.begin(), used.end(), [&](index::Language language) { return index::is_stop_word(language, folded); });
  };
  thread_local std::unordered_map<int, std::unique_ptr<index::Analyzer>> analyzers;
  for (const index::Language language : used) {
    auto& analyzer = analyzers[static_cast<int>(language)];
    if (!analyzer) analyzer = std::make_unique<index::Analyzer>(language);
    const size_t before = out.size();
    analyzer->each(text, [&](std::string_view term, uint32_t begin, uint32_t end) {
      if (used.size() > 1 && stops(text.substr(begin, end - begin))) return;
      const auto known = std::find_if(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(before), [&](const index::QueryTerm& t) { return t.term == term; });
      if (known == out.begin() + static_cast<std::ptrdiff_t>(before) && out.size() < 1024) out.push_back({std::string(term)});
    });
  }
  return out;
}

std::unordered_map<std::string, float> Collection::term_weights(std::string_view text) {
  std::shared_lock state(state_lock_);
  const index::Bm25Reader reader = words_.reader();
  std::unordered_map<std::string, float> out;
  if (const auto terms = query_terms(text))
    for (const index::QueryTerm& term : *terms) out[term.term] = reader.idf(term.term);
  return out;
}

index::FetchVectors Collection::fetcher() {
  return [this, generation = generation_, width = embedded_width_](std::span<const uint32_t> rows, std::span<float> out) -> Status {
    AJAR_ASSIGN(Lease connection, lease());
    if (connection->generation != generation) {
      AJAR_ASSIGN(connection->vector, connection->database.prepare("SELECT vector FROM " + vectors_table(generation) + " WHERE row = ?"));
      connection->generation = generation;
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      connection->vector.reset();
      connection->vector.bind(int64_t{rows[i]});
      AJAR_ASSIGN(const bool there, connection->vector.step());
      const std::string bytes = there ? connection->vector.text(0) : std::string();
      if (bytes.size() == size_t{width} * sizeof(float)) std::memcpy(&out[i * width], bytes.data(), bytes.size());
      else out[i * width] = std::numeric_limits<float>::quiet_NaN();
    }
    connection->vector.reset();
    return {};
  };
}

void Collection::drop_unreadable(std::vector<Hit>& hits, const Reader& reader) const {
  std::shared_lock state(state_lock_);
  std::erase_if(hits, [&](Hit& hit) {
    const auto document = visible_.of_row(hit.row);
    if (!document || !Visible::may_read(*document, reader)) return true;
    hit.document = document->id;
    return false;
  });
}

// The hits in the order of the cross-encoder's scores, or as they were and an error.
Status Collection::rerank_hits(const SearchRequest& request, std::vector<Hit>& hits) {
  std::vector<std::string> passages;
  for (const Hit& hit : hits) passages.push_back(indexed_text(hit.title, hit.headings, hit.text, hit.context));
  AJAR_ASSIGN(const std::vector<float> scores, request.rerank(request.text, passages));
  if (scores.size() != hits.size()) return fail(Code::kUpstream, "the re-ranker gave another number of scores than passages");
  if (!std::ranges::all_of(scores, [](float score) { return std::isfinite(score); })) return fail(Code::kUpstream, "the re-ranker gave a score that is no number");
  for (size_t i = 0; i < hits.size(); ++i) hits[i].rerank = scores[i], hits[i].score = scores[i];
  std::ranges::stable_sort(hits, std::greater(), &Hit::score);  // among equals the search's order
  return {};
}

Result<std::vector<Hit>> Collection::search(const SearchRequest& request) {
  std::vector<index::Scored> by_words, by_meaning;
  Weights weights;
  index::FetchVectors fetch;
  uint32_t width = 0;
  const size_t candidates = std::max(request.candidates, request.limit);
  {
    std::shared_lock state(state_lock_);
    weights = request.weights.value_or(weights_);
    AJAR_ASSIGN(const index::Bitmap rows, visible_.rows(request.reader, request.filter));
    AJAR_ASSIGN(const auto terms, query_terms(request.text));
    const index::Bm25Reader words = words_.reader();
    const std::shared_ptr<index::VectorIndex> vectors = vectors_;
    fetch = fetcher();
    width = embedded_width_;
    if (!request.embedding.empty() && width == 0) return invalid("embedding", "the collection has no vectors");
    if (!request.embedding.empty() && request.embedding.size() != width) {
      return invalid("embedding", "has " + std::to_string(request.embedding.size()) + " numbers; the collection was embedded with '" + embedded_name_ +
                                      "', which gives " + std::to_string(width));
    }
    const std::optional<index::VectorReader> meaning = request.embedding.empty() || !vectors ? std::nullopt : std::optional(vectors->reader());
    Predicate predicate;
    if (outside_ && !request.embedding.empty()) {
      AJAR_ASSIGN(predicate, predicate_of(visible_, request.reader, request.filter));
    }
    state.unlock();  // what follows reads snapshots

    TimePoint at = now();
    const auto lap = [&](double SearchTimes::*part) {
      const TimePoint then = std::exchange(at, now());
      if (request.times != nullptr) request.times->*part += seconds_between(then, at);
    };
    by_words = words.search(terms, &rows, candidates, options_.bm25);
    lap(&SearchTimes::words);
    if (meaning) {
      auto nearest = meaning->search(request.embedding, &rows, candidates, fetch);
      if (!nearest) {
        // The old vectors went while they were read: ask the new ones.
        state.lock();
        const bool changed = vectors != vectors_;
        state.unlock();
        if (changed) return search(request);
        return std::unexpected(std::move(nearest).error());
      }
      by_meaning = std::move(*nearest);
      lap(&SearchTimes::meaning);
    } else if (!request.embedding.empty()) {
      by_meaning = nearest_outside(request, predicate, rows, candidates, fetch);
      lap(&SearchTimes::meaning);
    }
    if (request.least_meaning > -1) {
      std::erase_if(by_meaning, [&](const index::Scored& one) { return one.score < request.least_meaning; });
    }
  }
  const index::Leg legs[] = {{by_words, request.embedding.empty() || (outside_ && by_meaning.empty()) ? 1 : weights.words}, {by_meaning, weights.meaning}};
  size_t most = request.limit;
  if (request.diversity < 1) most = std::max<size_t>(most, std::min<size_t>(candidates, 50));
  if (request.rerank) most = std::max(most, std::min(candidates, request.rerank_candidates));
  std::vector<index::Scored> found = index::fuse(legs, weights.how, most);

  const TimePoint texts = now();
  double scored = 0;
  std::vector<Hit> hits;
  AJAR_ASSIGN(Lease connection, lease());
  for (const index::Scored& one : found) {
    store::Statement& get = connection->chunk;
    get.reset();
    get.bind(int64_t{one.row});
    AJAR_ASSIGN(const bool there, get.step());
    if (!there) continue;  // removed meanwhile
    Hit hit{.headings = get.text(4), .text = get.text(6), .row = one.row, .page = static_cast<uint32_t>(get.integer(1)), .score = one.score, .fused = one.score};
    hit.title = get.text(5), hit.language = get.text(7), hit.heads = read_spans(get.text(8)), hit.context = get.text(9);
    hit.begin = static_cast<uint32_t>(get.integer(0));
    while (!hit.text.empty() && (hit.text.back() == '\n' || hit.text.back() == ' ')) hit.text.pop_back();
    hit.end = hit.begin + static_cast<uint32_t>(hit.text.size());
    const int64_t parent_first = get.integer(2), parent_last = get.integer(3);
    get.reset();
    const auto score_in = [&](const std::vector<index::Scored>& leg) -> std::optional<float> {
      const auto it = std::find_if(leg.begin(), leg.end(), [&](const index::Scored& s) { return s.row == one.row; });
      return it == leg.end() ? std::nullopt : std::optional(it->score);
    };
    hit.words = score_in(by_words), hit.meaning = score_in(by_meaning);
    if (request.parents) {
      store::Statement& parent = connection->parent;
      parent.reset();
      parent.bind(parent_first).bind(parent_last);
      while (true) {
        AJAR_ASSIGN(const bool next, parent.step());
        if (!next) break;
        hit.parent += parent.text(0);
      }
      parent.reset();
    }
    hits.push_back(std::move(hit));
  }
  if (request.rerank && !hits.empty()) {
    drop_unreadable(hits, request.reader);  // what this reader may not see any more no model is shown either
    const TimePoint scoring = now();
    if (Status done = rerank_hits(request, hits); !done) {
      if (request.rerank_failed == nullptr) return std::unexpected(std::move(done).error());
      *request.rerank_failed = std::move(done).error();
    }
    scored = seconds_between(scoring, now());
    if (request.times != nullptr) request.times->rerank += scored;
  }
  if (request.diversity < 1 && hits.size() > 1) {
    std::vector<index::Scored> order;
    std::vector<uint32_t> rows;
    for (const Hit& hit : hits) order.push_back({hit.row, hit.score}), rows.push_back(hit.row);
    std::vector<float> numbers(width > 0 ? rows.size() * width : 0);
    if (width > 0) AJAR_TRY(fetch(rows, numbers));
    std::vector<std::set<std::string>> words(hits.size());
    index::Analyzer plain(index::Language::kNone);
    if (width == 0)
      for (size_t i = 0; i < hits.size(); ++i)
        for (std::string& term : plain.terms(hits[i].text)) words[i].insert(std::move(term));
    const auto likeness = [&](size_t i, size_t j) -> float {
      if (width > 0) {
        float sum = 0;
        for (size_t d = 0; d < width; ++d) sum += numbers[i * width + d] * numbers[j * width + d];
        return std::isfinite(sum) ? sum : 0;
      }
      size_t both = 0;
      for (const std::string& word : words[i]) both += words[j].contains(word) ? 1 : 0;
      const size_t all = words[i].size() + words[j].size() - both;
      return all == 0 ? 0 : static_cast<float>(both) / static_cast<float>(all);
    };
    std::vector<Hit> picked;
    for (const index::Scored& one : index::diversify(order, request.diversity, request.limit, likeness)) {
      picked.push_back(std::move(*std::find_if(hits.begin(), hits.end(), [&](const Hit& hit) { return hit.row == one.row && !hit.text.empty(); })));
    }
    hits = std::move(picked);
  }
  if (hits.size() > request.limit) hits.resize(request.limit);

  // The last word on access: a document may have been removed, or closed to this reader, since the rows were looked up.
  drop_unreadable(hits, request.reader);
  AJAR_ASSIGN(store::Statement names, connection->database.prepare("SELECT name FROM documents WHERE id = ?"));
  for (Hit& hit : hits) {
    names.reset();
    names.bind(hit.document);
    AJAR_ASSIGN(const bool there, names.step());
    if (there) hit.name = names.text(0);
  }
  if (request.times != nullptr) request.times->texts += seconds_between(texts, now()) - scored;
  return hits;
}

}  // namespace ajar::rag
