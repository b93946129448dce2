#include "gateway/heartbeat.h"

#include <utility>

#include "gateway/call.h"
#include "net/loop.h"
#include "net/waiter.h"

namespace ajar {

struct Heartbeat::State {
  State(Loop& loop, ReplySink* const& client) : client(client), pause(loop) {}
  ReplySink* const& client;  // not looked at once it is stopped
  Waiter pause;
  Waiter* idle = nullptr;    // of who waits for the end of a beat
  bool busy = false, stopped = false;
};

void Heartbeat::start(ReplySink* const& client, Millis every) {
  if (state_) return;
  state_ = std::make_shared<State>(Loop::current(), client);
  Loop::current().spawn(beat(state_, every));
}

Task<> Heartbeat::beat(std::shared_ptr<State> state, Millis every) {
  while (!state->stopped) {
    co_await state->pause.wait(after(every));
    if (state->stopped) break;
    state->busy = true;
    (void)co_await state->client->keep_alive();  // a client that left is noticed where it is read
    state->busy = false;
  }
  if (state->idle != nullptr) state->idle->wake_later(Wake::kReady);
}

void Heartbeat::stop() {
  if (!state_) return;
  state_->stopped = true;
  if (state_->pause.waiting()) state_->pause.wake_later(Wake::kReady);
}

Task<> Heartbeat::quiet() {
  stop();
  const auto state = std::exchange(state_, nullptr);
  if (!state || !state->busy) co_return;
  Waiter idle(Loop::current());
  state->idle = &idle;
  co_await idle.wait(kNever);
}

}  // namespace ajar
