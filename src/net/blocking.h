#pragma once
// BlockingPool: a few threads for calls that block (the database). The loop that asks goes on with other work.

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "net/loop.h"
#include "net/waiter.h"

namespace ajar {

class BlockingPool {
 public:
  explicit BlockingPool(size_t threads) : pool_(threads) {}
  ~BlockingPool() { pool_.join(); }

  // Runs f() on a pool thread and resumes with its result on this loop. f must own what it uses. When the task is
  // destroyed before, f still runs and its result is dropped.
  template <class F>
  Task<std::invoke_result_t<F>> run(F f) {
    using R = std::invoke_result_t<F>;
    struct State {
      std::optional<R> result;   // loop's thread only, like `waiter`
      Waiter* waiter = nullptr;
    };
    struct Detach {
      std::shared_ptr<State> state;
      ~Detach() { state->waiter = nullptr; }
    };
    Loop& loop = Loop::current();
    const auto state = std::make_shared<State>();
    Waiter waiter(loop);
    state->waiter = &waiter;
    const Detach detach{state};
    boost::asio::post(pool_, [state, &loop, f = std::move(f)]() mutable {
      auto result = std::make_shared<R>(f());
      loop.post([state, result] {
        state->result.emplace(std::move(*result));
        if (state->waiter) state->waiter->wake(Wake::kReady);
      });
    });
    while (!state->result) co_await waiter.wait(kNever);
    co_return std::move(*state->result);
  }

 private:
  boost::asio::thread_pool pool_;
};

}  // namespace ajar
