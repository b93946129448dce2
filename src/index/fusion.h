#pragma once
// One order out of several: weighted reciprocal rank fusion (Cormack et al. 2009), weighted sums of scores, and maximal
// marginal relevance (Carbonell and Goldstein 1998). Pure functions.

#include <functional>
#include <span>
#include <vector>

#include "index/scored.h"

namespace ajar::index {

enum class Fusion : uint8_t {
  kRanks,   // sum of weight / (60 + rank): needs nothing but orders
  kScores,  // sum of weight * (score - least) / (most - least): keeps how far apart the answers were
};

struct Leg {
  std::span<const Scored> found;  // the best first
  float weight = 1;               // 0: the leg says nothing
};

inline constexpr float kRankConstant = 60;

// The best `limit` of all legs together, best first. A leg alone keeps its order.
std::vector<Scored> fuse(std::span<const Leg> legs, Fusion how, size_t limit);

// Picks `limit` of `found`, each time the one with the highest lambda * score - (1 - lambda) * likeness to what is picked.
// Scores are brought to 0..1 first; likeness(i, j) of two places in `found` is -1..1. lambda 1 changes nothing.
std::vector<Scored> diversify(std::span<const Scored> found, float lambda, size_t limit, const std::function<float(size_t, size_t)>& likeness);

}  // namespace ajar::index
