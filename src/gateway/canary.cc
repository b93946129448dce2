#include "gateway/canary.h"

#include <cmath>

#include "base/clock.h"
#include "json/read.h"
#include "json/write.h"

namespace ajar {
namespace {

constexpr std::string_view kStates[] = {"running", "promotable", "rolled_back"};

void write_count(json::Writer& w, json::Name name, const learn::RateCount& count) {
  w.key(name);
  w.begin_array();
  w.integer(count.count);
  w.integer(count.errors);
  w.end_array();
}

void write_arm(json::Writer& w, json::Name name, const Canary::Arm& arm) {
  w.key(name);
  w.begin_object();
  write_count(w, "errors", arm.errors);
  write_count(w, "audits", arm.audits);
  w.field("unsure", arm.unsure);
  w.field("answered", arm.answered);
  w.field("first_seconds", arm.first_seconds);
  w.field("seconds", arm.seconds);
  w.field("cost", arm.cost);
  w.end_object();
}

Result<learn::RateCount> read_count(const json::Object& object, std::string_view name) {
  const auto value = json::find(object, name);
  const auto list = value ? json::as_array(*value) : std::nullopt;
  if (!list || list->size() != 2) return invalid(std::string(name), "must be two numbers");
  const auto count = json::as_int(list->at(0).value_unsafe()), errors = json::as_int(list->at(1).value_unsafe());
  if (!count || !errors || *errors < 0 || *errors > *count) return invalid(std::string(name), "must be a count and how many of it");
  return learn::RateCount{*count, *errors};
}

Result<Canary::Arm> read_arm(const json::Object& object, std::string_view name) {
  const auto value = json::find(object, name);
  const auto fields = value ? json::as_object(*value) : std::nullopt;
  if (!fields) return invalid(std::string(name), "must be an object");
  const auto number = [&](std::string_view key) {
    const auto at = json::find(*fields, key);
    return at ? json::as_double(*at).value_or(0) : 0;
  };
  Canary::Arm arm;
  AJAR_ASSIGN(arm.errors, read_count(*fields, "errors"));
  AJAR_ASSIGN(arm.audits, read_count(*fields, "audits"));
  arm.unsure = json::int_or(*fields, "unsure");
  arm.answered = json::int_or(*fields, "answered");
  arm.first_seconds = number("first_seconds");
  arm.seconds = number("seconds");
  arm.cost = json::int_or(*fields, "cost");
  return arm;
}

}  // namespace

std::string_view canary_state_name(CanaryState state) { return kStates[size_t(state)]; }

std::string canary_summary(const Canary::View& view, bool audits) {
  const auto& candidate = audits ? view.candidate.audits : view.candidate.errors;
  const auto& usual = audits ? view.usual.audits : view.usual.errors;
  const auto of = [](const learn::RateCount& arm) { return std::to_string(arm.errors) + " of " + std::to_string(arm.count); };
  return of(candidate) + (audits ? " answers say something else than the top rung" : " failed or did not pass the checks") + "; of the others' " + of(usual);
}

Canary::Canary(std::string against) : against_(std::move(against)) { begin(); }

void Canary::begin() {
  view_ = {.started_ms = unix_millis()};
  view_.changed_ms = view_.started_ms;
  open_ = true;
}

void Canary::set_against(const std::string& against) {
  std::lock_guard guard(lock_);
  if (against == against_) return;
  against_ = against;
  if (view_.state != CanaryState::kRolledBack) begin();
}

void Canary::set_state(CanaryState state, std::string reason) {
  view_.state = state;
  view_.reason = std::move(reason);
  view_.changed_ms = unix_millis();
  open_ = state != CanaryState::kRolledBack;
}

std::optional<CanaryState> Canary::add(bool of_candidate, const CanaryOutcome& outcome, const CanaryConfig& rule) {
  std::lock_guard guard(lock_);
  Arm& arm = of_candidate ? view_.candidate : view_.usual;
  ++arm.errors.count, pace_.add();
  arm.errors.errors += outcome.error;
  arm.unsure += outcome.unsure;
  if (!outcome.error && !outcome.unsure) {
    ++arm.answered;
    arm.first_seconds += outcome.first_seconds, arm.seconds += outcome.seconds;
    arm.cost += outcome.cost;
  }
  return of_candidate ? conclude(rule) : std::nullopt;
}

std::optional<CanaryState> Canary::add_audit(bool of_candidate, bool differs, const CanaryConfig& rule) {
  std::lock_guard guard(lock_);
  learn::RateCount& audits = of_candidate ? view_.candidate.audits : view_.usual.audits;
  ++audits.count, pace_.add();
  audits.errors += differs;
  return of_candidate ? conclude(rule) : std::nullopt;
}

// Errors and audits are two looks at the same promise: for a roll-back each has half of alpha; "not worse" must hold of both.
std::optional<CanaryState> Canary::conclude(const CanaryConfig& rule) {
  const Arm &usual = view_.usual, &candidate = view_.candidate;
  if (view_.state == CanaryState::kRolledBack || candidate.errors.count < rule.min_samples) return std::nullopt;
  const double worse = std::log(2 / rule.alpha), fine = std::log(1 / rule.alpha);
  const bool errs = learn::log_evidence_worse(usual.errors, candidate.errors, rule.margin) >= worse;
  if (errs || learn::log_evidence_worse(usual.audits, candidate.audits, rule.margin) >= worse) {
    set_state(CanaryState::kRolledBack, canary_summary(view_, !errs));
    return view_.state;
  }
  if (view_.state == CanaryState::kPromotable || learn::log_evidence_not_worse(usual.errors, candidate.errors, rule.margin) < fine) return std::nullopt;
  const bool audited = usual.audits.count > 0 || candidate.audits.count > 0;
  if (audited && learn::log_evidence_not_worse(usual.audits, candidate.audits, rule.margin) < fine) return std::nullopt;
  set_state(CanaryState::kPromotable, canary_summary(view_, false));
  return view_.state;
}

void Canary::roll_back(std::string reason) {
  std::lock_guard guard(lock_);
  set_state(CanaryState::kRolledBack, std::move(reason));
}

void Canary::restart() {
  std::lock_guard guard(lock_);
  begin();
}

Canary::View Canary::view() const {
  std::lock_guard guard(lock_);
  return view_;
}

bool Canary::due(TimePoint at) {
  std::lock_guard guard(lock_);
  return pace_.due(at);
}

std::string Canary::json() const {
  std::lock_guard guard(lock_);
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("state", canary_state_name(view_.state));
  w.field("reason", view_.reason);
  w.field("against", against_);
  w.field("started_ms", view_.started_ms);
  w.field("changed_ms", view_.changed_ms);
  write_arm(w, "usual", view_.usual);
  write_arm(w, "candidate", view_.candidate);
  w.end_object();
  return out;
}

Status Canary::keep(store::Store& store, const std::string& route, const std::string& target) const {
  std::lock_guard guard(keep_lock_);
  return store.put_trial({.kind = "canary", .route = route, .target = target, .state = json(), .time_ms = unix_millis()});
}

Status Canary::restore(const std::string& json) {
  json::Document document;
  AJAR_ASSIGN(const json::Object object, document.parse_object(json));
  View view{.reason = std::string(json::string_or(object, "reason")), .started_ms = json::int_or(object, "started_ms"),
            .changed_ms = json::int_or(object, "changed_ms")};
  const std::string_view state = json::string_or(object, "state");
  if (state == kStates[2]) view.state = CanaryState::kRolledBack;
  else if (state == kStates[1]) view.state = CanaryState::kPromotable;
  AJAR_ASSIGN(view.usual, read_arm(object, "usual"));
  AJAR_ASSIGN(view.candidate, read_arm(object, "candidate"));

  std::lock_guard guard(lock_);
  if (restored_) return {};
  restored_ = true;
  if (view.state != CanaryState::kRolledBack && json::string_or(object, "against") != against_) return {};
  view_ = std::move(view);
  open_ = view_.state != CanaryState::kRolledBack;
  return {};
}

}  // namespace ajar
