#include "engine/encoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <numeric>

#include "engine/random_model.h"
#include "engine/testing.h"
#include "engine/tokenizer.h"

namespace ajar::engine {
namespace {

using Vector = std::vector<double>;

// BERT as its paper has it (Devlin et al., 2018), in double, one text.
class PlainBert {
 public:
  explicit PlainBert(const Checkpoint& checkpoint) : checkpoint_(checkpoint), c_(checkpoint.config()) {}

  Vector run(const EncoderInput& text) {
    std::vector<Vector> x;
    for (size_t t = 0; t < text.tokens.size(); ++t) {
      Vector v = row("token_embd.weight", text.tokens[t]);
      if (checkpoint_.find("position_embd.weight")) add(v, row("position_embd.weight", static_cast<int64_t>(t)));
      if (checkpoint_.find("token_types.weight")) add(v, row("token_types.weight", text.types.empty() ? 0 : text.types[t]));
      x.push_back(norm("token_embd_norm", v));
    }
    for (int i = 0; i < c_.layers; ++i) {
      std::string at = "blk." + std::to_string(i) + ".";
      std::vector<Vector> q, k, v;
      for (const Vector& t : x) q.push_back(times(at + "attn_q", t)), k.push_back(times(at + "attn_k", t)), v.push_back(times(at + "attn_v", t));
      for (size_t t = 0; t < x.size(); ++t) {
        Vector mixed(static_cast<size_t>(c_.heads * c_.head_dim));
        for (int h = 0; h < c_.heads; ++h) {
          Vector weights;
          double total = 0;
          for (size_t s = 0; s < x.size(); ++s) {
            double score = 0;
            for (int d = h * c_.head_dim; d < (h + 1) * c_.head_dim; ++d) score += q[t][static_cast<size_t>(d)] * k[s][static_cast<size_t>(d)];
            weights.push_back(std::exp(score / std::sqrt(static_cast<double>(c_.head_dim))));
            total += weights.back();
          }
          for (size_t s = 0; s < x.size(); ++s)
            for (int d = h * c_.head_dim; d < (h + 1) * c_.head_dim; ++d) mixed[static_cast<size_t>(d)] += weights[s] / total * v[s][static_cast<size_t>(d)];
        }
        Vector out = times(at + "attn_output", mixed);
        add(out, x[t]);
        out = norm(at + "attn_output_norm", out);
        Vector up = times(at + "ffn_up", out);
        for (double& u : up) u = 0.5 * u * (1 + std::erf(u / std::sqrt(2.0)));
        Vector down = times(at + "ffn_down", up);
        add(down, out);
        q[t] = norm(at + "layer_output_norm", down);  // the next x; q of this token is not needed any more
      }
      x = q;
    }
    Vector pooled(static_cast<size_t>(c_.embedding));
    if (c_.pooling == Pooling::kMean || c_.pooling == Pooling::kNone) {
      for (const Vector& t : x)
        for (size_t i = 0; i < t.size(); ++i) pooled[i] += t[i] / static_cast<double>(x.size());
    } else {
      pooled = x.front();
    }
    if (c_.labels.empty()) return pooled;
    pooled = times("cls", pooled);
    for (double& p : pooled) p = std::tanh(p);
    return times("cls.output", pooled);
  }

 private:
  Vector row(const std::string& name, int64_t r) {
    const Tensor* t = checkpoint_.find(name);
    std::vector<float> f(static_cast<size_t>(t->columns()));
    dequantize_row(t->dtype, t->bytes.data() + r * row_bytes(t->dtype, t->columns()), f.data(), t->columns());
    return {f.begin(), f.end()};
  }
  Vector times(const std::string& name, const Vector& x) {
    Vector y, bias = checkpoint_.find(name + ".bias") ? row(name + ".bias", 0) : Vector();
    auto& matrix = matrices_[name];
    if (matrix.empty())
      for (int64_t r = 0; r < checkpoint_.find(name + ".weight")->shape[1]; ++r) matrix.push_back(row(name + ".weight", r));
    for (size_t r = 0; r < matrix.size(); ++r) y.push_back(std::inner_product(x.data(), x.data() + x.size(), matrix[r].data(), bias.empty() ? 0.0 : bias[r]));
    return y;
  }
  Vector norm(const std::string& name, const Vector& x) {
    double mean = std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size()), variance = 0;
    for (double v : x) variance += (v - mean) * (v - mean) / static_cast<double>(x.size());
    Vector w = row(name + ".weight", 0), b = row(name + ".bias", 0), y;
    for (size_t i = 0; i < x.size(); ++i) y.push_back((x[i] - mean) / std::sqrt(variance + c_.norm_epsilon) * w[i] + b[i]);
    return y;
  }
  static void add(Vector& x, const Vector& y) {
    for (size_t i = 0; i < x.size(); ++i) x[i] += y[i];
  }
  const Checkpoint& checkpoint_;
  const ModelConfig& c_;
  std::map<std::string, std::vector<Vector>> matrices_;
};

class Encoders : public testing::TestWithParam<std::string> {};

TEST_P(Encoders, AgreeWithTheReference) {
  TemporaryFolder folder;
  auto random = random_shape(GetParam());
  ASSERT_TRUE(random) << random.error().message;
  for (Dtype dtype : {Dtype::kF32, Dtype::kQ8_0}) {
    random->dtype = dtype;
    ASSERT_TRUE(write_random_model(*random, folder.path("m.gguf"), true));
    auto checkpoint = Checkpoint::open(folder.path("m.gguf"));
    ASSERT_TRUE(checkpoint) << checkpoint.error().message;
    auto pool = std::make_shared<ComputePool>(2);
    auto model = Model::load(*checkpoint, *pool);
    ASSERT_TRUE(model) << model.error().message;
    std::vector<EncoderInput> texts;
    for (int length : {1, 3, 27, 17}) {
      EncoderInput& text = texts.emplace_back();
      for (int i = 0; i < length; ++i) text.tokens.push_back((i * 31 + length) % random->config.vocab);
      if (random->config.token_types > 1)
        for (int i = 0; i < length; ++i) text.types.push_back(i > length / 2);
    }
    PlainBert plain(**checkpoint);
    std::vector<Vector> exactly;
    for (const EncoderInput& text : texts) exactly.push_back(plain.run(text));
    for (const Kernels* kernels : all_kernels()) {
      auto encoder = Encoder::make(*model, pool, {.kernels = kernels});
      ASSERT_TRUE(encoder) << encoder.error().message;
      auto together = (*encoder)->run(texts);
      ASSERT_TRUE(together) << together.error().message;
      auto dim = static_cast<size_t>((*encoder)->dimension());
      for (size_t i = 0; i < texts.size(); ++i) {
        const Vector& exact = exactly[i];
        ASSERT_EQ(exact.size(), dim);
        double error = 0, size = 0;
        for (size_t d = 0; d < dim; ++d) error += std::pow((*together)[i * dim + d] - exact[d], 2), size += exact[d] * exact[d];
        // A score is one small number: its error is against the spread of what makes it.
        double allowed = dtype == Dtype::kF32 ? 2e-3 : 0.05;
        EXPECT_LT(std::sqrt(error), allowed * std::sqrt(std::max(size, 0.01))) << kernels->name << " text " << i << " " << dtype_info(dtype).name;
      }
    }
  }
}

TEST_P(Encoders, RoundedFloatsAreAsGoodAsQ8) {
  TemporaryFolder folder;
  auto random = random_shape(GetParam());
  random->dtype = Dtype::kF32;
  ASSERT_TRUE(write_random_model(*random, folder.path("m.gguf"), true));
  auto checkpoint = Checkpoint::open(folder.path("m.gguf"));
  auto pool = std::make_shared<ComputePool>(2);
  auto floats = Model::load(*checkpoint, *pool), rounded = Model::load(*checkpoint, *pool, {.round_floats = true});
  ASSERT_TRUE(rounded) << rounded.error().message;
  EXPECT_LT((*rounded)->bytes(), (*floats)->bytes() / 2);
  std::vector<EncoderInput> texts(1);
  for (int i = 0; i < 21; ++i) texts[0].tokens.push_back((i * 31 + 5) % random->config.vocab);
  if (random->config.token_types > 1) texts[0].types.assign(21, 0);
  const auto exact = (*Encoder::make(*floats, pool))->run(texts), near = (*Encoder::make(*rounded, pool))->run(texts);
  ASSERT_TRUE(exact && near);
  double error = 0, size = 0;
  for (size_t d = 0; d < exact->size(); ++d) error += std::pow((*exact)[d] - (*near)[d], 2), size += (*exact)[d] * (*exact)[d];
  EXPECT_GT(error, 0);
  EXPECT_LT(std::sqrt(error), 0.05 * std::sqrt(std::max(size, 0.01)));
}

// The first layers of a model are the model that has no others.
TEST_P(Encoders, StopAfterTheLayersThatWereAskedFor) {
  TemporaryFolder folder;
  auto random = random_shape(GetParam());
  random->config.layers = 3;
  ASSERT_TRUE(write_random_model(*random, folder.path("three.gguf")));
  random->config.layers = 2;
  ASSERT_TRUE(write_random_model(*random, folder.path("two.gguf")));
  auto pool = std::make_shared<ComputePool>(1);
  const auto encoder = [&](const char* name) { return *Encoder::make(*Model::load(*Checkpoint::open(folder.path(name)), *pool), pool); };
  std::vector<EncoderInput> texts(1);
  texts[0].tokens = {1, 5, 9, 2};
  if (random->config.token_types > 1) texts[0].types.assign(4, 0);
  const auto three = encoder("three.gguf"), two = encoder("two.gguf");
  EXPECT_EQ(*three->run(texts, 3), *three->run(texts));
  EXPECT_NE(*three->run(texts, 2), *three->run(texts));
  EXPECT_NE(*three->run(texts, 1), *three->run(texts, 2));
  EXPECT_EQ(*three->run(texts, 0), *two->run(texts, 0)) << "the embeddings of tokens and positions";
  EXPECT_NE(*three->run(texts, 0), *three->run(texts, 1));
  const auto refused = two->run(texts, 3);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnsupported);
  EXPECT_TRUE(refused.error().message.ends_with("has 2 layers; the first 3 were asked for")) << refused.error().message;
}

TEST_P(Encoders, SayWhichTextIsTooLong) {
  TemporaryFolder folder;
  auto random = random_shape(GetParam());
  ASSERT_TRUE(write_random_model(*random, folder.path("m.gguf")));
  auto pool = std::make_shared<ComputePool>(1);
  auto encoder = Encoder::make(*Model::load(*Checkpoint::open(folder.path("m.gguf")), *pool), pool);
  std::vector<EncoderInput> texts(2);
  texts[0].tokens = {1, 2};
  texts[1].tokens.assign(static_cast<size_t>((*encoder)->context()) + 1, 3);
  auto refused = (*encoder)->run(texts);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kTooLarge);
  EXPECT_NE(refused.error().message.find("text 1"), std::string::npos);
  texts[1].tokens = {1 << 30};
  EXPECT_FALSE((*encoder)->run(texts));
}

std::vector<std::string> encoders() {
  std::vector<std::string> names;
  for (const std::string& shape : random_shapes())
    if (shape.starts_with("tiny-") && !random_shape(shape)->config.causal && random_shape(shape)->config.architecture == "bert") names.push_back(shape);
  return names;
}
INSTANTIATE_TEST_SUITE_P(, Encoders, testing::ValuesIn(encoders()), [](const auto& info) { return info.param.substr(5); });

}  // namespace
}  // namespace ajar::engine
