// The graph's part of a vector index: what it is of, when it is made, and where it is kept.

#include <unistd.h>

#include "index/vectors.h"

namespace ajar::index {

VectorReader VectorIndex::reader(size_t effort) const {
  std::lock_guard lock(graph_lock_);
  return VectorReader(segments_.snapshot(), graph_, effort > 0 ? effort : graph_options_.effort);
}

std::shared_ptr<const VectorSegment> VectorIndex::largest() const {
  std::shared_ptr<const VectorSegment> out;
  for (const auto& segment : segments_.snapshot()->segments)
    if (!out || segment->rows() > out->rows()) out = segment;
  return out;
}

Status VectorIndex::open(const std::string& folder, const std::string& name) {
  graph_path_ = folder + "/" + name + ".graph";
  AJAR_TRY(segments_.open(folder, name));
  const auto segment = largest();
  if (!segment || segment->rows() < graph_options_.from_rows) return {};
  auto file = Buffer::map(graph_path_);
  if (!file) return {};
  auto graph = Graph::open(std::move(*file), *segment);
  if (graph) (void)use(std::move(*graph));
  return {};
}

Status VectorIndex::reset() {
  (void)use(nullptr);
  if (!graph_path_.empty()) ::unlink(graph_path_.c_str());
  return segments_.reset();
}

bool VectorIndex::use(std::shared_ptr<const Graph> graph) {
  std::lock_guard lock(graph_lock_);
  graph_.swap(graph);
  return graph_ != nullptr;
}

uint64_t VectorIndex::graph_rows() const {
  std::lock_guard lock(graph_lock_);
  return graph_ ? graph_->covered() : 0;
}

uint64_t VectorIndex::graph_missing() const {
  const auto segment = largest();
  if (!segment || segment->rows() < graph_options_.from_rows) return 0;
  std::lock_guard lock(graph_lock_);
  return graph_ && graph_->segment() == segment->identity() ? segment->rows() - graph_->covered() : segment->rows();
}

// Into its file and before the readers. A segment that is gone meanwhile has no use for it.
Status VectorIndex::keep(const GraphBuilder& builder, const std::shared_ptr<const VectorSegment>& segment) {
  std::shared_ptr<const Buffer> buffer;
  if (graph_path_.empty()) {
    buffer = Buffer::own(builder.bytes());
  } else {
    AJAR_TRY(replace_file(graph_path_, builder.bytes()));
    AJAR_ASSIGN(buffer, Buffer::map(graph_path_));
  }
  AJAR_ASSIGN(auto graph, Graph::open(std::move(buffer), *segment));
  (void)use(std::move(graph));
  return {};
}

Status VectorIndex::checkpoint(uint64_t end) {
  std::lock_guard keeping(keep_lock_);
  const auto before = largest();
  uint64_t rows = 0;
  for (const auto& segment : segments_.snapshot()->segments) rows += segment->rows();
  const bool whole = before && rows >= graph_options_.from_rows && (rows - before->rows()) * 4 >= before->rows();
  AJAR_TRY(segments_.checkpoint(end, whole));
  std::shared_ptr<const Graph> graph;
  {
    std::lock_guard lock(graph_lock_);
    graph = graph_;
  }
  const auto after = largest();
  if (!graph || !before || !after || graph->segment() != before->identity() || after->identity() == before->identity()) return {};
  GraphBuilder builder(after, graph_options_);
  if (!builder.start_from(*graph, *before)) return {};
  return keep(builder, after);
}

Status VectorIndex::build_graph(std::stop_token stop, const std::function<void(uint64_t, uint64_t)>& progress) {
  const auto segment = largest();
  if (graph_missing() == 0) return {};
  std::shared_ptr<const Graph> graph;
  {
    std::lock_guard lock(graph_lock_);
    graph = graph_;
  }
  GraphBuilder builder(segment, graph_options_);
  if (graph && graph->segment() == segment->identity()) (void)builder.start_from(*graph, *segment);
  graph.reset();
  while (builder.covered() < segment->rows()) {
    const uint32_t step = std::max(graph_options_.from_rows, builder.covered() / 4), left = segment->rows() - builder.covered();
    const uint32_t end = left < 2 * step ? segment->rows() : builder.covered() + step;
    if (!builder.extend(end, stop, [&](uint32_t covered) {
          if (progress) progress(covered, segment->rows());
        })) {
      return {};
    }
    std::lock_guard keeping(keep_lock_);
    if (largest() == nullptr || largest()->identity() != segment->identity()) return {};
    AJAR_TRY(keep(builder, segment));
  }
  return {};
}

}  // namespace ajar::index
