#pragma once
// Whether to serve a cached answer to a prompt that is alike, with a bound on how often that is wrong: vCache (Schroeder et al., 2025,
// arXiv 2502.03771). Each cached entry learns its own threshold of similarity from what was seen when the model was asked in spite
// of the entry. One thread at a time.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ajar::learn {

struct VCacheOptions {
  double delta = 0.02;            // share of requests that may get a wrong answer from the cache
  size_t least = 6;               // observations before an entry may serve
  int grid = 50;                  // confidence levels tried
  size_t most = 256;              // observations kept, the newest
};

class VCacheEntry {
 public:
  // The model was asked although this entry was near: its answer was the entry's, or not. similarity: cosine, 0..1.
  void observe(double similarity, bool same_answer, const VCacheOptions& options);

  // tau: the probability with which the model must be asked at this similarity. 1 with too few observations.
  double explore_probability(double similarity, const VCacheOptions& options) const;
  // u: uniform in [0, 1), drawn by the caller. False: explore, then observe() what came of it.
  bool serves(double similarity, double u, const VCacheOptions& options) const { return u > explore_probability(similarity, options); }

  size_t observations() const { return seen_.size(); }

  struct Observation {
    float similarity;
    bool same;
  };
  const std::vector<Observation>& seen() const { return seen_; }  // to be stored with the entry

 private:
  struct Fit {
    double slope = 0, midpoint = 1, deviation = 1;  // P(same) = sigmoid(slope * (s - midpoint)); of the midpoint
  };
  Fit fit() const;

  std::vector<Observation> seen_;
};

}  // namespace ajar::learn
