#include "learn/vote_table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "learn/dense_math.h"

namespace ajar::learn {
namespace {

TEST(DenseMath, ProductsAreExact) {
  std::mt19937 random(3);
  for (const size_t width : {1U, 7U, 16U, 32U, 77U, 128U, 150U})
    for (const size_t rows : {1U, 3U, 4U, 9U}) {
      std::vector<int8_t> bytes(rows * width);
      std::vector<int8_t> query(width);
      for (auto& v : bytes) v = static_cast<int8_t>(static_cast<int>(random() % 255) - 127);
      for (auto& v : query) v = static_cast<int8_t>(static_cast<int>(random() % 255) - 127);
      std::vector<int32_t> products(rows);
      dots(bytes.data(), rows, width, query.data(), products.data());
      for (size_t i = 0; i < rows; ++i) {
        int64_t exact = 0;
        for (size_t x = 0; x < width; ++x) exact += int64_t{bytes[i * width + x]} * query[x];
        EXPECT_EQ(products[i], exact);
      }
    }
}

TEST(DenseMath, LoudnessIsAnExponential) {
  const std::vector<int32_t> products = {0, 127 * 127, -127 * 127, 1 << 30, -(1 << 30), 1000, 12345, -7777, 16000, 16130, 7};
  for (const float sharp : {0.01F, 1.6F, 7.0F, 100.0F})
    for (const float scale : {1 / 127.0F, 0.02F, 0.0F, 1e30F}) {
      const std::vector<float> scales(products.size(), scale);
      std::vector<int16_t> out(products.size());
      loudness(products.data(), scales.data(), products.size(), 1 / 127.0F, sharp, out.data());
      for (size_t i = 0; i < products.size(); ++i) {
        const double cosine = std::min(static_cast<double>(products[i]) * scale / 127, 1.0);
        EXPECT_NEAR(out[i], kLoudest * std::exp(sharp * (cosine - 1)), 0.7) << products[i] << " " << sharp << " " << scale;
      }
    }
}

// What the rows say, each as loud as it is.
std::vector<double> plainly(std::span<const int16_t> votes, size_t labels, std::span<const int16_t> loud) {
  std::vector<double> out(labels);
  for (size_t i = 0; i < votes.size(); ++i) out[i % labels] += static_cast<double>(votes[i]) * loud[i / labels];
  return out;
}

TEST(VoteTable, AddsUpAsPlainLoopsDo) {
  std::mt19937 random(4);
  for (const size_t labels : {1U, 2U, 15U, 16U, 77U, 80U, 97U, 150U, 161U})
    for (const size_t rows : {0U, 1U, 2U, 3U, 33U, 300U}) {
      std::vector<int16_t> votes(rows * labels), loud((rows + 1) / 2 * 2);
      for (auto& v : votes) v = static_cast<int16_t>(static_cast<int>(random() % 65535) - 32767);
      for (size_t i = 0; i < rows; ++i) loud[i] = static_cast<int16_t>(random() % (kLoudest + 1));
      const VoteTable table(votes, labels);
      EXPECT_EQ(table.votes(), votes);
      std::vector<float> out(labels, 0.5F);
      table.add_to(out, loud, 1.0F / kLoudest);
      const auto exact = plainly(votes, labels, loud);
      for (size_t label = 0; label < labels; ++label) EXPECT_NEAR(out[label], 0.5 + exact[label] / kLoudest, 0.01 + 0.005 * static_cast<double>(rows)) << labels << " " << rows;
    }
}

// All of one label and as loud as can be, also the number that a file may hold and we never write: no sum runs over.
TEST(VoteTable, TheLargestVotesFit) {
  for (const int16_t vote : {std::numeric_limits<int16_t>::max(), std::numeric_limits<int16_t>::min()}) {
    constexpr size_t kRows = 1001, kLabels = 20;
    const std::vector<int16_t> votes(kRows * kLabels, vote);
    std::vector<int16_t> loud(kRows + 1, kLoudest);
    loud.back() = 0;
    std::vector<float> out(kLabels);
    VoteTable(votes, kLabels).add_to(out, loud, 1);
    for (const float sum : out) EXPECT_FLOAT_EQ(sum, static_cast<float>(static_cast<double>(vote) * kLoudest * kRows));
  }
}

}  // namespace
}  // namespace ajar::learn
