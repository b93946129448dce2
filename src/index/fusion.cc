#include "index/fusion.h"

#include <unordered_map>

namespace ajar::index {

std::vector<Scored> fuse(std::span<const Leg> legs, Fusion how, size_t limit) {
  std::unordered_map<uint32_t, float> sums;
  for (const Leg& leg : legs) {
    if (leg.weight <= 0 || leg.found.empty()) continue;
    const float most = leg.found.front().score, least = leg.found.back().score, range = most - least;
    for (size_t rank = 0; rank < leg.found.size(); ++rank) {
      const Scored& one = leg.found[rank];
      // The last of a leg still counts for more than one that the leg did not find.
      const float part = how == Fusion::kRanks ? 1 / (kRankConstant + static_cast<float>(rank + 1))
                         : range > 0           ? 0.001f + 0.999f * (one.score - least) / range
                                               : 1;
      sums[one.row] += leg.weight * part;
    }
  }
  Best best(limit);
  for (const auto& [row, score] : sums) best.offer({row, score});
  return best.take();
}

std::vector<Scored> diversify(std::span<const Scored> found, float lambda, size_t limit, const std::function<float(size_t, size_t)>& likeness) {
  std::vector<Scored> out;
  if (found.empty()) return out;
  float most = found.front().score, least = most;
  for (const Scored& one : found) most = std::max(most, one.score), least = std::min(least, one.score);
  const float range = most > least ? most - least : 1;
  std::vector<float> nearest(found.size(), -1);
  std::vector<bool> taken(found.size());
  while (out.size() < std::min(limit, found.size())) {
    size_t pick = found.size();
    float top = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      if (taken[i]) continue;
      const float value = lambda * (found[i].score - least) / range - (out.empty() ? 0 : (1 - lambda) * nearest[i]);
      if (pick == found.size() || value > top) pick = i, top = value;
    }
    taken[pick] = true;
    out.push_back(found[pick]);
    for (size_t i = 0; i < found.size(); ++i)
      if (!taken[i]) nearest[i] = std::max(nearest[i], likeness(i, pick));
  }
  return out;
}

}  // namespace ajar::index
