#pragma once
// From a route to an answer: which targets, in which order, how often, and when to stop. The later ladder decides
// here whether a rung's answer is good enough; today the first whole answer is.

#include <functional>
#include <memory>
#include <vector>

#include "gateway/call.h"
#include "gateway/metrics.h"
#include "net/waiter.h"

namespace ajar {

// One try at one target, into a sink of its own. `context` is the attempt's.
using TryTarget = std::function<Task<Status>(const Target&, Context&, AttemptSink&)>;

class Climb {
 public:
  Climb(CallState& call, Metrics& metrics, std::string model, TryTarget try_target)
      : call_(call), metrics_(metrics), model_(std::move(model)), try_target_(std::move(try_target)) {}

  // Ok: the winner gave a whole reply. An error with call.committed(): the reply broke off. Otherwise: nothing
  // was said to the client, and the error is the last target's, or kUnavailable when none could be tried.
  Task<Status> run();

 private:
  struct Leg;
  Task<Status> attempt(const Target& target, Context& context);  // admission, one try, book-keeping
  Task<Status> hedge(const Target& first, const Target& second); // the second starts when the first is slow
  Task<> run_leg(Leg& leg, Waiter& done);
  Status admit(const Target& target, const std::optional<Price>& price);
  void report(const Target& target, const Status& status, const AttemptSink& sink, TimePoint from);
  Task<bool> pause(int64_t tries, const Error& error);

  CallState& call_;
  Metrics& metrics_;
  const std::string model_;
  const TryTarget try_target_;
  std::vector<std::unique_ptr<AttemptSink>> sinks_;  // one per attempt; the winner is among them
};

// Why an attempt failed, in the words of fallback_on: "timeout", "connection", "rate_limit", "server_error",
// "auth", "not_found", "malformed", "invalid"; empty when the failure is not the target's.
std::string_view failure_reason(const Error& error);

}  // namespace ajar
