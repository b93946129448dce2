#pragma once
// Loop: the one thread that runs tasks, and what it sleeps on. Everything that a Loop carries (streams, tasks, tokens,
// deadlines) belongs to that thread; the only way in from outside is post(). Asio gives the coroutines and the queue of
// posted functions; sockets and timers are the Poller's, so asio's own reactor never starts.

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/cancel.h"
#include "net/deadline.h"
#include "net/poller.h"
#include "net/task.h"

namespace ajar {

class Loop {
 public:
  Loop();
  // The loop must not be running. Tasks that are still suspended are destroyed.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs on the calling thread until stop(); work left over stays for the next run() or the destructor.
  void run();
  void stop();  // from any thread

  // The loop whose run() is on this thread's stack. Asserts that there is one.
  static Loop& current();
  static Loop* current_or_null();

  // Runs f() on the loop's thread, soon, never inside post. From any thread.
  template <class F>
  void post(F&& f) {
    boost::asio::post(io_.get_executor(), std::forward<F>(f));
    wake();
  }

  // Starts a task on this loop; from any thread. An exception that escapes it ends the process.
  void spawn(Task<> task);

  // Runs f() on the loop's one background thread: for lookups that block. The loop's destructor waits for it.
  void background(std::function<void()> f);

  Poller& poller() { return poller_; }
  Deadlines& deadlines() { return deadlines_; }
  // A buffer for bytes that are consumed before the next suspension. Loop's thread only.
  static constexpr size_t kScratch = 64 * 1024;
  char* scratch() { return scratch_.get(); }

 private:
  void wake();
  bool run_posted();

  boost::asio::io_context io_;
  Poller poller_;
  Deadlines deadlines_;
  std::atomic<bool> stopped_{false};
  std::unique_ptr<boost::asio::thread_pool> background_;
  std::unique_ptr<char[]> scratch_;
};

// Suspends until `at` (precisely, with a timer of its own: for rare uses such as a retry's back-off or a mock's
// pacing). False when the token was cancelled first.
Task<bool> sleep_until(TimePoint at);
Task<bool> sleep_until(TimePoint at, CancelToken& token);

// N loops, each on its own thread. The destructor stops and joins them, then destroys the loops.
class LoopGroup {
 public:
  explicit LoopGroup(size_t count);
  ~LoopGroup();
  LoopGroup(const LoopGroup&) = delete;
  LoopGroup& operator=(const LoopGroup&) = delete;

  size_t size() const { return loops_.size(); }
  Loop& operator[](size_t i) { return *loops_[i]; }
  void stop();  // stops and joins; idempotent; not from a loop's thread
  bool stopped() const { return threads_.empty(); }

 private:
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<std::thread> threads_;
};

}  // namespace ajar
