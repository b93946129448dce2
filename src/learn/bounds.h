#pragma once
// What can be said of an error rate after n looks: exact and distribution-free bounds. Pure functions, any thread.
//
// delta is the probability with which a bound may be wrong, in (0, 1). A mean of losses in [0, 1] needs Hoeffding-Bentkus;
// counts of right and wrong have the tighter exact bounds of the binomial distribution.

#include <cstdint>

namespace ajar::learn {

struct Interval {
  double low = 0, high = 1;
  bool operator==(const Interval&) const = default;
};

// P(Binomial(n, p) <= k): the p-value of "the error rate is above p" after k errors in n. 1 where k >= n.
double binomial_cdf(int64_t k, int64_t n, double p);

// One-sided bounds of an error rate after k errors in n (Clopper and Pearson, 1934). n = 0: 1 and 0.
double clopper_pearson_upper(int64_t k, int64_t n, double delta);
double clopper_pearson_lower(int64_t k, int64_t n, double delta);

// The p-value of "the mean of the losses is above alpha", for n losses in [0, 1] that average `mean` (Bates et al., 2021,
// "Distribution-Free, Risk-Controlling Prediction Sets", the better of Hoeffding's and Bentkus's).
double hoeffding_bentkus_p(double mean, int64_t n, double alpha);
// The least alpha whose p-value is at most delta: the mean is below it with probability 1 - delta.
double hoeffding_bentkus_upper(double mean, int64_t n, double delta);

// Two-sided, for reports (Wilson, 1927). `confidence` as 0.95. n = 0: [0, 1].
Interval wilson(int64_t k, int64_t n, double confidence);

// The least n of which a mean loss of `rate` proves that it is at most alpha. -1: rate >= alpha, and no n would do.
enum class Losses : uint8_t { kBinary, kGraded };  // right and wrong, or numbers in [0, 1]
int64_t samples_to_prove(double rate, double alpha, double delta, Losses losses = Losses::kBinary);

}  // namespace ajar::learn
