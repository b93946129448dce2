#include "engine/engine.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <future>

namespace ajar::engine {
namespace {

std::string data(const std::string& name) {
  const char* shared = std::getenv("AJAR_SHARED");
  return std::string(shared != nullptr ? shared : AJAR_SOURCE_DIR "/../shared/data") + "/models/" + name;
}

struct Loaded {
  std::shared_ptr<const Model> model;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::shared_ptr<ComputePool> pool = std::make_shared<ComputePool>(2);
};

Result<Loaded> load(const std::string& path) {
  Loaded loaded;
  AJAR_ASSIGN(auto checkpoint, Checkpoint::open(path));
  AJAR_ASSIGN(loaded.tokenizer, load_tokenizer(path));
  AJAR_ASSIGN(loaded.model, Model::load(checkpoint, *loaded.pool));
  return loaded;
}

struct Answer {
  std::vector<int32_t> tokens;
  std::vector<Sampled> sampled;
  FinishReason reason{};
  GenerationStats stats;
  Error error;
};

std::future<Answer> ask(Engine& engine, Generation generation) {
  auto promise = std::make_shared<std::promise<Answer>>();
  auto answer = std::make_shared<Answer>();
  generation.on_token = [answer](const Sampled& s) { answer->tokens.push_back(s.token), answer->sampled.push_back(s); };
  generation.on_done = [promise, answer](FinishReason reason, const GenerationStats& stats, Error error) {
    answer->reason = reason, answer->stats = stats, answer->error = std::move(error);
    promise->set_value(std::move(*answer));
  };
  auto future = promise->get_future();
  auto handle = engine.submit(std::move(generation));
  if (!handle) {
    ADD_FAILURE() << handle.error().message;
    std::abort();
  }
  return future;
}

#define NEEDS(path) \
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not at hand"

const char* const kStory =
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. She "
    "wanted to play with it, but it was too high.\nLily's mom said, \"Lily, let's go to the park.\" Lily was sad and didn't know what to do. "
    "She said, \"I want to play with your ball, but I can't find it.\"\nLily was sad and didn't know what to do. She said, \"I'm sorry, Lily. "
    "I didn't know what to do.\"\nLily didn't want to help her mom, so she said, \"I'm sorry, mom. I didn't know what to do.\" Her mom said, "
    "\"Don't worry, Lily. We can help you.";

TEST(Engine, Stories260KTellsThePublishedStory) {
  std::string path = data("stories260K/stories260K.gguf");
  NEEDS(path);
  auto loaded = load(path);
  ASSERT_TRUE(loaded) << loaded.error().message;
  for (const Kernels* kernels : all_kernels()) {
    auto engine = Engine::start(loaded->model, loaded->tokenizer, loaded->pool, {.multiplier = {.kernels = kernels}});
    ASSERT_TRUE(engine) << engine.error().message;
    Answer answer = ask(**engine, {.prompt = {1}, .sampling = {.temperature = 0}, .max_tokens = 256, .ignore_end = true}).get();
    std::string text = loaded->tokenizer->decode(answer.tokens);
    if (text.starts_with(" ")) text.erase(0, 1);
    EXPECT_EQ(text.substr(0, std::string(kStory).size()), kStory) << kernels->name;
  }
}

TEST(Engine, GuessesWhatStories260KRepeats) {
  std::string path = data("stories260K/stories260K.gguf");
  NEEDS(path);
  auto loaded = load(path);
  ASSERT_TRUE(loaded) << loaded.error().message;
  std::vector<int32_t> prompt{1};
  loaded->tokenizer->encode("Tim had a red ball. Tim had a blue ball. Tim had a red ball. Tim had a blue ball. Tim had a red ball. Tim had", prompt);
  for (float temperature : {0.f, 0.5f}) {
    Answer answers[2];
    for (int guessing : {0, 1}) {
      auto engine = Engine::start(loaded->model, loaded->tokenizer, loaded->pool, {.speculate = guessing * 4});
      ASSERT_TRUE(engine) << engine.error().message;
      auto& answer = answers[guessing];
      answer = ask(**engine, {.prompt = prompt, .sampling = {.temperature = temperature, .seed = 3}, .max_tokens = 300, .ignore_end = true}).get();
      EngineMetrics m = (*engine)->metrics();
      RecordProperty(temperature > 0 ? (guessing ? "sampled_guessing" : "sampled_plain") : guessing ? "greedy_guessing" : "greedy_plain",
                     std::to_string(m.steps) + " steps, " + std::to_string(m.accepted) + " of " + std::to_string(m.proposed) + " guesses, " +
                         std::to_string(answer.stats.decode_s) + " s");
      if (guessing == 1) EXPECT_GT(m.proposed, 0);
      if (guessing == 1 && temperature == 0) EXPECT_GT(m.accepted, 0);
    }
    EXPECT_EQ(answers[0].tokens, answers[1].tokens) << temperature;
  }
}

}  // namespace
}  // namespace ajar::engine
