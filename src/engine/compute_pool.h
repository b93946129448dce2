#pragma once
// The engine's own threads, for work that is cut in pieces many times per token. The calling thread works too; between jobs the
// others spin for some microseconds and then sleep.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>


namespace ajar::engine {

class ComputePool {
 public:
  explicit ComputePool(int threads);  // at least 1, the caller's included
  ~ComputePool();
  ComputePool(const ComputePool&) = delete;
  ComputePool& operator=(const ComputePool&) = delete;

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

 private:
  struct Job {
    int64_t tasks = 0;
    void* body = nullptr;
    void (*call)(void* body, int64_t task, int thread) = nullptr;
  };
  void run_job(Job job);
  void work(int thread);

  std::vector<std::thread> workers_;
  Job job_;                            // written while all workers wait for the next generation
  alignas(64) std::atomic<uint64_t> generation_{0};
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<int> busy_{0};
  std::atomic<bool> stop_{false};
};

}  // namespace ajar::engine
