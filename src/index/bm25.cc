#include "index/bm25.h"

#include <cmath>

namespace ajar::index {
namespace {

float idf_of(uint64_t rows, uint64_t df) {
  const double n = static_cast<double>(rows), d = static_cast<double>(std::min(df, rows));
  return static_cast<float>(std::log(1 + (n - d + 0.5) / (d + 0.5)));
}

}  // namespace

float Bm25Reader::idf(std::string_view term) const {
  uint64_t df = 0;
  for (const auto& segment : snapshot_->segments)
    if (const auto found = segment->find(term)) df += found->df;
  return df == 0 ? 0 : idf_of(snapshot_->live_rows, df);
}

std::vector<Scored> Bm25Reader::search(std::span<const QueryTerm> terms, const Bitmap* allowed, size_t limit, Bm25Options options) const {
  const auto& segments = snapshot_->segments;
  if (snapshot_->live_rows == 0 || limit == 0) return {};
  Bitmap seen = *snapshot_->alive;
  if (allowed != nullptr) seen &= *allowed;
  const float average = std::max(1.0f, static_cast<float>(snapshot_->live_weight) / static_cast<float>(snapshot_->live_rows));

  std::vector<std::vector<std::optional<Postings>>> found(terms.size());
  std::vector<float> weights(terms.size());
  for (size_t t = 0; t < terms.size(); ++t) {
    uint64_t df = 0;
    for (const auto& segment : segments) {
      found[t].push_back(segment->find(terms[t].term));
      if (found[t].back()) df += found[t].back()->df;
    }
    weights[t] = df == 0 ? 0 : terms[t].weight * idf_of(snapshot_->live_rows, df);
  }
  Best best(limit);
  thread_local std::vector<float> sums;      // all zero between searches
  thread_local std::vector<uint32_t> places;
  for (size_t s = 0; s < segments.size(); ++s) {
    const Bm25Segment& segment = *segments[s];
    if (sums.size() < segment.rows()) sums.resize(segment.rows());
    const Bitmap seen_here = places_of(segment, seen);
    places.clear();
    for (size_t t = 0; t < terms.size(); ++t) {
      if (!found[t][s] || weights[t] <= 0) continue;
      each_posting(found[t][s]->bytes, segment.rows(), [&](uint32_t place, uint32_t frequency) {
        if (!seen_here.test(place)) return;
        const auto tf = static_cast<float>(frequency);
        const float norm = options.k1 * (1 - options.b + options.b * static_cast<float>(segment.length(place)) / average);
        if (sums[place] == 0) places.push_back(place);
        sums[place] += weights[t] * tf / (tf + norm);
      });
    }
    for (const uint32_t place : places) {
      best.offer({segment.row(place), sums[place]});
      sums[place] = 0;
    }
  }
  return best.take();
}

}  // namespace ajar::index
