#pragma once
// What a canary's outcomes lead to: the log says what was concluded, and the store keeps it.

#include <optional>

#include "gateway/canary.h"
#include "gateway/route.h"

namespace ajar {

// After add() or add_audit() on the route's canary, on a loop. Writes in the background.
void note_canary(store::Store& store, const Route& route, std::optional<CanaryState> change);

}  // namespace ajar
