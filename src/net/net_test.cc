#include <gmock/gmock.h>

#include "net/connect.h"
#include "net/loop.h"
#include "net/resolve.h"
#include "net/testing.h"
#include "net/waiter.h"

namespace ajar {
namespace {

using testing::eventually;
using testing::RawServer;
using testing::RawSocket;
using testing::run_on;
using ::testing::HasSubstr;

TEST(CancelToken, HooksRunOnceLatestFirst) {
  CancelToken token;
  std::string seen;
  OnCancel a(token, [&] { seen += 'a'; });
  {
    OnCancel gone(token, [&] { seen += 'x'; });
  }
  OnCancel b(token, [&] { seen += 'b'; });
  token.cancel();
  token.cancel();
  EXPECT_EQ(seen, "ba");
  OnCancel late(token, [&] { seen += 'c'; });
  EXPECT_EQ(seen, "bac");
  EXPECT_TRUE(token.cancelled());
}

TEST(CancelToken, AHookMayUnregisterOthers) {
  CancelToken token;
  int ran = 0;
  auto count = [&] { ++ran; };
  std::optional<OnCancel<decltype(count)>> victim;
  victim.emplace(token, count);
  OnCancel killer(token, [&] { victim.reset(); });
  token.cancel();
  EXPECT_EQ(ran, 0);
}

TEST(CancelToken, MayDieBeforeItsHooks) {
  auto token = std::make_unique<CancelToken>();
  OnCancel hook(*token, [] { FAIL(); });
  token.reset();
}

struct Alarm final : Deadline {
  ~Alarm() override { disarm(); }
  void expire() override { at = now(); }
  TimePoint at{};
};

TEST(Deadlines, PassInTimeNeverEarly) {
  LoopGroup group(1);
  std::vector<std::unique_ptr<Alarm>> alarms;
  TimePoint start;
  run_on(group[0], [&]() -> Task<> {
    start = now();
    for (int i = 0; i < 300; ++i) {
      alarms.push_back(std::make_unique<Alarm>());
      alarms.back()->arm(group[0].deadlines(), start + Millis(i % 100));
    }
    for (int i = 0; i < 300; i += 3) alarms[size_t(i)]->disarm();
    alarms[1]->arm(group[0].deadlines(), kNever);
    alarms[2]->arm(group[0].deadlines(), start + std::chrono::hours(24));
    co_await sleep_until(start + Millis(400));
    for (int i = 0; i < 300; ++i) {
      const Alarm& alarm = *alarms[size_t(i)];
      if (i % 3 == 0 || i < 3) {
        EXPECT_EQ(alarm.at, TimePoint{}) << i;
      } else {
        EXPECT_GE(alarm.at, start + Millis(i % 100)) << i;
      }
    }
    EXPECT_EQ(group[0].deadlines().size(), 2u);
    alarms.clear();
  });
}

TEST(Deadlines, ANearOneAfterAFarOne) {
  LoopGroup group(1);
  run_on(group[0], [&]() -> Task<> {
    Alarm far, near;
    far.arm(group[0].deadlines(), now() + std::chrono::hours(1));
    co_await sleep_until(now() + Millis(30));
    near.arm(group[0].deadlines(), now() + Millis(20));
    co_await sleep_until(now() + Millis(300));
    EXPECT_NE(near.at, TimePoint{});
    EXPECT_EQ(far.at, TimePoint{});
  });
}

TEST(Loop, SleepIsCutByTheToken) {
  LoopGroup group(1);
  run_on(group[0], [&]() -> Task<> {
    CancelToken token;
    EXPECT_TRUE(co_await sleep_until(now() + Millis(5), token));
    Loop::current().post([&] { token.cancel(); });
    EXPECT_FALSE(co_await sleep_until(now() + Millis(60'000), token));
    EXPECT_FALSE(co_await sleep_until(now() + Millis(60'000), token));
  });
}

TEST(Loop, ParkedTasksAreDestroyedWithIt) {
  auto alive = std::make_shared<int>(0);
  std::atomic<int> parked{0};
  {
    LoopGroup group(1);
    for (int i = 0; i < 3; ++i)
      group[0].spawn([](std::shared_ptr<int> held, std::atomic<int>& parked, int kind) -> Task<> {
        Waiter waiter(Loop::current());
        CancelToken token;
        ++parked;
        if (kind == 0) co_await waiter.wait(kNever);
        if (kind == 1) co_await waiter.wait(now() + Millis(60'000));
        if (kind == 2) co_await sleep_until(now() + Millis(60'000), token);
        ADD_FAILURE();
      }(alive, parked, i));
    ASSERT_TRUE(eventually([&] { return parked == 3; }));
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(Loop, PostFromOtherThreads) {
  LoopGroup group(2);
  std::atomic<int> ran{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i)
        group[size_t(i % 2)].post([&, loop = &group[size_t(i % 2)]] { ran += &Loop::current() == loop; });
    });
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(eventually([&] { return ran == 4000; }));
}

TEST(Proxy, Parse) {
  ProxyServer p = parse_proxy("http://us%65r:p%40ss@proxy.test:3128/").value();
  EXPECT_EQ(p.host, "proxy.test");
  EXPECT_EQ(p.port, 3128);
  EXPECT_EQ(p.authorization, "Basic dXNlcjpwQHNz");
  EXPECT_EQ(parse_proxy("proxy.test")->port, 80);
  EXPECT_EQ(parse_proxy("http://[::1]:8080")->host, "::1");
  for (const char* bad : {"", "socks5://p:1", "https://p", "http://p:x", "http://:80"}) EXPECT_FALSE(parse_proxy(bad)) << bad;
}

TEST(Proxy, NoProxy) {
  std::string_view list = "localhost, .corp.test,example.com,10.0.0.1 , api.test:8443,::1,[fe80::1]:80";
  for (auto [host, port] : std::initializer_list<std::pair<const char*, int>>{
           {"localhost", 1}, {"a.corp.test", 1}, {"corp.test", 1}, {"EXAMPLE.com", 1}, {"x.example.com", 1},
           {"10.0.0.1", 1}, {"api.test", 8443}, {"::1", 9}, {"fe80::1", 80}})
    EXPECT_TRUE(bypasses_proxy(list, host, uint16_t(port))) << host;
  for (auto [host, port] : std::initializer_list<std::pair<const char*, int>>{
           {"notexample.com", 1}, {"example.com.evil", 1}, {"api.test", 443}, {"10.0.0.11", 1}, {"fe80::1", 81}, {"", 1}})
    EXPECT_FALSE(bypasses_proxy(list, host, uint16_t(port))) << host;
  EXPECT_TRUE(bypasses_proxy("a,*", "anything", 1));
  EXPECT_FALSE(bypasses_proxy("", "anything", 1));
}

TEST(HostPort, Parse) {
  EXPECT_EQ(parse_host_port("H:80", -1)->host, "h");
  EXPECT_EQ(parse_host_port("[::1]:80", -1)->port, 80);
  EXPECT_EQ(parse_host_port(":80", -1)->host, "");
  EXPECT_EQ(parse_host_port("h", 443)->port, 443);
  for (const char* bad : {"h", "h:", "h:-1", "h:65536", "h:8x", "[::1", "[::1]80", "::1:80"})
    EXPECT_FALSE(parse_host_port(bad, -1)) << bad;
}

TEST(Resolve, Interleaves) {
  auto a = [](const char* text) { return boost::asio::ip::make_address(text); };
  auto mixed = interleave_families({a("::1"), a("::2"), a("::3"), a("1.1.1.1"), a("2.2.2.2")});
  EXPECT_THAT(mixed, ::testing::ElementsAre(a("::1"), a("1.1.1.1"), a("::2"), a("2.2.2.2"), a("::3")));
}

TEST(Resolve, LocalhostAndOverlappingLookups) {
  LoopGroup group(1);
  run_on(group[0], [&]() -> Task<> {
    Resolver resolver(group[0]);
    int done = 0;
    for (int i = 0; i < 5; ++i)
      group[0].spawn([](Resolver& resolver, int& done) -> Task<> {
        auto got = co_await resolver.resolve("localhost", now() + Millis(20'000));
        EXPECT_TRUE(got);
        ++done;
      }(resolver, done));
    auto got = co_await resolver.resolve("localhost", now() + Millis(20'000));
    EXPECT_TRUE(got && !got->empty());
    EXPECT_EQ((co_await resolver.resolve("::1", kNever))->size(), 1u);
    EXPECT_EQ((co_await resolver.resolve("no-such-host.invalid", kNever)).error().code, Code::kUnavailable);
    while (done < 5) co_await sleep_until(now() + Millis(5));
  });
}

Task<Result<Stream>> dial(Connector& connector, Endpoint to, CancelToken& token, Millis patience = Millis(20'000)) {
  TlsOptions tls;
  co_return co_await connector.connect(to, tls, after(patience), token);
}

TEST(Stream, ReadsWritesAndEnds) {
  RawServer server([](RawSocket socket, int) {
    EXPECT_EQ(socket.read_exactly(4), "ping");
    socket.send("pong");
  });
  LoopGroup group(1);
  run_on(group[0], [&]() -> Task<> {
    auto connector = *Connector::create(group[0], {});
    CancelToken token;
    auto stream = co_await dial(*connector, {.host = "localhost", .port = server.port()}, token);
    EXPECT_TRUE(stream);
    if (!stream) co_return;
    EXPECT_EQ(stream->peer_address(), "127.0.0.1");
    EXPECT_TRUE(co_await stream->write("ping"));
    char buffer[10];
    EXPECT_EQ(*co_await stream->read_some(buffer), 4u);
    EXPECT_EQ(*co_await stream->read_some(buffer), 0u);
    stream->close();
    EXPECT_EQ((co_await stream->read_some(buffer)).error().code, Code::kCancelled);
  });
}

TEST(Stream, WhatAnEdgeSaidIsRemembered) {
  RawServer server([](RawSocket socket, int) { socket.send("0123456789"); });  // and its end, at once
  LoopGroup group(1);
  run_on(group[0], [&]() -> Task<> {
    auto connector = *Connector::create(group[0], {});
    CancelToken token;
    auto stream = co_await dial(*connector, {.host = "127.0.0.1", .port = server.port()}, token);
    co_await sleep_until(now() + Millis(50));
    struct Watcher final : StreamWatcher {
      void on_readable() override { ++told; }
      int told = 0;
    } watcher;
    stream->watch(&watcher);
    EXPECT_EQ(watcher.told, 0);
    co_await sleep_until(now() + Millis(20));
    EXPECT_EQ(watcher.told, 1);
    char buffer[20];
    EXPECT_EQ(stream->try_read(std::span(buffer, 4)).bytes, 4u);
    EXPECT_EQ(co_await stream->readable(now() + Millis(20'000)), Wake::kReady);
    EXPECT_EQ(stream->try_read(buffer).bytes, 6u);  // a short read, but not the last
    EXPECT_EQ(co_await stream->readable(now() + Millis(20'000)), Wake::kReady);
    EXPECT_EQ(stream->try_read(buffer).kind, Io::Kind::kEnd);
    stream->watch(&watcher);
    stream->close();
    co_await sleep_until(now() + Millis(20));
    EXPECT_EQ(watcher.told, 1);
  });
}

TEST(Stream, NobodyIsStarved) {
  RawServer server([](RawSocket socket, int) {
    socket.send("first");
    while (socket.send(std::string(100'000, 'b'))) {
    }
  });
  LoopGroup group(1);
  bool stop = false;
  std::function<void()> again = [&] {
    if (!stop) group[0].post(again);
  };
  run_on(group[0], [&]() -> Task<> {
    auto connector = *Connector::create(group[0], {});
    CancelToken token;
    auto busy = co_await dial(*connector, {.host = "127.0.0.1", .port = server.port()}, token);
    group[0].spawn([](Stream& stream, bool& stop) -> Task<> {
      char byte;
      while (!stop && co_await stream.readable(kNever) == Wake::kReady) stream.try_read({&byte, 1});
    }(*busy, stop));
    group[0].post(again);
    auto other = co_await dial(*connector, {.host = "127.0.0.1", .port = server.port()}, token);
    char buffer[5];
    EXPECT_TRUE(co_await other->read_some(buffer, now() + Millis(20'000)));
    co_await sleep_until(now() + Millis(30));
    stop = true;
    busy->close();
    co_await sleep_until(now() + Millis(20));
  });
}

TEST(Stream, CloseWakesAndDeadlinesPass) {
  RawServer server([](RawSocket socket, int) { socket.read_all(); });
  LoopGroup group(1);
  run_on(group[0], [&]() -> Task<> {
    auto connector = *Connector::create(group[0], {});
    CancelToken token;
    auto stream = co_await dial(*connector, {.host = "127.0.0.1", .port = server.port()}, token);
    char buffer[10];
    EXPECT_EQ((co_await stream->read_some(buffer, now() + Millis(20))).error().code, Code::kTimeout);
    group[0].post([&] { stream->close(); });
    EXPECT_EQ((co_await stream->read_some(buffer)).error().code, Code::kCancelled);
  });
}

TEST(Stream, AWriterWaitsForItsReader) {
  std::promise<void> go;
  RawServer server([&](RawSocket socket, int) {
    go.get_future().wait();
    std::string all = socket.read_exactly(32 << 20);
    EXPECT_EQ(all, std::string(32 << 20, 'w'));
  });
  LoopGroup group(1);
  run_on(group[0], [&]() -> Task<> {
    auto connector = *Connector::create(group[0], {});
    CancelToken token;
    auto stream = co_await dial(*connector, {.host = "127.0.0.1", .port = server.port()}, token);
    std::string big(32 << 20, 'w');
    EXPECT_TRUE(co_await stream->write("", Millis(1)));
    bool written = false;
    group[0].spawn([](Stream& stream, std::string& big, bool& written) -> Task<> {
      EXPECT_TRUE(co_await stream.write(big, Millis(20'000)));
      written = true;
    }(*stream, big, written));
    co_await sleep_until(now() + Millis(50));
    EXPECT_FALSE(written);
    go.set_value();
    while (!written) co_await sleep_until(now() + Millis(5));
  });
}

TEST(Connect, RefusedSaysWhere) {
  uint16_t port = RawServer([](RawSocket, int) {}).port();
  LoopGroup group(1);
  run_on(group[0], [&]() -> Task<> {
    auto connector = *Connector::create(group[0], {});
    CancelToken token;
    auto stream = co_await dial(*connector, {.host = "localhost", .port = port}, token);
    EXPECT_EQ(stream.error().code, Code::kUnavailable);
    EXPECT_THAT(stream.error().message, HasSubstr("localhost:" + std::to_string(port)));
  });
}

TEST(Connect, SecondAddressIsTried) {
  // localhost usually has two addresses; the server listens on one family only.
  RawServer server([](RawSocket socket, int) { socket.send("6"); }, AF_INET6);
  if (!server.ok()) GTEST_SKIP() << "this machine has no IPv6 loopback";
  LoopGroup group(1);
  run_on(group[0], [&]() -> Task<> {
    Resolver resolver(group[0]);
    auto addresses = co_await resolver.resolve("localhost", kNever);
    bool both = addresses && addresses->size() > 1;
    auto connector = *Connector::create(group[0], {});
    CancelToken token;
    auto stream = co_await dial(*connector, {.host = both ? "localhost" : "::1", .port = server.port()}, token);
    EXPECT_TRUE(stream) << stream.error().message;
    if (stream) EXPECT_EQ(stream->peer_address(), "::1");
  });
}

TEST(Connect, CancelledAndTimedOut) {
  // A full backlog does not answer.
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(fd, 0), 0);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  Endpoint to{.host = "127.0.0.1", .port = ntohs(address.sin_port)};
  LoopGroup group(1);
  run_on(group[0], [&]() -> Task<> {
    auto connector = *Connector::create(group[0], {});
    CancelToken token;
    std::vector<Stream> fill;
    bool timed_out = false;
    for (int i = 0; i < 5 && !timed_out; ++i) {
      auto stream = co_await dial(*connector, to, token, Millis(100));
      if (stream) {
        fill.push_back(std::move(*stream));
      } else {
        EXPECT_EQ(stream.error().code, Code::kTimeout);
        timed_out = true;
      }
    }
    EXPECT_TRUE(timed_out);
    group[0].spawn([](CancelToken& token) -> Task<> {
      co_await sleep_until(now() + Millis(20));
      token.cancel();
    }(token));
    auto stream = co_await dial(*connector, to, token);
    EXPECT_EQ(stream.error().code, Code::kCancelled);
  });
  ::close(fd);
}

}  // namespace
}  // namespace ajar
