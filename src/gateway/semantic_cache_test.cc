#include "gateway/semantic_cache.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "gateway/semantic_record.h"

namespace ajar {
namespace {

namespace fs = std::filesystem;

class Kept : public ::testing::Test {
 protected:
  Kept() {
    char pattern[] = "/tmp/ajar-alike-XXXXXX";
    folder_ = mkdtemp(pattern);
    file_ = folder_ + "/alike.log";
  }
  ~Kept() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  std::unique_ptr<SemanticCache> open(const SemanticCache::Lives& lives = [](const RequestKey&) { return true; }) {
    auto cache = std::make_unique<SemanticCache>();
    const Status kept = cache->keep_in(file_, lives);
    EXPECT_TRUE(kept) << kept.error().message;
    return cache;
  }
  std::string bytes() const {
    std::ifstream in(file_, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
  void write(std::string_view bytes) const { std::ofstream(file_, std::ios::binary) << bytes; }

  std::string folder_, file_;
};

// A direction of its own for each angle.
std::vector<float> vector_at(double angle) { return {float(std::cos(angle)), float(std::sin(angle)), 0, 0}; }
RequestKey key(std::string_view name) { return text_key(name); }

constexpr double kDelta = 0.02;

// Questions that learnt in one life serve in the next, as they would have in the first.
TEST_F(Kept, WhatWasLearntIsKnownAfterARestart) {
  auto cache = open();
  cache->add(key("team a"), vector_at(0), "how do I open the door", "pull", key("answer 1"));
  auto near = cache->nearest(key("team a"), vector_at(0.6), "how can I open the door");
  ASSERT_TRUE(near);
  for (int i = 0; i < 30; ++i) cache->observe(key("team a"), *near, true, kDelta);
  near = cache->nearest(key("team a"), vector_at(0.05), "how can I open the door");
  ASSERT_TRUE(near);
  const double explores = near->entry->learnt.explore_probability(near->similarity, {.delta = kDelta});
  ASSERT_LT(explores, 0.9);
  ASSERT_TRUE(cache->serves(key("team a"), *near, 0.9, kDelta));
  cache.reset();

  cache = open();
  EXPECT_EQ(cache->size(), 1u);
  near = cache->nearest(key("team a"), vector_at(0.05), "how can I open the door");
  ASSERT_TRUE(near);
  EXPECT_EQ(near->entry->answer, key("answer 1"));
  EXPECT_EQ(near->entry->said, text_key("pull"));
  EXPECT_EQ(near->entry->learnt.observations(), 30u);
  EXPECT_EQ(near->entry->observed, 30u);
  EXPECT_EQ(near->entry->learnt.explore_probability(near->similarity, {.delta = kDelta}), explores);
  EXPECT_TRUE(cache->serves(key("team a"), *near, 0.9, kDelta));
  // What others ask is another bucket before and after.
  EXPECT_FALSE(cache->nearest(key("team b"), vector_at(0), "how do I open the door"));
  // Learning goes on where it was.
  cache->observe(key("team a"), *near, false, kDelta);
  cache.reset();
  cache = open();
  near = cache->nearest(key("team a"), vector_at(0.05), "how can I open the door");
  ASSERT_TRUE(near);
  EXPECT_EQ(near->entry->learnt.observations(), 31u);
  EXPECT_FALSE(near->entry->learnt.seen().back().same);
}

TEST_F(Kept, WhatHasNoAnswerAnyMoreIsNotReadAndGoes) {
  auto cache = open();
  for (int i = 0; i < 4; ++i) cache->add(key("b"), vector_at(i), "question", "said", key(std::to_string(i)));
  const auto near = cache->nearest(key("b"), vector_at(3), "question");
  ASSERT_TRUE(near);
  cache->forget(key("b"), *near->entry);
  cache->tidy([&](const RequestKey& answer) { return answer != key("0"); });
  EXPECT_EQ(cache->size(), 2u);
  cache.reset();
  EXPECT_EQ(open()->size(), 2u) << "forgotten is forgotten";
  EXPECT_EQ(open([&](const RequestKey& answer) { return answer == key("1"); })->size(), 1u);
}

TEST_F(Kept, AnAnswerHasOneEntry) {
  auto cache = open();
  cache->add(key("b"), vector_at(0), "question", "old", key("1"));
  cache->add(key("b"), vector_at(0), "question", "new", key("1"));
  EXPECT_EQ(cache->size(), 1u);
  cache.reset();
  cache = open();
  ASSERT_EQ(cache->size(), 1u);
  EXPECT_EQ(cache->nearest(key("b"), vector_at(0), "question")->entry->said, text_key("new"));
}

// Whatever of the file a crash leaves is read as far as it is whole, and nothing of it is anything that was not there.
TEST_F(Kept, AFileThatIsCutAnywhereGivesItsBeginning) {
  auto cache = open();
  for (int i = 0; i < 3; ++i) {
    cache->add(key("b" + std::to_string(i % 2)), vector_at(i), "question " + std::string(size_t(i), 'x'), "said", key(std::to_string(i)));
    cache->observe(key("b" + std::to_string(i % 2)), *cache->nearest(key("b" + std::to_string(i % 2)), vector_at(i), "question " + std::string(size_t(i), 'x')), true, kDelta);
  }
  cache.reset();
  const std::string whole = bytes();
  ASSERT_GT(whole.size(), 200u);
  size_t before = 0;
  for (size_t cut = whole.size() % 5; cut <= whole.size(); cut += 5) {
    write(std::string_view(whole).substr(0, cut));
    cache = open();
    EXPECT_GE(cache->size(), before) << cut;
    EXPECT_LE(cache->size(), before + 1) << cut;
    before = cache->size();
    cache->add(key("b0"), vector_at(9), "later", "said", key("later"));  // it goes on behind what is whole
    cache.reset();
    EXPECT_EQ(open()->size(), before + 1) << cut;
    fs::remove(file_ + ".damaged");
  }
  EXPECT_EQ(before, 3u);
}

TEST_F(Kept, ADamagedFileIsSetAsideAndDamageInItIsPassedOver) {
  write("this is no log at all");
  EXPECT_EQ(open()->size(), 0u);
  EXPECT_TRUE(fs::exists(file_ + ".damaged"));
  auto cache = open();
  for (int i = 0; i < 2; ++i) cache->add(key("b"), vector_at(i), "question", "said", key(std::to_string(i)));
  cache.reset();
  const std::string whole = bytes();
  for (size_t at = 0; at < whole.size(); at += 3) {
    std::string damaged = whole;
    damaged[at] = char(damaged[at] ^ 0x40);
    write(damaged);
    cache = open();
    EXPECT_LE(cache->size(), 2u);
    for (int i = 0; i < 2; ++i) {  // what is there is as it was
      if (const auto near = cache->nearest(key("b"), vector_at(i), "question")) {
        EXPECT_EQ(near->entry->said, text_key("said"));
      }
    }
    cache.reset();
    fs::remove(file_ + ".damaged");
  }
}

TEST_F(Kept, TheLogIsWrittenAnewWhenItIsMostlyDeadAndCountsNothingTwice) {
  auto cache = open();
  const std::string question(30'000, 'q');
  cache->add(key("b"), vector_at(0), question, "said", key("1"));
  const auto near = cache->nearest(key("b"), vector_at(0), question);
  ASSERT_TRUE(near);
  for (int i = 0; i < 5; ++i) cache->observe(key("b"), *near, true, kDelta);
  for (int i = 0; i < 200; ++i) cache->add(key("b"), vector_at(1), question, "said", key("2"));
  cache->flush();
  const int64_t before = cache->log_bytes();
  ASSERT_GT(before, 4 << 20);
  cache->tidy([](const RequestKey&) { return true; });
  EXPECT_LT(cache->log_bytes(), before / 10);
  cache->observe(key("b"), *near, false, kDelta);
  cache.reset();
  cache = open();
  EXPECT_EQ(cache->size(), 2u);
  EXPECT_EQ(cache->nearest(key("b"), vector_at(0), question)->entry->learnt.observations(), 6u);
}

TEST(SemanticRecord, AnObservationThatIsWrittenTwiceCountsOnce) {
  char pattern[] = "/tmp/ajar-alike-XXXXXX";
  const std::string folder = mkdtemp(pattern), file = folder + "/alike.log";
  {
    auto opened = store::RecordLog::open(file, [](std::string_view) {});
    ASSERT_TRUE(opened);
    SemanticCache::Entry entry{.answer = key("1"), .said = key("said"), .question = "question", .vector = {127, 0, 0, 0}};
    for (int i = 0; i < 3; ++i) entry.learnt.observe(0.9, true, {});
    entry.observed = 3;
    opened->log->append(write_entry(key("b"), entry));
    for (const uint64_t number : {2, 3, 4, 4, 5}) opened->log->append(write_observation(key("b"), key("1"), {.similarity = 0.8f, .same = true}, number));
    opened->log->append(write_observation(key("nobody"), key("1"), {.similarity = 0.8f, .same = true}, 1));
  }
  SemanticCache cache;
  ASSERT_TRUE(cache.keep_in(file, [](const RequestKey&) { return true; }));
  EXPECT_EQ(cache.nearest(key("b"), vector_at(0), "question")->entry->learnt.observations(), 5u);
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

TEST(SemanticRecord, WhatIsReadIsWhatWasWrittenAndNothingElseIs) {
  SemanticCache::Entry entry{.answer = key("1"), .said = key("said"), .question = "what?", .vector = {127, -127, 3}};
  entry.learnt.observe(0.75, true, {});
  entry.learnt.observe(0.5, false, {});
  entry.observed = 700;
  const std::string records[] = {write_entry(key("b"), entry), write_observation(key("b"), key("1"), {.similarity = 0.25f, .same = false}, 9), write_forgotten(key("b"), key("1"))};
  const auto read = read_semantic_record(records[0]);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->bucket, key("b"));
  EXPECT_EQ(read->entry.answer, key("1"));
  EXPECT_EQ(read->entry.said, key("said"));
  EXPECT_EQ(read->entry.question, "what?");
  EXPECT_EQ(read->entry.vector, entry.vector);
  EXPECT_EQ(read->entry.observed, 700u);
  ASSERT_EQ(read->entry.learnt.observations(), 2u);
  EXPECT_EQ(read->entry.learnt.seen()[0].similarity, 0.75f);
  EXPECT_FALSE(read->entry.learnt.seen()[1].same);
  EXPECT_EQ(read_semantic_record(records[1])->entry.observed, 9u);
  EXPECT_EQ(read_semantic_record(records[1])->seen.similarity, 0.25f);
  EXPECT_EQ(read_semantic_record(records[2])->kind, SemanticRecord::Kind::kForgotten);
  for (const std::string& record : records) {
    for (size_t cut = 0; cut < record.size(); ++cut) EXPECT_FALSE(read_semantic_record(std::string_view(record).substr(0, cut))) << cut;
    EXPECT_FALSE(read_semantic_record(record + "x"));
    std::string other = record;
    other[1] = 2;  // a version to come
    EXPECT_FALSE(read_semantic_record(other));
    other = record;
    other[0] = 'Z';
    EXPECT_FALSE(read_semantic_record(other));
  }
  // A similarity that is none.
  std::string wrong = records[1];
  wrong.replace(34, 4, std::string("\xff\xff\xff\xff", 4));
  EXPECT_FALSE(read_semantic_record(wrong));
}

TEST(SemanticCache, BucketsAndBytesAreBounded) {
  SemanticCache cache;
  const std::string question(1 << 20, 'q');
  for (int i = 0; i < 40; ++i) cache.add(key("one"), vector_at(0), question, "said", key(std::to_string(i)));
  EXPECT_LE(cache.size(), 16u);
  EXPECT_GE(cache.size(), 8u);
  EXPECT_TRUE(cache.nearest(key("one"), vector_at(0), question));
}

}  // namespace
}  // namespace ajar
