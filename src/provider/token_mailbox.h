#pragma once
// How tokens come from the engine's thread to the loop of the request that waits for them: a queue under a lock, and one wake
// for all that came since the last look. Bounded by the answer's own length.

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/engine.h"
#include "net/loop.h"
#include "net/waiter.h"

namespace ajar {

struct TokenNews {
  int choice = 0;
  engine::Sampled token;                       // unless over
  std::vector<engine::Sampled> prompt;         // logprobs of the prompt, where they were asked for
  struct End {
    engine::FinishReason reason;
    engine::GenerationStats stats;
    Error error;
  };
  std::optional<End> end;
};

class TokenMailbox : public std::enable_shared_from_this<TokenMailbox> {
 public:
  explicit TokenMailbox(Loop& loop) : loop_(loop) {}

  void put(TokenNews news) {  // any thread
    {
      std::lock_guard lock(mutex_);
      news_.push_back(std::move(news));
      if (told_) return;
      told_ = true;
    }
    loop_.post([self = shared_from_this()] {
      if (self->waiter_ != nullptr) self->waiter_->wake(Wake::kReady);
    });
  }

  // All that came, perhaps nothing. The loop's thread.
  void take(std::vector<TokenNews>& out) {
    out.clear();
    std::lock_guard lock(mutex_);
    out.swap(news_);
    told_ = false;
  }
  void listen(Waiter* waiter) { waiter_ = waiter; }  // the loop's thread; null: nobody listens any more

 private:
  Loop& loop_;
  Waiter* waiter_ = nullptr;  // the loop's thread only
  std::mutex mutex_;
  std::vector<TokenNews> news_;  // guarded by mutex_
  bool told_ = false;            // guarded by mutex_
};

}  // namespace ajar
