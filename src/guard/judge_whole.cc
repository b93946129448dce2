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

// The label for which the text is not let through; empty: it is.
std::string denied_label(const CompiledCheck& check, const LabelAnswer& answer) {
  if (check.kind == CheckConfig::Kind::kTopics) {
    const bool denied = contains(check.deny, answer.label) || (!check.allow.empty() && !contains(check.allow, answer.label));
    return denied ? answer.label : "";
  }
  double sum = 0, most = -1;
  std::string likeliest;
  for (size_t i = 0; i < answer.shares.size(); ++i) {
    if (!contains(check.deny, check.model->labels[i])) continue;
    sum += answer.shares[i];
    if (answer.shares[i] > most) most = answer.shares[i], likeliest = check.model->labels[i];
  }
  return sum >= static_cast<double>(check.threshold) ? likeliest : "";
}

}  // namespace

void judge_by_models(const Detectors& detectors, std::string_view text, std::string_view where, Verdict& verdict) {
  const LabelModel* asked = nullptr;
  Result<LabelAnswer> answer;
  for (const CompiledCheck& check : detectors.checks) {
    if (!check.model) continue;
    if (check.model.get() != asked) asked = check.model.get(), answer = asked->tell(text);
    const std::string denied = answer ? denied_label(check, *answer) : "unknown";
    if (!denied.empty()) decide(detectors, check, std::string(check_name(check.kind)) + ":" + denied, where, verdict);
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
