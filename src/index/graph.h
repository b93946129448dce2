#pragma once
// Which rows are near which: a graph over the codes of one segment, so that a search reads thousands of rows instead of all. Built in
// the background, immutable when it is there, derived like its segment: what is damaged or belongs to another segment is not used, and
// rows that it does not cover are scanned. One layer (Vamana: Subramanya and others, DiskANN, 2019), entered at the nearest of some
// pivots, which are compared one and all: half of them lie far from each other, so that small groups have theirs.
//
//   "AJARGRA1", u32 covered, u32 degree, u32 pivots, u32 0, u64 segment, u32 pivot[pivots], u32 link[covered * degree], checksum
// `segment` is the checksum of the segment's own file; places of it are the graph's nodes, kNone fills a list up.

#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "index/bitmap.h"
#include "index/scored.h"
#include "index/segment_file.h"
#include "index/vector_kernels.h"

namespace ajar::index {

class VectorSegment;

struct GraphOptions {
  uint32_t from_rows = 200'000;  // smaller segments are scanned
  uint32_t degree = 32;          // neighbours of a row; 4 bytes each
  uint32_t building = 96;        // candidates that a row's neighbours are chosen from
  uint32_t effort = 300;         // candidates of a search, at the least
  float slack = 1.0f;            // above 1: nearer ones stay beside each other (alpha of Vamana, of squared distances), which finds less among rows that are all alike
  unsigned threads = 1;          // of a build
};

// A question in the form of codes.
struct CodedQuery {
  std::vector<int8_t> codes;  // as many as a row has
  float scale = 1;            // a row's score is dot * scale * the row's own
};

// Lists of neighbours, in a file or while they grow.
struct Links {
  static constexpr uint32_t kNone = UINT32_MAX;
  const uint32_t* links = nullptr;
  uint32_t degree = 0;
  std::span<const uint32_t> of(uint32_t place) const { return {links + size_t{place} * degree, degree}; }
};

class Graph {
 public:
  // kInvalid: damaged, or of another segment.
  static Result<std::shared_ptr<const Graph>> open(std::shared_ptr<const Buffer> buffer, const VectorSegment& segment);

  uint32_t covered() const { return covered_; }       // of the segment's places, from 0
  uint64_t segment() const { return segment_; }       // VectorSegment::identity
  const Links& links() const { return links_; }
  std::span<const uint32_t> pivots() const { return pivots_; }

  // Offers the nearest visible places to `out` (its limit is how many are wanted), as rows; looks at more than those to be
  // right. false: this would read more rows than a scan of the visible ones; nothing was offered.
  bool search(const VectorSegment& segment, const CodedQuery& query, const Bitmap& visible, size_t effort, const DotKernel& kernel, Best& out) const;

 private:
  std::shared_ptr<const Buffer> buffer_;
  uint32_t covered_ = 0;
  uint64_t segment_ = 0;
  Links links_;
  std::span<const uint32_t> pivots_;
  std::vector<uint8_t> pivot_codes_;  // side by side, so that comparing all is quick
};

// Makes or extends a graph. One thread; it starts others while extend() runs.
class GraphBuilder {
 public:
  GraphBuilder(std::shared_ptr<const VectorSegment> segment, GraphOptions options);
  // Begins with what is known of an older segment, whose rows that are left come first in this one; a neighbour that is gone is
  // replaced by its own. false: they do not come first; nothing is begun.
  bool start_from(const Graph& graph, const VectorSegment& segment);
  uint32_t covered() const { return covered_; }
  // Covers the places below `end` too. `progress` gets how many are covered. false: stopped, and covers what it did before.
  bool extend(uint32_t end, std::stop_token stop, const std::function<void(uint32_t)>& progress = {});
  std::string bytes() const;  // sealed

 private:
  struct Near {
    float score;
    uint32_t place;
  };
  void choose_pivots(uint32_t end, std::vector<uint32_t>& fresh) const;
  std::vector<Near> candidates_of(uint32_t place) const;
  std::vector<uint32_t> prune(uint32_t place, std::vector<Near> candidates) const;
  void insert(std::span<const uint32_t> places);
  std::vector<Near> scored(uint32_t place, std::span<const uint32_t> others) const;
  void set_links(uint32_t place, std::span<const uint32_t> neighbours);
  void prune_full(std::span<const uint32_t> places);
  void reach_all(uint32_t end);
  void add_pivots(std::span<const uint32_t> places);

  std::shared_ptr<const VectorSegment> segment_;
  const GraphOptions options_;
  const uint32_t room_;            // of a list while it grows: a third more, so that it is pruned less often
  uint32_t covered_ = 0;
  std::vector<uint32_t> links_;    // places x room_
  std::vector<uint32_t> pivots_;
  std::vector<uint8_t> pivot_codes_;
};

}  // namespace ajar::index
