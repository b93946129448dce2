#pragma once
// Nearest rows by cosine: an exact scan over 8-bit codes, then the best candidates again with floats that the owner fetches. A filter
// skips rows before they are read, and a removal is a bit. Readers from any thread; one writer at a time. 4 + 4 + width (rounded
// up to 64) bytes a row. Large segments may have a graph (graph.h), which is made beside all this and is searched instead.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "index/graph.h"
#include "index/segments.h"

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
  void prefetch(uint32_t at) const {
    __builtin_prefetch(scale_ + size_t{at} * 4);
    const uint8_t* row = codes(at);
    for (size_t d = 0; d < stride(); d += 64) __builtin_prefetch(row + d);
  }
  uint64_t identity() const { return identity_; }  // the checksum of its bytes
  uint32_t weight_of(uint32_t) const { return 0; }
  const Buffer& buffer() const { return *buffer_; }

 private:
  std::shared_ptr<const Buffer> buffer_;
  uint64_t identity_ = 0;
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
  explicit VectorReader(std::shared_ptr<const Segments<VectorSegment>::Snapshot> snapshot, std::shared_ptr<const Graph> graph = {}, size_t effort = 0)
      : snapshot_(std::move(snapshot)), graph_(std::move(graph)), effort_(effort) {}
  // The `limit` rows with the highest cosine among those of `allowed` (null: all). kInvalid: the query has another width.
  // `fetch` empty: scores of the codes alone.
  Result<std::vector<Scored>> search(std::span<const float> query, const Bitmap* allowed, size_t limit, const FetchVectors& fetch = {},
                                     const DotKernel& kernel = dot_kernels().front()) const;
  uint64_t rows() const { return snapshot_->live_rows; }

 private:
  void scan(const VectorSegment& segment, const Bitmap& places, const CodedQuery& query, const DotKernel& kernel, Best& best) const;
  std::shared_ptr<const Segments<VectorSegment>::Snapshot> snapshot_;
  std::shared_ptr<const Graph> graph_;  // of one of the segments, or of one that is gone; null: none
  size_t effort_;
};

class VectorIndex {
 public:
  explicit VectorIndex(uint32_t width, GraphOptions graph = {}) : width_(width), graph_options_(graph) {}
  uint32_t width() const { return width_; }
  Segments<VectorSegment>& segments() { return segments_; }
  VectorReader reader(size_t effort = 0) const;  // 0: as the options say
  // `vectors`: rows x width, normalised. kInvalid: another width.
  Status add(std::span<const uint32_t> rows, std::span<const float> vectors);
  void remove(std::span<const uint32_t> rows) { segments_.remove(rows); }

  // Files, as Segments has them, and the graph's beside them. A graph that is damaged or of another time is none.
  Status open(const std::string& folder, const std::string& name);
  Status reset();
  // Also puts all into one segment when it is worth a graph and a quarter has come to it; what the old graph knows goes on in a new one.
  Status checkpoint(uint64_t end);

  // Rows that a graph should cover and none does; 0: all is well.
  uint64_t graph_missing() const;
  // Covers them. One caller at a time, beside readers and the writer; what is done serves at once and is kept in a file, every quarter
  // anew. `progress`: rows covered, of how many. Ends early, without an error, when it is stopped or the segment is gone.
  Status build_graph(std::stop_token stop, const std::function<void(uint64_t, uint64_t)>& progress = {});
  uint64_t graph_rows() const;  // that the graph covers

 private:
  std::shared_ptr<const VectorSegment> largest() const;
  bool use(std::shared_ptr<const Graph> graph);
  Status keep(const GraphBuilder& builder, const std::shared_ptr<const VectorSegment>& segment);

  uint32_t width_;
  GraphOptions graph_options_;
  Segments<VectorSegment> segments_;
  std::string graph_path_;                   // empty: in memory alone
  std::mutex keep_lock_;                     // held from a look at what the largest segment is to its graph being kept
  mutable std::mutex graph_lock_;            // guards graph_
  std::shared_ptr<const Graph> graph_;
};

}  // namespace ajar::index
