#include "http/server.h"

#include <gmock/gmock.h>

#include "base/text.h"
#include "net/testing.h"

namespace ajar {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::eventually;
using testing::RawSocket;

// Answers every request with "METHOD path query body".
Task<> echo(Exchange& exchange) {
  HttpRequest& r = exchange.request();
  std::string text = r.method + ' ' + r.path + ' ' + r.query + ' ' + r.body;
  (void)co_await exchange.send(200, {{"content-type", "text/plain"}}, text);
}

struct Fixture {
  explicit Fixture(HttpHandler handler = echo, ServerOptions options = {}, size_t loops = 1)
      : group(loops), server(group, with_port(std::move(options)), std::move(handler)) {
    Status status = server.listen();
    EXPECT_TRUE(status) << status.error().message;
  }
  static ServerOptions with_port(ServerOptions options) {
    options.listen = {"127.0.0.1:0"};
    return options;
  }
  RawSocket connect() { return RawSocket::connect(server.port()); }
  // Sends, ends our side, and reads until the server closes.
  std::string talk(std::string_view bytes) {
    RawSocket socket = connect();
    socket.send(bytes);
    return socket.read_all();
  }
  LoopGroup group;
  Server server;
};

TEST(Server, AnswersAndKeepsAlive) {
  Fixture f;
  RawSocket socket = f.connect();
  for (int i = 0; i < 3; ++i) {
    socket.send("POST /a/b?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    std::string got = socket.read_response();
    EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(got, EndsWith("\r\n\r\nPOST /a/b x=1 hello"));
  }
  socket.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(socket.read_all(), HasSubstr("connection: close\r\n"));
}

TEST(Server, SplitAtEveryByte) {
  Fixture f;
  std::string_view request =
      "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;e=1\r\nde\r\n0\r\nT: v\r\n\r\n";
  RawSocket socket = f.connect();
  for (char c : request) socket.send({&c, 1});
  EXPECT_THAT(socket.read_response(), EndsWith("POST /x  abcde"));
}

TEST(Server, PipelinedRequestsAreAnsweredInOrder) {
  Fixture f;
  RawSocket socket = f.connect();
  std::string all;
  for (int i = 0; i < 50; ++i) all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  socket.send(all);
  for (int i = 0; i < 50; ++i)
    EXPECT_THAT(socket.read_response(), EndsWith("GET /" + std::to_string(i) + "  "));
}

TEST(Server, PipelinedWhileTheHandlerRuns) {
  Fixture f([](Exchange& e) -> Task<> {
    if (e.request().path == "/slow") co_await sleep_until(now() + Millis(100));
    EXPECT_FALSE(e.cancel().cancelled());
    co_await echo(e);
  });
  RawSocket socket = f.connect();
  socket.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  std::this_thread::sleep_for(Millis(20));
  socket.send("POST /next HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + std::string(100000, 'x'));
  EXPECT_THAT(socket.read_response(), EndsWith("GET /slow  "));
  EXPECT_THAT(socket.read_response(), EndsWith("x"));
}

TEST(Server, LeavingIsNoticedBehindPipelinedBytes) {
  std::atomic<int> cancelled{0};
  Fixture f([&](Exchange& e) -> Task<> {
    cancelled += !co_await sleep_until(now() + Millis(20'000), e.cancel());
  });
  RawSocket socket = f.connect();
  socket.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  socket.send(std::string(90'000, 'x'));  // more than is read ahead, less than the kernel holds
  socket.close();
  EXPECT_TRUE(eventually([&] { return cancelled == 1; }));
}

TEST(Server, RefusesWhatOthersCouldReadDifferently) {
  Fixture f;
  const std::pair<const char*, const char*> cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", "400"},                                                  // no Host
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400"},                            // two Hosts
      {"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", "400"},                         // obs-fold
      {"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n", "400"},                              // space before ':'
      {"GET / HTTP/1.1\nHost: a\n\n", "400"},                                             // bare LF
      {"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", "400"},                            // bare CR
      {"GET / HTTP/1.1\r\nHost: a\r\nX: a\x01" "b\r\n\r\n", "400"},                       // control
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na", "400"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na", "400"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\na", "400"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "501"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "501"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1 \r\nx\r\n0\r\n\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n", "400"},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505"},
      {"GET / http/1.1\r\nHost: a\r\n\r\n", "400"},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"GET x HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "501"},
      {"\x16\x03\x01\x02", "400"},  // a TLS ClientHello
      {"POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\na", "417"},
  };
  for (auto [request, status] : cases) {
    std::string got = f.talk(request);
    EXPECT_THAT(got, StartsWith(std::string("HTTP/1.1 ") + status)) << request;
    EXPECT_THAT(got, HasSubstr("connection: close\r\n")) << request;
    EXPECT_EQ(got.find("\r\ndate: "), got.rfind("\r\ndate: ")) << "a second answer to " << request;
  }
  std::string nul("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 36);
  EXPECT_THAT(f.talk(nul), StartsWith("HTTP/1.1 400"));
}

TEST(Server, Limits) {
  ServerOptions options;
  options.max_body_bytes = 1000;
  Fixture f(echo, options);
  EXPECT_THAT(f.talk("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 414"));
  EXPECT_THAT(f.talk("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(40'000, 'a')), StartsWith("HTTP/1.1 431"));
  // Refused from the head alone.
  EXPECT_THAT(f.talk("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n"), StartsWith("HTTP/1.1 413"));
  std::string chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_THAT(f.talk(chunked + "3e9\r\n" + std::string(1001, 'x')), StartsWith("HTTP/1.1 413"));
}

TEST(Server, LargeRefusedBodyStillGetsItsAnswer) {
  Fixture f(echo, {.max_body_bytes = 1000});
  RawSocket socket = f.connect();
  socket.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n" + std::string(4'000'000, 'x'));
  EXPECT_THAT(socket.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 413"));
}

TEST(Server, ErrorBodyIsShapedByTheCaller) {
  ServerOptions options;
  options.error_body = [](const Error& error, std::string_view path) {
    return ErrorBody{"text/x", std::string(path) + "|" + std::string(code_name(error.code))};
  };
  options.max_body_bytes = 1;
  Fixture f(echo, options);
  std::string got = f.talk("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n");
  EXPECT_THAT(got, HasSubstr("content-type: text/x\r\n"));
  EXPECT_THAT(got, HasSubstr("\r\n\r\n/p|"));
}

TEST(Server, ExpectContinue) {
  Fixture f;
  RawSocket socket = f.connect();
  socket.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(socket.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("ok");
  EXPECT_THAT(socket.read_response(), EndsWith("POST /  ok"));
}

TEST(Server, HeadAndOptionsReachTheHandler) {
  Fixture f;
  RawSocket socket = f.connect();
  socket.send("HEAD /h HTTP/1.1\r\nHost: h\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(socket.read_until("\r\n\r\n"), HasSubstr("content-length: 9\r\n"));
  EXPECT_THAT(socket.read_response(), EndsWith("OPTIONS *  "));
}

TEST(Server, Http10) {
  Fixture f([](Exchange& e) -> Task<> {
    (void)co_await e.start(200, {});
    (void)co_await e.write("one");
    (void)co_await e.finish("two");
  });
  std::string got = f.talk("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(got, EndsWith("\r\n\r\nonetwo"));
  EXPECT_EQ(got.find("chunked"), std::string::npos);
}

TEST(Server, StreamsInChunks) {
  Fixture f([](Exchange& e) -> Task<> {
    (void)co_await e.start(200, {{"content-type", "text/event-stream"}});
    for (int i = 0; i < 3; ++i) (void)co_await e.write("tick");
    EXPECT_EQ(e.bytes_written(), 12u);
    (void)co_await e.finish();
  });
  RawSocket socket = f.connect();
  for (int i = 0; i < 2; ++i) {
    socket.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(socket.read_until("0\r\n\r\n"),
                EndsWith("transfer-encoding: chunked\r\n\r\n4\r\ntick\r\n4\r\ntick\r\n4\r\ntick\r\n0\r\n\r\n"));
  }
}

TEST(Server, AbortAndForgottenFinishAreSeenAsCut) {
  Fixture f([](Exchange& e) -> Task<> {
    (void)co_await e.start(200, {});
    (void)co_await e.write("part");
    if (e.request().path == "/abort") e.abort();
  });
  for (const char* path : {"/abort", "/forget"}) {
    std::string got = f.talk("GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(got, EndsWith("4\r\npart\r\n"));
  }
}

TEST(Server, NoAnswerAndExceptionsAre500) {
  Fixture f([](Exchange& e) -> Task<> {
    if (e.request().path == "/throw") throw std::runtime_error("boom");
    co_return;
  });
  RawSocket socket = f.connect();
  socket.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(socket.read_response(), StartsWith("HTTP/1.1 500"));
  socket.send("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(socket.read_all(), StartsWith("HTTP/1.1 500"));
}

TEST(Server, SlowHeadIs408AndIdleIsClosedSilently) {
  ServerOptions options;
  options.header_timeout = Millis(100);
  options.idle_timeout = Millis(100);
  options.body_gap_timeout = Millis(100);
  Fixture f(echo, options);
  EXPECT_THAT(f.talk("GET / HTTP/1.1\r\nHo"), StartsWith("HTTP/1.1 408"));
  EXPECT_THAT(f.talk("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx"), StartsWith("HTTP/1.1 408"));
  EXPECT_EQ(f.talk(""), "");
  std::string got = f.talk("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(got, EndsWith("GET /  "));  // and then closed
}

TEST(Server, LeavingCancelsTheHandlerSoon) {
  std::atomic<int> started{0}, cancelled{0};
  std::atomic<int64_t> at{0};
  Fixture f([&](Exchange& e) -> Task<> {
    ++started;
    if (!co_await sleep_until(now() + Millis(30'000), e.cancel())) {
      at = now().time_since_epoch().count();
      ++cancelled;
      EXPECT_EQ((co_await e.send(200, {}, "x")).error().code, Code::kCancelled);
    }
  });
  int64_t best = INT64_MAX;  // the best of some, since the machine may be busy
  for (int i = 0; i < 6; ++i) {
    RawSocket socket = f.connect();
    socket.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(eventually([&] { return started == i + 1; }));
    int64_t left = now().time_since_epoch().count();
    i % 2 ? socket.reset() : socket.close();
    ASSERT_TRUE(eventually([&] { return cancelled == i + 1; }));
    best = std::min(best, at - left);
  }
  EXPECT_LT(best, 50'000'000);
}

TEST(Server, ASlowReaderStopsTheWriter) {
  std::atomic<uint64_t> written{0};
  std::atomic<bool> ended{false};
  Fixture f([&](Exchange& e) -> Task<> {
    std::string piece(64 * 1024, 'x');
    (void)co_await e.start(200, {});
    Status status;
    while (status && written < (1u << 30)) {
      status = co_await e.write(piece);
      written = e.bytes_written();
    }
    EXPECT_EQ(status.error().code, Code::kCancelled);
    ended = true;
  });
  RawSocket socket = f.connect();
  socket.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  uint64_t before = 0;
  ASSERT_TRUE(eventually([&] {  // until nothing moves any more
    std::this_thread::sleep_for(Millis(100));
    return written > 0 && std::exchange(before, written.load()) == written;
  }));
  EXPECT_LT(written, 64u << 20);
  EXPECT_EQ(socket.read_exactly(1 << 20).size(), 1u << 20);
  socket.close();
  EXPECT_TRUE(eventually([&] { return ended.load(); }));
}

TEST(Server, AWriterToAStalledClientGivesUp) {
  std::atomic<bool> ended{false};
  Fixture f([&](Exchange& e) -> Task<> {
    std::string big(32 << 20, 'x');
    EXPECT_FALSE(co_await e.send(200, {}, big));
    EXPECT_TRUE(e.cancel().cancelled());
    ended = true;
  }, {.write_timeout = Millis(100)});
  RawSocket socket = f.connect();
  socket.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return ended.load(); }));
}

TEST(Server, HalfOpenConnectionsDoNotDisturb) {
  Fixture f(echo, {}, 2);
  std::vector<RawSocket> lurkers;
  for (int i = 0; i < 400; ++i) {
    lurkers.push_back(f.connect());
    lurkers.back().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Le");
  }
  RawSocket socket = f.connect();
  for (int i = 0; i < 20; ++i) {
    socket.send("GET /ok HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(socket.read_response(), EndsWith("GET /ok  "));
  }
}

TEST(Server, OneConnectionTooManyIs503) {
  Fixture f(echo, {.max_connections = 2});
  RawSocket a = f.connect(), b = f.connect();
  for (RawSocket* s : {&a, &b}) {
    s->send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(s->read_response(), StartsWith("HTTP/1.1 200"));
  }
  EXPECT_THAT(f.talk("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 503"));
  a.close();
  EXPECT_TRUE(eventually([&] { return f.server.connections() < 2; }));
  EXPECT_THAT(f.talk("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST(Server, DrainFinishesWhatRunsAndClosesIdle) {
  std::atomic<int> started{0};
  Fixture f([&](Exchange& e) -> Task<> {
    ++started;
    if (e.request().path == "/slow") co_await sleep_until(now() + Millis(300));
    co_await echo(e);
  }, {}, 2);
  RawSocket idle = f.connect(), busy = f.connect();
  idle.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  idle.read_response();
  busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return started == 2; }));
  EXPECT_TRUE(f.server.drain(Millis(20'000)));
  EXPECT_EQ(idle.read_all(), "");
  std::string got = busy.read_all();
  EXPECT_THAT(got, HasSubstr("connection: close\r\n"));
  EXPECT_THAT(got, EndsWith("GET /slow  "));
  EXPECT_EQ(f.server.connections(), 0u);
}

TEST(Server, DrainCutsWhatDoesNotEnd) {
  std::atomic<int> cancelled{0};
  Fixture f([&](Exchange& e) -> Task<> {
    cancelled += !co_await sleep_until(now() + Millis(60'000), e.cancel());
  });
  RawSocket socket = f.connect();
  socket.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return f.server.connections() == 1; }));
  EXPECT_FALSE(f.server.drain(Millis(100)));
  EXPECT_EQ(cancelled, 1);
}

TEST(Server, AnAddressInUseIsAnError) {
  Fixture f;
  Server second(f.group, {.listen = {"127.0.0.1:" + std::to_string(f.server.port())}}, echo);
  Status status = second.listen();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("in use"));
}

TEST(Server, ExchangeKnowsItsClient) {
  Fixture f([](Exchange& e) -> Task<> {
    EXPECT_EQ(e.id(), e.id());
    std::string text = e.peer_address() + " " + e.id();
    (void)co_await e.send(200, {}, text);
  });
  EXPECT_THAT(f.talk("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), HasSubstr("\r\n\r\n127.0.0.1 req_"));
}

}  // namespace
}  // namespace ajar
