#pragma once
// What probabilities and routers are judged by. Pure functions, any thread.

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace ajar::learn {

// A claimed probability of being right, and whether it was.
struct Claim {
  double probability;
  bool right;
};

// Expected calibration error over bins of equal counts: mean |share right - mean probability|. 0 of nothing.
double expected_calibration_error(std::span<const Claim> claims, size_t bins = 15);
double brier_score(std::span<const Claim> claims);  // mean squared error
// The probability that a right one has the higher score than a wrong one, ties half. Nothing: labels of one kind only.
std::optional<double> auroc(std::span<const Claim> claims);

// One prompt that two models answered: its score (the higher, the sooner it goes to the stronger model) and both qualities.
struct RoutedOutcome {
  double score;
  double weak, strong;
};

// Quality against share of calls to the stronger model, as its share grows in the order of scores (RouteLLM, Ong et al., 2024).
// Prompts of equal scores go up in the average of all orders.
class RoutingCurve {
 public:
  explicit RoutingCurve(std::span<const RoutedOutcome> outcomes);  // not empty

  double weak() const { return quality_.front(); }
  double strong() const { return quality_.back(); }
  double quality(double share) const;               // share 0..1
  // Area under the share of the gap recovered: 0.5 is a random mix. Nothing: the models are equally good.
  std::optional<double> apgr() const;
  // The least share that recovers that share of the gap: cpt(0.8). Nothing: no gap.
  std::optional<double> cpt(double recovered) const;

 private:
  std::vector<double> quality_;  // [i]: mean when i of n go up
};

}  // namespace ajar::learn
