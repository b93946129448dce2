#include "wire/framer.h"

#include <gtest/gtest.h>

#include "wire/aws_events.h"

namespace ajar::wire {
namespace {

struct Heard {
  std::vector<std::string> frames;
  Status end;
};

Heard hear(Framing framing, std::string_view bytes, size_t cut, size_t step = 0, size_t limit = kMaxFrame) {
  Heard heard;
  const auto framer = new_framer(framing, limit);
  const OnFrame on_frame = [&](const Frame& frame) -> Status {
    heard.frames.push_back(std::string(frame.name) + "|" + std::string(frame.data));
    return {};
  };
  const auto feed = [&](std::string_view piece) {
    const std::string own(piece);  // so that a view that outlives its bytes is noticed
    if (heard.end) heard.end = framer->feed(own, on_frame);
  };
  if (step > 0) {
    for (size_t at = 0; at < bytes.size(); at += step) feed(bytes.substr(at, step));
  } else {
    feed(bytes.substr(0, cut));
    feed(bytes.substr(cut));
  }
  if (heard.end) heard.end = framer->finish(on_frame);
  return heard;
}

void expect_frames(Framing framing, const std::string& bytes, const std::vector<std::string>& frames) {
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    const Heard heard = hear(framing, bytes, cut);
    EXPECT_TRUE(heard.end) << heard.end.error().message;
    EXPECT_EQ(heard.frames, frames) << "split at " << cut;
  }
  EXPECT_EQ(hear(framing, bytes, 0, 1).frames, frames);
}

std::string big_endian(uint32_t value) {
  return {char(value >> 24), char(value >> 16), char(value >> 8), char(value)};
}
std::string header(std::string_view name, std::string_view value) {
  std::string out(1, char(name.size()));
  out.append(name).push_back(7);
  out.append({char(value.size() >> 8), char(value.size())}).append(value);
  return out;
}
std::string message(const std::string& headers, std::string_view payload) {
  std::string out = big_endian(uint32_t(16 + headers.size() + payload.size())) + big_endian(uint32_t(headers.size()));
  out += big_endian(crc32(out));
  out.append(headers).append(payload);
  return out + big_endian(crc32(out));
}
std::string event(std::string_view type, std::string_view payload) {
  return message(header(":event-type", type) + header(":message-type", "event"), payload);
}

TEST(Framing, ChosenByContentType) {
  EXPECT_EQ(framing_of("text/event-stream; charset=utf-8", Framing::kNone, false), Framing::kSse);
  EXPECT_EQ(framing_of("Application/X-NDJSON", Framing::kNone, true), Framing::kJsonLines);
  EXPECT_EQ(framing_of("application/vnd.amazon.eventstream", Framing::kNone, true), Framing::kAwsEvents);
  EXPECT_EQ(framing_of("application/json", Framing::kJsonArray, true), Framing::kJsonArray);
  EXPECT_EQ(framing_of("application/json", Framing::kJsonArray, false), Framing::kNone);
  EXPECT_EQ(framing_of("application/json", Framing::kNone, true), Framing::kNone);
  EXPECT_EQ(framing_of("", Framing::kJsonLines, true), Framing::kNone);
}

TEST(Framing, Lines) {
  expect_frames(Framing::kJsonLines, "{\"a\":1}\r\n\n  {\"b\":\"é\"} \n{\"last\":true}", {"|{\"a\":1}", "|{\"b\":\"é\"}", "|{\"last\":true}"});
  expect_frames(Framing::kJsonLines, "", {});
  const Heard cut = hear(Framing::kJsonLines, "{\"a\":1}\n{\"b\":", 3);
  EXPECT_EQ(cut.frames.size(), 1u);
  ASSERT_FALSE(cut.end);
  EXPECT_EQ(cut.end.error().code, Code::kCut);
  EXPECT_EQ(hear(Framing::kJsonLines, "\"0123456789\"\n", 5, 0, 8).end.error().code, Code::kUpstream);
  EXPECT_EQ(hear(Framing::kJsonLines, "\"0123456789", 5, 0, 8).end.error().code, Code::kUpstream);
}

TEST(Framing, ArrayElements) {
  expect_frames(Framing::kJsonArray, " [{\"a\":\"}]\\\"\"}\n,\r\n{\"b\":[1,{\"c\":2}]},3, \"x,]\",[4] ] \n",
                {"|{\"a\":\"}]\\\"\"}", "|{\"b\":[1,{\"c\":2}]}", "|3", "|\"x,]\"", "|[4]"});
  expect_frames(Framing::kJsonArray, "[]", {});
  expect_frames(Framing::kJsonArray, "{\"error\":{\"code\":400}}\n", {"|{\"error\":{\"code\":400}}"});
  for (const char* text : {"[{\"a\":1}", "[{\"a\":1},", "[{\"a\":1},{\"b\"", "[", "{\"a\":\"x"}) {
    const Heard cut = hear(Framing::kJsonArray, text, 1);
    ASSERT_FALSE(cut.end) << text;
    EXPECT_EQ(cut.end.error().code, Code::kCut) << text;
  }
  EXPECT_EQ(hear(Framing::kJsonArray, "[1] x", 2).end.error().code, Code::kUpstream);
  EXPECT_EQ(hear(Framing::kJsonArray, "[{\"a\":\"0123456789\"}]", 7, 0, 8).end.error().code, Code::kUpstream);
}

// The checksum of the standard's example, and a message whose bytes are AWS's own test vector ("int32_header").
TEST(Framing, AwsChecksum) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926u);
  EXPECT_EQ(crc32(""), 0u);
}

TEST(Framing, AwsPublishedVector) {
  // aws-c-event-stream: a message without headers and payload.
  const std::string empty("\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2\x48\xeb\x7d\x98\xc8\xff", 16);
  expect_frames(Framing::kAwsEvents, empty, {"|"});
}

TEST(Framing, AwsEvents) {
  expect_frames(Framing::kAwsEvents, event("messageStart", "{\"role\":\"assistant\"}") + event("x", ""),
                {"messageStart|{\"role\":\"assistant\"}", "x|"});
  expect_frames(Framing::kAwsEvents,
                message(header(":exception-type", "throttlingException") + header(":message-type", "exception"),
                        "{\"message\":\"slow\"}") +
                    message(header(":message-type", "error") + header(":error-code", "InternalError") +
                                header(":error-message", "oh \"no\""), ""),
                {"throttlingException|{\"message\":\"slow\"}", "InternalError|{\"message\":\"oh \\\"no\\\"\"}"});
  // Every type of header is skipped rightly.
  std::string all;
  for (const auto& [type, size] : std::vector<std::pair<char, size_t>>{{0, 0}, {1, 0}, {2, 1}, {3, 2}, {4, 4}, {5, 8}, {8, 8}, {9, 16}}) {
    all += std::string("\x01h") + type + std::string(size, 'v');
  }
  all += std::string("\x01" "b\x06\x00\x03" "abc", 8);
  expect_frames(Framing::kAwsEvents, message(all + header(":event-type", "e"), "p"), {"e|p"});
}

TEST(Framing, AwsCorruptAfterGood) {
  const std::string good = event("a", "1"), next = event("b", "2");
  for (size_t at = 0; at < next.size(); ++at) {
    std::string bad = next;
    bad[at] = char(bad[at] ^ 0x10);
    const Heard heard = hear(Framing::kAwsEvents, good + bad, 5);
    ASSERT_FALSE(heard.end) << "flipped " << at;
    EXPECT_EQ(heard.frames, std::vector<std::string>{"a|1"});
    EXPECT_EQ(heard.end.error().code, Code::kUpstream);
    EXPECT_NE(heard.end.error().message.find("corrupt"), std::string::npos) << heard.end.error().message;
  }
  const Heard cut = hear(Framing::kAwsEvents, good + next.substr(0, next.size() - 1), 5);
  ASSERT_FALSE(cut.end);
  EXPECT_EQ(cut.end.error().code, Code::kCut);
  const Heard large = hear(Framing::kAwsEvents, event("a", std::string(100, 'x')), 5, 0, 64);
  EXPECT_NE(large.end.error().message.find("larger than 64"), std::string::npos);
}

}  // namespace
}  // namespace ajar::wire
