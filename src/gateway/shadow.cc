#include "gateway/shadow.h"

#include "base/log.h"
#include "base/random.h"
#include "gateway/aside.h"
#include "gateway/climb.h"
#include "gateway/trial.h"
#include "json/read.h"
#include "json/write.h"
#include "net/loop.h"

namespace ajar {
namespace {

struct Number {
  std::string_view name;
  int64_t ShadowLog::View::* member;
};
constexpr Number kNumbers[] = {{"failed", &ShadowLog::View::failed},         {"no_verdict", &ShadowLog::View::no_verdict},
                               {"busy", &ShadowLog::View::busy},             {"withheld", &ShadowLog::View::withheld},
                               {"answered", &ShadowLog::View::answered},     {"cost", &ShadowLog::View::cost},
                               {"given_cost", &ShadowLog::View::given_cost}, {"judge_cost", &ShadowLog::View::judge_cost},
                               {"started_ms", &ShadowLog::View::started_ms}};
struct Duration {
  std::string_view name;
  double ShadowLog::View::* member;
};
constexpr Duration kDurations[] = {{"first_seconds", &ShadowLog::View::first_seconds}, {"given_first_seconds", &ShadowLog::View::given_first_seconds},
                                   {"seconds", &ShadowLog::View::seconds},             {"given_seconds", &ShadowLog::View::given_seconds}};

// Both answers as the client would see them.
Reply restored(const guard::Pseudonyms& pseudonyms, const Reply& reply) {
  guard::Restorer restorer(pseudonyms);
  EventBatch events = unfold(reply);
  restorer.restore(events);
  restorer.finish(events);
  Fold fold;
  fold.add(events);
  Reply out = fold.take();
  out.usage = reply.usage;
  return out;
}

}  // namespace

ShadowLog::ShadowLog() { view_.started_ms = unix_millis(); }

ShadowLog::View ShadowLog::view() const {
  std::lock_guard guard(lock_);
  return view_;
}

void ShadowLog::restart() {
  change([](View& view) { view = {.started_ms = unix_millis()}; });
}

bool ShadowLog::enter(int64_t most) {
  if (running_.fetch_add(1) < most) return true;
  --running_;
  return false;
}

bool ShadowLog::due(TimePoint at) {
  std::lock_guard guard(lock_);
  return pace_.due(at);
}

std::string ShadowLog::json() const {
  const View view = this->view();
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("compared", view.compared.count);
  w.field("differed", view.compared.errors);
  for (const Number& number : kNumbers) w.field(number.name, view.*number.member);
  for (const Duration& duration : kDurations) w.field(duration.name, view.*duration.member);
  w.end_object();
  return out;
}

Status ShadowLog::keep(store::Store& store, const std::string& route, const std::string& target) const {
  std::lock_guard guard(keep_lock_);
  return store.put_trial({.kind = "shadow", .route = route, .target = target, .state = json(), .time_ms = unix_millis()});
}

Status ShadowLog::restore(const std::string& text) {
  json::Document document;
  AJAR_ASSIGN(const json::Object object, document.parse_object(text));
  View view;
  view.compared = {json::int_or(object, "compared"), json::int_or(object, "differed")};
  if (view.compared.errors < 0 || view.compared.errors > view.compared.count) return invalid("differed", "must be a part of what was compared");
  for (const Number& number : kNumbers) view.*number.member = json::int_or(object, number.name);
  for (const Duration& duration : kDurations) {
    const auto value = json::find(object, duration.name);
    view.*duration.member = value ? json::as_double(*value).value_or(0) : 0;
  }
  std::lock_guard guard(lock_);
  if (restored_) return {};
  restored_ = true;
  view_ = view;
  return {};
}

struct Shadows::Case {
  std::shared_ptr<const Snapshot> snapshot;
  std::shared_ptr<const Route> route;
  const DataClassConfig* data = nullptr;
  Request request;
  std::string call_id;
  Request asked;                  // the same, with personal data replaced where that must be
  Reply reply;
  Given given;
  std::unique_ptr<guard::Pseudonyms> pseudonyms;  // where the request is masked
};

void Shadows::count(const Route& route, std::string_view result) {
  const Candidate& candidate = *route.shadow;
  metrics_.shadow(route.config.name, candidate.target.name, result);
  if (candidate.log->due(now())) keep_in_background(store_, "shadow", candidate.log, route.config.name, candidate.target.name);
}

bool Shadows::draw(CallState& call) const {
  const auto& route = *call.route;
  if (!route.shadow || fast_uniform() >= route.config.shadow.share) return false;
  call.folded = true;
  return true;
}

void Shadows::look(const CallState& call, const Request& request, const Given& given) {
  const Route& route = *call.route;
  const Candidate& candidate = *route.shadow;
  const auto withhold = [&] {
    candidate.log->change([](ShadowLog::View& view) { ++view.withheld; });
    count(route, "withheld");
  };
  if (call.data != nullptr && !call.data->cache) return withhold();  // what may not be kept may not be used either
  auto shadow = std::make_unique<Case>();
  if (!not_allowed(route, candidate.target, call.data, call.model).empty()) {
    if (!not_allowed(route, candidate.target, call.data, call.model, true).empty()) return withhold();
    shadow->pseudonyms = std::make_unique<guard::Pseudonyms>(privacy_.scanner, tenant_key(privacy_, call));
  }
  if (!enter(route)) {
    candidate.log->change([](ShadowLog::View& view) { ++view.busy; });
    return count(route, "busy");
  }
  shadow->snapshot = call.snapshot;
  shadow->route = call.route;
  shadow->data = call.data;
  shadow->request = shadow->asked = request;
  shadow->call_id = call.context.id;
  shadow->reply = call.winner->held_reply();
  shadow->given = given;
  Loop::current().spawn(run(std::move(shadow)));
}

// A place among those that run, and the candidate's breaker: one that fails is left alone for a while.
bool Shadows::enter(const Route& route) {
  const Candidate& candidate = *route.shadow;
  if (running_.fetch_add(1) < kMaxRunning) {
    if (candidate.log->enter(route.config.shadow.max_running)) {
      if (candidate.target.health->try_acquire(now())) return true;
      candidate.log->leave();
    }
  }
  --running_;
  return false;
}

void Shadows::leave(const Route& route, const Result<AsideReply>* answer) {
  const Candidate& candidate = *route.shadow;
  if (answer == nullptr) candidate.target.health->abandoned();
  else if (*answer) candidate.target.health->succeeded((*answer)->first_seconds, now());
  else if (const auto reason = failure_reason(answer->error()); reason.empty() || reason == "invalid") candidate.target.health->abandoned();
  else candidate.target.health->failed(now());
  candidate.log->leave();
  --running_;
}

Task<> Shadows::run(std::unique_ptr<Case> shadow) {
  const Route& route = *shadow->route;
  const Candidate& candidate = *route.shadow;
  const bool masked = shadow->pseudonyms != nullptr;
  std::string_view result = "withheld";
  if (!masked || shadow->pseudonyms->mask(shadow->asked)) {
    const auto answer = co_await ask_aside(candidate.target, route, shadow->data, shadow->asked, shadow->call_id, "shadow", masked);
    leave(route, &answer);
    if (answer) {
      const Reply theirs = masked ? restored(*shadow->pseudonyms, answer->reply) : answer->reply;
      const Reply ours = masked ? restored(*shadow->pseudonyms, shadow->reply) : shadow->reply;
      const Sameness sameness = co_await compare_aside(*shadow->snapshot, route, shadow->data, shadow->request, theirs, ours, shadow->call_id, "shadow");
      metrics_.shadow_cost(route.config.name, candidate.target.name, answer->cost + sameness.cost);
      candidate.log->change([&](ShadowLog::View& view) {
        ++view.answered;
        view.cost += answer->cost, view.given_cost += shadow->given.cost, view.judge_cost += sameness.cost;
        view.first_seconds += answer->first_seconds, view.given_first_seconds += shadow->given.first_seconds;
        view.seconds += answer->seconds, view.given_seconds += shadow->given.seconds;
        if (sameness.same) ++view.compared.count, view.compared.errors += !*sameness.same;
        else ++view.no_verdict;
      });
      result = !sameness.same ? "no_verdict" : *sameness.same ? "same" : "different";
    } else {
      candidate.log->change([](ShadowLog::View& view) { ++view.failed; });
      result = "failed";
    }
  } else {
    leave(route, nullptr);
    candidate.log->change([](ShadowLog::View& view) { ++view.withheld; });
  }
  count(route, result);
}

}  // namespace ajar
