#pragma once
// While an answer is held back, its client hears now and then that the connection lives. Ends, and is over, before anything else is
// said to the client: two writers never meet. Loop-confined.

#include <memory>

#include "base/clock.h"
#include "net/task.h"

namespace ajar {

class ReplySink;

class Heartbeat {
 public:
  Heartbeat() = default;
  ~Heartbeat() { stop(); }
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  // Every so often `client`'s keep_alive(), until quiet() or the end of this. Does nothing when it beats already.
  void start(ReplySink* const& client, Millis every);
  bool beats() const { return state_ != nullptr; }
  // Waits for a beat under way, which the client's write deadline bounds; there is none after it.
  Task<> quiet();

 private:
  struct State;
  static Task<> beat(std::shared_ptr<State> state, Millis every);
  void stop();

  std::shared_ptr<State> state_;  // null: it does not beat
};

}  // namespace ajar
