#include "http/client.h"

#include <gmock/gmock.h>

#include "net/testing.h"

namespace ajar {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::eventually;
using testing::RawServer;
using testing::RawSocket;
using testing::run_on;

// What came of one request: a body, or the error.
struct Outcome {
  int status = 0;
  std::string body;
  bool reused = false;
  std::optional<Code> error;
  std::string message;
};

// A client on its own loop.
struct Fixture {
  explicit Fixture(ClientOptions options = {}) : group(1) {
    run_on(group[0], [&]() -> Task<> {
      client = *Client::create(group[0], std::move(options));
      co_return;
    });
  }
  ~Fixture() {
    run_on(group[0], [&]() -> Task<> {
      client.reset();
      co_return;
    });
  }
  Outcome get(std::string url_text, std::string body = "", std::string method = "POST",
              Millis patience = Millis(20'000), TlsOptions tls = {}) {
    Outcome out;
    run_on(group[0], [&]() -> Task<> {
      Url url = parse_url(url_text).value();
      Headers headers{{"x-test", "1"}};
      CancelToken token;
      auto response = co_await client->send({.url = url,
                                             .method = method,
                                             .headers = headers,
                                             .body = body,
                                             .connect_deadline = after(patience),
                                             .first_byte_deadline = after(patience),
                                             .tls = &tls},
                                            token);
      auto note = [&](const Error& error) {
        out.error = error.code;
        out.message = error.message;
      };
      if (!response) {
        note(response.error());
        co_return;
      }
      out.status = response->status();
      out.reused = response->reused();
      for (;;) {
        auto got = co_await response->read(after(patience));
        if (!got) {
          note(got.error());
          co_return;
        }
        if (got->empty()) co_return;
        out.body.append(*got);
      }
    });
    return out;
  }
  size_t idle() {
    size_t n = 0;
    run_on(group[0], [&]() -> Task<> {
      n = client->idle_connections();
      co_return;
    });
    return n;
  }
  LoopGroup group;
  std::unique_ptr<Client> client;
};

std::string at(const RawServer& server, std::string_view path = "/") {
  return "http://127.0.0.1:" + std::to_string(server.port()) + std::string(path);
}

// A server that answers each connection's requests with the next of `answers`, then closes.
RawServer::Script say(std::vector<std::string> answers, bool byte_by_byte = false) {
  return [=](RawSocket socket, int) {
    for (const std::string& answer : answers) {
      if (socket.read_until("\r\n\r\n").empty()) return;
      if (!byte_by_byte) {
        socket.send(answer);
        continue;
      }
      for (char c : answer) socket.send({&c, 1});
    }
  };
}

TEST(Url, Parses) {
  Url url = parse_url("HTTPS://Api.Example.com/v1/x?y=1").value();
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.host, "api.example.com");
  EXPECT_EQ(url.port, 443);
  EXPECT_EQ(url.target, "/v1/x?y=1");
  EXPECT_EQ(url.origin(), "https://api.example.com");
  EXPECT_EQ(parse_url("http://h:8080")->origin(), "http://h:8080");
  EXPECT_EQ(parse_url("http://h:8080")->target, "/");
  EXPECT_EQ(parse_url("http://h?q")->target, "/?q");
  EXPECT_EQ(parse_url("http://[::1]:81/")->host, "::1");
  EXPECT_EQ(parse_url("http://[::1]:81/")->origin(), "http://[::1]:81");
  for (const char* bad : {"", "h", "ftp://h", "http://", "http://h:x", "http://h:70000", "http://h:0", "http://u:p@h",
                          "http://h/#f", "http://h/ x", "http://[::1", "http://::1/", "http://h\\x/", "http://h,x/"})
    EXPECT_FALSE(parse_url(bad)) << bad;
  EXPECT_EQ(parse_url("http://u:secret@h").error().message.find("secret"), std::string::npos);
}

TEST(Client, AllFramings) {
  const std::vector<std::string> answers = {
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nT: 1\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\n\r\nhello"};
  for (bool slowly : {false, true}) {
    RawServer server(say(answers, slowly));
    Fixture f;
    for (size_t i = 0; i < answers.size(); ++i) {
      Outcome got = f.get(at(server));
      EXPECT_EQ(got.body, "hello") << got.message;
      EXPECT_EQ(got.status, 200);
      EXPECT_EQ(got.reused, i > 0);
    }
    EXPECT_EQ(server.accepted, 1);
    EXPECT_EQ(f.idle(), 0u);
  }
}

TEST(Client, NoBody) {
  RawServer server(say({"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 N\r\nContent-Length: 9\r\n\r\n",
                        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"}));
  Fixture f;
  EXPECT_EQ(f.get(at(server)).status, 204);
  EXPECT_EQ(f.get(at(server)).status, 304);
  Outcome got = f.get(at(server), "", "HEAD");
  EXPECT_EQ(got.status, 200);
  EXPECT_TRUE(got.reused);
}

TEST(Client, SendsWhatItShould) {
  std::promise<std::string> seen;
  RawServer server([&](RawSocket socket, int) {
    seen.set_value(socket.read_until("BODY"));
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  Fixture f;
  EXPECT_EQ(f.get(at(server, "/v1?a=b"), "BODY").status, 200);
  std::string port = std::to_string(server.port());
  EXPECT_EQ(seen.get_future().get(), "POST /v1?a=b HTTP/1.1\r\nhost: 127.0.0.1:" + port +
                                         "\r\nx-test: 1\r\ncontent-length: 4\r\n\r\nBODY");
}

TEST(Client, CutsAreSeenInEveryFraming) {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"}) {
    RawServer server(say({answer}));
    Fixture f;
    Outcome got = f.get(at(server));
    EXPECT_EQ(got.error, Code::kCut) << answer;
    EXPECT_EQ(got.body, "hello");
    EXPECT_EQ(f.idle(), 0u);
  }
  for (const char* answer : {"", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\nContent-"}) {
    RawServer server(say({answer}));
    Fixture f;
    EXPECT_EQ(f.get(at(server)).error, Code::kCut) << answer;
  }
}

TEST(Client, ResetIsACutAlsoWithoutFraming) {
  RawServer server([](RawSocket socket, int) {
    socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.1 200 OK\r\n\r\nhello");
    std::this_thread::sleep_for(Millis(50));
    socket.reset();
  });
  Fixture f;
  EXPECT_EQ(f.get(at(server)).error, Code::kCut);
}

TEST(Client, MalformedIsUpstream) {
  for (const char* answer :
       {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 200 OK\r\nX: 1\r\n y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 101 Switching\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    RawServer server(say({answer}));
    Fixture f;
    EXPECT_EQ(f.get(at(server)).error, Code::kUpstream) << answer;
  }
  RawServer server(say({"HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x')}));
  Fixture f;
  EXPECT_THAT(f.get(at(server)).message, HasSubstr("larger than"));
}

TEST(Client, RetriesOnceWhenAKeptConnectionDies) {
  // Each connection answers once; the second request on the first one is read and then dropped.
  RawServer server([](RawSocket socket, int connection) {
    socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + std::to_string(connection));
    socket.read_until("\r\n\r\n");
  });
  Fixture f;
  EXPECT_EQ(f.get(at(server)).body, "0");
  Outcome second = f.get(at(server));
  EXPECT_EQ(second.body, "1") << second.message;
  EXPECT_FALSE(second.reused);
  EXPECT_EQ(server.accepted, 2);
}

TEST(Client, AFreshConnectionIsNotRetried) {
  RawServer server([](RawSocket socket, int) { socket.read_until("\r\n\r\n"); });
  Fixture f;
  EXPECT_EQ(f.get(at(server)).error, Code::kCut);
  EXPECT_EQ(server.accepted, 1);
}

TEST(Client, DeadIdleConnectionsLeaveThePool) {
  RawServer server(say({"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}));
  Fixture f;
  EXPECT_EQ(f.get(at(server)).status, 200);
  EXPECT_TRUE(eventually([&] { return f.idle() == 0; }));
}

TEST(Client, IdleTimeout) {
  RawServer server([](RawSocket socket, int) {
    socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    socket.read_all();
  });
  Fixture f({.idle_timeout = Millis(100)});
  EXPECT_EQ(f.get(at(server)).status, 200);
  EXPECT_TRUE(eventually([&] { return f.idle() == 0; }));
}

TEST(Client, SurplusBytesAreNotReused) {
  RawServer server(say({"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n"}));
  Fixture f;
  EXPECT_EQ(f.get(at(server)).body, "ok");
  EXPECT_EQ(f.idle(), 0u);
}

TEST(Client, AnEarlyRefusalIsReadWhileTheBodyIsBeingSent) {
  RawServer server([](RawSocket socket, int) {
    socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    ::shutdown(socket.fd(), SHUT_WR);
    socket.read_all();
  });
  Fixture f;
  Outcome got = f.get(at(server), std::string(8 << 20, 'x'));
  EXPECT_EQ(got.status, 413) << got.message;
  EXPECT_EQ(got.body, "no");
}

TEST(Client, Deadlines) {
  RawServer server([](RawSocket socket, int) {
    socket.read_until("\r\n\r\n");
    socket.read_until("\r\n\r\n");  // says nothing until we leave
  });
  Fixture f;
  Outcome got = f.get(at(server), "", "POST", Millis(50));
  EXPECT_EQ(got.error, Code::kTimeout);
  RawServer half([](RawSocket socket, int) {
    socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    socket.read_all();
  });
  got = f.get(at(half), "", "POST", Millis(300));
  EXPECT_EQ(got.error, Code::kTimeout);
  EXPECT_EQ(got.body, "half");
}

TEST(Client, RefusedIsUnavailableAndNamesTheAddress) {
  uint16_t port = RawServer([](RawSocket, int) {}).port();
  Fixture f;
  Outcome got = f.get("http://127.0.0.1:" + std::to_string(port));
  EXPECT_EQ(got.error, Code::kUnavailable);
  EXPECT_THAT(got.message, HasSubstr("127.0.0.1:" + std::to_string(port)));
  EXPECT_EQ(f.get("http://no-such-host.invalid/").error, Code::kUnavailable);
}

TEST(Client, CancelClosesTheUpstreamAtOnce) {
  std::atomic<int> closed{0};
  RawServer server([&](RawSocket socket, int) {
    socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    socket.read_all();
    ++closed;
  });
  Fixture f;
  run_on(f.group[0], [&]() -> Task<> {
    Url url = parse_url(at(server)).value();
    Headers headers;
    CancelToken token;
    auto response = co_await f.client->send({.url = url, .headers = headers}, token);
    EXPECT_EQ(*co_await response->read(kNever), "half");
    f.group[0].post([&token] { token.cancel(); });
    EXPECT_EQ((co_await response->read(kNever)).error().code, Code::kCancelled);
    EXPECT_EQ((co_await response->read(kNever)).error().code, Code::kCancelled);
    EXPECT_EQ((co_await f.client->send({.url = url, .headers = headers}, token)).error().code, Code::kCancelled);
  });
  EXPECT_TRUE(eventually([&] { return closed == 1; }));
  run_on(f.group[0], [&]() -> Task<> {  // dropping an unfinished response does the same
    Url url = parse_url(at(server)).value();
    Headers headers;
    CancelToken token;
    { auto response = co_await f.client->send({.url = url, .headers = headers}, token); }
  });
  EXPECT_TRUE(eventually([&] { return closed == 2; }));
}

TEST(Client, ManyChunksAreOneView) {
  std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", body;
  for (int i = 0; i < 100; ++i) {
    answer += "5\r\nabcd" + std::string(1, char('0' + i % 10)) + "\r\n";
    body += "abcd" + std::string(1, char('0' + i % 10));
  }
  RawServer server(say({answer + "0\r\n\r\n"}));
  Fixture f;
  EXPECT_EQ(f.get(at(server)).body, body);
}

TEST(Client, Ipv6) {
  RawServer server(say({"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nv6"}), AF_INET6);
  if (!server.ok()) GTEST_SKIP() << "this machine has no IPv6 loopback";
  Fixture f;
  EXPECT_EQ(f.get("http://[::1]:" + std::to_string(server.port()) + "/").body, "v6");
}

TEST(Client, HttpProxyGetsTheAbsoluteForm) {
  std::promise<std::string> seen;
  RawServer proxy([&](RawSocket socket, int) {
    seen.set_value(socket.read_until("\r\n\r\n"));
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nproxy");
  });
  std::string address = "127.0.0.1:" + std::to_string(proxy.port());
  Fixture f({.proxy = {.http_proxy = "http://u:p%40@" + address, .no_proxy = "skip.test"}});
  EXPECT_EQ(f.get("http://model.test/v1").body, "proxy");
  std::string got = seen.get_future().get();
  EXPECT_THAT(got, StartsWith("POST http://model.test/v1 HTTP/1.1\r\nhost: model.test\r\n"));
  EXPECT_THAT(got, HasSubstr("proxy-authorization: Basic dTpwQA==\r\n"));  // u:p@
  EXPECT_EQ(f.get("http://skip.test/").error, Code::kUnavailable);
}

}  // namespace
}  // namespace ajar
