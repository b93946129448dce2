#pragma once
// Guardrails on one call: its request is judged before anybody sees it, its answer while it passes.

#include <memory>
#include <optional>

#include "gateway/call.h"
#include "guard/output_guard.h"
#include "guard/policy.h"

namespace ajar {

// The request as its route's input policies leave it: perhaps rewritten. kFiltered: refused, with the policy and the rule in the message and in
// the call's log. A policy that wants a better rung sets call.only_top.
Status judge_request(CallState& call, Request& request);

// What the output policies of this route say of a whole answer that is still held; true: the rung may not give it.
bool wants_climb(const Route& route, const Reply& reply, std::string& why);

// Stands before the client: lets pass what output policies let pass. A refused choice ends with the finish reason content_filter; when all are,
// what else the upstream says is dropped.
class PolicySink final : public ReplySink {
 public:
  explicit PolicySink(CallState& call);
  ~PolicySink() override;

  void begin(const Answered& answered) override { client_.begin(answered); }
  Task<Status> write(EventBatch& events) override;
  Task<Status> keep_alive() override { co_return co_await client_.keep_alive(); }
  Task<int> finish(StreamEnd end, const Error* error, const store::CallRow& row) override;
  // After the call's end on the upstream's side: what was still held, and the reasons into the call's log.
  Task<Status> flush();
  bool refused() const { return guard_.refused(); }

 private:
  CallState& call_;
  ReplySink& client_;
  guard::OutputGuard guard_;
  bool flushed_ = false;
};

}  // namespace ajar
