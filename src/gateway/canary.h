#pragma once
// A candidate for a route's first choice, tried on a share of its requests. What becomes of them and of the others is compared by an
// anytime-valid rule (learn/rate_comparison.h): a candidate that is proven worse gets no further request until a person starts it anew;
// one that is proven not worse is called so, and stays what it is. Latency and cost are reported, and decide nothing.
// One per route and candidate; outlives the route's snapshots. Any thread.

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/config.h"
#include "gateway/keep_pace.h"
#include "learn/bounds.h"
#include "learn/rate_comparison.h"
#include "store/store.h"

namespace ajar {

enum class CanaryState : uint8_t { kRunning, kPromotable, kRolledBack };
std::string_view canary_state_name(CanaryState state);  // "running", "promotable", "rolled_back"

// What became of one request, at whoever was asked first.
struct CanaryOutcome {
  bool error = false;         // the upstream failed, or a check of the answer did
  bool unsure = false;        // a judged rung was not sure enough: no error, the request climbed
  double first_seconds = 0;   // to its first words; of complete answers that the client got
  double seconds = 0;
  int64_t cost = 0;           // nano-dollars
  std::string_view result() const { return error ? "error" : unsure ? "unsure" : "good"; }
};

class Canary {
 public:
  struct Arm {
    learn::RateCount errors;
    learn::RateCount audits;  // answers compared with the top rung's, and how many of these say something else
    int64_t unsure = 0;
    int64_t answered = 0;     // that the sums below are of
    double first_seconds = 0, seconds = 0;
    int64_t cost = 0;
  };
  struct View {
    CanaryState state = CanaryState::kRunning;
    std::string reason;       // of a roll-back, or of the proof
    Arm usual, candidate;
    int64_t started_ms = 0, changed_ms = 0;
  };

  // `against`: what it is compared with. Where that changes, counting begins anew.
  explicit Canary(std::string against);
  void set_against(const std::string& against);

  bool open() const { return open_.load(std::memory_order_relaxed); }  // it may be asked
  // The state, where this outcome changed it.
  std::optional<CanaryState> add(bool of_candidate, const CanaryOutcome& outcome, const CanaryConfig& rule);
  std::optional<CanaryState> add_audit(bool of_candidate, bool differs, const CanaryConfig& rule);
  // By a person.
  void roll_back(std::string reason);
  void restart();

  View view() const;

  // Writes it down as of now. Blocks on the store.
  Status keep(store::Store& store, const std::string& route, const std::string& target) const;
  // True when something came since it last was, and at most once in a second. Without a time: whenever something came.
  bool due(TimePoint at = TimePoint::max());
  // Once, from what keep() wrote; later ones do nothing. kInvalid: not readable as such, and nothing changed.
  Status restore(const std::string& json);

 private:
  std::optional<CanaryState> conclude(const CanaryConfig& rule);
  void set_state(CanaryState state, std::string reason);
  void begin();
  std::string json() const;

  mutable std::mutex keep_lock_;  // what is written last is the newest
  mutable std::mutex lock_;       // guards all below
  View view_;
  std::string against_;
  bool restored_ = false;
  KeepPace pace_;
  std::atomic<bool> open_ = true;
};

// "7 of 62 failed or did not pass the checks, of the others' 12 of 1190", for logs and reports.
std::string canary_summary(const Canary::View& view, bool audits);

}  // namespace ajar
