#include "gateway/answer_cache.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/clock.h"
#include "core/reply.h"
#include "gateway/event_codec.h"

namespace ajar {
namespace {

using Kind = Event::Kind;

EventBatch sample_events() {
  EventBatch events;
  events.push_back({.kind = Kind::kStart, .created = 1'700'000'000, .id = "x", .name = "m"});
  events.push_back({.kind = Kind::kThought, .text = "hm"});
  events.push_back({.kind = Kind::kThoughtEnd, .origin = DialectId::kAnthropic, .redacted = true, .text = "sig", .raw = "opaque"});
  events.push_back({.kind = Kind::kText, .text = "Hello, "});
  events.push_back({.kind = Kind::kText, .text = "world"});
  events.push_back({.kind = Kind::kToolCall, .index = 1, .id = "call_1", .name = "f"});
  events.push_back({.kind = Kind::kToolArgs, .index = 1, .text = "{\"a\":1}"});
  Event usage{.kind = Kind::kUsage};
  usage.usage = {.input = 7, .output = 9, .cached_read = 3, .reasoning = 2, .reported = true};
  events.push_back(usage);
  events.push_back({.kind = Kind::kStop, .finish = Finish::kToolCalls, .name = "tool_calls"});
  return events;
}

TEST(EventCodec, SaysAgainWhatWasSaid) {
  EventWriter writer;
  writer.add(sample_events());
  const auto read = read_events(writer.take());
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), sample_events().size() - 1) << "neighbouring texts are one";
  Fold before, after;
  before.add(sample_events());
  after.add(*read);
  EXPECT_EQ(before.reply().choices[0].text(), after.reply().choices[0].text());
  EXPECT_EQ(after.reply().choices[0].text(), "Hello, world");
  EXPECT_EQ(before.reply().usage, after.reply().usage);
  EXPECT_EQ((*read)[2].raw, "opaque");
  EXPECT_TRUE((*read)[2].redacted);
  EXPECT_EQ((*read)[2].origin, DialectId::kAnthropic);
  EXPECT_EQ(after.reply().choices[0].parts.back().arguments, "{\"a\":1}");
  EXPECT_EQ(after.reply().choices[0].finish, Finish::kToolCalls);
}

TEST(EventCodec, DamagedBytesAreAnError) {
  EventWriter writer;
  writer.add(sample_events());
  const std::string bytes = writer.take();
  int refused = 0;
  for (size_t cut = 1; cut < bytes.size(); ++cut) refused += read_events(std::string_view(bytes).substr(0, cut)) ? 0 : 1;
  EXPECT_GT(refused, int(bytes.size() / 2));  // a cut between two events is not damage
  EXPECT_FALSE(read_events("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"));
}

Request request_of(const std::string& text) {
  Request request{.model = "r"};
  request.messages.push_back({.parts = {Part{.text = text}}});
  return request;
}

TEST(RequestKey, DiffersWithWhateverChangesTheAnswer) {
  const RequestKey base = request_key(request_of("hi"), "s");
  EXPECT_EQ(base, request_key(request_of("hi"), "s"));
  std::vector<RequestKey> keys = {base, request_key(request_of("hi"), "t"), request_key(request_of("hi!"), "s")};
  const auto with = [&](auto change) {
    Request request = request_of("hi");
    change(request);
    keys.push_back(request_key(request, "s"));
  };
  with([](Request& r) { r.sampling.temperature = 0.5; });
  with([](Request& r) { r.sampling.seed = 1; });
  with([](Request& r) { r.max_tokens = 5; });
  with([](Request& r) { r.stop = {"x"}; });
  with([](Request& r) { r.n = 2; });
  with([](Request& r) { r.tools.push_back({.name = "f", .parameters = "{}"}); });
  with([](Request& r) { r.tools.push_back({.name = "g", .parameters = "{}"}); });
  with([](Request& r) { r.tool_choice = {.mode = ToolChoice::Mode::kNamed, .name = "f"}; });
  with([](Request& r) { r.response_format = {.kind = ResponseFormat::Kind::kJsonSchema, .schema = "{}"}; });
  with([](Request& r) { r.messages[0].role = Role::kSystem; });
  with([](Request& r) { r.messages[0].parts[0].kind = Part::Kind::kRefusal; });
  with([](Request& r) { r.messages.push_back(r.messages[0]); });
  with([](Request& r) { r.messages[0].parts.push_back(Part{.text = ""}); });
  with([](Request& r) { r.extra = "\"x\":1"; });
  with([](Request& r) { r.reasoning = {.mode = Reasoning::Mode::kEffort, .effort = "high"}; });
  with([](Request& r) { r.logprobs = true; });
  for (size_t i = 0; i < keys.size(); ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_FALSE(keys[i] == keys[j]) << i << " " << j;
  }
  // Text that moves from one part to the next is another request.
  Request ab = request_of("a"), a_b = request_of("ab");
  ab.messages[0].parts.push_back(Part{.text = "b"});
  EXPECT_FALSE(request_key(ab, "s") == request_key(a_b, "s"));
}

TEST(RequestKey, DoesNotDifferWithHowTheAnswerIsDelivered) {
  Request request = request_of("hi");
  request.stream = request.include_usage = true;
  request.user = "somebody", request.metadata = "{\"a\":1}", request.service_tier = "flex", request.store = true;
  request.messages[0].plain_text = true;
  request.messages[0].parts[0].cache_control = "{\"type\":\"ephemeral\"}";
  EXPECT_EQ(request_key(request, "s"), request_key(request_of("hi"), "s"));
  const auto key = request_key(request, "s");
  EXPECT_EQ(RequestKey::from_hex(key.hex()), key);
  EXPECT_FALSE(RequestKey::from_hex("zz"));
}

class AnswerCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/ajar-cache-XXXXXX";
    folder_ = mkdtemp(pattern);
    file_ = folder_ + "/cache.log";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static CachedAnswer answer(const std::string& text, std::vector<std::string> tags = {}, int64_t ttl_ms = 60'000) {
    const int64_t now_ms = unix_millis();
    return {.key = text_key(text), .created_ms = now_ms, .expires_ms = now_ms + ttl_ms, .cost = 5, .route = "r", .target = "t", .model = "m",
            .tags = std::move(tags), .events = "events of " + text};
  }
  std::string folder_, file_;
};

TEST_F(AnswerCacheTest, FindsWhatWasPutUntilItExpires) {
  const auto cache = *AnswerCache::open(16 << 20, "");
  cache->put(answer("a"));
  const auto found = cache->find(text_key("a"), unix_millis());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->events, "events of a");
  EXPECT_EQ(found->target, "t");
  EXPECT_EQ(found->cost, 5);
  EXPECT_FALSE(cache->find(text_key("b"), unix_millis()));
  EXPECT_FALSE(cache->find(text_key("a"), unix_millis() + 61'000));
  EXPECT_FALSE(cache->find(text_key("a"), unix_millis())) << "an expired entry is gone";
}

TEST_F(AnswerCacheTest, TheLongestUnusedMakesRoom) {
  const auto cache = *AnswerCache::open(1 << 20, "");
  for (int i = 0; i < 5'000; ++i) {
    cache->put(answer("entry " + std::to_string(i)));
    cache->find(text_key("entry 0"), unix_millis());
  }
  const auto stats = cache->stats();
  EXPECT_LE(stats.bytes, 1 << 20);
  EXPECT_GT(stats.evicted, 0);
  EXPECT_TRUE(cache->find(text_key("entry 0"), unix_millis()));
  EXPECT_FALSE(cache->find(text_key("entry 1"), unix_millis()));
  EXPECT_TRUE(cache->find(text_key("entry 4999"), unix_millis()));
}

TEST_F(AnswerCacheTest, PurgesByIdTagPrefixAndRoute) {
  const auto cache = *AnswerCache::open(16 << 20, "");
  cache->put(answer("a", {"doc:1", "x"}));
  cache->put(answer("b", {"doc:2"}));
  cache->put(answer("c"));
  auto other = answer("d");
  other.route = "s";
  cache->put(other);
  EXPECT_EQ(cache->purge({.tag = "doc"}), 0);
  EXPECT_EQ(cache->purge({.tag = "x"}), 1);
  EXPECT_EQ(cache->purge({.tag_prefix = "doc:"}), 1);
  EXPECT_EQ(cache->purge({.id = text_key("c").hex()}), 1);
  EXPECT_EQ(cache->purge({.route = "r"}), 0);
  EXPECT_EQ(cache->purge({.route = "s"}), 1);
  EXPECT_EQ(cache->stats().entries, 0);
  EXPECT_EQ(cache->stats().bytes, 0);
}

TEST_F(AnswerCacheTest, SurvivesARestartWithItsPurges) {
  {
    const auto cache = *AnswerCache::open(16 << 20, file_);
    cache->put(answer("a"));
    cache->put(answer("b", {"gone"}));
    cache->put(answer("short", {}, 1));
    cache->purge({.tag = "gone"});
  }
  std::this_thread::sleep_for(Millis(5));
  const auto cache = *AnswerCache::open(16 << 20, file_);
  EXPECT_TRUE(cache->find(text_key("a"), unix_millis()));
  EXPECT_FALSE(cache->find(text_key("b"), unix_millis()));
  EXPECT_EQ(cache->stats().entries, 1);
  cache->purge({});
  cache->put(answer("c"));
  cache->flush();
  const auto again = *AnswerCache::open(16 << 20, file_);
  EXPECT_EQ(again->stats().entries, 1);
  EXPECT_TRUE(again->find(text_key("c"), unix_millis()));
}

TEST_F(AnswerCacheTest, AFileThatIsCutShortAnywhereKeepsItsWholeEntries) {
  {
    const auto cache = *AnswerCache::open(16 << 20, file_);
    for (const char* text : {"a", "b", "c"}) cache->put(answer(text));
  }
  std::ifstream in(file_, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  int64_t last = 0;
  for (size_t size = 0; size <= whole.size(); ++size) {
    const std::string part = folder_ + "/part";
    std::ofstream(part, std::ios::binary).write(whole.data(), std::streamsize(size));
    const auto cache = AnswerCache::open(16 << 20, part);
    ASSERT_TRUE(cache) << size;
    EXPECT_GE((*cache)->stats().entries, last);
    last = (*cache)->stats().entries;
    (*cache)->put(answer("later"));  // and it goes on from there
  }
  EXPECT_EQ(last, 3);
  EXPECT_TRUE((*AnswerCache::open(16 << 20, folder_ + "/part"))->find(text_key("later"), unix_millis()));
}

TEST_F(AnswerCacheTest, AFlippedBitIsNeverServed) {
  {
    const auto cache = *AnswerCache::open(16 << 20, file_);
    for (const char* text : {"a", "b", "c"}) cache->put(answer(text));
  }
  std::ifstream in(file_, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  bytes[bytes.size() / 2] ^= 4;
  std::ofstream(file_, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
  const auto cache = *AnswerCache::open(16 << 20, file_);
  EXPECT_EQ(cache->stats().entries, 1);
  EXPECT_EQ(cache->find(text_key("a"), unix_millis())->events, "events of a");
  std::ofstream(file_, std::ios::binary) << "this is no log at all";
  EXPECT_EQ((*AnswerCache::open(16 << 20, file_))->stats().entries, 0);
  EXPECT_TRUE(std::filesystem::exists(file_ + ".damaged"));
}

TEST_F(AnswerCacheTest, ALogOfDeadEntriesIsWrittenAnew) {
  const auto cache = *AnswerCache::open(64 << 20, file_);
  auto big = answer("big");
  big.events.assign(100'000, 'x');
  for (int i = 0; i < 200; ++i) cache->put(big);
  cache->flush();
  EXPECT_GT(cache->stats().log_bytes, 200 * 100'000);
  cache->tidy(unix_millis());
  EXPECT_LT(cache->stats().log_bytes, 200'000);
  cache->put(answer("after"));
  cache->flush();
  EXPECT_EQ((*AnswerCache::open(64 << 20, file_))->stats().entries, 2);
}

}  // namespace
}  // namespace ajar
