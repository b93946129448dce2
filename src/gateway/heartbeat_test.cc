#include "gateway/heartbeat.h"

#include <gtest/gtest.h>

#include <future>

#include "gateway/call.h"
#include "net/loop.h"

namespace ajar {
namespace {

// A client whose comments take their time to be written.
class SlowClient final : public ReplySink {
 public:
  void begin(const Answered&) override {}
  Task<Status> write(EventBatch&) override {
    EXPECT_FALSE(writing) << "two write at once";
    co_return Status();
  }
  Task<Status> keep_alive() override {
    writing = true;
    ++beats;
    co_await sleep_until(now() + Millis(40));
    writing = false;
    co_return Status();
  }
  Task<int> finish(StreamEnd, const Error*, const store::CallRow&) override { co_return 200; }
  int beats = 0;
  bool writing = false;
};

TEST(Heartbeat, BeatsUntilItIsQuietAndNeverBesideAnotherWrite) {
  LoopGroup loops(1);
  std::promise<void> done;
  SlowClient slow;
  ReplySink* client = &slow;
  const auto run = [&]() -> Task<> {
    {
      Heartbeat heart;
      EXPECT_FALSE(heart.beats());
      heart.start(client, Millis(5));
      heart.start(client, Millis(5));  // beats already
      while (slow.beats < 2 || !slow.writing) co_await sleep_until(now() + Millis(1));
      co_await heart.quiet();
      EXPECT_FALSE(slow.writing);
      EXPECT_FALSE(heart.beats());
      EventBatch events;
      co_await slow.write(events);
      const int beats = slow.beats;
      co_await sleep_until(now() + Millis(80));
      EXPECT_EQ(slow.beats, beats);
      heart.start(client, Millis(10'000));  // the end of it ends its pause
    }
    co_await sleep_until(now() + Millis(30));
    done.set_value();
  };
  loops[0].spawn(run());
  done.get_future().wait();
  loops.stop();
}

}  // namespace
}  // namespace ajar
