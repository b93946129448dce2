#pragma once
// The store of a collection's vectors and what is known of it. For collection*.cc alone.

#include <atomic>
#include <condition_variable>
#include <thread>

#include "base/clock.h"
#include "rag/collection_parts.h"

namespace ajar::rag {

struct Collection::Outside {
  const std::string name, base;            // in the configuration; what its collections' names begin with
  std::mutex sending;                      // one sender at a time
  std::atomic<bool> made = false;          // the store's collection is known to be there

  mutable std::mutex lock;                 // guards all below
  std::condition_variable changed;
  bool stop = false;
  std::shared_ptr<VectorStore> store;      // of this generation; null: `trouble` says why
  size_t waiting = 0;
  TimePoint again{};                       // no call before
  Millis pause{0};
  std::string trouble;                     // empty: it works
  std::thread thread;                      // sends again what has failed

  Outside(std::string n, std::string b) : name(std::move(n)), base(std::move(b)) {}
  ~Outside() { finish(); }
  void finish() {                          // its thread ends
    {
      std::lock_guard hold(lock);
      stop = true;
    }
    changed.notify_all();
    if (thread.joinable()) thread.join();
  }
  std::string collection(int64_t generation) const { return base + "_g" + std::to_string(generation); }
};

}  // namespace ajar::rag
