#include "gateway/audit.h"

#include <algorithm>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "gateway/climb.h"
#include "net/loop.h"

namespace ajar {
namespace {

class FoldSink final : public Sink {
 public:
  Task<Status> write(EventBatch& events) override {
    fold.add(events);
    co_return Status();
  }
  Fold fold;
};

std::string text_of(const Reply& reply) { return reply.choices.empty() ? "" : reply.choices.front().text(); }

std::string question_of(const Request& request) {
  for (auto message = request.messages.rbegin(); message != request.messages.rend(); ++message) {
    if (message->role != Role::kUser) continue;
    std::string text;
    for (const Part& part : message->parts) text += part.kind == Part::Kind::kText ? part.text : "";
    return text;
  }
  return "";
}

}  // namespace

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
};

void Auditor::look(const CallState& call, const Request& request, std::vector<Judgement> judgements, std::optional<Reply> reference) {
  if (judgements.empty() || running_.fetch_add(1) >= kMaxRunning) {
    if (!judgements.empty()) --running_;
    return;
  }
  auto audit = std::make_unique<Case>(Case{.snapshot = call.snapshot, .route = call.route, .data = call.data, .request = request,
                                           .call_id = call.context.id, .key_id = call.context.caller.key_id,
                                           .judgements = std::move(judgements), .reference = std::move(reference)});
  Loop::current().spawn(run(std::move(audit)));
}

Task<> Auditor::run(std::unique_ptr<Case> audit) {
  if (!audit->reference) {
    const Target* top = top_of(*audit->route);
    if (top != nullptr) audit->reference = co_await ask(*audit, *top, *audit->route, audit->request);
  }
  if (audit->reference) {
    for (const Judgement& judgement : audit->judgements) {
      const auto alike = co_await same(*audit, judgement.reply, *audit->reference);
      if (alike) found(*audit, judgement, !*alike);
      else metrics_.audit(audit->route->config.name, judgement.target->name, "no_verdict");
    }
  }
  --running_;
}

Task<std::optional<Reply>> Auditor::ask(const Case& audit, const Target& target, const Route& route, const Request& request) {
  if (!not_allowed(route, target, audit.data, request.model).empty()) co_return std::nullopt;
  CancelToken token;
  Context context{.id = audit.call_id, .endpoint = "audit", .cancel = &token};
  context.deadline = after(route.config.total_timeout);
  FoldSink sink;
  const Status status = co_await target.provider->complete(request, route.limits, context, sink);
  if (!status) {
    metrics_.audit(route.config.name, target.name, "no_reference");
    co_return std::nullopt;
  }
  Reply reply = sink.fold.take();
  const auto price = target.price_of(target.model_for(request.model));
  metrics_.audit_cost(route.config.name, price ? price->cost(reply.usage) : 0);
  co_return reply;
}

Task<std::optional<bool>> Auditor::same(const Case& audit, const Reply& answer, const Reply& reference) {
  if (comparable(answer) == comparable(reference)) co_return true;
  if (audit.route->config.audit_judge.empty()) co_return false;
  const auto judge = audit.snapshot->find(audit.route->config.audit_judge);
  if (!judge || judge->targets.empty()) co_return std::nullopt;
  Request request{.model = judge->config.name};
  request.max_tokens = 16;
  request.sampling.temperature = 0;
  request.messages.push_back({.role = Role::kSystem, .parts = {Part{.text = "You compare two answers to the same question. Reply with one word: yes if they say the "
                                                                            "same thing, no if they do not."}}});
  request.messages.push_back({.role = Role::kUser, .parts = {Part{.text = "Question:\n" + question_of(audit.request) + "\n\nAnswer A:\n" + text_of(answer) +
                                                                          "\n\nAnswer B:\n" + text_of(reference) + "\n\nDo A and B say the same?"}}});
  const auto verdict = co_await ask(audit, judge->targets.back(), *judge, request);
  if (!verdict) co_return std::nullopt;
  std::string word = to_lower(trim(text_of(*verdict)));
  word.erase(std::ranges::find_if(word, [](char c) { return c < 'a' || c > 'z'; }), word.end());
  if (word == "yes") co_return true;
  if (word == "no") co_return false;
  co_return std::nullopt;  // nonsense is no verdict
}

void Auditor::found(const Case& audit, const Judgement& judgement, bool wrong) {
  const std::string& route = audit.route->config.name;
  const Target& target = *judgement.target;
  metrics_.audit(route, target.name, wrong ? "wrong" : "right");
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
