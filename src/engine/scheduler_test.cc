// Many replies at once: what each says must not depend on the others.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "engine/engine.h"
#include "engine/random_model.h"
#include "engine/test_adapters.h"
#include "engine/test_decoder.h"
#include "engine/testing.h"

namespace ajar::engine {
namespace {

struct Answer {
  std::vector<int32_t> tokens;
  std::vector<Sampled> prompt;
  FinishReason reason{};
  GenerationStats stats;
  Error error;
};

class Scheduler : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    auto shape = random_shape("tiny-llama");
    shape->dtype = Dtype::kF32;
    ASSERT_TRUE(write_random_model(*shape, folder_->path("m.gguf")));
    ComputePool pool(1);
    model_ = *Model::load(*Checkpoint::open(folder_->path("m.gguf")), pool);
  }
  static void TearDownTestSuite() {
    model_.reset();
    delete folder_;
  }

  std::unique_ptr<Engine> start(EngineOptions options, int32_t end = -5) {
    options.multiplier.deterministic = true;
    auto engine = Engine::start(model_, std::make_shared<NoTokenizer>(end), std::make_shared<ComputePool>(2), options);
    EXPECT_TRUE(engine) << engine.error().message;
    return std::move(*engine);
  }
  static int64_t pages(int count) { return KvPool::page_bytes(model_->config()) * count; }

  static Generation want(int seed, int prompt, int answer) {
    Generation g;
    for (int i = 0; i < prompt; ++i) g.prompt.push_back((i * 37 + seed * 11 + 5) % model_->config().vocab);
    g.sampling = {.temperature = 1, .seed = static_cast<uint64_t>(seed)};
    g.max_tokens = answer;
    return g;
  }

  static std::future<Answer> ask(Engine& engine, Generation g, Engine::Handle* handle = nullptr) {
    auto promise = std::make_shared<std::promise<Answer>>();
    auto answer = std::make_shared<Answer>();
    g.on_token = [answer](const Sampled& s) { answer->tokens.push_back(s.token); };
    g.on_prompt = [answer](std::vector<Sampled> scores) { answer->prompt = std::move(scores); };
    g.on_done = [=](FinishReason reason, const GenerationStats& stats, Error error) {
      answer->reason = reason, answer->stats = stats, answer->error = std::move(error);
      promise->set_value(std::move(*answer));
    };
    auto future = promise->get_future();
    auto submitted = engine.submit(std::move(g));
    EXPECT_TRUE(submitted) << submitted.error().message;
    if (handle) *handle = *submitted;
    return future;
  }

  static TemporaryFolder* folder_;
  static std::shared_ptr<const Model> model_;
};
TemporaryFolder* Scheduler::folder_;
std::shared_ptr<const Model> Scheduler::model_;

TEST_F(Scheduler, RepliesTogetherSayWhatTheySayAlone) {
  std::vector<std::vector<int32_t>> alone;
  {
    auto engine = start({.context = 256});
    for (int i = 0; i < 12; ++i) alone.push_back(ask(*engine, want(i, 3 + i * 7, 20 + i)).get().tokens);
  }
  // Small pieces of prompts, and a cache so small that replies have to give way to each other.
  for (int cache_pages : {64, 22}) {
    auto engine = start({.cache_bytes = pages(cache_pages), .context = 256, .prefill_tokens = 17});
    std::vector<std::future<Answer>> together;
    for (int i = 0; i < 12; ++i) together.push_back(ask(*engine, want(i, 3 + i * 7, 20 + i)));
    for (size_t i = 0; i < together.size(); ++i) {
      Answer answer = together[i].get();
      EXPECT_EQ(answer.tokens, alone[i]) << cache_pages << " pages, reply " << i;
      EXPECT_EQ(answer.reason, FinishReason::kLength);
      EXPECT_EQ(answer.stats.output_tokens, 20 + static_cast<int>(i));
    }
    if (cache_pages == 22) EXPECT_GT(engine->metrics().preemptions, 0);
  }
}

TEST_F(Scheduler, APromptTakesSingleTokensWhereMoreWouldHoldAnswersUp) {
  auto engine = start({.context = 256, .speculate = 0, .stall_factor = 0});
  auto written = std::make_shared<std::atomic<int>>(0);
  auto begun = std::make_shared<std::promise<void>>(), over = std::make_shared<std::promise<void>>();
  Generation answer = want(1, 3, 150);
  answer.on_token = [=](const Sampled&) {
    if (++*written == 3) begun->set_value();
  };
  answer.on_done = [=](FinishReason, const GenerationStats&, Error) { over->set_value(); };
  ASSERT_TRUE(engine->submit(std::move(answer)));
  begun->get_future().wait();
  const int before = *written;
  EXPECT_EQ(ask(*engine, want(2, 40, 1)).get().tokens.size(), 1u);
  EXPECT_GE(*written - before, 38) << "the answer went on at each of the prompt's tokens";
  over->get_future().wait();
}

TEST_F(Scheduler, EqualBeginningsAreComputedOnce) {
  auto engine = start({.context = 256});
  Answer first = ask(*engine, want(1, 100, 8)).get();
  EXPECT_EQ(first.stats.cached_tokens, 0);
  Answer second = ask(*engine, want(1, 100, 8)).get();
  EXPECT_EQ(second.stats.cached_tokens, 96);
  EXPECT_EQ(second.tokens, first.tokens);
  Generation longer = want(1, 100, 8);
  longer.prompt.insert(longer.prompt.end(), first.tokens.begin(), first.tokens.end());
  longer.prompt.push_back(3);
  EXPECT_EQ(ask(*engine, std::move(longer)).get().stats.cached_tokens, 96);
  Generation other = want(1, 100, 8);
  other.cache_root = 7;  // another adapter
  EXPECT_EQ(ask(*engine, std::move(other)).get().stats.cached_tokens, 0);
  // All at once: one reads the prompt, the others wait for it.
  std::vector<std::future<Answer>> together;
  for (int i = 0; i < 5; ++i) together.push_back(ask(*engine, want(2, 90, 4)));
  int cached = 0;
  for (auto& answer : together) cached += answer.get().stats.cached_tokens;
  EXPECT_EQ(cached, 4 * 80);
}

TEST_F(Scheduler, BeginningsAreNotSharedAcrossAdapters) {
  Folder folder;
  std::vector<std::shared_ptr<const Adapter>> adapters{nullptr};
  for (unsigned seed : {1u, 2u}) {
    write_gguf_adapter(folder.at("a.gguf"), "llama", 32, random_pairs(model_->checkpoint(), 4, seed));
    auto adapter = Adapter::load(folder.at("a.gguf"), *model_);
    ASSERT_TRUE(adapter) << adapter.error().message;
    adapters.push_back(*adapter);
  }
  auto with = [&](size_t i) {
    Generation g = want(1, 100, 12);
    g.adapter = adapters[i];
    return g;
  };
  std::vector<std::vector<int32_t>> alone;
  for (size_t i = 0; i < adapters.size(); ++i) alone.push_back(ask(*start({.context = 256}), with(i)).get().tokens);
  EXPECT_NE(alone[0], alone[1]);
  EXPECT_NE(alone[1], alone[2]);
  auto engine = start({.context = 256});
  for (int round = 0; round < 2; ++round)
    for (size_t i = 0; i < adapters.size(); ++i) {
      Answer answer = ask(*engine, with(i)).get();
      EXPECT_EQ(answer.stats.cached_tokens, round == 0 ? 0 : 96);
      EXPECT_EQ(answer.tokens, alone[i]);
    }
  // All in one batch.
  std::vector<std::future<Answer>> together;
  for (size_t i = 0; i < 9; ++i) together.push_back(ask(*engine, with(i % 3)));
  for (size_t i = 0; i < 9; ++i) EXPECT_EQ(together[i].get().tokens, alone[i % 3]) << i;
  // Of another model, though of the same shape.
  ComputePool pool(1);
  auto twin = *Model::load(*Checkpoint::open(folder_->path("m.gguf")), pool);
  Generation foreign = want(1, 10, 1);
  foreign.adapter = *Adapter::load(folder.at("a.gguf"), *twin);
  EXPECT_FALSE(engine->submit(std::move(foreign)));
}

TEST_F(Scheduler, BeginningsAreForgottenWhenMemoryIsWanted) {
  auto engine = start({.cache_bytes = pages(20), .context = 256});
  for (int i = 0; i < 30; ++i) {
    Answer answer = ask(*engine, want(i, 120, 4)).get();
    ASSERT_EQ(answer.tokens.size(), 4u) << i;
  }
  EXPECT_EQ(ask(*engine, want(29, 120, 4)).get().stats.cached_tokens, 112);
}

TEST_F(Scheduler, LongPromptsAreRefusedWithBothNumbers) {
  auto engine = start({.cache_bytes = pages(8), .context = 1000});
  EXPECT_EQ(engine->context(), 128);  // what the cache holds
  auto refused = engine->submit(want(1, 128, 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kTooLarge);
  EXPECT_NE(refused.error().message.find("128 tokens"), std::string::npos);
  Answer answer = ask(*engine, want(1, 100, 500)).get();
  EXPECT_EQ(answer.reason, FinishReason::kContext);
  EXPECT_EQ(answer.tokens.size(), 28u);
  EXPECT_FALSE(engine->submit(Generation{}));
  Generation nonsense = want(1, 3, 1);
  nonsense.prompt.push_back(1 << 30);
  EXPECT_FALSE(engine->submit(std::move(nonsense)));
}

TEST_F(Scheduler, WhoLeavesStopsAtOnce) {
  auto engine = start({.context = 256});
  for (int i = 0; i < 20; ++i) {
    Engine::Handle handle;
    auto answer = ask(*engine, want(i, 50, 200), &handle);
    if (i % 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    handle.cancel();
    Answer got = answer.get();
    EXPECT_TRUE(got.reason == FinishReason::kCancelled || got.tokens.size() == 200u);
  }
  EXPECT_EQ(ask(*engine, want(1, 10, 5)).get().tokens.size(), 5u);
}

TEST_F(Scheduler, TheQueueHasAnEnd) {
  auto engine = start({.context = 256, .max_running = 1, .max_waiting = 4});
  std::vector<std::future<Answer>> answers;
  int refused = 0;
  for (int i = 0; i < 40; ++i) {
    auto g = want(i, 200, 40);
    auto promise = std::make_shared<std::promise<Answer>>();
    g.on_done = [promise](FinishReason, const GenerationStats&, Error) { promise->set_value({}); };
    if (auto handle = engine->submit(std::move(g))) answers.push_back(promise->get_future());
    else if (++refused > 0) EXPECT_EQ(handle.error().code, Code::kUnavailable);
  }
  EXPECT_GT(refused, 20);
  for (auto& answer : answers) answer.get();
}

TEST_F(Scheduler, TenantsTakeTurns) {
  auto engine = start({.context = 256, .max_running = 1});
  std::atomic<int> order{0};
  std::vector<int> loud, quiet;
  std::vector<std::future<void>> done;
  auto add = [&](const std::string& tenant, std::vector<int>& places, int seed) {
    auto g = want(seed, 20, 3);
    g.tenant = tenant;
    auto promise = std::make_shared<std::promise<void>>();
    done.push_back(promise->get_future());
    g.on_done = [&, promise](FinishReason, const GenerationStats&, Error) {
      places.push_back(order++);
      promise->set_value();
    };
    ASSERT_TRUE(engine->submit(std::move(g)));
  };
  for (int i = 0; i < 30; ++i) add("loud", loud, i);
  for (int i = 0; i < 3; ++i) add("quiet", quiet, 100 + i);
  for (auto& d : done) d.get();
  // Whoever asks little is not behind whoever asks much.
  EXPECT_LT(quiet.back(), 30);
}

TEST_F(Scheduler, LogprobsOfThePrompt) {
  auto engine = start({.context = 256});
  Generation g = want(3, 40, 0);
  g.prompt_logprobs = true;
  g.sampling.top_logprobs = 2;
  std::vector<int32_t> prompt = g.prompt;
  Answer answer = ask(*engine, std::move(g)).get();
  EXPECT_EQ(answer.reason, FinishReason::kLength);
  EXPECT_TRUE(answer.tokens.empty());
  ASSERT_EQ(answer.prompt.size(), 39u);
  auto exact = reference_logits(model_->checkpoint(), prompt);
  for (size_t i = 0; i < 39; ++i) {
    Sampled s = Sampler::score(exact[i], prompt[i + 1], 2);
    EXPECT_EQ(answer.prompt[i].token, prompt[i + 1]);
    EXPECT_NEAR(answer.prompt[i].logprob, s.logprob, 1e-2);
    EXPECT_EQ(answer.prompt[i].top.size(), 2u);
  }
}

// All of the above with keys and values in 8 bits.
TEST_F(Scheduler, EightBitsSayTheSameInAnyCompanyAndHoldMore) {
  const EngineOptions options{.cache_bytes = pages(30), .context = 256, .kv = KvType::kQ8_0};
  std::vector<std::vector<int32_t>> alone;
  for (int i = 0; i < 8; ++i) alone.push_back(ask(*start(options), want(i, 3 + i * 7, 20 + i)).get().tokens);
  auto engine = start(options);
  EXPECT_GT(engine->metrics().total_pages, 50);  // 30 of halves
  for (int round = 0; round < 2; ++round) {
    std::vector<std::future<Answer>> together;
    for (int i = 0; i < 8; ++i) together.push_back(ask(*engine, want(i, 3 + i * 7, 20 + i)));
    for (size_t i = 0; i < together.size(); ++i) {
      Answer answer = together[i].get();
      EXPECT_EQ(answer.tokens, alone[i]) << i;
      if (round == 1) EXPECT_EQ(answer.stats.cached_tokens, static_cast<int>(2 + i * 7) / 16 * 16);
    }
  }
}

class OnlyEven final : public Constraint {
 public:
  explicit OnlyEven(int left) : left_(left) {}
  void allow(TokenMask& mask) override {
    for (size_t i = 0; i < mask.size(); i += 2) mask.allow(static_cast<int32_t>(i));
  }
  bool accept(int32_t token) override { return --left_, token % 2 == 0 || token == 301; }
  void forced(std::vector<int32_t>& tokens) override {
    if (left_ == 10) tokens = {301, 300};
  }
  bool finished() const override { return left_ <= 0; }

 private:
  int left_;
};

TEST_F(Scheduler, ConstraintsHoldAndForcedTokensComeInOnePiece) {
  auto engine = start({.context = 256});
  Generation g = want(4, 10, 100);
  g.constraint = std::make_unique<OnlyEven>(15);
  Answer answer = ask(*engine, std::move(g)).get();
  EXPECT_EQ(answer.reason, FinishReason::kStop);
  ASSERT_EQ(answer.tokens.size(), 15u);
  for (size_t i = 0; i < 15; ++i) EXPECT_TRUE(i == 5 ? answer.tokens[i] == 301 : answer.tokens[i] % 2 == 0) << i;
  EXPECT_LE(engine->metrics().steps, 14);
}

// Prompts that repeat themselves, low temperatures, penalties, filters, an end token that comes in the middle of what was guessed.
TEST_F(Scheduler, GuessingChangesNothing) {
  auto repetitive = [](int i) {
    Generation g = want(i, 60, 100);
    for (size_t t = 0; t < g.prompt.size(); ++t) g.prompt[t] = static_cast<int32_t>((t % 7) * 31 + static_cast<size_t>(i));
    g.sampling.temperature = i % 4 == 0 ? 0.f : 0.02f * static_cast<float>(i);
    if (i % 5 == 1) g.sampling.repetition_penalty = 1.3f, g.sampling.frequency_penalty = 0.2f;
    if (i % 5 == 2) g.sampling.top_p = 0.8f, g.sampling.top_logprobs = 2;
    if (i % 5 == 3) g.max_tokens = -1;
    g.ignore_end = i % 3 != 0;
    return g;
  };
  constexpr int kReplies = 10, kEnd = 38;
  std::vector<Answer> plain;
  {
    auto engine = start({.context = 256, .speculate = 0}, kEnd);
    for (int i = 0; i < kReplies; ++i) plain.push_back(ask(*engine, repetitive(i)).get());
    EXPECT_EQ(engine->metrics().proposed, 0);
  }
  struct Way {
    int ahead, pages;
    bool together;
  };
  for (Way way : {Way{1, 64, false}, Way{4, 64, false}, Way{15, 30, true}, Way{4, 30, true}}) {
    auto engine = start({.cache_bytes = pages(way.pages), .context = 256, .speculate = way.ahead}, kEnd);
    std::vector<std::future<Answer>> answers;
    for (int i = 0; i < kReplies; ++i) {
      answers.push_back(ask(*engine, repetitive(i)));
      if (!way.together) answers.back().wait();
    }
    for (size_t i = 0; i < kReplies; ++i) {
      Answer answer = answers[i].get();
      EXPECT_EQ(answer.tokens, plain[i].tokens) << "ahead " << way.ahead << ", reply " << i;
      EXPECT_EQ(answer.reason, plain[i].reason);
      EXPECT_EQ(answer.stats.output_tokens, plain[i].stats.output_tokens);
      EXPECT_DOUBLE_EQ(answer.stats.mean_margin, plain[i].stats.mean_margin);
    }
    EngineMetrics metrics = engine->metrics();
    if (!way.together) EXPECT_GT(metrics.proposed, 0);
    if (!way.together) EXPECT_GT(metrics.accepted, 0);
    EXPECT_LE(metrics.accepted, metrics.proposed);
    // What was guessed wrongly is not shared either.
    EXPECT_EQ(ask(*engine, repetitive(0)).get().tokens, plain[0].tokens);
  }
}

TEST_F(Scheduler, StoppingTellsEverybody) {
  auto engine = start({.context = 256, .max_running = 2});
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 10; ++i) answers.push_back(ask(*engine, want(i, 100, 150)));
  engine.reset();
  for (auto& answer : answers) {
    Answer got = answer.get();
    if (got.reason == FinishReason::kFailed) EXPECT_EQ(got.error.code, Code::kUnavailable);
  }
}

}  // namespace
}  // namespace ajar::engine
