// The graph of vectors, made in the background: one in the process at a time, behind everything else that wants the processor.

#include <sys/resource.h>
#include <unistd.h>

#include <semaphore>

#include "rag/collection_parts.h"

namespace ajar::rag {
namespace {

std::counting_semaphore<1>& building() {
  static std::counting_semaphore<1> one(1);
  return one;
}

}  // namespace

Status Collection::build_graph(std::stop_token stop, const std::function<void(uint64_t, uint64_t)>& progress) {
  std::shared_ptr<index::VectorIndex> vectors;
  {
    std::shared_lock state(state_lock_);
    vectors = vectors_;
  }
  if (!vectors || vectors->graph_missing() == 0) return {};
  while (!building().try_acquire_for(std::chrono::milliseconds(100)))
    if (stop.stop_requested()) return {};
  const Status built = vectors->build_graph(stop, progress);
  building().release();
  return built;
}

void Collection::grow_graph() {
  if (!options_.graph_in_background || !vectors_ || graph_growing_) return;
  // A few rows that are scanned cost less than reading what the graph begins with.
  const uint64_t missing = vectors_->graph_missing();
  if (missing == 0 || missing * 16 < vectors_->graph_rows()) return;
  graph_growing_ = true;
  graph_thread_ = std::jthread([this](std::stop_token stop) {
    (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 19);
    (void)build_graph(stop);  // without it there is the scan; the next checkpoint tries again
    graph_growing_ = false;
  });
}

}  // namespace ajar::rag
