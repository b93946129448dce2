#include "learn/linear.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace ajar::learn {
namespace {

// Three labels told by one hashed column each, a fourth by the sign of a dense one.
std::vector<Example> examples() {
  std::vector<Example> out;
  for (uint32_t i = 0; i < 400; ++i) {
    const uint32_t label = i % 4;
    Example e{.label = label};
    e.sparse.columns = {label < 3 ? label : i % 3, 3 + i % 5};
    e.sparse.values = {0.8F, 0.6F};
    e.dense = {label == 3 ? -1.0F : 1.0F, 0.1F};
    out.push_back(e);
  }
  return out;
}

TEST(Linear, LearnsWhatCanBeTold) {
  std::vector<double> losses;
  const auto data = examples();
  const auto model = train_linear(data, 4, 8, {.epochs = 20}, [&](int, double loss) { losses.push_back(loss); });
  ASSERT_TRUE(model);
  ASSERT_EQ(losses.size(), 20);
  EXPECT_LT(losses.back(), losses.front() / 3);
  std::vector<float> logits(4);
  for (const Example& e : data) {
    model->logits(e.sparse, e.dense, logits);
    EXPECT_EQ(std::ranges::max_element(logits) - logits.begin(), e.label);
  }
}

TEST(Linear, IsTheSameWithAnyNumberOfThreads) {
  const auto data = examples();
  const auto one = train_linear(data, 4, 8, {.epochs = 3, .threads = 1, .seed = 5});
  const auto three = train_linear(data, 4, 8, {.epochs = 3, .threads = 3, .seed = 5});
  const auto other = train_linear(data, 4, 8, {.epochs = 3, .threads = 1, .seed = 6});
  ASSERT_TRUE(one && three && other);
  EXPECT_EQ(one->weights, three->weights);
  EXPECT_NE(one->weights, other->weights);
}

TEST(Linear, RefusesWhatMakesNoSense) {
  auto data = examples();
  EXPECT_FALSE(train_linear(data, 1, 8, {}));
  EXPECT_FALSE(train_linear(data, 3, 8, {})) << "a label out of range";
  EXPECT_FALSE(train_linear(data, 4, 4, {})) << "a column out of range";
  EXPECT_FALSE(train_linear({}, 4, 8, {}));
  data[7].dense.push_back(1);
  EXPECT_FALSE(train_linear(data, 4, 8, {}));
}

TEST(Softmax, SumsToOneAndBearsLargeNumbers) {
  std::vector<float> x = {1000, 999, -1000};
  const double log_sum = softmax(x);
  EXPECT_NEAR(x[0], 1 / (1 + std::exp(-1.0)), 1e-6);
  EXPECT_NEAR(x[0] + x[1] + x[2], 1, 1e-6);
  EXPECT_NEAR(log_sum, 1000 + std::log1p(std::exp(-1.0)), 1e-4);
}

}  // namespace
}  // namespace ajar::learn
