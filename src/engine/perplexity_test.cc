// What rounding costs a real model: perplexity of a fixed text in every format that the model's width allows (its rows of 128 and
// 384 numbers are no whole blocks of 256, which K-quants need).
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <future>

#include "engine/convert.h"
#include "engine/engine.h"
#include "engine/testing.h"

namespace ajar::engine {
namespace {

// Our own words, in those of the stories that the model was trained on.
constexpr const char* kText =
    "Once upon a time there was a boy named Tom. Tom had a small brown dog. The dog liked to run in the garden and play with a red ball. One day the ball "
    "rolled under the fence and into the road. Tom was sad. He looked at his mom and said, \"My ball is gone.\" His mom took his hand and they went to find "
    "it. They saw a big cat sitting next to the ball. The cat was not happy. Tom said, \"Hello, cat. Can I have my ball, please?\" The cat looked at him and "
    "walked away. Tom was very happy and hugged his mom. Then they went home and ate cake with milk. The dog slept on the floor all day. It was a good day.";

double perplexity(const std::string& path) {
  auto pool = std::make_shared<ComputePool>(2);
  auto checkpoint = Checkpoint::open(path);
  auto tokenizer = load_tokenizer(path);
  EXPECT_TRUE(checkpoint && tokenizer);
  auto model = Model::load(*checkpoint, *pool);
  EXPECT_TRUE(model);
  auto engine = Engine::start(*model, *tokenizer, pool, {});
  EXPECT_TRUE(engine);
  Generation generation{.max_tokens = 1, .prompt_logprobs = true};
  (*tokenizer)->encode_whole(kText, generation.prompt);
  double sum = 0;
  int64_t count = 0;
  generation.on_prompt = [&](std::vector<Sampled> tokens) {
    for (const Sampled& token : tokens) sum -= double(token.logprob), ++count;
  };
  std::promise<void> done;
  generation.on_done = [&](FinishReason, const GenerationStats&, Error) { done.set_value(); };
  EXPECT_TRUE((*engine)->submit(std::move(generation)));
  done.get_future().wait();
  EXPECT_GT(count, 100);
  return std::exp(sum / double(count));
}

TEST(Perplexity, RisesAsLittleAsEachFormatPromises) {
  const char* shared = std::getenv("AJAR_SHARED");
  const std::string from = std::string(shared != nullptr ? shared : AJAR_SOURCE_DIR "/../shared/data") + "/models/tinystories-656k";
  if (!std::filesystem::exists(from)) GTEST_SKIP() << from << " is not at hand";
  TemporaryFolder folder;
  const auto checkpoint = Checkpoint::open(from);
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  const auto of = [&](const char* format) {
    const std::string path = folder.path(std::string(format) + ".gguf");
    const auto written = convert_checkpoint(**checkpoint, path, {.recipe = *find_recipe(format), .threads = 2});
    EXPECT_TRUE(written) << format;
    return perplexity(path);
  };
  const double exact = of("F16");
  EXPECT_NEAR(perplexity(from), exact, exact * 1e-3);
  // The published rise of a model of 7 billion parameters is 0.01 % for eight bits, 0.6 to 1.2 % for five, 2.6 to 3.7 % for four
  // (llama.cpp, examples/quantize). One ten thousand times smaller has less to spare, and two hundred tokens say it to about a hundredth: measured here -0.2 % (Q8_0), -0.2
  // (Q5_1), 1.9 (Q5_0), 2.7 (Q4_1), 4.8 (Q4_0), 8.2 (IQ4_NL) and 9.1 (MXFP4).
  for (const auto& [format, most] : {std::pair("Q8_0", 1.002), {"Q5_1", 1.02}, {"Q5_0", 1.03}, {"Q4_1", 1.08}, {"Q4_0", 1.12}, {"IQ4_NL", 1.10}, {"MXFP4", 1.35}}) {
    const double ratio = of(format) / exact;
    std::printf("%s: perplexity %.3f, %+.2f %% of F16's\n", format, ratio * exact, 100 * (ratio - 1));
    EXPECT_LT(ratio, most) << format;
    EXPECT_GT(ratio, 0.98) << format;
  }
}

}  // namespace
}  // namespace ajar::engine
