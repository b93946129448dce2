#include "http/sse.h"

#include <gtest/gtest.h>

#include <vector>

namespace ajar {
namespace {

// Every event as "event|data|id", the bytes cut at `a` and `b`.
std::vector<std::string> read(std::string_view bytes, size_t a, size_t b, uint64_t* comments = nullptr) {
  SseParser parser;
  std::vector<std::string> events;
  for (std::string_view piece : {bytes.substr(0, a), bytes.substr(a, b - a), bytes.substr(b)}) {
    std::string copy(piece);  // so that a view kept over a feed is caught
    EXPECT_TRUE(parser.feed(copy, [&](const SseEvent& e) {
      events.push_back(std::string(e.event) + '|' + std::string(e.data) + '|' + std::string(e.id));
    }));
  }
  if (parser.finish()) events.push_back("unfinished");
  if (comments) *comments = parser.comments();
  return events;
}

struct Case {
  std::string_view bytes;
  std::vector<std::string> events;
};

using namespace std::string_view_literals;

TEST(Sse, EveryCaseAtEverySplit) {
  const Case cases[] = {
      // The examples of the specification, section 9.2.6.
      {"data: YHOO\ndata: +2\ndata: 10\n\n", {"|YHOO\n+2\n10|"}},
      {": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n",
       {"|first event|1", "|second event|", "unfinished"}},
      {"data\n\ndata\ndata\n\ndata:", {"||", "|\n|", "unfinished"}},
      {"data:test\n\ndata: test\n\n", {"|test|", "|test|"}},
      // Line ends.
      {"data: a\r\ndata: b\r\n\r\ndata: c\r\rdata: d\n\n", {"|a\nb|", "|c|", "|d|"}},
      {"data: a\r\n\ndata: b\r\n\r\n", {"|a|", "|b|"}},
      {"\r\r\n\ndata: x\r\n\r\n", {"|x|"}},
      // A byte order mark, once.
      {"\xEF\xBB\xBF" "data: a\n\n\xEF\xBB\xBF" "data: b\n\n", {"|a|"}},
      {"\xEF\xBB" "data: a\n\ndata: b\n\n", {"|b|"}},
      // Names; an event without data is dropped; ids stay.
      {"event: e\ndata: 1\n\nevent: f\n\ndata: 2\nunknown: x\n\nid: 7\n\ndata: 3\n\nid: a\0b\ndata: 4\n\n"sv,
       {"e|1|", "|2|", "|3|7", "|4|7"}},
      {"event:a\nevent:b\ndata:{\"x\":\"y: z\"}\n\n", {"b|{\"x\":\"y: z\"}|"}},
      {":ping\n:ping\n\ndata: x\n:ping\ndata: y\n\n", {"|x\ny|"}},
      {"data: [DONE]\n\n", {"|[DONE]|"}},
      {"data: [DONE]\n", {"unfinished"}},
      {"retry: 1500\n\nretry: x\n\ndata: a\n\n", {"|a|"}},
  };
  for (const Case& c : cases) {
    uint64_t comments = 0, expected_comments = 0;
    EXPECT_EQ(read(c.bytes, c.bytes.size(), c.bytes.size(), &expected_comments), c.events) << c.bytes;
    for (size_t a = 0; a <= c.bytes.size(); ++a) {
      for (size_t b = a; b <= c.bytes.size(); ++b) {
        ASSERT_EQ(read(c.bytes, a, b, &comments), c.events) << c.bytes << " at " << a << ',' << b;
        ASSERT_EQ(comments, expected_comments);
      }
    }
  }
}

TEST(Sse, WholeEventsAreNotCopied) {
  std::string bytes = "event: e\ndata: hello\n\n";
  SseParser parser;
  ASSERT_TRUE(parser.feed(bytes, [&](const SseEvent& e) {
    EXPECT_GE(e.data.data(), bytes.data());
    EXPECT_LT(e.data.data(), bytes.data() + bytes.size());
  }));
}

TEST(Sse, Retry) {
  SseParser parser;
  ASSERT_TRUE(parser.feed("retry: 1500\nretry: 1x\n", [](const SseEvent&) {}));
  EXPECT_EQ(parser.retry_ms(), 1500);
}

TEST(Sse, TooLargeAnEventIsAnErrorHoweverSplit) {
  std::string bytes = "data: 0123456789\ndata: 0123456789\n\n";
  for (size_t step : {1u, 3u, 100u}) {
    SseParser small(20), large(40);
    bool failed = false;
    for (size_t i = 0; i < bytes.size() && !failed; i += step) {
      Status status = small.feed(std::string_view(bytes).substr(i, step), [](const SseEvent&) { FAIL(); });
      failed = !status;
      if (failed) EXPECT_EQ(status.error().code, Code::kUpstream);
      EXPECT_TRUE(large.feed(std::string_view(bytes).substr(i, step), [](const SseEvent&) {}));
    }
    EXPECT_TRUE(failed);
  }
}

TEST(Sse, TheCallbackMayStop) {
  SseParser parser;
  int seen = 0;
  Status status = parser.feed("data: 1\n\ndata: 2\n\n", [&](const SseEvent&) -> Status {
    ++seen;
    return fail(Code::kCancelled, "enough");
  });
  EXPECT_EQ(status.error().code, Code::kCancelled);
  EXPECT_EQ(seen, 1);
}

}  // namespace
}  // namespace ajar
