#pragma once
// Policies: what is looked for in requests and answers, and what is done about it. A Guard is built once from
// configuration, immutable, and shared by all threads; a verdict never holds what was matched.
//
// Order with pseudonyms: an answer is judged before its originals are restored, so that nothing that was just put back
// is masked again.

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "core/request.h"
#include "guard/config.h"

namespace ajar::guard {

struct Detectors;

struct Reason {
  std::string policy;
  std::string rule;   // "pii:CREDIT_CARD", "injection:override", "words"
  std::string where;  // "messages[2].content[0].text", "choices[0].text"
  Mode mode = Mode::kBlock;
  Action action = Action::kAllow;  // what the policy asks for; under kObserve it is not done
  size_t offset = 0;               // byte in that text, as it was before anything was rewritten
  bool operator==(const Reason&) const = default;
};

struct Verdict {
  Action action = Action::kAllow;  // the strongest that is to be done; kRewrite: it was done
  std::vector<Reason> reasons;     // the first kMaxReasons
  size_t more_reasons = 0;
  static constexpr size_t kMaxReasons = 64;

  bool passes() const { return action == Action::kAllow || action == Action::kRewrite; }
  void note(Reason reason);
  void merge(Verdict other);
};

class Guard {
 public:
  // kInvalid names the policy and what is wrong: an unknown entity or category, a bad expression, an action that a
  // check cannot do.
  static Result<std::shared_ptr<const Guard>> build(std::vector<PolicyConfig> policies);
  ~Guard();

  // Judges every text of a request; those of policies that rewrite are changed in place. When the verdict does not
  // pass, the request must not be sent (kRefuse) or not to this rung (kClimb).
  Verdict judge_input(Request& request) const;

  bool has_input() const { return input_ != nullptr; }
  bool has_output() const { return output_ != nullptr; }
  const Detectors* output() const { return output_.get(); }

 private:
  Guard();
  std::unique_ptr<const Detectors> input_, output_;
};

}  // namespace ajar::guard
