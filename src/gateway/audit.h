#pragma once
// A random share of calls is looked at again: answers of judged rungs are compared with the top rung's. What is found goes to the
// store, for calibration, and to the rung's watch, which raises its threshold when the guarantee is broken.

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/reply.h"
#include "gateway/call.h"
#include "gateway/metrics.h"
#include "store/store.h"

namespace ajar {

class Auditor {
 public:
  static constexpr int kMaxRunning = 8;  // comparisons at once; what comes beyond is left out

  Auditor(store::Store& store, Metrics& metrics) : store_(store), metrics_(metrics) {}

  // What the call's judged attempts said.
  struct Judgement {
    const Target* target = nullptr;
    Reply reply;
    double raw = 0, confidence = 0;  // below 0: it is not judged, and only looked at because it is a canary's
    bool accepted = false;
  };
  // After the call's end, on its loop: compares in a task of its own. `reference`: the top rung's answer, where the call climbed to it;
  // otherwise the top rung is asked. The call's route and snapshot are kept until then.
  void look(const CallState& call, const Request& request, std::vector<Judgement> judgements, std::optional<Reply> reference);

  int running() const { return running_; }

 private:
  struct Case;
  Task<> run(std::unique_ptr<Case> audit);
  void note_trial(const Case& audit, const Target& target, bool wrong);
  void found(const Case& audit, const Judgement& judgement, bool wrong);

  store::Store& store_;
  Metrics& metrics_;
  std::atomic<int> running_ = 0;
};

// The rung that others are compared with: the last that is not judged, and null where there is none.
const Target* top_of(const Route& route);

}  // namespace ajar
