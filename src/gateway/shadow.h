#pragma once
// A candidate that is asked what a route was asked, after the client has its answer: how often it says the same, what it costs, how long it
// takes, how often it fails. It changes neither the answer nor its time nor the client's bill.

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "gateway/keep_pace.h"
#include "gateway/aside.h"
#include "gateway/call.h"
#include "gateway/metrics.h"
#include "gateway/privacy.h"
#include "learn/rate_comparison.h"
#include "store/store.h"

namespace ajar {

// The answer that a client was given.
struct Given {
  double first_seconds = 0, seconds = 0;
  int64_t cost = 0;  // nano-dollars
};

// What one candidate of one route has shown; outlives the route's snapshots. Any thread.
class ShadowLog {
 public:
  struct View {
    learn::RateCount compared;     // and how many of these say something else than the answer that was given
    int64_t failed = 0, no_verdict = 0;
    int64_t busy = 0, withheld = 0;  // not asked: too many at once, or the data may not go there
    int64_t answered = 0;          // that the sums below are of, on both sides
    int64_t cost = 0, given_cost = 0, judge_cost = 0;  // nano-dollars
    double first_seconds = 0, given_first_seconds = 0, seconds = 0, given_seconds = 0;
    int64_t started_ms = 0;
  };
  ShadowLog();
  template <class F>
  void change(F f) {
    std::lock_guard guard(lock_);
    f(view_);
    pace_.add();
  }
  View view() const;
  void restart();

  // At most so many at once; leave() ends one that enter() let in.
  bool enter(int64_t most);
  void leave() { --running_; }

  Status keep(store::Store& store, const std::string& route, const std::string& target) const;
  bool due(TimePoint at = TimePoint::max());  // as Canary
  Status restore(const std::string& json);

 private:
  std::string json() const;
  mutable std::mutex keep_lock_;  // what is written last is the newest
  mutable std::mutex lock_;       // guards all below
  View view_;
  bool restored_ = false;
  KeepPace pace_;
  std::atomic<int64_t> running_ = 0;
};

class Shadows {
 public:
  static constexpr int kMaxRunning = 64;  // of all routes together

  Shadows(store::Store& store, Metrics& metrics, const Privacy& privacy) : store_(store), metrics_(metrics), privacy_(privacy) {}

  // Before the climb: whether this call's answer will be looked at. Then it is folded until the call's end.
  bool draw(CallState& call) const;
  // After the call's end, on its loop: asks the candidate in a task of its own. The call has a winner.
  void look(const CallState& call, const Request& request, const Given& given);

  int running() const { return running_; }

 private:
  struct Case;
  Task<> run(std::unique_ptr<Case> shadow);
  bool enter(const Route& route);
  void leave(const Route& route, const Result<AsideReply>* answer);  // null: it was not asked after all
  void count(const Route& route, std::string_view result);

  store::Store& store_;
  Metrics& metrics_;
  const Privacy& privacy_;
  std::atomic<int> running_ = 0;
};

}  // namespace ajar
