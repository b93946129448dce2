#include "gateway/policies.h"

#include "core/reply.h"

namespace ajar {
namespace {

// A verdict's reasons as rows of the call's log: "policy NAME", what was done, by which rule and where.
void note(CallState& call, const guard::Verdict& verdict) {
  constexpr size_t kMost = 8;
  for (size_t i = 0; i < std::min(kMost, verdict.reasons.size()); ++i) {
    const guard::Reason& reason = verdict.reasons[i];
    const bool observed = reason.mode == guard::Mode::kObserve || reason.action == guard::Action::kAllow;
    call.policies.push_back({.target = "policy " + reason.policy, .outcome = observed ? "observed" : std::string(action_name(reason.action)),
                             .why = reason.rule + " at " + reason.where});
  }
}

}  // namespace

Status judge_request(CallState& call, Request& request) {
  const auto& guard = call.route->guard;
  if (!guard || !guard->has_input()) return {};
  const guard::Verdict verdict = guard->judge_input(request);
  note(call, verdict);
  if (verdict.action == guard::Action::kClimb) call.only_top = true;
  if (verdict.action != guard::Action::kRefuse) return {};
  for (const guard::Reason& reason : verdict.reasons) {
    if (reason.action != guard::Action::kRefuse || reason.mode == guard::Mode::kObserve) continue;
    return std::unexpected(Error{.code = Code::kFiltered, .message = "the policy '" + reason.policy + "' refuses this request (" + reason.rule + ")",
                                 .field = reason.where, .type = "content_policy"});
  }
  return fail(Code::kFiltered, "a policy refuses this request");
}

bool wants_climb(const Route& route, const Reply& reply, std::string& why) {
  if (!route.guard || !route.guard->has_output()) return false;
  guard::OutputGuard guard(route.guard);
  EventBatch events = unfold(reply);
  guard.judge(events);
  guard.finish(events);
  if (guard.verdict().action != guard::Action::kClimb) return false;
  for (const guard::Reason& reason : guard.verdict().reasons) {
    if (reason.action == guard::Action::kClimb) why = "policy " + reason.policy + ": " + reason.rule;
  }
  return true;
}

PolicySink::PolicySink(CallState& call) : call_(call), client_(*call.client), guard_(call.route->guard) { call_.client = this; }

PolicySink::~PolicySink() { call_.client = &client_; }

Task<Status> PolicySink::write(EventBatch& events) {
  guard_.judge(events);
  if (events.empty()) co_return Status();
  co_return co_await client_.write(events);
}

Task<Status> PolicySink::flush() {
  if (flushed_) co_return Status();
  flushed_ = true;
  EventBatch rest;
  guard_.finish(rest);
  note(call_, guard_.verdict());
  if (rest.empty()) co_return Status();
  co_return co_await client_.write(rest);
}

Task<int> PolicySink::finish(StreamEnd end, const Error* error, const store::CallRow& row) {
  if (end != StreamEnd::kCancelled) (void)co_await flush();  // a client that is gone is told so by finish
  co_return co_await client_.finish(end, error, row);
}

}  // namespace ajar
