#include "index/bm25.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <random>

#include "base/text.h"
#include "index/test_folder.h"

namespace ajar::index {
namespace {

void add(Bm25Index& index, uint32_t row, std::string_view text) {
  Bm25Builder builder;
  builder.start_row(row);
  for (const std::string_view word : split(text, ' '))
    if (!word.empty()) builder.add(word);
  ASSERT_TRUE(index.add(builder));
}

std::vector<QueryTerm> query(std::string_view text) {
  std::vector<QueryTerm> terms;
  for (const std::string_view word : split(text, ' ')) terms.push_back({std::string(word)});
  return terms;
}

std::vector<uint32_t> rows_of(const std::vector<Scored>& found) {
  std::vector<uint32_t> rows;
  for (const Scored& one : found) rows.push_back(one.row);
  return rows;
}

// The formula over plain maps.
std::vector<Scored> reference(const std::map<uint32_t, std::string>& texts, std::string_view question, size_t limit) {
  std::map<uint32_t, std::map<std::string, int>> counts;
  std::map<uint32_t, double> lengths;
  std::map<std::string, int> df;
  double total = 0;
  for (const auto& [row, text] : texts) {
    for (const std::string_view word : split(text, ' ')) {
      if (word.empty()) continue;
      if (++counts[row][std::string(word)] == 1) ++df[std::string(word)];
      ++lengths[row], ++total;
    }
  }
  const double n = static_cast<double>(texts.size()), average = total / n;
  Best best(limit);
  for (const auto& [row, text] : texts) {
    double score = 0;
    for (const std::string_view word : split(question, ' ')) {
      const std::string term(word);
      const double tf = counts[row][term];
      if (tf > 0) score += std::log(1 + (n - df[term] + 0.5) / (df[term] + 0.5)) * tf / (tf + 1.2 * (0.25 + 0.75 * lengths[row] / average));
    }
    if (score > 0) best.offer({row, static_cast<float>(score)});
  }
  return best.take();
}

TEST(Bm25, ScoresAsTheFormulaSays) {
  std::mt19937 random(7);
  const auto word = [&] { return "w" + std::to_string(random() % 40 * (random() % 40) / 40); };
  std::map<uint32_t, std::string> texts;
  Bm25Index index;
  for (uint32_t row = 0; row < 700; ++row) {
    std::string& text = texts[row * 3];
    for (unsigned i = 0; i < 1 + random() % 20; ++i) text += word() + " ";
    add(index, row * 3, text);
  }
  for (int i = 0; i < 20; ++i) {
    const std::string question = word() + " " + word() + " " + word();
    const auto found = index.reader().search(query(question), nullptr, 10);
    const auto wanted = reference(texts, question, 10);
    ASSERT_EQ(found.size(), wanted.size());
    for (size_t r = 0; r < found.size(); ++r) EXPECT_NEAR(found[r].score, wanted[r].score, 1e-4) << question;
  }
  // Small segments were merged: 700 adds never leave more than a few of each size.
  EXPECT_LE(index.segments().snapshot()->segments.size(), 16u);
}

TEST(Bm25, AFilterGivesWhatItAllowsAndAllOfIt) {
  Bm25Index index;
  for (uint32_t row = 0; row < 300; ++row) add(index, row, row % 100 == 7 ? "needle straw" : "needle needle needle");
  Bitmap allowed;
  for (const uint32_t row : {7u, 107u, 207u}) allowed.set(row);
  EXPECT_THAT(rows_of(index.reader().search(query("needle"), &allowed, 10)), ::testing::ElementsAre(7, 107, 207));
  const Bitmap none(300);
  EXPECT_TRUE(index.reader().search(query("needle"), &none, 10).empty());
}

TEST(Bm25, ARemovalIsSeenByTheNextReadAndNotByOlderOnes) {
  Bm25Index index;
  add(index, 1, "apple pie");
  add(index, 2, "apple tart");
  const Bm25Reader before = index.reader();
  index.remove(std::vector<uint32_t>{1, 99});
  EXPECT_THAT(rows_of(index.reader().search(query("apple"), nullptr, 10)), ::testing::ElementsAre(2));
  EXPECT_EQ(before.search(query("apple"), nullptr, 10).size(), 2u);
  EXPECT_EQ(index.reader().rows(), 1u);
}

TEST(Bm25, ARowTwiceIsRefused) {
  Bm25Index index;
  add(index, 5, "x");
  Bm25Builder builder;
  builder.start_row(5), builder.add("y");
  EXPECT_FALSE(index.add(builder));
}

TEST(Bm25, FilesHoldWhatWasCheckpointed) {
  TestFolder folder;
  {
    Bm25Index index;
    ASSERT_TRUE(index.segments().open(folder.path(), "words"));
    for (uint32_t row = 0; row < 50; ++row) add(index, row, row % 2 == 0 ? "even number" : "odd number");
    ASSERT_TRUE(index.segments().checkpoint(50));
    index.remove(std::vector<uint32_t>{0, 2});
    add(index, 50, "even number");  // not checkpointed: the owner adds it again
  }
  Bm25Index index;
  ASSERT_TRUE(index.segments().open(folder.path(), "words"));
  EXPECT_EQ(index.segments().watermark(), 50u);
  EXPECT_EQ(index.reader().search(query("even"), nullptr, 100).size(), 25u);
  Bitmap alive;
  alive.set_range(4, 46);
  index.segments().keep_only(alive);
  EXPECT_EQ(index.reader().search(query("even"), nullptr, 100).size(), 23u);
}

TEST(Bm25, CheckpointsLeaveNoFilesBehind) {
  TestFolder folder;
  Bm25Index index;
  ASSERT_TRUE(index.segments().open(folder.path(), "words"));
  for (uint32_t row = 0; row < 60; ++row) {
    add(index, row, "a b c");
    ASSERT_TRUE(index.segments().checkpoint(row + 1));
  }
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) ++files;
  EXPECT_EQ(files, 1 + index.segments().snapshot()->segments.size());
  EXPECT_LE(files, 10u);
  std::vector<uint32_t> most;
  for (uint32_t row = 0; row < 59; ++row) most.push_back(row);
  index.remove(most);
  ASSERT_TRUE(index.segments().checkpoint(61));
  EXPECT_EQ(index.segments().snapshot()->segments.size(), 1u);
  EXPECT_EQ(index.segments().snapshot()->segments[0]->rows(), 1u);
}

TEST(Bm25, EveryFlippedByteIsNoticed) {
  Bm25Builder builder;
  builder.start_row(3), builder.add("x"), builder.add("y"), builder.add("x");
  const std::string whole = builder.finish();
  ASSERT_TRUE(Bm25Segment::open(Buffer::own(whole)));
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string bad = whole;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    EXPECT_FALSE(Bm25Segment::open(Buffer::own(bad))) << i;
    EXPECT_FALSE(Bm25Segment::open(Buffer::own(whole.substr(0, i)))) << i;
  }
}

TEST(Bm25, ADamagedFileIsAnErrorAndResetStartsAnew) {
  TestFolder folder;
  {
    Bm25Index index;
    ASSERT_TRUE(index.segments().open(folder.path(), "words"));
    add(index, 0, "x");
    ASSERT_TRUE(index.segments().checkpoint(1));
  }
  std::fstream(folder.path() + "/words-1", std::ios::in | std::ios::out | std::ios::binary).seekp(20).put('!');
  Bm25Index index;
  const Status opened = index.segments().open(folder.path(), "words");
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, ::testing::HasSubstr("words-1"));
  ASSERT_TRUE(index.segments().reset());
  EXPECT_EQ(index.segments().watermark(), 0u);
  add(index, 0, "x");
  EXPECT_EQ(index.reader().search(query("x"), nullptr, 1).size(), 1u);
}

TEST(Manifest, GoesBothWays) {
  TestFolder folder;
  const std::string path = folder.path() + "/m";
  ASSERT_TRUE(write_manifest(path, {.watermark = 77, .next_file = 5, .files = {"a-1", "a-4"}}));
  const auto manifest = read_manifest_file(path);
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->watermark, 77u);
  EXPECT_THAT(manifest->files, ::testing::ElementsAre("a-1", "a-4"));
  EXPECT_TRUE(read_manifest_file(folder.path() + "/none")->files.empty());
}

TEST(BitmapTest, RangesAndWords) {
  Bitmap a;
  a.set_range(60, 140);
  EXPECT_EQ(a.count(), 140u);
  EXPECT_FALSE(a.test(59));
  EXPECT_TRUE(a.test(60));
  EXPECT_TRUE(a.test(199));
  EXPECT_FALSE(a.test(200));
  EXPECT_FALSE(a.test(4'000'000'000u));
  Bitmap b(10);
  b.set_range(0, 64);
  for (const uint32_t first : {0u, 1u, 59u, 60u, 64u, 130u, 199u, 500u}) {
    for (const uint32_t count : {1u, 5u, 63u, 64u, 65u, 200u}) {
      const Bitmap slice = a.slice(first, count);
      for (uint32_t i = 0; i < count + 70; ++i) EXPECT_EQ(slice.test(i), i < count && a.test(first + i)) << first << ' ' << count << ' ' << i;
    }
  }
  a &= b;
  EXPECT_EQ(a.count(), 4u);
}

}  // namespace
}  // namespace ajar::index
