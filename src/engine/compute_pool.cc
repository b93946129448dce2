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
  generation_.fetch_add(1);
  generation_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void ComputePool::run_job(Job job) {
  job_ = job;
  next_.store(0, std::memory_order_relaxed);
  busy_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  for (int64_t task; (task = next_.fetch_add(1, std::memory_order_relaxed)) < job.tasks;) job.call(job.body, task, 0);
  for (int spins = 0; busy_.load(std::memory_order_acquire) != 0; ++spins) {
    relax();
    if (spins > 2000) std::this_thread::yield();  // more threads than cores
  }
}

void ComputePool::work(int thread) {
  uint64_t seen = 0;
  for (;;) {
    uint64_t current = generation_.load(std::memory_order_acquire);
    for (auto until = std::chrono::steady_clock::now() + kSpin; current == seen;) {
      for (int i = 0; i < 32 && current == seen; ++i) {
        relax();
        current = generation_.load(std::memory_order_acquire);
      }
      if (current == seen && std::chrono::steady_clock::now() > until) {
        generation_.wait(seen, std::memory_order_acquire);
        current = generation_.load(std::memory_order_acquire);
      }
    }
    seen = current;
    if (stop_) return;
    Job job = job_;
    for (int64_t task; (task = next_.fetch_add(1, std::memory_order_relaxed)) < job.tasks;) job.call(job.body, task, thread);
    busy_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace ajar::engine
