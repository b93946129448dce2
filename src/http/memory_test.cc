// What connections cost in memory. Left out under sanitizers, which have their own allocator.

#include <gtest/gtest.h>
#include <malloc.h>

#include "http/server.h"
#include "net/testing.h"

namespace ajar {
namespace {

using testing::eventually;
using testing::RawSocket;

size_t heap_bytes() {
  auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

TEST(Memory, IdleConnectionsAreSmallAndBodiesAreFreed) {
#ifdef AJAR_SANITIZED
  GTEST_SKIP() << "sanitizers have their own allocator";
#endif
  constexpr size_t kCount = 300, kBody = 150'000;
  std::atomic<size_t> running{0};
  std::atomic<bool> go{false};
  LoopGroup group(1);
  Server server(group, {.listen = {"127.0.0.1:0"}}, [&](Exchange& e) -> Task<> {
    ++running;
    while (!go) co_await sleep_until(now() + Millis(20));
    (void)co_await e.send(200, {}, "ok");
  });
  ASSERT_TRUE(server.listen());
  std::vector<RawSocket> sockets;
  std::string request = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(kBody) + "\r\n\r\n" +
                        std::string(kBody, 'x');
  sockets.reserve(kCount);
  size_t before = heap_bytes();
  for (size_t i = 0; i < kCount; ++i) {
    sockets.push_back(RawSocket::connect(server.port()));
    ASSERT_TRUE(sockets.back().send(request));
  }
  ASSERT_TRUE(eventually([&] { return running == kCount; }));
  size_t busy = (heap_bytes() - before) / kCount;
  EXPECT_GT(busy, kBody);
  EXPECT_LT(busy, kBody + 16'000);
  go = true;
  for (RawSocket& socket : sockets) EXPECT_TRUE(socket.read_response().ends_with("ok"));
  EXPECT_TRUE(eventually([&] { return (heap_bytes() - before) / kCount < 4096; }))
      << (heap_bytes() - before) / kCount << " bytes per idle connection";
  RecordProperty("idle_bytes", int((heap_bytes() - before) / kCount));
  RecordProperty("busy_bytes", int(busy));
  printf("idle %zu bytes, busy %zu bytes per connection\n", (heap_bytes() - before) / kCount, busy);
}

}  // namespace
}  // namespace ajar
