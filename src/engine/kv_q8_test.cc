// Keys and values in 8 bits against those in halves: the same answers within a bound, in nearly half of the memory.
#include "engine/kv_q8.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>

#include "engine/decoder.h"
#include "engine/random_model.h"
#include "engine/test_decoder.h"
#include "engine/testing.h"
#include "engine/tokenizer.h"

namespace ajar::engine {
namespace {

#ifdef AJAR_SANITIZED
constexpr int kTokens = 21;
#else
constexpr int kTokens = 40;
#endif

// One head with `tokens` tokens in pages, and queries that see the last `window` of them.
struct Head {
  int dim, tokens, rows;
  Q8Layout layout{dim};
  std::vector<float> keys, values, queries;
  std::vector<std::vector<std::byte>> pages;

  Head(const Q8Kernels& kernels, int head_dim, int token_count, int row_count) : dim(head_dim), tokens(token_count), rows(row_count) {
    std::mt19937 random(static_cast<unsigned>(dim * 1000 + tokens));
    std::normal_distribution<float> normal(0, 1);
    for (std::vector<float>* v : {&keys, &values}) v->resize(static_cast<size_t>(dim * tokens));
    queries.resize(static_cast<size_t>(dim * rows));
    for (std::vector<float>* v : {&keys, &values, &queries})
      for (float& x : *v) x = normal(random);
    pages.assign(static_cast<size_t>((tokens + 15) / 16), std::vector<std::byte>(static_cast<size_t>(layout.bytes())));
    for (int t = 0; t < tokens; ++t)
      kernels.store(keys.data() + t * dim, values.data() + t * dim, dim, t % 16, pages[static_cast<size_t>(t / 16)].data());
  }

  std::vector<float> attend(const Kernels& kernels, const Q8Kernels& q8, int window, int first_row, int count) {
    std::vector<float> out(static_cast<size_t>(dim * count)), scores(static_cast<size_t>(8 * (tokens + 16)));
    std::vector<const float*> q;
    std::vector<float*> o;
    std::vector<int32_t> positions, begins;
    std::vector<const std::byte*> heads;
    for (const auto& page : pages) heads.push_back(page.data());
    for (int r = 0; r < count; ++r) {
      q.push_back(queries.data() + (first_row + r) * dim), o.push_back(out.data() + r * dim);
      positions.push_back(tokens - rows + first_row + r);
      begins.push_back(std::max(0, positions.back() - window + 1));
    }
    q8.attend({.k_pages = nullptr, .v_pages = nullptr, .queries = q.data(), .outputs = o.data(), .positions = positions.data(), .begins = begins.data(),
               .rows = count, .head_dim = dim, .padded_head_dim = layout.padded(), .scale = 1 / std::sqrt(static_cast<float>(dim)), .softcap = 0,
               .soften = kernels.soften, .scores = scores.data()},
              heads.data());
    return out;
  }

  std::vector<double> exact(int row, int window) const {
    int position = tokens - rows + row, begin = std::max(0, position - window + 1);
    std::vector<double> weights, out(static_cast<size_t>(dim));
    double total = 0;
    for (int t = begin; t <= position; ++t) {
      double dot = 0;
      for (int d = 0; d < dim; ++d) dot += double{queries[static_cast<size_t>(row * dim + d)]} * double{keys[static_cast<size_t>(t * dim + d)]};
      weights.push_back(std::exp(dot / std::sqrt(dim))), total += weights.back();
    }
    for (int t = begin; t <= position; ++t)
      for (int d = 0; d < dim; ++d) out[static_cast<size_t>(d)] += weights[static_cast<size_t>(t - begin)] / total * double{values[static_cast<size_t>(t * dim + d)]};
    return out;
  }
};

TEST(KvQ8, AttendsAsExactArithmeticDoes) {
  for (const Kernels* kernels : all_kernels()) {
    const Q8Kernels& q8 = q8_kernels(*kernels);
    for (int dim : {8, 16, 40, 64, 80, 96, 128, 256})
      for (auto [tokens, rows, window] : {std::tuple(1, 1, 100), {37, 1, 100}, {37, 13, 100}, {64, 13, 20}}) {
        Head head(q8, dim, tokens, rows);
        auto all = head.attend(*kernels, q8, window, 0, rows);
        for (int r = 0; r < rows; ++r) {
          auto exact = head.exact(r, window);
          for (int d = 0; d < dim; ++d) ASSERT_NEAR(all[static_cast<size_t>(r * dim + d)], exact[static_cast<size_t>(d)], 0.04) << kernels->name << " " << dim << " " << tokens;
          auto one = head.attend(*kernels, q8, window, r, 1);  // alone: the same bits
          ASSERT_EQ(0, std::memcmp(one.data(), all.data() + r * dim, one.size() * sizeof(float))) << kernels->name << " " << dim << " row " << r;
        }
      }
  }
}

TEST(KvQ8, HalvesAreWhatTheCodesSayAndOddNumbersDoNoHarm) {
  for (const Kernels* kernels : all_kernels()) {
    const Q8Kernels& q8 = q8_kernels(*kernels);
    const int dim = 40, padded = Q8Layout{dim}.padded();
    Head head(q8, dim, 16, 1);
    std::vector<uint16_t> keys(static_cast<size_t>(dim * 16)), values(static_cast<size_t>(padded * 16));
    q8.to_halves(head.pages[0].data(), dim, keys.data(), values.data());
    for (int t = 0; t < 16; ++t)
      for (int d = 0; d < dim; ++d) {
        float k = static_cast<float>(std::bit_cast<_Float16>(keys[static_cast<size_t>(d * 16 + t)]));
        float v = static_cast<float>(std::bit_cast<_Float16>(values[static_cast<size_t>(t * padded + d)]));
        ASSERT_NEAR(k, head.keys[static_cast<size_t>(t * dim + d)], 0.02);
        ASSERT_NEAR(v, head.values[static_cast<size_t>(t * dim + d)], 0.02);
      }
    // Zeros, what no half can say, and what is no number at all.
    std::vector<float> odd(static_cast<size_t>(dim), 0.f);
    q8.store(odd.data(), odd.data(), dim, 3, head.pages[0].data());
    odd[1] = 1e30f, odd[2] = -INFINITY, odd[3] = NAN;
    q8.store(odd.data(), odd.data(), dim, 4, head.pages[0].data());
    q8.to_halves(head.pages[0].data(), dim, keys.data(), values.data());
    for (int d = 0; d < dim; ++d) {
      ASSERT_EQ(keys[static_cast<size_t>(d * 16 + 3)], 0);
      ASSERT_EQ(values[static_cast<size_t>(3 * padded + d)], 0);
    }
    for (float x : head.attend(*kernels, q8, 100, 0, 1)) ASSERT_TRUE(std::isfinite(x)) << kernels->name;
  }
}

struct Loaded {
  std::shared_ptr<const Model> model;
  ComputePool pool{2};
};

std::unique_ptr<Loaded> load(const std::string& path) {
  auto loaded = std::make_unique<Loaded>();
  auto checkpoint = Checkpoint::open(path);
  EXPECT_TRUE(checkpoint) << checkpoint.error().message;
  auto model = Model::load(*checkpoint, loaded->pool);
  EXPECT_TRUE(model) << model.error().message;
  loaded->model = *model;
  return loaded;
}

Logits run(Loaded& loaded, MultiplierOptions options, KvType kv, std::span<const int32_t> tokens, size_t piece) {
  const ModelConfig& c = loaded.model->config();
  KvPool cache = *KvPool::make(c, KvPool::page_bytes(c, kv) * 40, kv);
  Decoder decoder(loaded.model, loaded.pool, options, c.context);
  KvSequence sequence;
  for (size_t i = 0; i < tokens.size(); i += kPageTokens) sequence.pages.push_back(cache.take());
  Logits out;
  for (size_t at = 0; at < tokens.size(); at += piece) {
    std::vector<Row> rows;
    for (size_t i = at; i < std::min(tokens.size(), at + piece); ++i) rows.push_back({tokens[i], static_cast<int32_t>(i), &sequence, true});
    const float* logits = decoder.forward(rows, cache);
    for (size_t i = 0; i < rows.size(); ++i, logits += decoder.logit_stride()) out.emplace_back(logits, logits + c.vocab);
  }
  return out;
}

// Windows, soft caps, groups of heads, mixtures: every family has its own way through the attention.
class KvQ8Families : public testing::TestWithParam<std::string> {};

TEST_P(KvQ8Families, StayNearHalvesAndAreBitIdenticalWhateverTheBatch) {
  TemporaryFolder folder;
  auto shape = random_shape(GetParam());
  shape->dtype = Dtype::kF16;
  ASSERT_TRUE(write_random_model(*shape, folder.path("m.gguf"), true));
  auto loaded = load(folder.path("m.gguf"));
  auto tokens = some_tokens(kTokens, loaded->model->config().vocab);
  // Experts are chosen by a hair's breadth in a random model; one that is chosen otherwise changes much.
  const double most = loaded->model->config().experts > 0 ? 0.15 : 0.03;
  auto halves = run(*loaded, {}, KvType::kF16, tokens, kTokens);
  for (const Kernels* kernels : all_kernels())
    for (size_t piece : {size_t{5}, size_t{kTokens}}) {
      if (piece == 5 && kernels != &best_kernels()) continue;
      double error = difference(run(*loaded, {.kernels = kernels}, KvType::kQ8_0, tokens, piece), halves);
      EXPECT_LT(error, most) << kernels->name << ", pieces of " << piece;
      EXPECT_GT(error, 1e-6) << "the same keys and values?";
    }
  auto one = run(*loaded, {.deterministic = true}, KvType::kQ8_0, tokens, 1);
  for (size_t piece : {7, kTokens}) {
    auto many = run(*loaded, {.deterministic = true}, KvType::kQ8_0, tokens, piece);
    for (size_t t = 0; t < one.size(); ++t)
      ASSERT_EQ(0, std::memcmp(one[t].data(), many[t].data(), one[t].size() * sizeof(float))) << "pieces of " << piece << ", token " << t;
  }
}

std::vector<std::string> families() {
  std::vector<std::string> names;
  for (const std::string& shape : random_shapes())
    if (shape.starts_with("tiny-") && random_shape(shape)->config.causal) names.push_back(shape);
  return names;
}
INSTANTIATE_TEST_SUITE_P(, KvQ8Families, testing::ValuesIn(families()), [](const auto& info) {
  std::string name = info.param.substr(5);
  for (char& c : name)
    if (!isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
});

// Trained models: their keys have the outliers that random ones lack.
TEST(KvQ8, TrainedModelsStayNearHalves) {
  const char* shared = std::getenv("AJAR_SHARED");
  const std::string models = std::string(shared != nullptr ? shared : AJAR_SOURCE_DIR "/../shared/data") + "/models/";
  for (auto [name, most] : {std::pair("stories260K/stories260K.gguf", 0.02), {"tinystories-656k", 0.02}}) {
    if (!std::filesystem::exists(models + name)) GTEST_SKIP() << models + name << " is not at hand";
    auto loaded = load(models + name);
    auto tokenizer = load_tokenizer(models + name);
    ASSERT_TRUE(tokenizer);
    std::vector<int32_t> tokens;
    (*tokenizer)->encode_whole(
        "Once upon a time there was a boy named Tom. Tom had a small brown dog. The dog liked to run in the garden and play with a red ball. One day the "
        "ball rolled under the fence and into the road. Tom was sad. He looked at his mom and said, \"My ball is gone.\" His mom took his hand.",
        tokens);
    for (size_t piece : {size_t{1}, tokens.size()}) {
      auto halves = run(*loaded, {}, KvType::kF16, tokens, piece), eights = run(*loaded, {}, KvType::kQ8_0, tokens, piece);
      double error = difference(eights, halves);
      size_t agree = 0;
      for (size_t t = 0; t < halves.size(); ++t)
        agree += std::ranges::max_element(halves[t]) - halves[t].begin() == std::ranges::max_element(eights[t]) - eights[t].begin();
      std::printf("%s, pieces of %zu: %.2f %% of the logits' spread, the same likeliest token %zu of %zu times\n", name, piece, 100 * error, agree, halves.size());
      EXPECT_LT(error, most) << name;
      EXPECT_GT(agree, halves.size() * 95 / 100) << name;
    }
  }
}

TEST(KvQ8, HoldsNearlyTwiceTheTokens) {
  ModelConfig config = random_shape("tiny-llama")->config;
  config.head_dim = 64;
  const int64_t bytes = 64 << 20;
  double ratio = double(KvPool::make(config, bytes, KvType::kQ8_0)->pages()) / KvPool::make(config, bytes)->pages();
  EXPECT_NEAR(ratio, 256.0 / 136, 0.02);
  EXPECT_EQ(find_kv_type("q8_0"), KvType::kQ8_0);
  EXPECT_EQ(find_kv_type(kv_type_name(KvType::kF16)), KvType::kF16);
  EXPECT_FALSE(find_kv_type("q4_0"));
}

}  // namespace
}  // namespace ajar::engine
