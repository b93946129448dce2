#include "engine/compute_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace ajar::engine {
namespace {

TEST(ComputePool, DoesEveryTaskOnce) {
  for (int threads : {1, 2, 5}) {
    ComputePool pool(threads);
    for (int round = 0; round < 200; ++round) {
      std::vector<std::atomic<int>> done(static_cast<size_t>(round));
      pool.run(round, [&](int64_t task, int thread) {
        ASSERT_LT(thread, threads);
        done[static_cast<size_t>(task)]++;
      });
      for (auto& d : done) ASSERT_EQ(d.load(), 1);
    }
  }
}

}  // namespace
}  // namespace ajar::engine
