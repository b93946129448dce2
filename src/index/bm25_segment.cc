#include "index/bm25_segment.h"

#include <algorithm>
#include <cstring>

namespace ajar::index {
namespace {

constexpr std::string_view kMagic = "AJARBM25";
constexpr size_t kHeader = 8 + 4 + 4 + 8 + 8;

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

// Sections in the order of the file.
struct Writer {
  std::vector<uint32_t> rows, lengths, term_end{0}, df;
  std::vector<uint64_t> posting_end{0};
  std::string terms, postings;

  void add(std::string_view term, uint32_t rows_with_it, std::string_view bytes) {
    terms += term, postings += bytes;
    term_end.push_back(static_cast<uint32_t>(terms.size()));
    posting_end.push_back(postings.size());
    df.push_back(rows_with_it);
  }
  std::string bytes() const {
    std::string out(kMagic);
    out.reserve(kHeader + rows.size() * 8 + df.size() * 16 + terms.size() + postings.size() + 64);
    put(out, static_cast<uint32_t>(rows.size()));
    put(out, static_cast<uint32_t>(df.size()));
    put(out, static_cast<uint64_t>(terms.size()));
    put(out, static_cast<uint64_t>(postings.size()));
    const auto section = [&](const auto& v) { out.append(reinterpret_cast<const char*>(v.data()), v.size() * sizeof v[0]); };
    section(rows), section(lengths), section(term_end), section(df), section(posting_end);
    out += terms, out += postings;
    seal(out);
    return out;
  }
};

}  // namespace

Result<std::shared_ptr<const Bm25Segment>> Bm25Segment::open(std::shared_ptr<const Buffer> buffer) {
  const auto damaged = [] { return fail(Code::kInvalid, "the segment is damaged"); };
  AJAR_ASSIGN(const std::string_view in, unseal(buffer->bytes()));
  if (in.size() < kHeader || !in.starts_with(kMagic)) return damaged();
  auto segment = std::make_shared<Bm25Segment>();
  uint64_t term_bytes, posting_bytes;
  std::memcpy(&segment->rows_, in.data() + 8, 4);
  std::memcpy(&segment->terms_, in.data() + 12, 4);
  std::memcpy(&term_bytes, in.data() + 16, 8);
  std::memcpy(&posting_bytes, in.data() + 24, 8);
  const uint64_t rows = segment->rows_, terms = segment->terms_;
  if (term_bytes > in.size() || posting_bytes > in.size()) return damaged();
  if (in.size() != kHeader + rows * 8 + (terms + 1) * 4 + terms * 4 + (terms + 1) * 8 + term_bytes + posting_bytes) return damaged();
  const char* at = in.data() + kHeader;
  const auto section = [&](uint64_t bytes) { return std::exchange(at, at + bytes); };
  segment->row_ = section(rows * 4), segment->length_ = section(rows * 4);
  segment->term_end_ = section((terms + 1) * 4), segment->df_ = section(terms * 4), segment->posting_end_ = section((terms + 1) * 8);
  segment->text_ = section(term_bytes), segment->postings_ = section(posting_bytes);
  for (uint32_t i = 1; i < rows; ++i)
    if (segment->row(i) <= segment->row(i - 1)) return damaged();
  for (uint32_t i = 0; i < terms; ++i) {
    if (load(segment->term_end_, i) > load(segment->term_end_, i + 1)) return damaged();
    if (load8(segment->posting_end_, i) > load8(segment->posting_end_, i + 1)) return damaged();
  }
  const auto last = static_cast<uint32_t>(terms);
  if (load(segment->term_end_, last) > term_bytes || load8(segment->posting_end_, last) > posting_bytes) return damaged();
  segment->buffer_ = std::move(buffer);
  return segment;
}

Postings Bm25Segment::postings(uint32_t i) const {
  const uint64_t from = load8(posting_end_, i), to = load8(posting_end_, i + 1);
  return {load(df_, i), {postings_ + from, to - from}};
}

std::optional<Postings> Bm25Segment::find(std::string_view wanted) const {
  uint32_t from = 0, to = terms_;
  while (from < to) {
    const uint32_t middle = from + (to - from) / 2;
    if (term(middle) < wanted) from = middle + 1;
    else to = middle;
  }
  if (from == terms_ || term(from) != wanted) return std::nullopt;
  return postings(from);
}

std::string Bm25Segment::merge(std::span<const std::shared_ptr<const Bm25Segment>> segments, const Bitmap& alive) {
  Writer out;
  std::vector<std::vector<uint32_t>> places(segments.size());  // of each row in the new segment
  for (size_t s = 0; s < segments.size(); ++s) {
    for (uint32_t i = 0; i < segments[s]->rows(); ++i) {
      const uint32_t row = segments[s]->row(i);
      places[s].push_back(alive.test(row) ? static_cast<uint32_t>(out.rows.size()) : UINT32_MAX);
      if (alive.test(row)) out.rows.push_back(row), out.lengths.push_back(segments[s]->length(i));
    }
  }
  std::vector<uint32_t> at(segments.size(), 0);
  while (true) {
    const std::string_view* least = nullptr;
    std::string_view now, candidate;
    for (size_t s = 0; s < segments.size(); ++s) {
      if (at[s] >= segments[s]->terms()) continue;
      candidate = segments[s]->term(at[s]);
      if (least == nullptr || candidate < now) now = candidate, least = &now;
    }
    if (least == nullptr) break;
    Bm25Builder::Term merged;
    for (size_t s = 0; s < segments.size(); ++s) {
      if (at[s] >= segments[s]->terms() || segments[s]->term(at[s]) != now) continue;
      each_posting(segments[s]->postings(at[s]++).bytes, segments[s]->rows(), [&](uint32_t place, uint32_t frequency) {
        if (places[s][place] != UINT32_MAX) Bm25Builder::append(merged, places[s][place], frequency);
      });
    }
    if (merged.df > 0) out.add(now, merged.df, merged.postings);
  }
  return out.bytes();
}

void Bm25Builder::append(Term& term, uint32_t place, uint32_t frequency) {
  const uint64_t step = term.df == 0 ? place : place - term.last - 1;
  put_varint(term.postings, step << 1 | (frequency == 1 ? 1 : 0));
  if (frequency != 1) put_varint(term.postings, frequency);
  term.last = place, ++term.df;
}

void Bm25Builder::start_row(uint32_t row) { rows_.push_back(row), lengths_.push_back(0); }

void Bm25Builder::add(std::string_view text) {
  auto it = terms_.find(text);
  if (it == terms_.end()) it = terms_.emplace(std::string(text), Term{}).first;
  Term& term = it->second;
  const auto place = static_cast<uint32_t>(rows_.size() - 1);
  if (term.frequency > 0 && term.place != place) append(term, term.place, std::exchange(term.frequency, 0));
  term.place = place, ++term.frequency;
  ++lengths_.back();
}

std::string Bm25Builder::finish() {
  std::vector<std::pair<std::string_view, Term*>> sorted;
  sorted.reserve(terms_.size());
  for (auto& [text, term] : terms_) {
    if (term.frequency > 0) append(term, term.place, term.frequency);
    sorted.emplace_back(text, &term);
  }
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Writer out;
  out.rows = std::move(rows_), out.lengths = std::move(lengths_);
  for (const auto& [text, term] : sorted) out.add(text, term->df, term->postings);
  terms_.clear(), rows_.clear(), lengths_.clear();
  return out.bytes();
}

}  // namespace ajar::index
