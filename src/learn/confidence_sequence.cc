#include "learn/confidence_sequence.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <vector>

namespace ajar::learn {
namespace {

double log_beta(double a, double b) { return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b); }
double times_log(double weight, double x) { return weight == 0 ? 0 : weight * std::log(x); }

// Error rates that the detector bets on, as multiples of alpha.
constexpr double kChanges[] = {1.5, 2.5, 5};

// How much likelier the outcome is at `rate` than at alpha; at most 1 on average where the true rate is at most alpha.
double likelihood_ratio(bool wrong, double rate, double alpha) { return wrong ? rate / alpha : (1 - rate) / (1 - alpha); }

}  // namespace

ConfidenceSequence::ConfidenceSequence(double delta, double guess)
    : delta_(delta), a_(2 * std::clamp(guess, 0.01, 0.99)), b_(2 - a_) {
  assert(delta > 0 && delta < 1);
}

Interval ConfidenceSequence::interval() const {
  if (count_ == 0) return {};
  const auto k = static_cast<double>(errors_), n = static_cast<double>(count_);
  const double mixture = log_beta(a_ + k, b_ + n - k) - log_beta(a_, b_);
  const auto log_martingale = [&](double rate) { return mixture - times_log(k, rate) - times_log(n - k, 1 - rate); };
  // It is least at the observed rate and grows to both sides.
  const auto edge = [&](double out) {
    double in = k / n;
    for (int i = 0; i < 40; ++i) {
      const double middle = (in + out) / 2;
      (log_martingale(middle) < -std::log(delta_) ? in : out) = middle;
    }
    return out;
  };
  return {errors_ == 0 ? 0 : edge(0), errors_ == count_ ? 1 : edge(1)};
}

ErrorWatch::ErrorWatch(double threshold, const WatchOptions& options)
    : options_(options), threshold_(threshold), sequence_(options.delta / 2, options.alpha) {
  assert(options.alpha > 0 && options.alpha < 1);
}

void ErrorWatch::begin() {
  // delta/2 + delta/6 + delta/12 + ...: all watches together err with probability delta at most.
  const double i = raises_ + 1;
  sequence_ = ConfidenceSequence(options_.delta / (i * (i + 1)), options_.alpha);
  std::ranges::fill(detectors_, 0);
  evidence_ = 0, since_ = 0;
}

void ErrorWatch::reset(double threshold) {
  threshold_ = threshold, alarmed_ = false, raises_ = 0;
  audits_.clear();
  begin();
}

bool ErrorWatch::changed(bool wrong) {
  double sum = 0;
  for (size_t i = 0; i < std::size(kChanges); ++i) {
    const double rate = std::min(kChanges[i] * options_.alpha, (1 + options_.alpha) / 2);
    detectors_[i] = (detectors_[i] + 1) * likelihood_ratio(wrong, rate, options_.alpha);
    sum += detectors_[i];
  }
  const double rate = std::min(kChanges[1] * options_.alpha, (1 + options_.alpha) / 2);
  evidence_ = std::max(0.0, evidence_ + std::log(likelihood_ratio(wrong, rate, options_.alpha)));
  since_ = evidence_ > 0 ? since_ + 1 : 0;
  return sum / static_cast<double>(std::size(kChanges)) >= options_.false_alarm_every;
}

WatchVerdict ErrorWatch::add(double confidence, bool wrong) {
  if (alarmed_) return WatchVerdict::kAlarm;
  if (confidence < threshold_) return WatchVerdict::kOpen;
  audits_.push_back({confidence, wrong});
  if (audits_.size() > options_.window) audits_.pop_front();
  sequence_.add(wrong);
  const bool change = changed(wrong);
  const Interval rate = sequence_.interval();
  if (change || rate.low > options_.alpha) return raise(change);
  return rate.high <= options_.alpha ? WatchVerdict::kFine : WatchVerdict::kOpen;
}

std::optional<double> ErrorWatch::higher(size_t recent) const {
  std::vector<Judged> judged;
  for (size_t i = audits_.size() - std::min(recent, audits_.size()); i < audits_.size(); ++i)
    judged.push_back({audits_[i].confidence, audits_[i].wrong ? 1.0 : 0.0});
  const auto chosen = choose_threshold(judged, {options_.alpha, options_.delta});
  if (!chosen || !chosen->found || chosen->found->threshold <= threshold_) return std::nullopt;
  return chosen->found->threshold;
}

WatchVerdict ErrorWatch::raise(bool change) {
  // After a change only what came since tells how things are now. Where that is too little, all audits do if even they, good
  // old ones among them, ask for more than today's threshold.
  std::optional<double> raised;
  if (change) raised = higher(since_);
  if (!raised) raised = higher(audits_.size());
  if (!raised) {
    alarmed_ = true;
    return WatchVerdict::kAlarm;
  }
  threshold_ = *raised;
  ++raises_;
  std::erase_if(audits_, [&](const Audit& a) { return a.confidence < threshold_; });
  begin();
  return WatchVerdict::kRaise;
}

}  // namespace ajar::learn
