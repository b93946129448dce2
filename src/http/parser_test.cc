#include "http/parser.h"

#include <gtest/gtest.h>

namespace ajar {
namespace {

// Feeds `bytes` cut at `cut` and says everything that came out.
std::string read_request(std::string_view bytes, size_t cut) {
  RequestParser parser({.max_body_bytes = 1000});
  std::string error;
  size_t used = 0;
  for (std::string_view piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
    if (!error.empty() || parser.done()) break;
    auto n = parser.feed(piece);
    if (!n) {
      error = std::to_string(parser.http_status()) + n.error().message;
    } else {
      used += *n;
    }
  }
  HttpRequest& r = parser.request;
  if (!error.empty()) return error;
  std::string out = r.method + '|' + r.path + '|' + r.query + '|' + r.body + '|';
  for (auto [name, value] : r.headers) out.append(name).append("=").append(value).append(";");
  return out + (parser.done() ? "done" : "more") + std::to_string(used) + (parser.keep_alive() ? "k" : "c");
}

TEST(RequestParser, TheSameHoweverSplit) {
  for (std::string_view bytes : {
           "POST /v1/x?a=b&c HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nX:\t y z \r\n\r\nhelloGET",
           "\r\nPOST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\nA;x\r\n0123456789\r\n0\r\nT: v\r\n\r\nGET",
           "GET http://a.b:1/p?q HTTP/1.0\r\nConnection: Keep-Alive, x\r\n\r\nrest",
           "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: h\r\nX: 1\r\n\tfold\r\n\r\n", "GET / HTTP/1.1\nHost: h\n\n", "\r\n\r\nGET",
           "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n",
           "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\nabc",
       }) {
    std::string whole = read_request(bytes, bytes.size());
    for (size_t cut = 0; cut <= bytes.size(); ++cut)
      ASSERT_EQ(read_request(bytes, cut), whole) << bytes << " cut at " << cut;
  }
  EXPECT_EQ(read_request("POST /v1/x?a=b&c HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nX:\t y z \r\n\r\nhelloGET", 0),
            "POST|/v1/x|a=b&c|hello|Host=h;Content-Length=5;X=y z;done72k");
  EXPECT_EQ(read_request("GET http://a.b:1 HTTP/1.0\r\n\r\n", 0), "GET|/|||done29c");
}

TEST(RequestParser, DirectReadsFillTheBody) {
  RequestParser parser;
  std::string head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nab";
  ASSERT_EQ(*parser.feed(head), head.size());
  size_t got = 2;
  while (!parser.done()) {
    size_t n = std::min<size_t>(parser.room(), 7777);
    ASSERT_GT(n, 0u);
    for (size_t i = 0; i < n; ++i) parser.room_data()[i] = char('a' + (got + i) % 26);
    parser.commit(n);
    got += n;
  }
  ASSERT_EQ(parser.request.body.size(), 1'000'000u);
  for (size_t i = 0; i < got; ++i) ASSERT_EQ(parser.request.body[i], char('a' + i % 26));
}

TEST(RequestParser, MemoryIsGivenForBytesNotForPromises) {
  RequestParser parser;
  ASSERT_TRUE(parser.feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 30000000\r\n\r\n"));
  parser.room();
  EXPECT_LE(parser.request.body.capacity(), 300'000u);
}

TEST(RequestParser, ChunkExtensionsAndTrailersAreBounded) {
  std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_FALSE(RequestParser().feed(head + "1;" + std::string(300, 'x') + "\r\n"));
  std::string many = head;
  for (int i = 0; i < 100; ++i) many += "1;" + std::string(250, 'x') + "\r\na\r\n";
  EXPECT_FALSE(RequestParser().feed(many));
  EXPECT_FALSE(RequestParser().feed(head + "0\r\nT: " + std::string(20'000, 'x')));
  EXPECT_FALSE(RequestParser().feed(head + "0\r\n folded\r\n"));
  EXPECT_TRUE(RequestParser().feed(head + "1;a;b=c;d=\"e \\\" f\"\r\nx"));
  for (const char* bad : {"1; a\r\nx", "1;\r\nx", "1;a=\r\nx", "1;a b\r\nx", "1;a=\"b\r\nx", "1;a=\"b\"c\r\nx", "1;\xe8\r\nx"})
    EXPECT_FALSE(RequestParser().feed(head + bad)) << bad;
}

TEST(RequestParser, TooManyFields) {
  std::string head = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 200; ++i) head += "a: b\r\n";
  RequestParser parser;
  EXPECT_FALSE(parser.feed(head + "\r\n"));
  EXPECT_EQ(parser.http_status(), 431);
}

TEST(ResponseParser, TheSameHoweverSplit) {
  std::string_view bytes =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 429 Too Many\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\nno";
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    ResponseParser parser;
    size_t used = *parser.feed(bytes.substr(0, cut));
    if (!parser.done()) used += *parser.feed(bytes.substr(cut));
    ASSERT_TRUE(parser.done());
    EXPECT_EQ(used, bytes.size() - 2);
    EXPECT_EQ(parser.status, 429);
    EXPECT_EQ(parser.headers.get("retry-AFTER"), "3");
    EXPECT_EQ(parser.content_length(), 2u);
    EXPECT_EQ(parser.headers.size(), 2u);
  }
}

TEST(Headers, OrderedAndCaseInsensitive) {
  Headers h{{"A", "1"}, {"b", "2"}, {"a", "3"}};
  EXPECT_EQ(h.get("a"), "1");
  EXPECT_EQ(h.count("A"), 2u);
  h.add("c", h.get("b"));
  EXPECT_EQ(h.get("C"), "2");
  h.set("a", h.get("c"));
  EXPECT_EQ(h.count("a"), 1u);
  EXPECT_EQ(h.get("A"), "2");
  h.remove("B");
  EXPECT_FALSE(h.has("b"));
  std::string all;
  for (auto [name, value] : h) all.append(name).append(value);
  EXPECT_EQ(all, "c2a2");
  for (int i = 0; i < 1000; ++i) h.add(h[0].name, h[1].value);
  EXPECT_EQ(h[1001].value, "2");
  EXPECT_FALSE(Headers::valid_value("a\r\nb"));
  EXPECT_FALSE(Headers::valid_name("a b"));
}

}  // namespace
}  // namespace ajar
