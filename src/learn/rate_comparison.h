#pragma once
// Two error rates compared while they come in: a candidate's, and that of what it would replace. One may look after every
// outcome and act; the arms may be of any size.
//
// The e-process of a hypothesis about both rates: the likelihood of each arm under a beta mixture (Robbins, 1970), divided by the largest
// that any two rates of the hypothesis give. Were the hypothesis true, the quotient at the true rates would be a product of two
// martingales that begin at 1, and this one is never larger, so it reaches 1/alpha with a probability of alpha at most, at whatever moment
// one looks (Ville, 1939; universal inference: Wasserman, Ramdas and Balakrishnan, 2020; e-processes: Ramdas, Gruenwald, Vovk and Shafer,
// 2023). Pure functions, any thread.

#include <cstdint>

namespace ajar::learn {

struct RateCount {
  int64_t count = 0, errors = 0;
  double rate() const { return count == 0 ? 0 : double(errors) / double(count); }
  bool operator==(const RateCount&) const = default;
};

// The e-value's natural logarithm; log(1/alpha) or more refutes the hypothesis. 0 as long as an arm is empty. `margin`: 0 to 1.
//
// Against "the candidate's rate is at most the usual one plus margin": it is worse.
double log_evidence_worse(const RateCount& usual, const RateCount& candidate, double margin);
// Against "the candidate's rate is at least the usual one plus margin": it is not worse, but for the margin.
double log_evidence_not_worse(const RateCount& usual, const RateCount& candidate, double margin);

}  // namespace ajar::learn
