#include "engine/decoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "engine/random_model.h"
#include "engine/test_decoder.h"
#include "engine/testing.h"

namespace ajar::engine {
namespace {

// With sanitizers some tokens less: they must still cross a page and a tile.
#ifdef AJAR_SANITIZED
constexpr int kTokens = 21;
#else
constexpr int kTokens = 45;
#endif

class Decoders : public testing::TestWithParam<std::string> {};

struct Setup {
  std::shared_ptr<const Checkpoint> checkpoint;
  std::shared_ptr<const Model> model;
  ComputePool pool{2};
};

std::unique_ptr<Setup> set_up(const std::string& shape, Dtype dtype, const TemporaryFolder& folder) {
  auto random = random_shape(shape);
  EXPECT_TRUE(random) << random.error().message;
  random->dtype = dtype;
  EXPECT_TRUE(write_random_model(*random, folder.path("m.gguf"), true));
  auto setup = std::make_unique<Setup>();
  auto checkpoint = Checkpoint::open(folder.path("m.gguf"));
  EXPECT_TRUE(checkpoint) << checkpoint.error().message;
  setup->checkpoint = *checkpoint;
  auto model = Model::load(*checkpoint, setup->pool);
  EXPECT_TRUE(model) << model.error().message;
  setup->model = *model;
  return setup;
}

// All tokens in pieces of `piece`; logits of every one.
std::vector<std::vector<float>> run(Setup& setup, MultiplierOptions options, std::span<const int32_t> tokens, int piece) {
  const ModelConfig& c = setup.model->config();
  KvPool cache = *KvPool::make(c, KvPool::page_bytes(c) * 20);
  Decoder decoder(setup.model, setup.pool, options, c.context);
  KvSequence sequence;
  for (size_t i = 0; i < tokens.size(); i += kPageTokens) sequence.pages.push_back(cache.take());
  std::vector<std::vector<float>> out;
  for (size_t at = 0; at < tokens.size(); at += static_cast<size_t>(piece)) {
    std::vector<Row> rows;
    for (size_t i = at; i < std::min(tokens.size(), at + static_cast<size_t>(piece)); ++i)
      rows.push_back({tokens[i], static_cast<int32_t>(i), &sequence, true});
    const float* logits = decoder.forward(rows, cache);
    for (size_t i = 0; i < rows.size(); ++i)
      out.emplace_back(logits + static_cast<int64_t>(i) * decoder.logit_stride(), logits + static_cast<int64_t>(i) * decoder.logit_stride() + c.vocab);
  }
  return out;
}

TEST_P(Decoders, AgreeWithTheReference) {
  TemporaryFolder folder;
  auto setup = set_up(GetParam(), Dtype::kF32, folder);
  auto tokens = some_tokens(kTokens, setup->model->config().vocab);
  auto exact = reference_logits(*setup->checkpoint, tokens);
  for (const Kernels* kernels : all_kernels())
    for (int piece : {1, 7, kTokens})
      EXPECT_LT(difference(run(*setup, {.kernels = kernels}, tokens, piece), exact), 2e-3) << kernels->name << ", pieces of " << piece;
}

TEST_P(Decoders, AgreeWithTheReferenceQuantised) {
  TemporaryFolder folder;
  auto setup = set_up(GetParam(), Dtype::kQ8_0, folder);
  auto tokens = some_tokens(kTokens, setup->model->config().vocab);
  auto exact = reference_logits(*setup->checkpoint, tokens);
  for (const Kernels* kernels : all_kernels())
    for (int piece : {1, kTokens}) {
      double error = difference(run(*setup, {.kernels = kernels}, tokens, piece), exact);
      // Experts are chosen by a hair's breadth in a random model; one that is chosen otherwise changes much.
      EXPECT_LT(error, setup->model->config().experts > 0 ? 0.15 : 0.03) << kernels->name << ", pieces of " << piece;
    }
}

TEST_P(Decoders, AreBitIdenticalWhateverTheBatchWhenDeterministic) {
  TemporaryFolder folder;
  for (Dtype dtype : {Dtype::kF16, Dtype::kQ8_0}) {
    auto setup = set_up(GetParam(), dtype, folder);
    auto tokens = some_tokens(40, setup->model->config().vocab);
    MultiplierOptions options{.deterministic = true};
    auto one = run(*setup, options, tokens, 1);
    for (int piece : {3, 16, 40}) {
      auto many = run(*setup, options, tokens, piece);
      for (size_t t = 0; t < one.size(); ++t)
        ASSERT_EQ(0, std::memcmp(one[t].data(), many[t].data(), one[t].size() * sizeof(float))) << "pieces of " << piece << ", token " << t;
    }
  }
}

std::vector<std::string> decoders() {
  std::vector<std::string> names;
  for (const std::string& shape : random_shapes())
    if (shape.starts_with("tiny-") && random_shape(shape)->config.causal) names.push_back(shape);
  return names;
}
INSTANTIATE_TEST_SUITE_P(, Decoders, testing::ValuesIn(decoders()), [](const auto& info) {
  std::string name = info.param.substr(5);
  for (char& c : name)
    if (!isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
});

}  // namespace
}  // namespace ajar::engine
