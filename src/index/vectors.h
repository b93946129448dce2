#pragma once
// Nearest rows by cosine: an exact scan over 8-bit codes, then the best candidates again with floats that the owner fetches. No
// graph to build or to corrupt, a filter skips rows before they are read, and a removal is a bit. Readers from any thread; one
// writer at a time. 4 + 4 + width (rounded up to 64) bytes a row.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "index/scored.h"
#include "index/segments.h"
#include "index/vector_kernels.h"

namespace ajar::index {

// Immutable codes, the same bytes in memory and in a file:
//   "AJARVEC1", u32 rows, u32 width; u32 row[rows] ascending; float scale[rows]; padding to 64; codes; checksum
class VectorSegment {
 public:
  static Result<std::shared_ptr<const VectorSegment>> open(std::shared_ptr<const Buffer> buffer);  // kInvalid: damaged
  static std::string merge(std::span<const std::shared_ptr<const VectorSegment>> segments, const Bitmap& alive);
  // `vectors`: rows x width, of length 1.
  static std::string build(std::span<const uint32_t> rows, std::span<const float> vectors, uint32_t width);

  uint32_t rows() const { return rows_; }
  uint32_t row(uint32_t at) const;
  float scale(uint32_t at) const;
  const uint8_t* codes(uint32_t at) const { return codes_ + size_t{at} * stride(); }
  uint32_t width() const { return width_; }
  size_t stride() const { return (size_t{width_} + 63) / 64 * 64; }
  uint32_t weight_of(uint32_t) const { return 0; }
  const Buffer& buffer() const { return *buffer_; }

 private:
  std::shared_ptr<const Buffer> buffer_;
  uint32_t rows_ = 0, width_ = 0;
  const char *row_ = nullptr, *scale_ = nullptr;
  const uint8_t* codes_ = nullptr;
};

// Fills rows x width floats; a row that is gone meanwhile is filled with NaN and left out of the answer.
using FetchVectors = std::function<Status(std::span<const uint32_t> rows, std::span<float> out)>;

inline constexpr uint32_t kMaxWidth = 16'384;

// Divides by its length. kInvalid: not finite, or all zero.
Status normalize(std::span<float> vector);

class VectorReader {
 public:
  explicit VectorReader(std::shared_ptr<const Segments<VectorSegment>::Snapshot> snapshot) : snapshot_(std::move(snapshot)) {}
  // The `limit` rows with the highest cosine among those of `allowed` (null: all). kInvalid: the query has another width.
  // `fetch` empty: scores of the codes alone.
  Result<std::vector<Scored>> search(std::span<const float> query, const Bitmap* allowed, size_t limit, const FetchVectors& fetch = {},
                                     const DotKernel& kernel = dot_kernels().front()) const;
  uint64_t rows() const { return snapshot_->live_rows; }

 private:
  std::shared_ptr<const Segments<VectorSegment>::Snapshot> snapshot_;
};

class VectorIndex {
 public:
  explicit VectorIndex(uint32_t width) : width_(width) {}
  uint32_t width() const { return width_; }
  Segments<VectorSegment>& segments() { return segments_; }
  VectorReader reader() const { return VectorReader(segments_.snapshot()); }
  // `vectors`: rows x width, normalised. kInvalid: another width.
  Status add(std::span<const uint32_t> rows, std::span<const float> vectors);
  void remove(std::span<const uint32_t> rows) { segments_.remove(rows); }

 private:
  uint32_t width_;
  Segments<VectorSegment> segments_;
};

}  // namespace ajar::index
