#include "gateway/trial.h"

#include "base/log.h"
#include "net/loop.h"

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
  if (!change && !candidate.canary->due(now())) return;
  Loop::current().background([&store, canary = candidate.canary, name, target = candidate.target.name] {
    if (auto kept = canary->keep(store, name, target); !kept) log_warn("what the canary of " + name + " showed could not be kept: " + kept.error().message);
  });
}

}  // namespace ajar
