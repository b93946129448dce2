#pragma once
// A row and how well it fits, and keeping the best of many.

#include <algorithm>
#include <cstdint>
#include <vector>

namespace ajar::index {

struct Scored {
  uint32_t row;
  float score;
  bool operator==(const Scored&) const = default;
};

// Higher scores first; of equal ones the lower row, so that an answer does not depend on how rows lie in segments.
inline bool better(const Scored& a, const Scored& b) { return a.score != b.score ? a.score > b.score : a.row < b.row; }

// The best `limit` of what is offered.
class Best {
 public:
  explicit Best(size_t limit) : limit_(limit) { heap_.reserve(limit); }
  float floor() const { return full() ? heap_.front().score : -3e38f; }  // less than this is not worth offering
  bool full() const { return heap_.size() >= limit_; }
  void offer(Scored one) {
    if (limit_ == 0) return;
    if (!full()) {
      heap_.push_back(one), std::push_heap(heap_.begin(), heap_.end(), better);
    } else if (better(one, heap_.front())) {
      std::pop_heap(heap_.begin(), heap_.end(), better);
      heap_.back() = one;
      std::push_heap(heap_.begin(), heap_.end(), better);
    }
  }
  std::vector<Scored> take() {
    std::sort(heap_.begin(), heap_.end(), better);
    return std::move(heap_);
  }

 private:
  size_t limit_;
  std::vector<Scored> heap_;  // the worst in front
};

}  // namespace ajar::index
