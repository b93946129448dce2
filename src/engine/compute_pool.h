#pragma once
// The engine's own threads, for work that is cut in pieces many times per token. The calling thread works too; between jobs the
// others spin for some microseconds and then sleep.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>


namespace ajar::engine {

class ComputePool {
 public:
  explicit ComputePool(int threads);  // at least 1, the caller's included
  ~ComputePool();
  ComputePool(const ComputePool&) = delete;
  ComputePool& operator=(const ComputePool&) = delete;

  // Held by whoever works with the pool for a while, where several models share it.
  std::mutex& turn() { return turn_; }

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // body(task, thread) for every task in 0..tasks-1, each once, in any order; returns when all are done. One caller at a time.
  // body must not throw and must not call run.
  template <class Body>
  void run(int64_t tasks, Body&& body) {
    if (tasks <= 0) return;
    if (tasks == 1 || workers_.empty()) {
      for (int64_t task = 0; task < tasks; ++task) body(task, 0);
      return;
    }
    run_job({tasks, &body, [](void* what, int64_t task, int thread) {
               (*static_cast<std::remove_reference_t<Body>*>(what))(task, thread);
             }});
  }

  // The same on the calling thread alone where the whole is so little work (in multiplications) that waking others costs more.
  template <class Body>
  void run_if_worth(int64_t work, int64_t tasks, Body&& body) {
    constexpr int64_t kLittle = 100'000;
    if (work >= kLittle) return run(tasks, body);
    for (int64_t task = 0; task < tasks; ++task) body(task, 0);
  }

 private:
  struct Job {
    int64_t tasks = 0;
    void* body = nullptr;
    void (*call)(void* body, int64_t task, int thread) = nullptr;
  };
  void run_job(Job job);
  void work(int thread);

  // A worker enters a job before it takes tasks; the caller closes it once no task is left, and waits only for those who
  // entered. So a thread that the system does not let run holds nobody up.
  //   bits 0-14 how many entered, bit 15 closed, bits 16-31 number of the job
  static constexpr uint32_t kClosed = 1u << 15;
  static uint32_t number_of(uint32_t state) { return state >> 16; }

  std::mutex turn_;
  std::vector<std::thread> workers_;
  Job job_;                            // written while the job before is closed and left by all
  alignas(64) std::atomic<uint32_t> state_{kClosed};
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<uint32_t> left_{0};
  std::atomic<bool> stop_{false};
};

}  // namespace ajar::engine
