#include "net/loop.h"

#include <boost/asio/co_spawn.hpp>
#include <cassert>
#include <csignal>
#include <cstdio>
#include <exception>

#include "net/waiter.h"

namespace ajar {
namespace {

thread_local Loop* current_loop = nullptr;

constexpr int kPosted = 64;  // posted functions in one go, before sockets have their turn

struct Sleep final : Timer {
  explicit Sleep(Loop& loop) : Timer(loop.poller()), waiter(loop) {}
  void fire() override { waiter.wake(Wake::kReady); }
  Waiter waiter;
};

// OpenSSL writes with write(2), which raises SIGPIPE when the peer has gone; an error value is what we want.
void ignore_sigpipe() {
  static const bool done = [] { return std::signal(SIGPIPE, SIG_IGN), true; }();
  (void)done;
}

}  // namespace

Loop::Loop() : io_(1), deadlines_(poller_), scratch_(new char[kScratch]) { ignore_sigpipe(); }

Loop::~Loop() {
  // Parked coroutines own the objects that park them. Break the circle: destroying a handler posts the unwinding
  // of its coroutine to the io_context, which may free further ones.
  Loop* outer = std::exchange(current_loop, this);
  if (background_) background_->join();
  for (int round = 0; round < 100; ++round) {
    deadlines_.abandon_all();
    io_.restart();
    if (io_.poll() == 0 && deadlines_.size() == 0) break;
  }
  current_loop = outer;
}

void Loop::run() {
  Loop* outer = std::exchange(current_loop, this);
  auto work = boost::asio::make_work_guard(io_);
  io_.restart();
  for (stopped_ = false; !stopped_;) {
    bool more = run_posted();
    if (!stopped_) poller_.wait(!more);
  }
  current_loop = outer;
}

// True when there may be more.
bool Loop::run_posted() {
  for (int i = 0; i < kPosted && !stopped_; ++i)
    if (io_.poll_one() == 0) return false;
  return true;
}

void Loop::stop() {
  stopped_ = true;
  wake();
}

void Loop::wake() {
  if (current_loop != this) poller_.wake();
}

void Loop::background(std::function<void()> f) {
  if (!background_) background_ = std::make_unique<boost::asio::thread_pool>(1);
  boost::asio::post(*background_, std::move(f));
}

Loop& Loop::current() {
  assert(current_loop && "not on a loop's thread");
  return *current_loop;
}

Loop* Loop::current_or_null() { return current_loop; }

void Loop::spawn(Task<> task) {
  boost::asio::co_spawn(io_, std::move(task), [](std::exception_ptr error) {
    if (!error) return;
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "ajar: exception escaped a task: %s\n", e.what());
    } catch (...) {
    }
    std::terminate();
  });
  wake();
}

Task<bool> sleep_until(TimePoint at) {
  Sleep sleep(Loop::current());
  sleep.set(at);
  co_await sleep.waiter.wait(kNever);
  co_return true;
}

Task<bool> sleep_until(TimePoint at, CancelToken& token) {
  if (token.cancelled()) co_return false;
  Sleep sleep(Loop::current());
  OnCancel hook(token, [&sleep] { sleep.waiter.wake_later(Wake::kClosed); });
  sleep.set(at);
  co_await sleep.waiter.wait(kNever);
  co_return !token.cancelled();
}

LoopGroup::LoopGroup(size_t count) {
  for (size_t i = 0; i < count; ++i) loops_.push_back(std::make_unique<Loop>());
  for (auto& loop : loops_) threads_.emplace_back([&loop = *loop] { loop.run(); });
}

LoopGroup::~LoopGroup() { stop(); }

void LoopGroup::stop() {
  // Posted, so that a thread which has not yet entered run() does not miss it.
  for (auto& loop : loops_) loop->post([&loop = *loop] { loop.stop(); });
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace ajar
