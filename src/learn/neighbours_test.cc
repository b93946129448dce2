#include "learn/neighbours.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace ajar::learn {
namespace {

std::vector<float> around(float x, float y, float z) { return {x, y, z, 0.5F}; }

double cosine(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) ab += double(a[i]) * b[i], aa += double(a[i]) * a[i], bb += double(b[i]) * b[i];
  return ab / std::sqrt(aa * bb);
}

TEST(Neighbours, AddTheLogarithmOfTheDensityOfEachLabel) {
  constexpr uint32_t kWidth = 48, kLabels = 3;
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> embeddings(30, std::vector<float>(kWidth));
  std::vector<Neighbours::Row> rows;
  for (size_t i = 0; i < embeddings.size(); ++i) {
    for (float& x : embeddings[i]) x = 1 + normal(random);
    rows.push_back({static_cast<uint32_t>(i * 7 % kLabels), embeddings[i]});
  }
  const Neighbours neighbours(rows, kLabels, kWidth);
  const NeighbourOptions options{.weight = 0.5, .sharpness = 20};
  std::vector<float> query(kWidth), logits = {1, 2, 3};
  for (float& x : query) x = 100 * (1 + normal(random));  // its length does not matter
  neighbours.add_to(logits, query, options);
  for (uint32_t label = 0; label < kLabels; ++label) {
    double density = 1e-6;
    for (const auto& row : rows)
      if (row.label == label) density += std::exp(20 * (cosine(row.embedding, query) - 1));
    EXPECT_NEAR(logits[label], 1 + label + 0.5 * std::log(density), 0.01) << label;  // a row is kept in bytes
  }
}

TEST(Neighbours, ALabelOfTwoMeaningsIsFoundByBoth) {
  // In the middle between its two lies the other label's.
  const std::vector<std::vector<float>> embeddings = {around(1, 0, 0), around(-1, 0, 0), around(0, 1, 0)};
  const Neighbours neighbours(std::vector<Neighbours::Row>{{0, embeddings[0]}, {0, embeddings[1]}, {1, embeddings[2]}}, 2, 4);
  for (size_t i = 0; i < 3; ++i) {
    std::vector<float> logits = {0, 0};
    neighbours.add_to(logits, embeddings[i], {.weight = 1, .sharpness = 32});
    EXPECT_EQ(logits[0] > logits[1], i < 2) << i;
  }
}

TEST(Neighbours, LabelsThatWereNotAskedDoNotOvertake) {
  constexpr uint32_t kLabels = 20;
  const auto here = around(1, 0, 0), far = around(-1, -1, 0);
  std::vector<Neighbours::Row> rows;
  for (uint32_t label = 0; label < kLabels; ++label) rows.push_back({label, label + 1 == kLabels ? here : far});
  const Neighbours neighbours(rows, kLabels, 4);
  std::vector<float> logits(kLabels);
  for (uint32_t label = 0; label < kLabels; ++label) logits[label] = -static_cast<float>(label);
  neighbours.add_to(logits, here, {.weight = 10, .sharpness = 32});
  for (uint32_t label = 1; label < kLabels; ++label) EXPECT_LT(logits[label], logits[label - 1]) << label;
}

TEST(Neighbours, NobodyAndNothingChangeNothing) {
  std::vector<float> logits = {1, 2};
  const std::vector<float> zeros(4), one = {1, 0, 0, 0};
  Neighbours().add_to(logits, one, {.weight = 1});
  Neighbours(std::vector<Neighbours::Row>{{0, one}}, 2, 4).add_to(logits, zeros, {.weight = 1});
  EXPECT_EQ(logits, (std::vector<float>{1, 2}));
  Neighbours(std::vector<Neighbours::Row>{{0, zeros}}, 2, 4).add_to(logits, one, {.weight = 1});
  for (const float x : logits) EXPECT_TRUE(std::isfinite(x));
}

TEST(Neighbours, ManyRowsAreThinnedOutAlike) {
  const std::vector<float> one = {1, 0}, two = {0, 1};
  std::vector<Neighbours::Row> rows(Neighbours::kMost, {0, one});
  rows.insert(rows.end(), Neighbours::kMost, {1, two});
  rows.push_back({2, one});
  const Neighbours neighbours(rows, 3, 2);
  std::vector<float> logits(3);
  neighbours.add_to(logits, one, {.weight = 1, .sharpness = 100});
  EXPECT_NEAR(logits[0] - logits[2], std::log(Neighbours::kMost / 3), 0.01);
}

}  // namespace
}  // namespace ajar::learn
