#pragma once
// From place to place towards a question: the one loop that searching and building share. For graph*.cc alone.

#include <algorithm>
#include <vector>

#include "index/graph.h"
#include "index/vectors.h"

namespace ajar::index {

// Used by one thread; keeps its memory from walk to walk.
class Walk {
 public:
  struct Near {
    float score;
    uint32_t place;
    bool operator<(const Near& other) const { return score != other.score ? score < other.score : place > other.place; }
  };

  // Finds the `effort` nearest places below `end` that are visible (null: all), walking over the others too. false: it has looked at
  // `most` places and is not at its end.
  bool run(const VectorSegment& segment, const Links& links, uint32_t end, const CodedQuery& query, std::span<const Near> entries, size_t effort,
           uint64_t most, const Bitmap* visible, const DotKernel& kernel) {
    for (const uint32_t place : marked_) seen_[place / 64] = 0;
    marked_.clear(), found_.clear(), open_.clear();
    if (seen_.size() * 64 < end) seen_.resize((size_t{end} + 63) / 64);
    const auto greater = [](const Near& a, const Near& b) { return b < a; };
    const auto reached = [&](const Near& one) {
      if (found_.size() == effort && one.score <= found_.front().score) return;
      open_.push_back(one), std::push_heap(open_.begin(), open_.end());
      if (visible != nullptr && !visible->test(one.place)) return;
      if (found_.size() == effort) std::pop_heap(found_.begin(), found_.end(), greater), found_.pop_back();
      found_.push_back(one), std::push_heap(found_.begin(), found_.end(), greater);
    };
    for (const Near& one : entries)
      if (mark(one.place)) reached(one);
    uint64_t looked_at = 0;
    while (!open_.empty()) {
      const Near next = open_.front();
      if (found_.size() == effort && next.score < found_.front().score) break;
      std::pop_heap(open_.begin(), open_.end()), open_.pop_back();
      places_.clear();
      for (const uint32_t place : links.of(next.place)) {
        if (place == Links::kNone) break;
        if (mark(place)) places_.push_back(place), segment.prefetch(place);
      }
      if (places_.empty()) continue;
      if ((looked_at += places_.size()) > most) return false;
      dots_.resize(places_.size());
      kernel.dots_at(segment.codes(0), places_.data(), places_.size(), segment.stride(), query.codes.data(), dots_.data());
      for (size_t i = 0; i < places_.size(); ++i) reached({static_cast<float>(dots_[i]) * segment.scale(places_[i]) * query.scale, places_[i]});
    }
    std::sort(found_.begin(), found_.end(), greater);
    return true;
  }
  const std::vector<Near>& found() const { return found_; }  // the best first

 private:
  bool mark(uint32_t place) {
    const uint64_t bit = uint64_t{1} << (place % 64);
    if ((seen_[place / 64] & bit) != 0) return false;
    seen_[place / 64] |= bit;
    marked_.push_back(place);
    return true;
  }
  std::vector<uint64_t> seen_;      // all zero but for what is marked
  std::vector<uint32_t> marked_, places_;
  std::vector<int32_t> dots_;
  std::vector<Near> open_, found_;  // heaps: the best in front; the worst in front
};

// Where a walk begins: the best of all pivots. `codes`: theirs, side by side.
inline std::vector<Walk::Near> nearest_pivots(const VectorSegment& segment, const CodedQuery& query, std::span<const uint32_t> pivots,
                                              std::span<const uint8_t> codes, const DotKernel& kernel) {
  constexpr size_t kEntries = 8;
  thread_local std::vector<int32_t> dots;
  dots.resize(pivots.size());
  kernel.dots(codes.data(), pivots.size(), segment.stride(), query.codes.data(), dots.data());
  std::vector<Walk::Near> all(pivots.size());
  for (size_t i = 0; i < pivots.size(); ++i) all[i] = {static_cast<float>(dots[i]) * segment.scale(pivots[i]) * query.scale, pivots[i]};
  const size_t n = std::min(kEntries, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(n), all.end(), [](const Walk::Near& a, const Walk::Near& b) { return b < a; });
  all.resize(n);
  return all;
}

}  // namespace ajar::index
