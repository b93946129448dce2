#include "gateway/trial.h"

namespace ajar {

void note_canary(store::Store& store, const Route& route, std::optional<CanaryState> change) {
  const Candidate& candidate = *route.canary;
  const std::string& name = route.config.name;
  if (change == CanaryState::kRolledBack) {
    log_error("route " + name + ": the canary " + candidate.target.name + " is rolled back: " + candidate.canary->view().reason +
              ". It is asked nothing more until `ajar canary restart " + name + "`");
  } else if (change == CanaryState::kPromotable) {
    log_info("route " + name + ": the canary " + candidate.target.name + " is proven not worse (" + candidate.canary->view().reason + "); it may be made a target");
  }
  if (change || candidate.canary->due(now())) keep_in_background(store, "canary", candidate.canary, name, candidate.target.name);
}

}  // namespace ajar
