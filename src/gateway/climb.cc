#include "gateway/climb.h"

#include <algorithm>

#include "base/random.h"
#include "gateway/privacy.h"
#include "net/loop.h"

namespace ajar {
namespace {

constexpr Millis kKeepAlive{5'000};  // a client whose answer is held back hears that often that its connection lives

constexpr size_t kMaxAttempts = 32;
constexpr std::string_view kBreakerOpen = "breaker_open";
constexpr std::string_view kCoolingDown = "cooling_down";
constexpr std::string_view kNotAllowed = "not_allowed";
constexpr double kSampleTemperature = 0.7;  // of further samples, where the request says none

bool falls_back(const RouteConfig& route, const Error& error) {
  if (error.type == kUnsure || error.type == kNotAllowed) return true;
  if (error.code == Code::kUnsupported || error.code == Code::kBudget || error.code == Code::kForbidden) {
    return true;  // this target could not be tried at all; another may
  }
  const std::string_view reason = failure_reason(error);
  if (reason.empty()) return false;
  if (route.fallback_on.empty()) return reason != "invalid";
  return std::ranges::find(route.fallback_on, reason) != route.fallback_on.end();
}

// Of the failures of several targets, the client is told the last of those that say most.
int says_more(const Error& error) {
  return error.type == kNotAllowed ? 0 : error.type == kUnsure ? 1 : error.type == kBreakerOpen ? 2 : 3;
}

// Trying the same target again helps against faults that pass; not against a slow or a rightly refusing one.
bool worth_repeating(const Error& error, bool last_target) {
  if (error.type == kBreakerOpen || error.type == kUnsure || error.type == kNotAllowed || error.code == Code::kUnsupported) return false;
  const std::string_view reason = failure_reason(error);
  if (reason == "connection" || reason == "server_error" || reason == "malformed") return true;
  return reason == "rate_limit" && last_target && error.retry_after_ms >= 0;
}

}  // namespace

std::string_view failure_reason(const Error& error) {
  switch (error.code) {
    case Code::kTimeout: return "timeout";
    case Code::kUnavailable: return error.upstream_status == 0 ? "connection" : "server_error";
    case Code::kRateLimit: return "rate_limit";
    case Code::kNotFound: return "not_found";
    case Code::kCut: return "malformed";
    case Code::kUpstream:
      if (error.upstream_status == 401 || error.upstream_status == 403) return "auth";
      return error.upstream_status >= 500 ? "server_error" : "malformed";
    case Code::kInvalid:
    case Code::kTooLarge:
    case Code::kUnsupported:
    case Code::kConflict:
    case Code::kMethod: return "invalid";
    default: return {};
  }
}

struct Climb::Leg {
  const Target* target;
  Context context;
  CancelToken token;
  Status status;
  bool started = false, done = false;
};

Task<Status> Climb::run() {
  const RouteConfig& route = call_.route->config;
  const auto& targets = call_.route->targets;
  const auto order = order_targets(*call_.route, model_,
                                   {.input = call_.input_estimate, .output = call_.output_reserved}, now());
  std::optional<Error> last;
  draw();
  if (call_.trial && call_.trial->candidate) {
    Status status = co_await attempt(call_.route->canary->target, call_.context);
    if (status || call_.committed()) co_return status;
    // Whatever failed: the usual line goes on as if it had not been asked.
    if (call_.context.cancelled()) co_return fail(Code::kCancelled, "the client left");
    if (now() >= call_.context.deadline) co_return status;
    last = std::move(status.error());
  }
  for (size_t at = 0; at < order.size(); ++at) {
    const Target& target = targets[order[at]];
    for (int64_t tries = 0;; ++tries) {
      Status status;
      if (route.hedge_after.count() > 0 && at + 1 < order.size() && tries == 0) {
        status = co_await hedge(target, targets[order[at + 1]]);
      } else {
        status = co_await attempt(target, call_.context);
      }
      if (status || call_.committed()) co_return status;
      const Error& error = status.error();
      if (!last || says_more(error) >= says_more(*last)) last = error;
      if (call_.context.cancelled()) co_return fail(Code::kCancelled, "the client left");
      if (now() >= call_.context.deadline) co_return status;
      if (!falls_back(route, error)) co_return status;
      const bool last_target = at + 1 == order.size();
      if (tries >= route.retries || !worth_repeating(error, last_target)) break;
      if (call_.attempts.size() >= kMaxAttempts || !co_await pause(tries, error)) break;
    }
  }
  if (call_.context.cancelled()) co_return fail(Code::kCancelled, "the client left");
  if (unsure_ != nullptr) co_return co_await stay();
  if (last->type == kNotAllowed) {
    last->message = "no model of the route '" + route.name + "' may answer: " + last->message;
  } else if (last->type == kUnsure) {
    last->message = "no model of the route '" + route.name + "' was sure enough of its answer (" + ladder_text(call_.attempts) + ")";
  }
  co_return std::unexpected(std::move(*last));
}

std::vector<Auditor::Judgement> Climb::judgements() const {
  std::vector<Auditor::Judgement> out;
  for (const auto& sink : sinks_) {
    const auto& verdict = sink->decided();
    if (sink->finish() == Finish::kNone) continue;
    if (call_.trial && !sink->judged() && &sink->target() == &call_.route->canary->target) {
      out.push_back({.target = &sink->target(), .reply = sink->held_reply(), .raw = -1, .confidence = -1, .accepted = true});
      continue;
    }
    if (!sink->judged() || !verdict || verdict->raw < 0) continue;
    out.push_back({.target = &sink->target(), .reply = sink->held_reply(), .raw = verdict->raw, .confidence = *verdict->confidence,
                   .accepted = verdict->accepted});
  }
  return out;
}

// Only calls that the candidate may answer count, on either side; the coin is thrown after that is known.
void Climb::draw() {
  const auto& candidate = call_.route->canary;
  if (!candidate || request_ == nullptr || call_.only_top || !candidate->canary->open()) return;
  AttemptMode mode;
  if (!form_for(candidate->target, mode)) return;
  const CanaryConfig& rule = call_.route->config.canary;
  call_.trial.emplace(CallState::Trial{.candidate = fast_uniform() < rule.share, .outcome = {}});
  call_.folded = call_.folded || !rule.checks.empty();
}

// What the rule learns of this call: how it went with whoever was asked first. A client that left, a budget, a policy say nothing.
void Climb::note_trial(const Target& target, const Status& status, const AttemptSink& sink, double seconds, TimePoint from) {
  if (!call_.trial || call_.trial->outcome || (&target == &call_.route->canary->target) != call_.trial->candidate) return;
  const bool unsure = !status && status.error().type == kUnsure;
  if (!status && !unsure && failure_reason(status.error()).empty()) return;
  CanaryOutcome outcome{.error = !status && !unsure, .seconds = seconds};
  outcome.cost = sink.cost(sink.usage(bool(status)));
  if (call_.winner == &sink) outcome.first_seconds = seconds_between(from, call_.first_event);
  if (status || unsure) {
    const Checks& checks = call_.route->canary_checks;
    const auto& verdict = sink.decided();
    // Sure enough, and not accepted all the same: a check of the rung, or a policy.
    const auto sure = [&](const Verdict& v) { return v.judged ? !v.confidence || *v.confidence >= v.accept : call_.route->config.doubt_stays; };
    const bool broke = verdict && !verdict->accepted && sure(*verdict);
    outcome.error = broke || (!checks.names.empty() && !failed_check(checks, *request_, sink.held_reply()).empty());
    outcome.unsure = unsure && !outcome.error;
  }
  call_.trial->outcome = outcome;
}

// Nobody better can be asked, and the route says that an unsure answer is better than none. The headers say what it is.
Task<Status> Climb::stay() {
  const Usage used = unsure_->usage(true);  // no longer wasted
  call_.wasted.input -= used.input, call_.wasted.output -= used.output;
  call_.wasted_cost -= unsure_->cost(used);
  AJAR_CO_TRY(co_await unsure_->flush());
  call_.attempts.push_back(unsure_->row("stayed"));
  co_return Status();
}

std::string not_allowed(const Route& route, const Target& target, const DataClassConfig* data, const std::string& model, bool masked) {
  if (data != nullptr) {
    if (auto why = forbidden(*data, target, masked); !why.empty()) return why;
  }
  const auto& licences = route.config.licences;
  if (!licences.empty() && std::ranges::find(licences, target.config.licence) == licences.end()) {
    return target.config.licence.empty() ? "its licence is not known" : "its licence is " + target.config.licence;
  }
  if (target.config.rung.max_wait.count() > 0) {
    const auto wait = target.provider->expected_wait(target.model_for(model));
    if (wait && *wait > target.config.rung.max_wait) return "it is busy for " + std::to_string(wait->count()) + " ms";
  }
  return {};
}

// The same question again, several times, and how many of the answers say what the first one says.
Task<Verdict> Climb::agreement(const Target& target, Context& context, const std::optional<Price>& price, const AttemptSink& first, const Request& asked, const AttemptMode& mode) {
  const std::string answer = comparable(first.held_reply());
  Request request = asked;
  if (request.sampling.temperature.value_or(0) == 0) request.sampling.temperature = kSampleTemperature;
  const int64_t samples = target.config.rung.samples;
  int64_t same = 1, asked_for = 1;
  for (; asked_for < samples && !context.cancelled(); ++asked_for) {
    // What the rest can still change is asked for, no more.
    if (target.probability(double(same + samples - asked_for) / double(samples)) < target.accept()) break;
    if (request.sampling.seed) request.sampling.seed = *request.sampling.seed + 1;
    AttemptSink& sink = *sinks_.emplace_back(std::make_unique<AttemptSink>(call_, target, price, context, mode));
    const Status status = co_await try_target_(target, context, sink, &request);
    const Usage used = sink.usage(bool(status));
    call_.wasted_cost += sink.cost(used);
    call_.wasted.input += used.input, call_.wasted.output += used.output;
    if (status && comparable(sink.held_reply()) == answer) ++same;
  }
  Verdict verdict{.raw = double(same) / double(samples), .accept = target.accept()};
  verdict.confidence = target.probability(verdict.raw);
  verdict.accepted = *verdict.confidence >= verdict.accept;
  verdict.why = std::to_string(same) + " of " + std::to_string(samples) + " samples agree";
  if (auto broken = failed_check(target.checks, *request_, first.held_reply()); !broken.empty()) {
    verdict.accepted = false;
    verdict.why = std::move(broken);
  }
  co_return verdict;
}

Result<const Request*> Climb::form_for(const Target& target, AttemptMode& mode) const {
  if (call_.only_top && target.judged) return fail(Code::kForbidden, "a policy wants a better rung");
  std::string why = not_allowed(*call_.route, target, call_.data, model_);
  if (why.empty()) return request_;
  if (call_.masking == nullptr || !not_allowed(*call_.route, target, call_.data, model_, true).empty()) return fail(Code::kForbidden, std::move(why));
  const Result<Request>& masked = call_.masking->masked();
  if (!masked) return fail(Code::kForbidden, why + ", and its personal data cannot be masked: " + masked.error().message);
  mode.masked = true;
  mode.values = call_.masking->values();
  return &*masked;
}

// Waits before another try: as long as Retry-After says, otherwise an exponential back-off with full jitter. False:
// waiting would take too long, or the client left.
Task<bool> Climb::pause(int64_t tries, const Error& error) {
  const RouteConfig& route = call_.route->config;
  Millis wait{int64_t(double(route.retry_backoff.count() << std::min<int64_t>(tries, 6)) * fast_uniform())};
  if (error.retry_after_ms >= 0) {
    // Never earlier than asked, and a little later so that clients do not return in step.
    wait = Millis(error.retry_after_ms) + Millis(int64_t(50 * fast_uniform()));
    if (wait > route.max_retry_wait) co_return false;
  }
  if (now() + wait >= call_.context.deadline) co_return false;
  const TimePoint from = now();
  const bool slept = co_await sleep_until(from + wait, *call_.context.cancel);
  call_.context.waited_since(from);
  co_return slept;
}

Status Climb::admit(const Target& target, const std::optional<Price>& price) {
  if (!call_.key) return {};
  if (!price && call_.key->has_money_budget()) {
    return fail(Code::kForbidden, "no price is known for " + target.name +
                                      ", and this key has a budget in dollars: set its price in the "
                                      "configuration ([providers.NAME.prices])");
  }
  // Reserved for the dearest target tried so far.
  Usage planned = call_.planned;
  planned.input = call_.input_estimate;
  planned.output = call_.output_reserved;
  const int64_t need = estimate_of(price, planned).usd;
  const int64_t more = need - call_.reservation.held().usd;
  return more > 0 ? call_.reservation.extend({.usd = more, .tokens = 0}) : Status();
}

Task<Status> Climb::attempt(const Target& target, Context& context) {
  const auto price = target.price_of(target.config.model.empty() ? model_ : target.config.model);
  AttemptMode mode;
  const auto form = form_for(target, mode);
  if (!form) {
    const std::string& why = form.error().message;
    call_.attempts.push_back({.target = target.name, .outcome = std::string(kNotAllowed), .why = why});
    metrics_.attempt(target.name, std::string(kNotAllowed), 0);
    co_return std::unexpected(Error{.code = Code::kForbidden, .message = target.name + ": " + why, .type = std::string(kNotAllowed)});
  }
  AJAR_CO_TRY(admit(target, price));
  const TimePoint from = now();
  if (!target.health->try_acquire(from)) {
    // A limit that the target announced stays a limit: the client may not take it for a failure.
    const bool cooling = target.health->state(from) == Health::State::kClosed;
    const std::string why(cooling ? kCoolingDown : kBreakerOpen);
    call_.attempts.push_back({.target = target.name, .outcome = why});
    metrics_.attempt(target.name, why, 0);
    const int64_t wait = target.health->retry_in(from).count();
    co_return std::unexpected(Error{
        .code = cooling ? Code::kRateLimit : Code::kUnavailable,
        .message = target.name + (cooling ? " is over its rate limit and asked to be left alone"
                                          : " is failing and is being left alone"),
        .type = why,
        .retry_after_ms = cooling ? wait : std::max<int64_t>(wait, 1000)});
  }
  if (target.judged && request_ != nullptr) co_return co_await judged_attempt(target, context, price, from, **form, mode);
  AttemptSink& sink = *sinks_.emplace_back(std::make_unique<AttemptSink>(call_, target, price, context, mode));
  Status status = co_await try_target_(target, context, sink, *form);
  if (status) status = co_await sink.flush();
  report(target, status, sink, from);
  co_return status;
}

// Asks with what the verdict needs, holds the answer, and lets it go or climbs on.
Task<Status> Climb::judged_attempt(const Target& target, Context& context, std::optional<Price> price, TimePoint from, const Request& form,
                                   AttemptMode mode) {
  const RungConfig& rung = target.config.rung;
  Request request = form;
  const bool wants_logprobs = rung.confidence == ConfidenceSource::kMargin || rung.confidence == ConfidenceSource::kLogprob ||
                              (target.score && target.score->uses_logprobs());
  const bool strip = wants_logprobs && !request.logprobs.value_or(false);
  if (wants_logprobs) {
    request.logprobs = true;
    request.top_logprobs = std::max<int64_t>(request.top_logprobs.value_or(0), 2);
  }
  context.confidence.reset();
  mode.judging.emplace(Judging{target, form, strip});
  if (request_->stream) call_.heart.start(call_.client, kKeepAlive);
  AttemptSink& sink = *sinks_.emplace_back(std::make_unique<AttemptSink>(call_, target, price, context, mode));
  Status status = co_await try_target_(target, context, sink, &request);
  if (status && !sink.decided()) {
    sink.decide(rung.confidence == ConfidenceSource::kAgree ? co_await agreement(target, context, price, sink, request, mode) : sink.verdict(true));
    if (sink.decided()->accepted) {
      status = co_await sink.flush();
    } else {
      status = std::unexpected(Error{.code = Code::kUnavailable, .message = target.name + " is unsure of its answer", .type = std::string(kUnsure)});
      const auto confidence = [](const AttemptSink& s) { return s.decided()->confidence.value_or(-1); };
      if (call_.route->config.stay && (unsure_ == nullptr || confidence(sink) > confidence(*unsure_))) unsure_ = &sink;
    }
  }
  report(target, status, sink, from);
  co_return status;
}

void Climb::report(const Target& target, const Status& status, const AttemptSink& sink, TimePoint from) {
  const TimePoint at = now();
  const bool won = call_.winner == &sink;
  const bool unsure = !status && status.error().type == kUnsure;
  const std::string outcome = status ? "complete" : unsure ? std::string(kUnsure) : std::string(code_name(status.error().code));
  const double seconds = seconds_between(from, at);
  store::AttemptRow row = sink.row(outcome);
  row.status = status || unsure ? 200 : status.error().upstream_status;
  row.seconds = seconds;
  if (sink.judged()) row.cost = sink.cost(sink.usage(bool(status) || unsure));
  call_.attempts.push_back(std::move(row));
  metrics_.attempt(target.name, outcome, seconds);
  note_trial(target, status, sink, seconds, from);
  // Who is left alone in the midst of its work is paid for what it was given.
  const bool left = !status && status.error().code == Code::kCancelled && sink.asked();
  if (!won && (sink.saw_anything() || left)) {
    const Usage used = sink.usage(unsure && sink.finish() != Finish::kNone);
    call_.wasted_cost += sink.cost(used);
    call_.wasted.input += used.input;
    call_.wasted.output += used.output;
  }
  if (status || unsure) {
    target.health->succeeded(won ? seconds_between(from, call_.first_event) : seconds, at);
    return;
  }
  const std::string_view reason = failure_reason(status.error());
  if (reason == "rate_limit") {
    // Not a fault; but asking again before it wants to be asked would be ours.
    target.health->abandoned();
    // A target that passes names on stands for many models, and a limit is one model's.
    if (status.error().retry_after_ms > 0 && !target.config.model.empty()) {
      target.health->cool_down(at + Millis(std::min<int64_t>(status.error().retry_after_ms, 60'000)));
    }
  } else if (reason.empty() || reason == "invalid" || reason == "not_found") {
    target.health->abandoned();
  } else {
    target.health->failed(at);
  }
}

Task<> Climb::run_leg(Leg& leg, Waiter& done) {
  leg.status = co_await attempt(*leg.target, leg.context);
  leg.done = true;
  done.wake_later(Wake::kReady);
}

Task<Status> Climb::hedge(const Target& first, const Target& second) {
  Leg legs[2] = {{.target = &first, .context = call_.context}, {.target = &second, .context = call_.context}};
  for (Leg& leg : legs) leg.context.cancel = &leg.token;
  Waiter waiter(Loop::current());
  const OnCancel parent(*call_.context.cancel, [&legs] {
    for (Leg& leg : legs) leg.token.cancel();
  });
  call_.on_commit = &waiter;
  const auto start = [&](Leg& leg) {
    leg.started = true;
    Loop::current().spawn(run_leg(leg, waiter));
  };
  start(legs[0]);
  const TimePoint hedge_at = now() + call_.route->config.hedge_after;
  while (!legs[0].done && !call_.committed() && now() < hedge_at) co_await waiter.wait(hedge_at);
  if (!legs[0].done && !call_.committed()) start(legs[1]);

  // Both legs must have ended before this frame may go; the one that lost is cut short.
  const auto running = [&] {
    return std::ranges::any_of(legs, [](const Leg& leg) { return leg.started && !leg.done; });
  };
  while (running()) {
    for (Leg& leg : legs) {
      const bool lost = call_.committed() && &call_.winner->cancel() != &leg.token;
      if (leg.started && !leg.done && lost) leg.token.cancel();
    }
    if (running()) co_await waiter.wait(kNever);
  }
  call_.on_commit = nullptr;
  Leg& deciding = call_.committed() ? (&call_.winner->cancel() == &legs[1].token ? legs[1] : legs[0])
                                    : (legs[1].started ? legs[1] : legs[0]);
  call_.context.upstream_wait += deciding.context.upstream_wait;
  co_return std::move(deciding.status);
}

}  // namespace ajar
