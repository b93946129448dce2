#include "learn/kernel_ridge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace ajar::learn {
namespace {

// Texts of two labels, which no plane divides: each label has two places, opposite to each other, as in XOR.
struct Data {
  std::vector<std::vector<float>> embeddings;
  std::vector<SparseVector> words;
  std::vector<KernelExample> examples;
};

Data crossed(size_t n, uint32_t width) {
  std::mt19937_64 random(5);
  std::normal_distribution<float> noise(0, 0.2F);
  Data out;
  for (size_t i = 0; i < n; ++i) {
    std::vector<float> x(width);
    for (float& v : x) v = noise(random) / 4;
    const float a = i & 1 ? 1.0F : -1.0F, b = i & 2 ? 1.0F : -1.0F;
    x[0] += a + noise(random), x[1] += b + noise(random);
    out.embeddings.push_back(std::move(x));
    out.words.push_back({.columns = {static_cast<uint32_t>(i % 3)}, .values = {1}});
  }
  for (size_t i = 0; i < n; ++i) out.examples.push_back({&out.words[i], out.embeddings[i], static_cast<uint32_t>((i & 1) ^ (i >> 1 & 1))});
  return out;
}

std::vector<float> logits(const KernelFit& fit, const SparseVector& words, std::span<const float> embedding, const KernelOptions& options) {
  std::vector<float> out(fit.words.labels);
  fit.words.logits(words, {}, out);
  fit.rows.add_to(out, embedding, options.sharpness);
  return out;
}

TEST(KernelRidge, LearnsWhatNoPlaneDivides) {
  const Data data = crossed(300, 12), fresh = crossed(400, 12);
  const KernelOptions options{.width = 8};
  double done = 0;
  const auto fit = train_kernel(data.examples, 2, 4, options, 2, [&](double d) {
    EXPECT_GE(d, done);
    done = d;
  });
  ASSERT_TRUE(fit) << fit.error().message;
  EXPECT_EQ(done, 1);
  EXPECT_EQ(fit->rows.size(), 300);
  EXPECT_EQ(fit->rows.projection().kept(), 8);
  int right = 0;
  for (size_t i = 300; i < 400; ++i) {  // drawn after those that taught
    const auto said = logits(*fit, fresh.words[i], fresh.embeddings[i], options);
    right += (said[1] > said[0]) == (fresh.examples[i].label == 1);
  }
  EXPECT_GE(right, 97);
}

// The definition: weights w with (K + ridge I) w = the labels, and a text's logits are its kernels' sum by these.
TEST(KernelRidge, SolvesWhatItIsDefinedBy) {
  const Data data = crossed(90, 6);
  const KernelOptions options{.width = 6, .ridge = 10};
  const auto fit = train_kernel(data.examples, 2, 4, options, 1);
  ASSERT_TRUE(fit);
  // K w = labels - ridge w are the logits of the texts that taught: opposite, since the labels' are, and the nearer to these the less ridge.
  double own = 0;
  for (size_t i = 0; i < 90; ++i) {
    const auto said = logits(*fit, data.words[i], data.embeddings[i], options);
    EXPECT_NEAR(said[0], -said[1], 0.1);
    own += said[data.examples[i].label] / 90;
  }
  EXPECT_GT(own, 3);
  EXPECT_LT(own, 6.5);
  KernelOptions firm = options;
  firm.ridge = 1e-3;
  const auto exact = train_kernel(data.examples, 2, 4, firm, 1);
  ASSERT_TRUE(exact);
  for (size_t i = 0; i < 90; ++i) EXPECT_NEAR(logits(*exact, data.words[i], data.embeddings[i], firm)[data.examples[i].label], 7, 1) << i;
}

TEST(KernelRidge, WordsAloneDecideWhereEmbeddingsAreAllTheSame) {
  Data data = crossed(60, 4);
  for (size_t i = 0; i < 60; ++i) {
    std::ranges::fill(data.embeddings[i], 1.0F);
    data.words[i].columns = {static_cast<uint32_t>(i % 2)};
    data.examples[i].label = static_cast<uint32_t>(i % 2);
  }
  const auto fit = train_kernel(data.examples, 2, 2, {}, 1);
  ASSERT_TRUE(fit) << fit.error().message;
  for (size_t i = 0; i < 60; ++i) {
    const auto said = logits(*fit, data.words[i], data.embeddings[i], {});
    EXPECT_EQ(said[1] > said[0], i % 2 == 1);
    EXPECT_TRUE(std::isfinite(said[0]));
  }
}

TEST(KernelRidge, TheSameBitsWithAnyNumberOfThreads) {
  const Data data = crossed(150, 12);
  const auto one = train_kernel(data.examples, 2, 4, {}, 1), two = train_kernel(data.examples, 2, 4, {}, 2);
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->words.weights, two->words.weights);
  for (size_t i = 0; i < 150; ++i) EXPECT_EQ(logits(*one, data.words[i], data.embeddings[i], {}), logits(*two, data.words[i], data.embeddings[i], {}));
}

TEST(KernelRidge, RefusesWhatIsNoTask) {
  const Data data = crossed(10, 3);
  EXPECT_FALSE(train_kernel(data.examples, 1, 4, {}, 1));
  EXPECT_FALSE(train_kernel({}, 2, 4, {}, 1));
}

TEST(Projection, KeepsTheDirectionsThatDiffer) {
  const Data data = crossed(200, 10);
  std::vector<std::span<const float>> rows(data.embeddings.begin(), data.embeddings.end());
  const Projection two(rows, 2), all(rows, 50);
  EXPECT_EQ(two.kept(), 2);
  EXPECT_EQ(all.kept(), 10);
  // Of length 1; and how alike two texts are is hardly another thing in two directions than in all of them.
  double most = 0;
  for (size_t i = 1; i < 50; ++i) {
    const auto cosine = [&](const Projection& p) {
      const auto a = p(rows[0]), b = p(rows[i]);
      double sum = 0, length = 0;
      for (size_t x = 0; x < a.size(); ++x) sum += static_cast<double>(a[x]) * b[x], length += static_cast<double>(a[x]) * a[x];
      EXPECT_NEAR(length, 1, 1e-4);
      return sum;
    };
    most = std::max(most, std::abs(cosine(two) - cosine(all)));
  }
  EXPECT_LT(most, 0.2);
  for (const float x : two(std::vector<float>(10))) EXPECT_TRUE(std::isfinite(x));
}

}  // namespace
}  // namespace ajar::learn
