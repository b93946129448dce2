#pragma once
// A bell that any thread may ring for a task of one loop. Rings that nobody has heard yet are one.

#include <atomic>
#include <memory>

#include "net/loop.h"
#include "net/waiter.h"

namespace ajar {

class Signal : public std::enable_shared_from_this<Signal> {
 public:
  explicit Signal(Loop& loop) : loop_(loop) {}

  void ring() {  // any thread
    if (rung_.exchange(true)) return;
    loop_.post([self = shared_from_this()] {
      self->rung_ = false;
      if (self->waiter_ != nullptr) self->waiter_->wake(Wake::kReady);
    });
  }
  // The loop's thread; null: nobody listens any more. What the bell is about must be looked at before every wait.
  void listen(Waiter* waiter) { waiter_ = waiter; }

 private:
  Loop& loop_;
  Waiter* waiter_ = nullptr;  // the loop's thread only
  std::atomic<bool> rung_ = false;
};

}  // namespace ajar
