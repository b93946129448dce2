// A model's answer is anything, cut anywhere: text, verdict and reasons must not depend on the cuts.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "guard/output_guard.h"

namespace {

using namespace ajar;
using namespace ajar::guard;

struct Outcome {
  std::string text;
  Action action;
  std::vector<Reason> reasons;
  bool operator==(const Outcome&) const = default;
};

Outcome run(const std::shared_ptr<const Guard>& guard, std::string_view text, size_t step) {
  OutputGuard judge(guard);
  Outcome outcome;
  const auto take = [&](const EventBatch& events) {
    for (const Event& event : events) outcome.text += event.kind == Event::Kind::kText ? event.text : "";
  };
  for (size_t at = 0; at < text.size();) {
    // Events never split a character.
    size_t end = std::min(text.size(), at + step);
    while (end < text.size() && (text[end] & 0xC0) == 0x80) ++end;
    EventBatch batch{Event::of_text(std::string(text.substr(at, end - at)))};
    judge.judge(batch);
    take(batch);
    at = end;
  }
  EventBatch rest;
  judge.finish(rest);
  take(rest);
  outcome.action = judge.verdict().action;
  outcome.reasons = judge.verdict().reasons;
  return outcome;
}

std::shared_ptr<const Guard> guard_of(Action action) {
  using Kind = CheckConfig::Kind;
  PolicyConfig policy{"p",
                      Stage::kOutput,
                      Mode::kWindow,
                      action,
                      {{.kind = Kind::kPii,
                        .entities = {"EMAIL_ADDRESS", "CREDIT_CARD", "US_SSN", "IP_ADDRESS", "PHONE_NUMBER", "PERSON",
                                     "LOCATION", "DATE_TIME"}},
                       {.kind = Kind::kSecrets},
                       {.kind = Kind::kWords, .patterns = {"ab ~2 cd", "=机密"}},
                       {.kind = Kind::kRegex, .patterns = {"x\\d+y"}},
                       {.kind = Kind::kHidden}}};
  auto guard = Guard::build({policy});
  if (!guard) std::abort();
  return *guard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto rewrite = guard_of(Action::kRewrite), refuse = guard_of(Action::kRefuse);
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  if (!valid_utf8(text)) return 0;
  const auto& guard = data[0] & 1 ? rewrite : refuse;
  const Outcome whole = run(guard, text, SIZE_MAX / 2);
  if (run(guard, text, 1 + data[0] / 2 % 16) != whole) std::abort();
  if (run(guard, text, 1) != whole) std::abort();
  return 0;
}
