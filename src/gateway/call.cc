#include "gateway/call.h"

#include <algorithm>
#include <cstdio>

#include "gateway/estimate.h"
#include "gateway/policies.h"

namespace ajar {
namespace {

constexpr size_t kMaxHeld = 64;          // events; more without saying anything is not a start
constexpr int64_t kReserveStep = 512;    // tokens by which a reservation grows
constexpr size_t kMaxHeldBytes = 8 << 20; // of an answer that is held for its verdict; then it is decided on what is there

bool says_something(const Event& event) {
  switch (event.kind) {
    case Event::Kind::kStart:
    case Event::Kind::kUsage:
    case Event::Kind::kExtra: return false;
    case Event::Kind::kText:
    case Event::Kind::kThought: return !event.text.empty();
    default: return true;
  }
}

}  // namespace

Estimate estimate_of(const std::optional<Price>& price, const Usage& usage) {
  return {.usd = price ? price->cost(usage) : 0, .tokens = usage.total()};
}

void AttemptSink::meter(const Event& event) {
  saw_anything_ = true;
  switch (event.kind) {
    case Event::Kind::kStart: model_ = event.name, reply_id_ = event.id; break;
    case Event::Kind::kUsage: metered_.reported.merge(event.usage); break;
    case Event::Kind::kStop: finish_ = event.finish; break;
    case Event::Kind::kText:
    case Event::Kind::kRefusal:
    case Event::Kind::kThought:
    case Event::Kind::kToolArgs:
      metered_.bytes += int64_t(event.text.size());
      metered_.wide += count_wide_bytes(event.text);
      break;
    case Event::Kind::kToolCall: metered_.bytes += int64_t(event.name.size()) + 16; break;
    default: break;
  }
}

int64_t AttemptSink::output_so_far() const {
  // About four ASCII bytes, or two and a half of other scripts, to a token.
  return (metered_.bytes - metered_.wide + 3) / 4 + (metered_.wide * 2 + 4) / 5;
}

Usage AttemptSink::usage(bool complete) const {
  Usage usage = metered_.reported;
  if (complete && metered_.reported.reported) return usage;
  // Anthropic reports one output token at the start; a stream that broke off has written more.
  usage.output = std::max(usage.output, output_so_far());
  if (usage.input == 0) usage.input = call_.input_estimate;
  usage.characters = std::max(usage.characters, call_.planned.characters);  // a text to be spoken was taken whole
  usage.reported = false;
  usage.clamp();
  return usage;
}

Status AttemptSink::cover() {
  const int64_t output = std::max(metered_.reported.output, output_so_far());
  if (!call_.key || output <= call_.output_reserved) return {};
  const int64_t step = output - call_.output_reserved + kReserveStep;
  AJAR_TRY(call_.reservation.extend(estimate_of(price_, Usage{.output = step})));
  call_.output_reserved += step;
  return {};
}

Status AttemptSink::commit() {
  if (call_.winner != nullptr) return fail(Code::kCancelled, "another attempt answered first");
  call_.winner = this;
  call_.reply_id = reply_id_;
  call_.first_event = now();
  const TimePoint spoke = spoke_ == TimePoint{} ? call_.first_event : spoke_;
  call_.added_seconds = seconds_between(call_.first_attempt, call_.first_event) - seconds_between(began_, spoke);
  if (call_.on_commit) call_.on_commit->wake_later(Wake::kReady);
  Answered answered{.route = call_.route->config.name, .target = target_.name, .attempts = call_.attempts.size() + 1,
                    .simulator = target_.simulator, .cache = call_.cache, .cache_id = call_.cache_id,
                    .sure = !decided_ || decided_->accepted};
  // What an inner rung said of data that it saw as they are is not kept with answers to masked ones.
  answered.keep = answered.sure && (call_.masking == nullptr || mode_.masked);
  // What a candidate said must not outlive it.
  if (call_.route->canary && &target_ == &call_.route->canary->target) answered.keep = false;
  if (call_.route->config.strategy == Strategy::kLadder) {
    auto attempts = call_.attempts;
    attempts.push_back(row(answered.sure ? "complete" : "stayed"));
    answered.ladder = ladder_text(attempts);
  }
  call_.client->begin(answered);
  return {};
}

store::AttemptRow AttemptSink::row(std::string outcome) const {
  store::AttemptRow row{.target = target_.name, .outcome = std::move(outcome)};
  if (mode_.masked) row.why = std::to_string(mode_.values) + " values masked";
  if (decided_) {
    row.confidence = decided_->confidence.value_or(-1);
    row.accept = decided_->confidence ? decided_->accept : -1;
    if (!decided_->why.empty()) row.why = decided_->why + (row.why.empty() ? "" : ", ") + row.why;
    row.raw = decided_->raw;
  }
  return row;
}

std::string ladder_text(const std::vector<store::AttemptRow>& attempts) {
  std::string out;
  const auto number = [](double value) {
    char text[16];
    std::snprintf(text, sizeof text, "%.3f", value);
    return std::string(text);
  };
  for (const store::AttemptRow& a : attempts) {
    if (!out.empty()) out += "; ";
    out += a.target + " " + a.outcome;
    if (a.confidence >= 0) out += " " + number(a.confidence);
    if (a.confidence >= 0 && a.accept >= 0) out += (a.confidence >= a.accept ? " >= " : " < ") + number(a.accept);
    if (!a.why.empty()) out += " (" + a.why + ")";
  }
  for (char& c : out) {
    if (c < ' ' || c >= 0x7f) c = '?';  // a header's
  }
  return out;
}

// What the rung's model of right and wrong answers says of this one. Of an answer without words nothing.
std::optional<double> AttemptSink::learned() const {
  const Reply& reply = fold_.reply();
  const std::string answer = reply.choices.empty() ? "" : reply.choices.front().text();
  if (answer.empty() || !target_.score) return std::nullopt;
  const std::string question = question_of(judging_->request);
  return (*target_.score)({.prompt = question, .answer = answer, .logprobs = facts_.logprobs, .margins = facts_.margins, .entropies = {}, .samples = {},
                           .failed_checks = {}});
}

// The confidence that the rung's source gives, and the checks of a whole answer.
Verdict AttemptSink::verdict(bool whole) const {
  if (!judging_) return {.accepted = true};
  const RungConfig& rung = target_.config.rung;
  Verdict verdict;
  switch (rung.confidence) {
    case ConfidenceSource::kNone: break;
    case ConfidenceSource::kOwn: verdict.confidence = context_.confidence; break;
    case ConfidenceSource::kMargin: verdict.confidence = facts_.margin(); break;
    case ConfidenceSource::kLogprob: verdict.confidence = facts_.logprob(); break;
    case ConfidenceSource::kAgree: break;  // Climb asks for more samples
    case ConfidenceSource::kLearned: verdict.confidence = learned(); break;
  }
  const bool needs = rung.confidence != ConfidenceSource::kNone && rung.confidence != ConfidenceSource::kAgree;
  if (needs && !verdict.confidence) {
    verdict.judged = false;
    verdict.why = rung.confidence == ConfidenceSource::kOwn       ? "it does not say how sure it is"
                  : rung.confidence == ConfidenceSource::kLearned ? "it says nothing"
                                                                  : "no log probabilities came";
    verdict.accepted = call_.route->config.doubt_stays;
  } else if (needs) {
    verdict.raw = *verdict.confidence;
    verdict.confidence = target_.probability(verdict.raw);
    verdict.accept = target_.accept();
    verdict.accepted = *verdict.confidence >= verdict.accept;
  } else {
    verdict.accepted = rung.confidence == ConfidenceSource::kNone;
  }
  if (whole) {
    if (auto broken = failed_check(target_.checks, judging_->request, fold_.reply()); !broken.empty()) {
      verdict.accepted = false;
      verdict.why = std::move(broken);
    }
    if (verdict.accepted && wants_climb(*call_.route, fold_.reply(), verdict.why)) verdict.accepted = false;
  }
  return verdict;
}

// Until the answer is decided the client gets none of it.
Task<Status> AttemptSink::hold(EventBatch& events) {
  for (const Event& event : events) {
    fold_.add(event);
    if (event.kind == Event::Kind::kLogprobs) facts_.add(event.raw);
  }
  if (judging_->strip_logprobs) std::erase_if(events, [](const Event& event) { return event.kind == Event::Kind::kLogprobs; });
  std::ranges::move(events, std::back_inserter(held_));
  events.clear();
  const RungConfig& rung = target_.config.rung;
  const bool by_parts = rung.confidence != ConfidenceSource::kAgree && rung.confidence != ConfidenceSource::kLearned;
  const bool early = rung.hold_tokens > 0 && by_parts && output_so_far() >= rung.hold_tokens &&
                     finish_ == Finish::kNone && verdict(false).judged;
  if (early || fold_.bytes() > kMaxHeldBytes) {
    decided_ = verdict(false);
    if (!decided_->accepted) co_return std::unexpected(Error{.code = Code::kUnavailable, .message = target_.name + " is unsure of its answer", .type = std::string(kUnsure)});
    co_return co_await flush();
  }
  co_return Status();
}

Task<Status> AttemptSink::write(EventBatch& events) {
  const Metered before = metered_;
  for (const Event& event : events) meter(event);
  if (spoke_ == TimePoint{} && std::ranges::any_of(events, says_something)) spoke_ = now();
  // A reply that has already ended is handed over even if its last report was larger than reserved.
  if (auto covered = cover(); !covered && finish_ == Finish::kNone) {
    metered_ = before;  // what is not handed over is not paid for
    covered.error().code = Code::kBudget;
    co_return covered;
  }
  if (judging_ && !decided_) co_return co_await hold(events);
  if (call_.folded) fold_.add(events);
  if (judging_ && judging_->strip_logprobs) std::erase_if(events, [](const Event& event) { return event.kind == Event::Kind::kLogprobs; });
  if (call_.winner != this) {
    if (spoke_ == TimePoint{} && held_.size() + events.size() <= kMaxHeld) {
      std::ranges::move(events, std::back_inserter(held_));
      events.clear();
      co_return Status();
    }
    if (call_.heart.beats()) co_await call_.heart.quiet();
    AJAR_CO_TRY(commit());
    if (!held_.empty()) {
      std::ranges::move(events, std::back_inserter(held_));
      events = std::move(held_);
      held_.clear();
    }
  }
  co_return co_await call_.client->write(events);
}

Task<Status> AttemptSink::flush() {
  if (call_.winner == this) co_return Status();
  if (call_.heart.beats()) co_await call_.heart.quiet();
  AJAR_CO_TRY(commit());
  EventBatch events = std::move(held_);
  co_return co_await call_.client->write(events);
}

}  // namespace ajar
