#pragma once
// An error rate watched while it comes in: bounds that hold at every moment at once, so one may look after every audit and act.
//
// ConfidenceSequence: of a Bernoulli rate, by the beta-binomial mixture martingale (Robbins, 1970; Ville's inequality): with
// probability 1 - delta the rate lies in interval() at all times.
// ErrorWatch: what a rung in production does with the audits of its accepted answers. It also detects a change after a long
// good time, by a Shiryaev-Roberts e-detector (Shin, Ramdas and Rinaldo, 2023).
// One thread at a time.

#include <cstdint>
#include <deque>
#include <optional>

#include "learn/bounds.h"
#include "learn/threshold.h"

namespace ajar::learn {

class ConfidenceSequence {
 public:
  // `guess`: where the rate is expected. It changes how tight the bounds are, never whether they hold.
  explicit ConfidenceSequence(double delta, double guess = 0.5);

  void add(bool wrong) { ++count_, errors_ += wrong; }
  int64_t count() const { return count_; }
  int64_t errors() const { return errors_; }
  Interval interval() const;

 private:
  double delta_, a_, b_;
  int64_t count_ = 0, errors_ = 0;
};

struct WatchOptions {
  double alpha = 0.05;              // error rate of accepted answers that was promised
  double delta = 0.05;              // probability with which the sequence may ever be wrong, over all raises together
  double false_alarm_every = 5000;  // audits, on average at least, between false alarms of the detector of changes
  size_t window = 2000;             // audits kept for choosing a new threshold
};

enum class WatchVerdict : uint8_t {
  kOpen,   // nothing is proven yet
  kFine,   // the error rate is proven to be at most alpha
  kRaise,  // it was proven to be above alpha; threshold() is higher now, and the watch begins anew
  kAlarm,  // the same, and no higher threshold can be proven: accepts nothing until reset()
};

class ErrorWatch {
 public:
  ErrorWatch(double threshold, const WatchOptions& options);

  // One audited answer that was accepted with this confidence. An answer below the threshold (accepted before it rose) says
  // nothing about what is accepted now and is left out.
  WatchVerdict add(double confidence, bool wrong);

  bool accepts(double confidence) const { return !alarmed_ && confidence >= threshold_; }
  double threshold() const { return threshold_; }
  bool alarmed() const { return alarmed_; }
  int raises() const { return raises_; }
  Interval error_rate() const { return sequence_.interval(); }
  int64_t audits() const { return sequence_.count(); }
  // After a person or a new calibration decided.
  void reset(double threshold);

 private:
  bool changed(bool wrong);
  WatchVerdict raise(bool change);
  std::optional<double> higher(size_t recent) const;  // by that many of the last audits
  void begin();

  struct Audit {
    double confidence;
    bool wrong;
  };
  WatchOptions options_;
  double threshold_;
  bool alarmed_ = false;
  int raises_ = 0;
  ConfidenceSequence sequence_;
  std::deque<Audit> audits_;
  double detectors_[3] = {};   // one for each of three sizes of change
  double evidence_ = 0;        // CUSUM: above 0 since the moment at which a change may have begun
  size_t since_ = 0;           // audits since then
};

}  // namespace ajar::learn
