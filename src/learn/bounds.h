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

// The p-value of "more than alpha of the next n are wrong", after k errors in n that were drawn alike. Given how many of the 2n are
// wrong, each half is as likely to hold them, so this is hypergeometric and exact, and somewhat larger than binomial_cdf(k, n, alpha): the
// next answers have their own luck.
double predictive_p(int64_t k, int64_t n, double alpha);

// Two-sided, for reports (Wilson, 1927). `confidence` as 0.95. n = 0: [0, 1].
Interval wilson(int64_t k, int64_t n, double confidence);

enum class Losses : uint8_t { kBinary, kGraded };  // right and wrong, or numbers in [0, 1]
// What a threshold promises: that the error rate is at most alpha, or besides that at most alpha of as many answers as were judged are
// wrong.
enum class Promise : uint8_t { kRate, kRealised };

// The p-value of the promise's contrary, for losses that sum to `sum`. Graded losses have only the promise of the rate.
double p_value(double sum, int64_t n, double alpha, Losses losses, Promise promise);

// The least n of which a mean loss of `rate` proves the promise. -1: rate >= alpha, and no n would do.
int64_t samples_to_prove(double rate, double alpha, double delta, Losses losses = Losses::kBinary, Promise promise = Promise::kRate);

}  // namespace ajar::learn
