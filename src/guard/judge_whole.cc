// Checks that need a text as a whole.
#include <algorithm>

#include "guard/detection.h"
#include "guard/schema.h"

namespace ajar::guard {
namespace {

void decide(const Detectors& detectors, const CompiledCheck& check, std::string rule, std::string_view where,
            Verdict& verdict) {
  const CompiledPolicy& policy = detectors.policies[check.policy];
  verdict.note({policy.name, std::move(rule), std::string(where), policy.mode, policy.action, 0});
  if (policy.mode != Mode::kObserve) verdict.action = std::max(verdict.action, policy.action);
}

bool contains(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

void judge_topics(const Detectors& detectors, std::string_view text, std::string_view where, Verdict& verdict) {
  const Result<std::string> topic = detectors.topic_model(text);
  for (const CompiledCheck& check : detectors.checks) {
    if (check.kind != CheckConfig::Kind::kTopics) continue;
    if (!topic) {
      decide(detectors, check, "topics:unknown", where, verdict);
    } else if (contains(check.deny, *topic) || (!check.allow.empty() && !contains(check.allow, *topic))) {
      decide(detectors, check, "topics:" + *topic, where, verdict);
    }
  }
}

void judge_schemas(const Detectors& detectors, std::string_view text, std::string_view where, Verdict& verdict) {
  for (const CompiledCheck& check : detectors.checks) {
    if (check.kind != CheckConfig::Kind::kSchema) continue;
    if (const Status fits = fits_schema(text, check.schema); !fits)
      decide(detectors, check, "schema:" + fits.error().field, where, verdict);
  }
}

}  // namespace ajar::guard
