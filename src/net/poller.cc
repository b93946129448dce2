#include "net/poller.h"

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace ajar {
namespace {

int checked(int fd, const char* what) {
  if (fd < 0) throw std::system_error(errno, std::system_category(), what);
  return fd;
}

}  // namespace

void Timer::set(TimePoint at) {
  cancel();
  at_ = poller_.timers_.emplace(at, this);
  is_set_ = true;
  poller_.schedule();
}

void Timer::cancel() {
  if (std::exchange(is_set_, false)) poller_.timers_.erase(at_);
}

// Neither the timerfd nor the eventfd is ever read: setting the one and writing the other is an edge.
Poller::Poller()
    : epoll_(checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      timer_(checked(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create")),
      wake_(checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
  for (int* fd : {&timer_, &wake_}) {
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = fd}};
    checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, *fd, &event), "epoll_ctl");
  }
}

Poller::~Poller() {
  for (int fd : {wake_, timer_, epoll_}) ::close(fd);
}

bool Poller::add(int fd, Polled* polled) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = polled}};
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

void Poller::remove(int fd, Polled* polled) {
  epoll_event ignored{};
  // Closing would do, but for a child process that has not yet executed its program and still holds a copy.
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, &ignored);
  for (int i = 0; i < count_; ++i)
    if (events_[i].data.ptr == polled) events_[i].data.ptr = nullptr;
}

void Poller::wake() {
  if (woken_.exchange(true)) return;
  uint64_t one = 1;
  (void)!::write(wake_, &one, sizeof one);
}

void Poller::wait(bool may_suspend) {
  int n = epoll_wait(epoll_, events_, kBatch, may_suspend && !due_ ? -1 : 0);
  bool timers = std::exchange(due_, false);
  count_ = n;
  for (int i = 0; i < n; ++i) {
    void* ptr = events_[i].data.ptr;
    if (ptr == &timer_) {
      armed_ = kNever;
      timers = true;
    } else if (ptr == &wake_) {
      woken_ = false;
    } else if (ptr) {
      static_cast<Polled*>(ptr)->on_events(events_[i].events);
    }
  }
  count_ = 0;
  if (timers) run_timers();
}

void Poller::run_timers() {
  TimePoint time = now();
  while (!timers_.empty() && timers_.begin()->first <= time) {
    Timer* timer = timers_.begin()->second;
    timer->cancel();
    timer->fire();
  }
  schedule();
}

// The timerfd may fire earlier than needed, for a timer since cancelled, but never later.
void Poller::schedule() {
  if (due_ || timers_.empty()) return;
  TimePoint first = timers_.begin()->first;
  if (first >= armed_) return;
  auto left = first.time_since_epoch();
  if (first <= now()) {
    due_ = true;
    return;
  }
  armed_ = first;
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  itimerspec at{};
  at.it_value = {.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
  timerfd_settime(timer_, TFD_TIMER_ABSTIME, &at, nullptr);
}

}  // namespace ajar
