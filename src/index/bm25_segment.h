#pragma once
// Part of an inverted index, immutable: the same bytes in memory and in a file.
//
//   "AJARBM25", u32 rows, u32 terms, u64 bytes of terms, u64 bytes of postings
//   u32 row[rows]            ascending
//   u32 length[rows]         in terms
//   u32 term_end[terms + 1]  into the terms, which are sorted
//   u32 df[terms]
//   u64 posting_end[terms + 1]
//   terms, postings, checksum
// A posting is a varint of (step to the row's place << 1 | frequency is 1), and otherwise a varint of the frequency.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "index/bitmap.h"
#include "index/segment_file.h"

namespace ajar::index {

struct Postings {
  uint32_t df = 0;
  std::string_view bytes;
};

class Bm25Segment {
 public:
  static Result<std::shared_ptr<const Bm25Segment>> open(std::shared_ptr<const Buffer> buffer);  // kInvalid: damaged
  static std::string merge(std::span<const std::shared_ptr<const Bm25Segment>> segments, const Bitmap& alive);

  uint32_t rows() const { return rows_; }
  uint32_t row(uint32_t at) const { return load(row_, at); }
  uint32_t length(uint32_t at) const { return load(length_, at); }
  uint32_t weight_of(uint32_t at) const { return length(at); }
  uint32_t terms() const { return terms_; }
  std::string_view term(uint32_t i) const { return {text_ + load(term_end_, i), load(term_end_, i + 1) - load(term_end_, i)}; }
  Postings postings(uint32_t i) const;
  std::optional<Postings> find(std::string_view term) const;
  const Buffer& buffer() const { return *buffer_; }

 private:
  static uint32_t load(const char* array, uint32_t i) {
    uint32_t value;
    __builtin_memcpy(&value, array + size_t{i} * 4, 4);
    return value;
  }
  static uint64_t load8(const char* array, uint32_t i) {
    uint64_t value;
    __builtin_memcpy(&value, array + size_t{i} * 8, 8);
    return value;
  }
  std::shared_ptr<const Buffer> buffer_;
  uint32_t rows_ = 0, terms_ = 0;
  const char *row_ = nullptr, *length_ = nullptr, *term_end_ = nullptr, *df_ = nullptr, *posting_end_ = nullptr, *text_ = nullptr,
             *postings_ = nullptr;
};

// f(place of the row in the segment, frequency). Ends early at bytes that are no posting or point beyond `rows`.
template <class F>
void each_posting(std::string_view bytes, uint32_t rows, F f) {
  const auto* p = reinterpret_cast<const uint8_t*>(bytes.data());
  const auto* end = p + bytes.size();
  const auto varint = [&](uint64_t& value) {
    if (p < end && *p < 0x80) return value = *p++, true;  // most are one byte
    value = 0;
    for (int shift = 0; p < end && shift < 42; shift += 7) {
      const uint8_t byte = *p++;
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  };
  uint64_t place = 0, code, frequency;
  bool first = true;
  while (p < end) {
    if (!varint(code)) return;
    place += (code >> 1) + (first ? 0 : 1);
    first = false;
    frequency = 1;
    if ((code & 1) == 0 && !varint(frequency)) return;
    if (place >= rows) return;
    f(static_cast<uint32_t>(place), static_cast<uint32_t>(frequency));
  }
}

// Gathers rows into a segment. Rows in ascending order.
class Bm25Builder {
 public:
  void start_row(uint32_t row);
  void add(std::string_view term);  // of the row that was started last
  size_t rows() const { return rows_.size(); }
  std::string finish();             // sealed bytes; the builder is then empty

 private:
  friend class Bm25Segment;
  struct Term {
    std::string postings;
    uint32_t df = 0, last = 0, place = 0, frequency = 0;  // frequency: of `place`, not yet in postings
  };
  static void append(Term& term, uint32_t place, uint32_t frequency);
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  std::vector<uint32_t> rows_, lengths_;
  std::unordered_map<std::string, Term, Hash, std::equal_to<>> terms_;
};

}  // namespace ajar::index
