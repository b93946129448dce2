#include "net/deadline.h"

namespace ajar {
namespace {
constexpr auto kTick = std::chrono::milliseconds(8);
}

void Deadline::arm(Deadlines& wheel, TimePoint at) {
  disarm();
  wheel.link(this, at);
}

void Deadline::disarm() {
  if (next_) wheel_->unlink(this);
}

Deadlines::Deadlines(Poller& poller) : timer_(poller, *this), epoch_(now()) {
  for (Head& slot : slots_) slot.reset();
  never_.reset();
}

Deadlines::~Deadlines() { abandon_all(); }

// The tick at whose end `at` has certainly passed.
int64_t Deadlines::tick_of(TimePoint at) const { return (at - epoch_) / kTick + 1; }

void Deadlines::link(Deadline* node, TimePoint at) {
  Head* head = &never_;
  node->tick_ = -1;
  if (at != kNever) {
    node->tick_ = std::max(tick_of(at), done_ + 1);
    head = &slots_[size_t(node->tick_) % kSlots];
    ++timed_;
    if (timer_tick_ < 0 || node->tick_ < timer_tick_) {
      // When the wheel was empty its hand has stood still: move it, so that it need not walk the gap.
      if (timed_ == 1) done_ = std::max(done_, std::min(tick_of(now()) - 2, node->tick_ - 1));
      set_timer(node->tick_);
    }
  }
  node->wheel_ = this;
  node->prev_ = head->prev_;
  node->next_ = head;
  head->prev_->next_ = node;
  head->prev_ = node;
  ++size_;
}

void Deadlines::unlink(Deadline* node) {
  node->prev_->next_ = node->next_;
  node->next_->prev_ = node->prev_;
  node->prev_ = node->next_ = nullptr;
  --size_;
  if (node->tick_ >= 0) --timed_;
}

void Deadlines::set_timer(int64_t tick) {
  timer_tick_ = tick;
  timer_.set(epoch_ + tick * kTick);
}

void Deadlines::advance() {
  timer_tick_ = -1;
  int64_t current = (now() - epoch_) / kTick;
  Head due;
  due.reset();
  // One turn sees every slot, however late we are.
  for (int64_t tick = std::max(done_ + 1, current - kSlots + 1); tick <= current; ++tick) {
    Head& slot = slots_[size_t(tick) % kSlots];
    for (Deadline* node = slot.first(); node != &slot;) {
      Deadline* next = node->next_;
      if (node->tick_ <= current) {
        node->prev_->next_ = node->next_;
        node->next_->prev_ = node->prev_;
        node->prev_ = due.prev_;
        node->next_ = &due;
        due.prev_->next_ = node;
        due.prev_ = node;
      }
      node = next;
    }
  }
  done_ = std::max(done_, current);
  // An expiry may disarm others, also those that are due: take them one by one.
  while (!due.empty()) {
    Deadline* node = due.first();
    unlink(node);
    node->expire();
  }
  if (timed_ == 0 || timer_tick_ == done_ + 1) return;
  for (int64_t tick = done_ + 1; tick < done_ + kSlots; ++tick) {
    if (timer_tick_ >= 0 && timer_tick_ <= tick) return;
    if (!slots_[size_t(tick) % kSlots].empty()) return set_timer(tick);
  }
  set_timer(done_ + kSlots);
}

void Deadlines::abandon_all() {
  auto drop = [this](Head& head) {
    while (!head.empty()) {
      Deadline* node = head.first();
      unlink(node);
      node->abandon();
    }
  };
  for (Head& slot : slots_) drop(slot);
  drop(never_);
}

}  // namespace ajar
