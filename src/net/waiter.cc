#include "net/waiter.h"

#include "net/loop.h"

namespace ajar {

void Waiter::park(Handler&& handler, TimePoint deadline) {
  handler_.emplace(std::move(handler));
  arm(loop_.deadlines(), deadline);
}

void Waiter::wake(Wake why) {
  if (!handler_) return;
  disarm();
  Handler handler = std::move(*handler_);
  handler_.reset();
  handler(why);
}

void Waiter::wake_later(Wake why) {
  if (!handler_) return;
  disarm();
  loop_.post([handler = std::move(*handler_), why]() mutable { handler(why); });
  handler_.reset();
}

void Waiter::abandon() {
  std::optional<Handler> handler = std::move(handler_);
  handler_.reset();
}

}  // namespace ajar
