#pragma once
// BM25 over rows of text: Robertson's formula as Lucene computes it (since 8.0; idf = ln(1 + (N - df + 0.5) / (df + 0.5)), no
// (k1 + 1)), with exact lengths. Readers from any thread; one writer at a time.

#include <string>
#include <vector>

#include "index/bm25_segment.h"
#include "index/scored.h"
#include "index/segments.h"

namespace ajar::index {

// Chosen by measurement (docs/rag.md): Lucene's own defaults beat k1 0.9, b 0.4 on short texts.
struct Bm25Options {
  float k1 = 1.2f;
  float b = 0.75f;
};

struct QueryTerm {
  std::string term;
  float weight = 1;
};

// What is found with one query; nothing changes it.
class Bm25Reader {
 public:
  explicit Bm25Reader(std::shared_ptr<const Segments<Bm25Segment>::Snapshot> snapshot) : snapshot_(std::move(snapshot)) {}
  // The best `limit` rows with any of the terms, among those of `allowed` (null: all). A row that is not allowed is
  // passed over before it is scored. A term that occurs twice counts twice.
  std::vector<Scored> search(std::span<const QueryTerm> terms, const Bitmap* allowed, size_t limit, Bm25Options options = {}) const;
  uint64_t rows() const { return snapshot_->live_rows; }
  float idf(std::string_view term) const;  // of all rows, 0 for one that occurs nowhere

 private:
  std::shared_ptr<const Segments<Bm25Segment>::Snapshot> snapshot_;
};

class Bm25Index {
 public:
  Segments<Bm25Segment>& segments() { return segments_; }
  Bm25Reader reader() const { return Bm25Reader(segments_.snapshot()); }
  Status add(Bm25Builder& builder) { return segments_.add(builder.finish()); }
  void remove(std::span<const uint32_t> rows) { segments_.remove(rows); }
  Status open(const std::string& folder, const std::string& name) { return segments_.open(folder, name); }
  Status reset() { return segments_.reset(); }

 private:
  Segments<Bm25Segment> segments_;
};

}  // namespace ajar::index
