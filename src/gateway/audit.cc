#include "gateway/audit.h"

#include <algorithm>

#include "base/log.h"
#include "base/random.h"
#include "gateway/aside.h"
#include "gateway/trial.h"
#include "net/loop.h"

namespace ajar {

const Target* top_of(const Route& route) {
  return !route.targets.empty() && !route.targets.back().judged ? &route.targets.back() : nullptr;
}

struct Auditor::Case {
  std::shared_ptr<const Snapshot> snapshot;
  std::shared_ptr<const Route> route;
  const DataClassConfig* data = nullptr;
  Request request;
  std::string call_id, key_id;
  std::vector<Judgement> judgements;
  std::optional<Reply> reference;
  std::optional<bool> trial;  // a canary could have answered, and did
};

void Auditor::look(const CallState& call, const Request& request, std::vector<Judgement> judgements, std::optional<Reply> reference) {
  if (judgements.empty() || running_.fetch_add(1) >= kMaxRunning) {
    if (!judgements.empty()) --running_;
    return;
  }
  auto audit = std::make_unique<Case>(Case{.snapshot = call.snapshot, .route = call.route, .data = call.data, .request = request,
                                           .call_id = call.context.id, .key_id = call.context.caller.key_id,
                                           .judgements = std::move(judgements), .reference = std::move(reference),
                                           .trial = {}});
  if (call.trial) audit->trial = call.trial->candidate;
  Loop::current().spawn(run(std::move(audit)));
}

Task<> Auditor::run(std::unique_ptr<Case> audit) {
  const Route& route = *audit->route;
  if (const Target* top = top_of(route); !audit->reference && top != nullptr) {
    auto asked = co_await ask_aside(*top, route, audit->data, audit->request, audit->call_id, "audit");
    if (asked) metrics_.audit_cost(route.config.name, asked->cost);
    else if (asked.error().code != Code::kForbidden) metrics_.audit(route.config.name, top->name, "no_reference");
    if (asked) audit->reference = std::move(asked->reply);
  }
  if (audit->reference) {
    for (const Judgement& judgement : audit->judgements) {
      const auto alike = co_await compare_aside(*audit->snapshot, route, audit->data, audit->request, judgement.reply, *audit->reference, audit->call_id, "audit");
      if (alike.cost > 0) metrics_.audit_cost(route.config.name, alike.cost);
      if (alike.same) found(*audit, judgement, !*alike.same);
      else metrics_.audit(route.config.name, judgement.target->name, "no_verdict");
    }
  }
  --running_;
}

// Audits of the canary's accepted answers, and of the first rung's where it was asked first.
void Auditor::note_trial(const Case& audit, const Target& target, bool wrong) {
  if (!audit.trial || &target != (*audit.trial ? &audit.route->canary->target : &audit.route->targets.front())) return;
  note_canary(store_, *audit.route, audit.route->canary->canary->add_audit(*audit.trial, wrong, audit.route->config.canary));
}

void Auditor::found(const Case& audit, const Judgement& judgement, bool wrong) {
  const std::string& route = audit.route->config.name;
  const Target& target = *judgement.target;
  metrics_.audit(route, target.name, wrong ? "wrong" : "right");
  if (judgement.accepted) note_trial(audit, target, wrong);
  if (judgement.raw < 0) return;
  if (judgement.accepted && target.watch) {
    const auto verdict = target.watch->add(judgement.confidence, wrong);
    const auto view = target.watch->view();
    if (verdict == learn::WatchVerdict::kRaise) {
      log_warn("route " + route + ": more than " + std::to_string(audit.route->config.alpha) + " of the accepted answers of " + target.name +
               " are wrong; it now needs a confidence of " + std::to_string(view.accept));
    } else if (verdict == learn::WatchVerdict::kAlarm) {
      log_error("route " + route + ": no threshold keeps the answers of " + target.name + " right often enough; nothing of it is accepted until "
                "a new calibration");
    }
  }
  store::EvidenceRow row{.time_ms = unix_millis(), .call_id = audit.call_id, .key_id = audit.key_id, .route = route, .target = target.name,
                         .source = judgement.accepted ? "audit" : "climb", .raw = judgement.raw, .confidence = judgement.confidence,
                         .accepted = judgement.accepted, .loss = wrong ? 1.0 : 0.0};
  Loop::current().background([&store = store_, row = std::move(row)] {
    if (auto kept = store.put_evidence(row); !kept) log_warn("evidence about " + row.target + " could not be kept: " + kept.error().message);
  });
}

}  // namespace ajar
