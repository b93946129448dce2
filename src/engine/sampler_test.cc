#include "engine/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace ajar::engine {
namespace {

std::vector<float> of_probabilities(std::vector<double> p) {
  std::vector<float> logits;
  for (double v : p) logits.push_back(static_cast<float>(std::log(v)) + 3);
  return logits;
}

std::map<int32_t, double> shares(SamplingParams params, const std::vector<float>& logits, const TokenMask* mask = nullptr) {
  Sampler sampler(params);
  std::map<int32_t, double> count;
  for (int i = 0; i < 20000; ++i) {
    std::vector<float> copy = logits;
    count[sampler.sample(copy, mask).token] += 1 / 20000.0;
  }
  return count;
}

const std::vector<double> kP = {0.4, 0.3, 0.2, 0.06, 0.04};

TEST(Sampler, DrawsByProbability) {
  auto share = shares({}, of_probabilities(kP));
  for (int i = 0; i < 5; ++i) EXPECT_NEAR(share[i], kP[static_cast<size_t>(i)], 0.015);
}

TEST(Sampler, FiltersKeepProportions) {
  auto logits = of_probabilities(kP);
  auto k = shares({.top_k = 2}, logits);
  EXPECT_EQ(k.size(), 2u);
  EXPECT_NEAR(k[0], 4 / 7.0, 0.015);
  auto p = shares({.top_p = 0.75f}, logits);
  EXPECT_EQ(p.size(), 3u);
  EXPECT_NEAR(p[2], 2 / 9.0, 0.015);
  auto m = shares({.min_p = 0.4f}, logits);
  EXPECT_EQ(m.size(), 3u);
  auto t = shares({.typical_p = 0.5f}, logits);  // entropy 1.35 nats: the second (1.2) and third (1.61) are the most typical
  EXPECT_EQ(t.size(), 2u);
  EXPECT_EQ(t.count(0), 0u);
  auto cold = shares({.temperature = 0}, logits);
  EXPECT_EQ(cold.size(), 1u);
  auto warm = shares({.temperature = 0.5f}, logits);
  EXPECT_NEAR(warm[0] / warm[1], 16 / 9.0, 0.1);
}

TEST(Sampler, FlatDistributionsOverManyTokens) {
  std::vector<float> logits(50000, 1.f);
  Sampler sampler({.top_p = 0.5f});
  std::map<int32_t, int> seen;
  for (int i = 0; i < 100; ++i) {
    auto copy = logits;
    ++seen[sampler.sample(copy, nullptr).token];
  }
  EXPECT_GT(seen.size(), 90u);
  EXPECT_LT(seen.rbegin()->first, 25001);
}

TEST(Sampler, SeedsRepeat) {
  auto logits = of_probabilities(kP);
  Sampler a({.seed = 42}), b({.seed = 42}), c({.seed = 43});
  int same = 0;
  for (int i = 0; i < 100; ++i) {
    auto x = logits, y = logits, z = logits;
    int32_t token = a.sample(x, nullptr).token;
    EXPECT_EQ(token, b.sample(y, nullptr).token);
    same += token == c.sample(z, nullptr).token;
  }
  EXPECT_LT(same, 60);
}

TEST(Sampler, Penalties) {
  Sampler s({.temperature = 0, .presence_penalty = 1});
  auto logits = of_probabilities(kP), copy = logits;
  EXPECT_EQ(s.sample(copy, nullptr).token, 0);
  s.accept(0, true);  // of the prompt: OpenAI's penalties do not count it
  copy = logits;
  EXPECT_EQ(s.sample(copy, nullptr).token, 0);
  s.accept(0, false);
  copy = logits;
  EXPECT_EQ(s.sample(copy, nullptr).token, 1);
  Sampler r({.temperature = 0, .repetition_penalty = 2});
  r.accept(0, true);
  copy = logits;
  EXPECT_EQ(r.sample(copy, nullptr).token, 1);
  Sampler biased({.temperature = 0, .logit_bias = {{4, 100}, {-3, 1}, {99, 1}}});
  copy = logits;
  EXPECT_EQ(biased.sample(copy, nullptr).token, 4);
}

TEST(Sampler, MaskLeavesOnlyWhatItAllows) {
  TokenMask mask(5);
  mask.allow(3), mask.allow(4);
  auto share = shares({}, of_probabilities(kP), &mask);
  EXPECT_EQ(share.size(), 2u);
  EXPECT_NEAR(share[3], 0.6, 0.015);
}

TEST(Sampler, LogprobsAreTheModels) {
  Sampler s({.temperature = 0, .logit_bias = {{2, 50}}, .top_logprobs = 2});
  auto logits = of_probabilities(kP);
  Sampled out = s.sample(logits, nullptr);
  EXPECT_EQ(out.token, 2);
  EXPECT_NEAR(out.logprob, std::log(0.2), 1e-4);
  ASSERT_EQ(out.top.size(), 2u);
  EXPECT_EQ(out.top[0].first, 0);
  EXPECT_NEAR(out.top[0].second, std::log(0.4), 1e-4);
  EXPECT_NEAR(out.margin, 0.1, 1e-4);
  double entropy = 0;
  for (double p : kP) entropy -= p * std::log(p);
  EXPECT_NEAR(out.entropy, entropy, 1e-4);
}

TEST(Sampler, NonsenseFromTheModelIsNoCrash) {
  Sampler s({.top_p = 0.5f});
  std::vector<float> logits(10, NAN);
  int32_t token = s.sample(logits, nullptr).token;
  EXPECT_GE(token, 0);
  EXPECT_LT(token, 10);
  logits.assign(10, NAN);
  logits[7] = 1;
  EXPECT_EQ(s.sample(logits, nullptr).token, 7);
}

}  // namespace
}  // namespace ajar::engine
