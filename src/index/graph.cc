#include "index/graph.h"

#include <algorithm>
#include <cstring>

#include "index/graph_walk.h"
#include "index/vectors.h"

namespace ajar::index {
namespace {

constexpr std::string_view kMagic = "AJARGRA1";
constexpr size_t kHeader = 8 + 4 * 4 + 8;

}  // namespace

Result<std::shared_ptr<const Graph>> Graph::open(std::shared_ptr<const Buffer> buffer, const VectorSegment& segment) {
  const auto damaged = [] { return fail(Code::kInvalid, "the graph is damaged"); };
  AJAR_ASSIGN(const std::string_view in, unseal(buffer->bytes()));
  if (in.size() < kHeader || !in.starts_with(kMagic)) return damaged();
  auto graph = std::make_shared<Graph>();
  uint32_t pivots = 0;
  std::memcpy(&graph->covered_, in.data() + 8, 4);
  std::memcpy(&graph->links_.degree, in.data() + 12, 4);
  std::memcpy(&pivots, in.data() + 16, 4);
  std::memcpy(&graph->segment_, in.data() + 24, 8);
  if (graph->segment_ != segment.identity()) return fail(Code::kInvalid, "the graph is of another segment");
  const uint64_t links = uint64_t{graph->covered_} * graph->links_.degree;
  if (graph->covered_ == 0 || graph->covered_ > segment.rows() || graph->links_.degree == 0 || graph->links_.degree > 1024 || pivots == 0 ||
      in.size() != kHeader + (uint64_t{pivots} + links) * 4) {
    return damaged();
  }
  const auto* numbers = reinterpret_cast<const uint32_t*>(in.data() + kHeader);
  graph->pivots_ = {numbers, pivots};
  graph->links_.links = numbers + pivots;
  for (const uint32_t pivot : graph->pivots_)
    if (pivot >= graph->covered_) return damaged();
  for (uint64_t i = 0; i < links; ++i)
    if (graph->links_.links[i] >= graph->covered_ && graph->links_.links[i] != Links::kNone) return damaged();
  graph->pivot_codes_.resize(pivots * segment.stride());
  for (size_t i = 0; i < pivots; ++i) std::memcpy(&graph->pivot_codes_[i * segment.stride()], segment.codes(graph->pivots_[i]), segment.stride());
  graph->buffer_ = std::move(buffer);
  return graph;
}

bool Graph::search(const VectorSegment& segment, const CodedQuery& query, const Bitmap& visible, size_t effort, const DotKernel& kernel, Best& out) const {
  // Reading a row here and there takes about twice as long as one beside the other.
  uint64_t seen = 0;
  for (size_t i = 0; i < (covered_ + 63) / 64; ++i) seen += static_cast<uint64_t>(std::popcount(visible.word(i)));
  if (seen == 0) return true;
  const uint64_t looked_at = effort * links_.degree / 2 * covered_ / seen;
  if (looked_at * 2 >= seen) return false;
  thread_local Walk walk;
  const auto entries = nearest_pivots(segment, query, pivots_, pivot_codes_, kernel);
  const bool whole = walk.run(segment, links_, covered_, query, entries, effort, seen / 2, &visible, kernel);
  // A group of visible rows may lie where no way leads through the others.
  if (!whole || walk.found().size() < std::min<uint64_t>(effort, seen)) return false;
  for (const Walk::Near& one : walk.found())
    if (one.score >= out.floor()) out.offer({segment.row(one.place), one.score});
  return true;
}

}  // namespace ajar::index
