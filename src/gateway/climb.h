#pragma once
// From a route to an answer: which targets, in which order, how often, and when to stop. On a ladder it climbs until an answer
// is allowed and good enough; elsewhere the first whole answer is.

#include <functional>
#include <memory>
#include <vector>

#include "gateway/audit.h"
#include "gateway/call.h"
#include "gateway/metrics.h"
#include "net/waiter.h"

namespace ajar {

// One try at one target, into a sink of its own. `context` is the attempt's. `request` is set where the attempt is judged: what
// is asked then differs from what the client asked (log probabilities, another seed).
using TryTarget = std::function<Task<Status>(const Target&, Context&, AttemptSink&, const Request* request)>;

class Climb {
 public:
  // `request`: the client's, of chats; it must outlive this.
  Climb(CallState& call, Metrics& metrics, std::string model, const Request* request, TryTarget try_target)
      : call_(call), metrics_(metrics), model_(std::move(model)), request_(request), try_target_(std::move(try_target)) {}

  // Ok: the winner gave a whole reply. An error with call.committed(): the reply broke off. Otherwise: nothing
  // was said to the client, and the error is the last target's, or kUnavailable when none could be tried.
  Task<Status> run();

  // What the judged attempts with a whole answer said, and a canary's that is not judged, for an audit.
  std::vector<Auditor::Judgement> judgements() const;

 private:
  struct Leg;
  Task<Status> attempt(const Target& target, Context& context);  // admission, one try, book-keeping
  Task<Status> hedge(const Target& first, const Target& second); // the second starts when the first is slow
  Task<> run_leg(Leg& leg, Waiter& done);
  Status admit(const Target& target, const std::optional<Price>& price);
  void draw();                                                   // whether the canary is asked first
  void note_trial(const Target& target, const Status& status, const AttemptSink& sink, double seconds, TimePoint from);
  void report(const Target& target, const Status& status, const AttemptSink& sink, TimePoint from);
  Task<bool> pause(int64_t tries, const Error& error);
  // Of ladders.
  Task<Verdict> agreement(const Target& target, Context& context, const std::optional<Price>& price, const AttemptSink& first, const Request& asked, const AttemptMode& mode);
  // What this target may be asked: the client's request, or the masked one. The error says why neither.
  Result<const Request*> form_for(const Target& target, AttemptMode& mode) const;
  Task<Status> judged_attempt(const Target& target, Context& context, std::optional<Price> price, TimePoint from, const Request& form, AttemptMode mode);
  Task<Status> stay();

  CallState& call_;
  Metrics& metrics_;
  const std::string model_;
  const Request* const request_;
  const TryTarget try_target_;
  AttemptSink* unsure_ = nullptr;  // the surest answer that was not good enough, where the route may give it after all
  std::vector<std::unique_ptr<AttemptSink>> sinks_;  // one per attempt; the winner is among them
};

// Empty, or why this target may not answer: the data's class (null: none), the model's licence, its queue. `masked`: personal data are
// replaced.
std::string not_allowed(const Route& route, const Target& target, const DataClassConfig* data, const std::string& model, bool masked = false);

// Why an attempt failed, in the words of fallback_on: "timeout", "connection", "rate_limit", "server_error",
// "auth", "not_found", "malformed", "invalid"; empty when the failure is not the target's.
std::string_view failure_reason(const Error& error);

}  // namespace ajar
