#pragma once
// What production says of a rung: its threshold, which rises by itself when audits prove that too many of its answers are wrong.
// Outlives the snapshots of a route. Any thread.

#include <atomic>
#include <mutex>
#include <string>

#include "learn/confidence_sequence.h"

namespace ajar {

class RungWatch {
 public:
  RungWatch(double accept, const learn::WatchOptions& options) : watch_(accept, options), accept_(accept) {}

  // Least confidence that is good enough now; above 1: nothing is.
  double accept() const { return accept_.load(std::memory_order_relaxed); }

  learn::WatchVerdict add(double confidence, bool wrong) {
    std::lock_guard guard(lock_);
    const auto verdict = watch_.add(confidence, wrong);
    accept_ = watch_.alarmed() ? 2.0 : watch_.threshold();
    return verdict;
  }

  struct View {
    double accept = 0;
    int64_t audits = 0;
    learn::Interval error_rate;
    int raises = 0;
    bool alarmed = false;
  };
  View view() const {
    std::lock_guard guard(lock_);
    return {.accept = watch_.threshold(), .audits = watch_.audits(), .error_rate = watch_.error_rate(), .raises = watch_.raises(),
            .alarmed = watch_.alarmed()};
  }

 private:
  mutable std::mutex lock_;  // guards watch_
  learn::ErrorWatch watch_;
  std::atomic<double> accept_;
};

}  // namespace ajar
