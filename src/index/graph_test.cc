#include "index/graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <thread>

#include "index/test_folder.h"
#include "index/vectors.h"

namespace ajar::index {
namespace {

constexpr uint32_t kWidth = 32;
constexpr GraphOptions kSmall{.from_rows = 1000, .degree = 12, .building = 40, .effort = 40};

// Points around centres, some of which have few.
std::vector<float> points(size_t rows, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> centres(40 * kWidth), out(rows * kWidth);
  for (float& x : centres) x = normal(random);
  for (size_t i = 0; i < rows; ++i) {
    const size_t centre = random() % 50 == 0 ? 20 + random() % 20 : random() % 20;
    for (uint32_t d = 0; d < kWidth; ++d) out[i * kWidth + d] = centres[centre * kWidth + d] + 0.6f * normal(random);
    EXPECT_TRUE(normalize(std::span(out).subspan(i * kWidth, kWidth)));
  }
  return out;
}

Status add(VectorIndex& index, const std::vector<float>& vectors, uint32_t from, uint32_t to) {
  std::vector<uint32_t> rows;
  for (uint32_t row = from; row < to; ++row) rows.push_back(row);
  return index.add(rows, std::span(vectors).subspan(size_t{from} * kWidth, rows.size() * kWidth));
}

// The share of the true ten that are found, over some questions.
double recall(const VectorIndex& index, const std::vector<float>& vectors, const Bitmap& allowed, size_t* least = nullptr) {
  size_t hits = 0, wanted = 0;
  for (uint32_t q = 0; q < 40; ++q) {
    const std::span query = std::span(vectors).subspan((q * 97 % (vectors.size() / kWidth)) * kWidth, kWidth);
    const auto found = index.reader().search(query, &allowed, 10);
    EXPECT_TRUE(found);
    // What the codes say without a graph is the truth here.
    VectorReader plain(const_cast<VectorIndex&>(index).segments().snapshot());
    const auto all = plain.search(query, &allowed, 10);
    std::set<uint32_t> rows;
    for (const Scored& one : *found) {
      EXPECT_TRUE(allowed.test(one.row));
      rows.insert(one.row);
    }
    EXPECT_EQ(rows.size(), found->size());
    if (least != nullptr) *least = std::min(*least, found->size());
    for (const Scored& one : *all) ++wanted, hits += rows.contains(one.row) ? 1u : 0u;
  }
  return static_cast<double>(hits) / static_cast<double>(wanted);
}

Bitmap rows_where(uint32_t rows, const std::function<bool(uint32_t)>& keep) {
  Bitmap out(rows);
  for (uint32_t row = 0; row < rows; ++row)
    if (keep(row)) out.set(row);
  return out;
}

TEST(Graph, FindsWhatAScanFinds) {
  constexpr uint32_t kRows = 6000;
  const auto vectors = points(kRows, 1);
  VectorIndex index(kWidth, kSmall);
  ASSERT_TRUE(add(index, vectors, 0, kRows));
  EXPECT_EQ(index.graph_missing(), kRows);
  uint64_t last = 0;
  ASSERT_TRUE(index.build_graph({}, [&](uint64_t done, uint64_t all) {
    EXPECT_GT(done, last);
    EXPECT_EQ(all, kRows);
    last = done;
  }));
  EXPECT_EQ(last, kRows);
  EXPECT_EQ(index.graph_rows(), kRows);
  EXPECT_EQ(index.graph_missing(), 0u);
  EXPECT_GE(recall(index, vectors, rows_where(kRows, [](uint32_t) { return true; })), 0.97);
  // A filter: by walking through what is not seen, or by a scan of the few.
  for (const uint32_t step : {2u, 4u, 20u, 500u}) {
    size_t least = 10;
    EXPECT_GE(recall(index, vectors, rows_where(kRows, [&](uint32_t row) { return row % step == 0; }), &least), 0.97) << step;
    EXPECT_EQ(least, 10u);
  }
  // What is far from every question.
  EXPECT_EQ(index.reader().search(std::span(vectors).first(kWidth), nullptr, 10)->size(), 10u);
}

TEST(Graph, ARemovedRowIsNotFoundAndLeavesNoHole) {
  constexpr uint32_t kRows = 3000;
  const auto vectors = points(kRows, 2);
  VectorIndex index(kWidth, kSmall);
  ASSERT_TRUE(add(index, vectors, 0, kRows));
  ASSERT_TRUE(index.build_graph({}));
  std::vector<uint32_t> gone;
  for (uint32_t row = 0; row < kRows; row += 3) gone.push_back(row);
  index.remove(gone);
  EXPECT_GE(recall(index, vectors, rows_where(kRows, [](uint32_t row) { return row % 3 != 0; })), 0.97);
}

TEST(Graph, DoesNotDependOnThreads) {
  const auto vectors = points(1500, 3);
  std::vector<uint32_t> rows(1500);
  for (uint32_t i = 0; i < rows.size(); ++i) rows[i] = i;
  const auto segment = VectorSegment::open(Buffer::own(VectorSegment::build(rows, vectors, kWidth)));
  ASSERT_TRUE(segment);
  std::string one, many;
  for (const unsigned threads : {1u, 3u}) {
    GraphOptions options = kSmall;
    options.threads = threads;
    GraphBuilder builder(*segment, options);
    ASSERT_TRUE(builder.extend(900, {}));
    ASSERT_TRUE(builder.extend(1500, {}));
    (threads == 1 ? one : many) = builder.bytes();
  }
  EXPECT_EQ(one, many);
}

TEST(Graph, IsKeptGrowsAndGoesOnInMergedSegments) {
  const TestFolder folder;
  constexpr uint32_t kRows = 4000;
  const auto vectors = points(kRows, 4);
  const Bitmap all = rows_where(kRows, [](uint32_t) { return true; });
  {
    VectorIndex index(kWidth, kSmall);
    ASSERT_TRUE(index.open(folder.path(), "v"));
    for (uint32_t from = 0; from < 2000; from += 500) {
      ASSERT_TRUE(add(index, vectors, from, from + 500));
      ASSERT_TRUE(index.checkpoint(from + 500));
    }
    ASSERT_TRUE(index.build_graph({}));
    EXPECT_GE(index.graph_rows(), 1000u);
  }
  VectorIndex index(kWidth, kSmall);
  ASSERT_TRUE(index.open(folder.path(), "v"));
  const uint64_t kept = index.graph_rows();
  EXPECT_GE(kept, 1000u);
  index.remove(std::vector<uint32_t>{3, 4, 5, 900});
  ASSERT_TRUE(add(index, vectors, 2000, kRows));
  ASSERT_TRUE(index.checkpoint(kRows));
  EXPECT_EQ(index.segments().snapshot()->segments.size(), 1u);
  EXPECT_EQ(index.graph_rows(), kept - 4);  // what was known is still of use
  EXPECT_EQ(index.graph_missing(), kRows - kept);
  Bitmap there = all;
  for (const uint32_t row : {3u, 4u, 5u, 900u}) there.clear(row);
  EXPECT_GE(recall(index, vectors, there), 0.97);
  ASSERT_TRUE(index.build_graph({}));
  EXPECT_EQ(index.graph_missing(), 0u);
  EXPECT_GE(recall(index, vectors, there), 0.97);
  ASSERT_TRUE(index.reset());
  EXPECT_EQ(index.graph_rows(), 0u);
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/v.graph"));
}

TEST(Graph, DamageCostsTheGraphAndNoAnswer) {
  const TestFolder folder;
  const auto vectors = points(1200, 5);
  {
    VectorIndex index(kWidth, kSmall);
    ASSERT_TRUE(index.open(folder.path(), "v"));
    ASSERT_TRUE(add(index, vectors, 0, 1200));
    ASSERT_TRUE(index.checkpoint(1200));
    ASSERT_TRUE(index.build_graph({}));
  }
  const std::string path = folder.path() + "/v.graph";
  const auto whole = Buffer::map(path);
  ASSERT_TRUE(whole);
  const std::string good((*whole)->bytes());
  for (const size_t at : {size_t{0}, size_t{9}, size_t{30}, good.size() / 2, good.size() - 1}) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    ASSERT_TRUE(replace_file(path, bad));
    VectorIndex index(kWidth, kSmall);
    ASSERT_TRUE(index.open(folder.path(), "v"));
    EXPECT_EQ(index.graph_rows(), 0u) << at;
    EXPECT_EQ(index.graph_missing(), 1200u);
    EXPECT_EQ(index.reader().search(std::span(vectors).first(kWidth), nullptr, 1)->front().row, 0u);
  }
}

TEST(Graph, StopsWhenItIsAsked) {
  const auto vectors = points(3000, 6);
  VectorIndex index(kWidth, kSmall);
  ASSERT_TRUE(add(index, vectors, 0, 3000));
  std::stop_source stop;
  ASSERT_TRUE(index.build_graph(stop.get_token(), [&](uint64_t done, uint64_t) {
    if (done > 300) stop.request_stop();
  }));
  EXPECT_EQ(index.graph_rows(), 0u);
  ASSERT_TRUE(index.build_graph({}));
  EXPECT_EQ(index.graph_missing(), 0u);
}

TEST(Graph, ReadersAndAWriterBesideABuild) {
  const TestFolder folder;
  const auto vectors = points(5000, 7);
  VectorIndex index(kWidth, kSmall);
  ASSERT_TRUE(index.open(folder.path(), "v"));
  ASSERT_TRUE(add(index, vectors, 0, 2000));
  ASSERT_TRUE(index.checkpoint(2000));
  std::jthread builder([&](std::stop_token stop) {
    while (!stop.stop_requested()) EXPECT_TRUE(index.build_graph(stop));
  });
  std::jthread reader([&](std::stop_token stop) {
    for (uint32_t i = 0; !stop.stop_requested(); i = (i + 1) % 2000) {
      const auto found = index.reader().search(std::span(vectors).subspan(i * kWidth, kWidth), nullptr, 1);
      EXPECT_TRUE(found);
    }
  });
  for (uint32_t from = 2000; from < 5000; from += 250) {
    ASSERT_TRUE(add(index, vectors, from, from + 250));
    ASSERT_TRUE(index.checkpoint(from + 250));
  }
  builder.request_stop(), builder.join();
  reader.request_stop(), reader.join();
  ASSERT_TRUE(index.build_graph({}));
  EXPECT_GE(recall(index, vectors, rows_where(5000, [](uint32_t) { return true; })), 0.97);
}

}  // namespace
}  // namespace ajar::index
