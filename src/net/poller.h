#pragma once
// Poller: what a loop sleeps on. A descriptor is registered once, edge-triggered, for its whole life, so that waiting
// for it costs no system call: whoever uses it remembers its readiness until the kernel says EAGAIN. Precise timers
// share one timerfd. Loop-confined, but for wake().

#include <sys/epoll.h>

#include <atomic>
#include <cstdint>
#include <map>

#include "base/clock.h"

namespace ajar {

class Poller;

// A registered descriptor. Told each edge once, inside Poller::wait(); it may close itself and others meanwhile.
class Polled {
 public:
  virtual void on_events(uint32_t epoll_events) = 0;

 protected:
  ~Polled() = default;
};

// One precise alarm, for rare uses; deadlines share one through their wheel.
class Timer {
 public:
  explicit Timer(Poller& poller) : poller_(poller) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer() { cancel(); }
  void set(TimePoint at);  // replaces the time set before
  void cancel();

 protected:
  virtual void fire() = 0;  // inside Poller::wait(), once, not before its time; may destroy *this

 private:
  friend class Poller;
  Poller& poller_;
  std::multimap<TimePoint, Timer*>::iterator at_;
  bool is_set_ = false;
};

class Poller {
 public:
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // False, with errno, when the kernel refuses. Its present readiness is the first edge.
  bool add(int fd, Polled* polled);
  void remove(int fd, Polled* polled);  // before the descriptor is closed; no edge is told afterwards

  // Tells what has happened; suspends the thread first when nothing has, if it may.
  void wait(bool may_suspend);
  void wake();  // from any thread: ends the present or else the next wait()

 private:
  friend class Timer;
  void schedule();
  void run_timers();

  static constexpr int kBatch = 128;
  int epoll_ = -1;
  int timer_ = -1;
  int wake_ = -1;
  std::atomic<bool> woken_{false};
  std::multimap<TimePoint, Timer*> timers_;
  TimePoint armed_ = kNever;  // when the timerfd fires
  bool due_ = false;          // a timer need not wait for the timerfd
  int count_ = 0;             // the batch in hand
  epoll_event events_[kBatch];
};

}  // namespace ajar
