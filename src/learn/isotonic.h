#pragma once
// Isotonic calibration: a score to a probability that never falls as the score rises, fitted by pooling adjacent violators (Ayer et
// al., 1955; as a calibration: Zadrozny and Elkan, 2002). Immutable once made; any thread.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ajar::learn {

class Isotonic {
 public:
  struct Knot {
    float score, probability;
    bool operator==(const Knot&) const = default;
  };

  Isotonic() = default;  // the identity, clipped to 0..1

  // Scores with outcomes (1 or 0, or between). Each pooled block becomes a knot at its mean score; a block of n gets
  // (sum + 1/2) / (n + 1), so that few observations never claim certainty. Not finite scores are an error.
  static Result<Isotonic> fit(std::span<const double> scores, std::span<const double> outcomes);
  // kInvalid: scores not rising, probabilities falling or outside 0..1, not finite, or too many.
  static Result<Isotonic> of(std::vector<Knot> knots);

  // Between knots linear, so that the order of scores survives; beyond them constant.
  double operator()(double score) const;
  const std::vector<Knot>& knots() const { return knots_; }

  std::string json() const;  // [[score,probability],...]
  static Result<Isotonic> parse(std::string_view json);

 private:
  std::vector<Knot> knots_;
};

}  // namespace ajar::learn
