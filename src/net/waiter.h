#pragma once
// Waiter: the place where one coroutine is parked until somebody wakes it or its deadline passes. This is the
// only suspension that streams use; it costs one recycled coroutine frame and no timer of its own.

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

#include "net/deadline.h"
#include "net/task.h"

namespace ajar {

class Loop;

enum class Wake : uint8_t {
  kReady,    // what was waited for may have happened: try again
  kTimeout,  // the deadline passed first
  kClosed,   // the object was closed by this side
};

// Loop-confined. At most one coroutine is parked at a time. Destroying a Waiter destroys the coroutine.
class Waiter final : public Deadline {
 public:
  using Token = boost::asio::use_awaitable_t<>;
  using Handler = boost::asio::async_result<Token, void(Wake)>::handler_type;

  explicit Waiter(Loop& loop) : loop_(loop) {}
  ~Waiter() override { disarm(); }

  // Parks the caller. `before(*this)` runs once it is parked, and may wake_later().
  template <class Before>
  Task<Wake> wait(TimePoint deadline, Before before) {
    return boost::asio::async_initiate<const Token, void(Wake)>(
        [this, deadline, before](Handler&& handler) {
          park(std::move(handler), deadline);
          before(*this);
        },
        boost::asio::use_awaitable);
  }
  Task<Wake> wait(TimePoint deadline) {
    return wait(deadline, [](Waiter&) {});
  }

  bool waiting() const { return handler_.has_value(); }
  // Resumes the coroutine inside this call: only from the loop's own callbacks, where nothing else is running.
  // Does nothing when nobody waits. *this may be gone afterwards.
  void wake(Wake why);
  // Resumes it from the loop, soon: safe from anywhere on the loop's thread.
  void wake_later(Wake why);

 private:
  void park(Handler&& handler, TimePoint deadline);
  void expire() override { wake(Wake::kTimeout); }
  void abandon() override;

  Loop& loop_;
  std::optional<Handler> handler_;
};

}  // namespace ajar
