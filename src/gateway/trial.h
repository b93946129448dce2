#pragma once
// What the outcomes of candidates lead to: the log says what was concluded, and the store keeps what they have shown.

#include <memory>
#include <optional>
#include <string>

#include "base/log.h"
#include "gateway/canary.h"
#include "gateway/route.h"
#include "net/loop.h"

namespace ajar {

// Writes what a Canary or ShadowLog has seen in the loop's background. `what`: "canary" or "shadow", for the log.
template <class Seen>
void keep_in_background(store::Store& store, const char* what, std::shared_ptr<Seen> seen, const std::string& route, const std::string& target) {
  Loop::current().background([&store, what, seen = std::move(seen), route, target] {
    if (auto kept = seen->keep(store, route, target); !kept) {
      log_warn("what the " + std::string(what) + " of " + route + " showed could not be kept: " + kept.error().message);
    }
  });
}

// After add() or add_audit() on the route's canary, on a loop. Writes in the background.
void note_canary(store::Store& store, const Route& route, std::optional<CanaryState> change);

}  // namespace ajar
