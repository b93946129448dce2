#pragma once
// From judged answers to a threshold of confidence with a guarantee: with probability 1 - delta over the draw of the calibration
// set, at most alpha of the answers that are accepted (confidence >= threshold) are wrong: in the long run (Promise::kRate), and also
// among the next ones, as many as the calibration set accepted, with their own luck (Promise::kRealised, the default).
// Learn-then-Test (Angelopoulos et al., 2021) with fixed-sequence testing from the strictest threshold down, an exact test at each.
//
// The thresholds are a fixed grid, so that the answers say nothing about which are tested. Testing starts at the strictest
// threshold that accepts `start` answers, a number that depends on nothing but n, alpha and delta. Given how many are accepted,
// their errors are binomial, so each test is exact; the first violating threshold that is tested is passed with probability delta
// at most, and all looser ones lie behind it. One assumption enters, and only where the first violating threshold accepts fewer
// than `start`: that answers of less confidence are not right more often.
// The guarantee is for answers that are drawn as the calibration set was. ErrorWatch watches whether they still are.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "learn/bounds.h"

namespace ajar::learn {

struct Judged {
  double confidence = 0;  // 0..1, higher is surer
  double loss = 0;        // 0 right, 1 wrong; between them for graded answers
};

struct ThresholdOptions {
  double alpha = 0.05;  // share of accepted answers that may be wrong (or their mean loss)
  double delta = 0.05;  // probability with which the guarantee may fail
  Promise promise = Promise::kRealised;
};

struct Threshold {
  double threshold = 0;       // accept confidence >= threshold
  int64_t samples = 0;        // of the calibration set
  int64_t accepted = 0;       // of these
  double loss = 0;            // mean loss of the accepted
  double bound = 1;           // the mean loss is below it with probability 1 - delta, at this threshold alone
  double share() const { return samples == 0 ? 0 : static_cast<double>(accepted) / static_cast<double>(samples); }
};

// No threshold could be proven. Not an Error: that there are too few samples is an answer.
struct TooFew {
  int64_t more = -1;          // samples still needed, estimated from those at hand; -1: more would not help
  std::string reason;         // a sentence for a person, with the numbers
};

struct Calibration {
  std::optional<Threshold> found;
  TooFew refusal;             // where nothing was found
};

// kInvalid: options out of range, a confidence or loss outside 0..1, or labels of one kind only, which cannot tell whether the
// confidence means anything (usually a grader that always says the same).
Result<Calibration> choose_threshold(std::span<const Judged> judged, const ThresholdOptions& options = {});

// What fits a threshold on data drawn anew; for tests and reports.
Threshold apply_threshold(std::span<const Judged> judged, double threshold, double delta);

// Cost of a ladder of two relative to always asking the upper one: every request asks the lower, the rest the upper too.
// `cost_ratio`: price of the lower by that of the upper. Negative: it costs more.
inline double saving(double share, double cost_ratio) { return share - cost_ratio; }

}  // namespace ajar::learn
