#include "engine/compute_pool.h"

#include <algorithm>
#include <chrono>

namespace ajar::engine {
namespace {

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// The pieces of one token follow each other within microseconds; sleeping between them would cost more than they do.
constexpr auto kSpin = std::chrono::microseconds(60);

}  // namespace

ComputePool::ComputePool(int threads) {
  for (int i = 1; i < std::max(threads, 1); ++i) workers_.emplace_back([this, i] { work(i); });
}

ComputePool::~ComputePool() {
  stop_ = true;
  state_.fetch_add(1u << 16);
  state_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void ComputePool::run_job(Job job) {
  job_ = job;
  next_.store(0, std::memory_order_relaxed);
  left_.store(0, std::memory_order_relaxed);
  state_.store((number_of(state_.load(std::memory_order_relaxed)) + 1) << 16, std::memory_order_release);
  state_.notify_all();
  for (int64_t task; (task = next_.fetch_add(1, std::memory_order_relaxed)) < job.tasks;) job.call(job.body, task, 0);
  uint32_t entered = state_.fetch_or(kClosed, std::memory_order_acq_rel) & (kClosed - 1);
  for (int spins = 0; left_.load(std::memory_order_acquire) != entered; ++spins) {
    relax();
    if (spins > 2000) std::this_thread::yield();  // more threads than cores
  }
}

void ComputePool::work(int thread) {
  uint32_t seen = state_.load(std::memory_order_acquire);
  for (;;) {
    uint32_t state = state_.load(std::memory_order_acquire);
    auto nothing = [&] { return number_of(state) == number_of(seen) || (state & kClosed) != 0; };
    for (auto until = std::chrono::steady_clock::now() + kSpin; nothing() && !stop_;) {
      for (int i = 0; i < 32 && nothing(); ++i) {
        relax();
        state = state_.load(std::memory_order_acquire);
      }
      if (nothing() && std::chrono::steady_clock::now() > until) {
        if (stop_) return;  // asked after `state` was read: the destructor's own change of it may be what was read, and none follows
        state_.wait(state, std::memory_order_acquire);
        state = state_.load(std::memory_order_acquire);
      }
    }
    if (stop_) return;
    if (!state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel)) continue;
    seen = state;
    Job job = job_;
    for (int64_t task; (task = next_.fetch_add(1, std::memory_order_relaxed)) < job.tasks;) job.call(job.body, task, thread);
    left_.fetch_add(1, std::memory_order_release);
  }
}

}  // namespace ajar::engine
