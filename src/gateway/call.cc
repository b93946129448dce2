#include "gateway/call.h"

#include <algorithm>

#include "gateway/estimate.h"

namespace ajar {
namespace {

constexpr size_t kMaxHeld = 64;          // events; more without saying anything is not a start
constexpr int64_t kReserveStep = 512;    // tokens by which a reservation grows

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
    case Event::Kind::kStart: model_ = event.name; break;
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
  call_.first_event = now();
  if (call_.on_commit) call_.on_commit->wake_later(Wake::kReady);
  call_.client.begin(*call_.route, target_, call_.attempts.size() + 1);
  return {};
}

Task<Status> AttemptSink::write(EventBatch& events) {
  const Metered before = metered_;
  for (const Event& event : events) meter(event);
  // A reply that has already ended is handed over even if its last report was larger than reserved.
  if (auto covered = cover(); !covered && finish_ == Finish::kNone) {
    metered_ = before;  // what is not handed over is not paid for
    covered.error().code = Code::kBudget;
    co_return covered;
  }
  if (call_.winner != this) {
    const bool speaks = std::ranges::any_of(events, says_something);
    if (!speaks && held_.size() + events.size() <= kMaxHeld) {
      std::ranges::move(events, std::back_inserter(held_));
      events.clear();
      co_return Status();
    }
    AJAR_CO_TRY(commit());
    if (!held_.empty()) {
      std::ranges::move(events, std::back_inserter(held_));
      events = std::move(held_);
      held_.clear();
    }
  }
  co_return co_await call_.client.write(events);
}

Task<Status> AttemptSink::flush() {
  if (call_.winner == this) co_return Status();
  AJAR_CO_TRY(commit());
  EventBatch events = std::move(held_);
  co_return co_await call_.client.write(events);
}

}  // namespace ajar
