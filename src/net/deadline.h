#pragma once
// Deadlines: a timing wheel. Nearly every deadline is disarmed before it passes, so arming and disarming are
// a few pointer writes (no system call, no allocation); one coarse timer looks at the wheel. A deadline
// passes at its time or up to two ticks (about 16 ms) later, never earlier.
// Source: Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987, scheme 6.

#include <array>

#include "base/clock.h"
#include "net/poller.h"

namespace ajar {

class Deadlines;

// One deadline, embedded in the object that it belongs to. Loop-confined. Destroying it disarms it.
class Deadline {
 public:
  Deadline() = default;
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  virtual ~Deadline() { disarm(); }

  // (Re)arms; kNever only links it, so that the loop's end can find it.
  void arm(Deadlines& wheel, TimePoint at);
  void disarm();
  bool armed() const { return next_ != nullptr; }

 protected:
  // Called once on the loop's thread, disarmed, when the time has passed. May destroy *this.
  virtual void expire() = 0;
  // Called instead when the loop is being destroyed: drop what is parked here. May destroy *this.
  virtual void abandon() {}

 private:
  friend class Deadlines;
  Deadline* prev_ = nullptr;
  Deadline* next_ = nullptr;
  Deadlines* wheel_ = nullptr;
  int64_t tick_ = 0;
};

class Deadlines {
 public:
  explicit Deadlines(Poller& poller);
  ~Deadlines();

  size_t size() const { return size_; }  // those armed, kNever included
  void abandon_all();

 private:
  friend class Deadline;
  struct Head final : Deadline {
    Head() = default;
    ~Head() override { prev_ = next_ = nullptr; }
    void reset() { prev_ = next_ = this; }
    bool empty() const { return next_ == this; }
    Deadline* first() const { return next_; }
    void expire() override {}
    using Deadline::next_;
    using Deadline::prev_;
  };
  struct Hand final : Timer {
    Hand(Poller& poller, Deadlines& wheel) : Timer(poller), wheel(wheel) {}
    void fire() override { wheel.advance(); }
    Deadlines& wheel;
  };
  static constexpr int kSlots = 1024;

  int64_t tick_of(TimePoint at) const;
  void link(Deadline* node, TimePoint at);
  void unlink(Deadline* node);
  void set_timer(int64_t tick);
  void advance();

  Hand timer_;
  TimePoint epoch_;
  int64_t done_ = 0;        // every tick up to this one has been looked at
  int64_t timer_tick_ = -1; // when the timer fires, -1: not set
  size_t size_ = 0;
  size_t timed_ = 0;        // those that are not kNever
  std::array<Head, kSlots> slots_;
  Head never_;
};

}  // namespace ajar
