#include "index/vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <unordered_set>

#include "index/test_folder.h"

namespace ajar::index {
namespace {

// Points around centres, of length 1.
std::vector<float> clustered(size_t rows, uint32_t width, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> centres(16 * width), out(rows * width);
  for (float& x : centres) x = normal(random);
  for (size_t i = 0; i < rows; ++i) {
    const size_t centre = random() % 16;
    for (uint32_t d = 0; d < width; ++d) out[i * width + d] = centres[centre * width + d] + 0.7f * normal(random);
    EXPECT_TRUE(normalize(std::span(out).subspan(i * width, width)));
  }
  return out;
}

struct Filled {
  explicit Filled(size_t rows, uint32_t width) : vectors(clustered(rows, width, 3)), index(width) {
    for (size_t from = 0; from < rows; from += 97) {
      std::vector<uint32_t> ids;
      for (size_t i = from; i < std::min(rows, from + 97); ++i) ids.push_back(static_cast<uint32_t>(i));
      EXPECT_TRUE(index.add(ids, std::span(vectors).subspan(from * width, ids.size() * width)));
    }
  }
  FetchVectors fetch() const {
    return [this](std::span<const uint32_t> rows, std::span<float> out) -> Status {
      const uint32_t width = index.width();
      for (size_t i = 0; i < rows.size(); ++i) std::copy_n(&vectors[size_t{rows[i]} * width], width, &out[i * width]);
      return {};
    };
  }
  std::vector<Scored> exact(std::span<const float> query, const Bitmap* allowed, size_t limit) const {
    Best best(limit);
    const size_t width = index.width();
    for (size_t i = 0; i * width < vectors.size(); ++i) {
      float sum = 0;
      for (size_t d = 0; d < width; ++d) sum += query[d] * vectors[i * width + d];
      const auto row = static_cast<uint32_t>(i);
      if (allowed == nullptr || allowed->test(row)) best.offer({row, sum});
    }
    return best.take();
  }
  std::vector<float> vectors;
  VectorIndex index;
};

TEST(Vectors, KernelsAgreeToTheLastBit) {
  std::mt19937 random(1);
  for (const size_t stride : {64u, 128u, 384u, 1024u}) {
    std::vector<uint8_t> rows(stride * 7);
    std::vector<int8_t> query(stride);
    for (auto& x : rows) x = static_cast<uint8_t>(random());
    for (auto& x : query) x = static_cast<int8_t>(random());
    std::vector<int32_t> wanted(7), found(7);
    dot_kernels().back().dots(rows.data(), 7, stride, query.data(), wanted.data());
    for (const DotKernel& kernel : dot_kernels()) {
      kernel.dots(rows.data(), 7, stride, query.data(), found.data());
      EXPECT_EQ(found, wanted) << kernel.name;
      const uint32_t places[] = {6, 0, 3};
      kernel.dots_at(rows.data(), places, 3, stride, query.data(), found.data());
      EXPECT_EQ(found[0], wanted[6]) << kernel.name;
      EXPECT_EQ(found[1], wanted[0]) << kernel.name;
      EXPECT_EQ(found[2], wanted[3]) << kernel.name;
    }
  }
}

TEST(Vectors, RecallAgainstExactFloats) {
  const Filled filled(5000, 100);
  size_t hits = 0, wanted_hits = 0;
  for (uint32_t q = 0; q < 50; ++q) {
    const auto queries = clustered(50, 100, 3);
    const std::span query = std::span(queries).subspan(q * 100, 100);
    const auto found = filled.index.reader().search(query, nullptr, 10, filled.fetch());
    ASSERT_TRUE(found);
    std::unordered_set<uint32_t> rows;
    for (const Scored& one : *found) rows.insert(one.row);
    for (const Scored& one : filled.exact(query, nullptr, 10)) ++wanted_hits, hits += rows.contains(one.row) ? 1u : 0u;
  }
  EXPECT_GE(static_cast<double>(hits) / static_cast<double>(wanted_hits), 0.99);
}

TEST(Vectors, AFilterGivesAsManyAsThereAre) {
  const Filled filled(3000, 64);
  Bitmap allowed;
  for (uint32_t row = 5; row < 3000; row += 100) allowed.set(row);
  const std::span query = std::span(filled.vectors).subspan(0, 64);
  const auto all = filled.index.reader().search(query, &allowed, 100, filled.fetch());
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), 30u);
  const auto some = filled.index.reader().search(query, &allowed, 10, filled.fetch());
  const auto wanted = filled.exact(query, &allowed, 10);
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ((*some)[i].row, wanted[i].row);
}

TEST(Vectors, SparseRowsAndHoles) {
  VectorIndex index(64);
  std::vector<uint32_t> rows;
  for (uint32_t i = 0; i < 200; ++i) rows.push_back(i * 37 + i % 5);
  const auto vectors = clustered(200, 64, 9);
  ASSERT_TRUE(index.add(rows, vectors));
  for (const uint32_t only : {0u, 63u, 64u, 199u}) {
    Bitmap allowed;
    allowed.set(rows[only]);
    const auto found = index.reader().search(std::span(vectors).subspan(0, 64), &allowed, 5);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 1u);
    EXPECT_EQ((*found)[0].row, rows[only]);
  }
}

TEST(Vectors, ARemovalIsSeenByTheNextRead) {
  Filled filled(500, 64);
  const std::span query = std::span(filled.vectors).subspan(64 * 42, 64);
  EXPECT_EQ(filled.index.reader().search(query, nullptr, 1, filled.fetch())->front().row, 42u);
  filled.index.remove(std::vector<uint32_t>{42});
  for (const Scored& one : *filled.index.reader().search(query, nullptr, 10, filled.fetch())) EXPECT_NE(one.row, 42u);
}

TEST(Vectors, ARowThatWentMeanwhileIsLeftOut) {
  Filled filled(100, 64);
  const FetchVectors all = filled.fetch();
  const auto found = filled.index.reader().search(std::span(filled.vectors).first(64), nullptr, 5, [&](auto rows, auto out) -> Status {
    AJAR_TRY(all(rows, out));
    for (size_t i = 0; i < rows.size(); ++i)
      if (rows[i] == 0) out[i * 64] = NAN;
    return {};
  });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size(), 5u);
  for (const Scored& one : *found) EXPECT_NE(one.row, 0u);
}

TEST(Vectors, AnotherWidthIsAClearError) {
  const Filled filled(10, 64);
  const std::vector<float> query(100, 1.0f);
  const auto found = filled.index.reader().search(query, nullptr, 5);
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, ::testing::HasSubstr("100"));
  EXPECT_THAT(found.error().message, ::testing::HasSubstr("64"));
  std::vector<float> zero(64);
  EXPECT_FALSE(filled.index.reader().search(zero, nullptr, 5));
  zero[3] = INFINITY;
  EXPECT_FALSE(normalize(zero));
}

TEST(Vectors, FilesHoldThemAcrossMerges) {
  TestFolder folder;
  const auto vectors = clustered(900, 64, 5);
  {
    VectorIndex index(64);
    ASSERT_TRUE(index.segments().open(folder.path(), "vectors"));
    for (uint32_t row = 0; row < 900; ++row) {
      ASSERT_TRUE(index.add(std::vector<uint32_t>{row}, std::span(vectors).subspan(row * 64, 64)));
      if (row % 50 == 0) ASSERT_TRUE(index.segments().checkpoint(row + 1));
    }
    ASSERT_TRUE(index.segments().checkpoint(900));
  }
  VectorIndex index(64);
  ASSERT_TRUE(index.segments().open(folder.path(), "vectors"));
  EXPECT_EQ(index.reader().rows(), 900u);
  for (uint32_t row = 0; row < 900; row += 111)
    EXPECT_EQ(index.reader().search(std::span(vectors).subspan(row * 64, 64), nullptr, 1)->front().row, row);
}

TEST(Vectors, EveryFlippedByteIsNoticed) {
  const auto vectors = clustered(2, 64, 5);
  const std::string whole = VectorSegment::build(std::vector<uint32_t>{1, 2}, vectors, 64);
  ASSERT_TRUE(VectorSegment::open(Buffer::own(whole)));
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string bad = whole;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(VectorSegment::open(Buffer::own(bad))) << i;
  }
}

}  // namespace
}  // namespace ajar::index
