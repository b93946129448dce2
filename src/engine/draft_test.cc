// Guesses by another model: whatever it guesses, the answers are those of the model alone.
#include "engine/draft.h"

#include <gtest/gtest.h>

#include <future>

#include "engine/engine.h"
#include "engine/random_model.h"
#include "engine/test_adapters.h"
#include "engine/testing.h"

namespace ajar::engine {
namespace {

class Letters final : public Tokenizer {
 public:
  explicit Letters(int32_t end, std::string odd = "") : odd_(std::move(odd)) {
    special_.end_of_generation = {end};
    for (int i = 0; i < 512; ++i) pieces_.push_back("t" + std::to_string(i));
    if (!odd_.empty()) pieces_[77] = odd_;
  }
  void encode(std::string_view, std::vector<int32_t>&) const override {}
  void encode_with_controls(std::string_view, std::vector<int32_t>&) const override {}
  void append_bytes(int32_t, std::string&) const override {}
  size_t size() const override { return pieces_.size(); }
  bool is_control(int32_t) const override { return false; }
  std::string_view piece(int32_t id) const override { return pieces_[static_cast<size_t>(id)]; }
  int32_t find(std::string_view) const override { return -1; }

 private:
  std::string odd_;
  std::vector<std::string> pieces_;
};

struct Answer {
  std::vector<int32_t> tokens;
  FinishReason reason{};
  GenerationStats stats;
};

class Drafting : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    for (auto [name, seed] : {std::pair("target", 1), {"draft", 2}}) {
      auto shape = random_shape("tiny-llama");
      shape->dtype = Dtype::kF32;
      shape->seed = static_cast<uint64_t>(seed);
      ASSERT_TRUE(write_random_model(*shape, folder_->path(std::string(name) + ".gguf")));
    }
    ComputePool pool(1);
    target_ = *Model::load(*Checkpoint::open(folder_->path("target.gguf")), pool);
    other_ = *Model::load(*Checkpoint::open(folder_->path("draft.gguf")), pool);
  }
  static void TearDownTestSuite() {
    target_.reset(), other_.reset();
    delete folder_;
  }

  static Result<std::unique_ptr<Engine>> start(EngineOptions options, std::shared_ptr<const Model> draft, std::shared_ptr<const Tokenizer> of_draft = nullptr) {
    options.multiplier.deterministic = true;
    if (options.context == 0) options.context = 256;
    if (!of_draft) of_draft = std::make_shared<Letters>(kEnd);
    return Engine::start(target_, std::make_shared<Letters>(kEnd), std::make_shared<ComputePool>(2), options, {std::move(draft), std::move(of_draft)});
  }

  // Every kind of sampling; no beginnings in common.
  static Generation want(int i) {
    Generation g;
    for (int t = 0; t < 5 + i * 9; ++t) g.prompt.push_back((t * 37 + i * 11 + 5) % target_->config().vocab);
    g.sampling = {.temperature = i % 3 == 0 ? 0.f : 0.4f * static_cast<float>(i % 5), .seed = static_cast<uint64_t>(i)};
    if (i % 5 == 1) g.sampling.repetition_penalty = 1.3f, g.sampling.frequency_penalty = 0.2f;
    if (i % 5 == 2) g.sampling.top_p = 0.8f, g.sampling.top_k = 40;
    g.max_tokens = 30 + i;
    g.ignore_end = i % 2 == 0;
    return g;
  }

  static std::future<Answer> ask(Engine& engine, Generation g) {
    auto promise = std::make_shared<std::promise<Answer>>();
    auto answer = std::make_shared<Answer>();
    g.on_token = [answer](const Sampled& s) { answer->tokens.push_back(s.token); };
    g.on_done = [=](FinishReason reason, const GenerationStats& stats, Error) {
      answer->reason = reason, answer->stats = stats;
      promise->set_value(std::move(*answer));
    };
    auto future = promise->get_future();
    EXPECT_TRUE(engine.submit(std::move(g)));
    return future;
  }

  static constexpr int kReplies = 8;
  static constexpr int32_t kEnd = 38;
  static std::vector<Answer> plain() {
    auto engine = start({.speculate = 0}, nullptr);
    std::vector<Answer> out;
    for (int i = 0; i < kReplies; ++i) out.push_back(ask(**engine, want(i)).get());
    return out;
  }

  static TemporaryFolder* folder_;
  static std::shared_ptr<const Model> target_, other_;
};
TemporaryFolder* Drafting::folder_;
std::shared_ptr<const Model> Drafting::target_, Drafting::other_;

TEST_F(Drafting, ChangesNoAnswer) {
  const auto expected = plain();
  struct Way {
    bool itself, together;
    int ahead, pages;
    KvType kv;
  };
  for (Way way : {Way{true, false, 4, 64, KvType::kF16}, Way{false, false, 4, 64, KvType::kF16}, Way{true, true, 7, 64, KvType::kF16}, Way{true, true, 3, 26, KvType::kF16}}) {
    auto engine = start({.cache_bytes = KvPool::page_bytes(target_->config()) * way.pages, .speculate = way.ahead, .kv = way.kv}, way.itself ? target_ : other_);
    ASSERT_TRUE(engine) << engine.error().message;
    std::vector<std::future<Answer>> answers;
    for (int i = 0; i < kReplies; ++i) {
      answers.push_back(ask(**engine, want(i)));
      if (!way.together) answers.back().wait();
    }
    for (size_t i = 0; i < kReplies; ++i) {
      Answer answer = answers[i].get();
      EXPECT_EQ(answer.tokens, expected[i].tokens) << "itself " << way.itself << ", ahead " << way.ahead << ", reply " << i;
      EXPECT_EQ(answer.reason, expected[i].reason);
      EXPECT_DOUBLE_EQ(answer.stats.mean_margin, expected[i].stats.mean_margin);
    }
    const EngineMetrics metrics = (*engine)->metrics();
    if (!way.together) EXPECT_GT(metrics.drafted, 0);
    EXPECT_LE(metrics.drafted_accepted, metrics.drafted);
    // A model always agrees with itself: it draws with the same numbers. One that knows nothing of it hardly ever does.
    if (way.itself) EXPECT_EQ(metrics.drafted_accepted, metrics.drafted);
    else EXPECT_LT(metrics.drafted_accepted * 4, metrics.drafted);
  }
}

TEST_F(Drafting, AdaptersAndBoundRepliesGoOn) {
  class OnlyEven final : public Constraint {
   public:
    void allow(TokenMask& mask) override {
      for (size_t i = 0; i < mask.size(); i += 2) mask.allow(static_cast<int32_t>(i));
    }
    bool accept(int32_t token) override { return token % 2 == 0; }
    void forced(std::vector<int32_t>&) override {}
    bool finished() const override { return false; }
  };
  Folder folder;
  write_gguf_adapter(folder.at("a.gguf"), "llama", 32, random_pairs(target_->checkpoint(), 4, 1));
  auto adapter = Adapter::load(folder.at("a.gguf"), *target_);
  ASSERT_TRUE(adapter) << adapter.error().message;
  std::vector<std::vector<int32_t>> tokens[2];
  for (int drafting : {0, 1}) {
    auto engine = start({.speculate = drafting * 4}, drafting ? target_ : nullptr);
    for (int i = 0; i < 4; ++i) {
      Generation g = want(i);
      if (i % 2 == 0) g.adapter = *adapter;
      else g.constraint = std::make_unique<OnlyEven>();
      tokens[drafting].push_back(ask(**engine, std::move(g)).get().tokens);
    }
  }
  EXPECT_EQ(tokens[0], tokens[1]);
  for (int32_t token : tokens[1][1]) EXPECT_EQ(token % 2, 0);
}

TEST(GuessRecord, RestsLongerAndLongerAndNewOnesExpectWhatOthersSaw) {
  StepCosts costs;
  costs.tell(1, 0.010), costs.tell(5, 0.012);
  GuessRecord record;
  for (int i = 0; i < 6; ++i) record.tell(4, 0);
  EXPECT_FALSE(record.trying());
  EXPECT_EQ(costs.best(1, 1, 4, record.hit(), 0.002), 0);
  const GuessRecord next = GuessRecord::expecting(record);
  EXPECT_FALSE(next.trying());
  EXPECT_EQ(next.hit(), record.hit());
  for (int expected : {16, 32, 64}) {
    record.rest();
    int slept = 0;
    while (!record.awake()) ++slept;
    EXPECT_EQ(slept, expected);
    EXPECT_TRUE(record.trying());
  }
}

TEST_F(Drafting, AnotherTokenizerIsRefusedByName) {
  auto refused = start({}, other_, std::make_shared<Letters>(kEnd, "other"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalid);
  EXPECT_NE(refused.error().message.find("token 77 is 'other', not 't77'"), std::string::npos) << refused.error().message;
  EXPECT_NE(refused.error().message.find(other_->config().name), std::string::npos);
  EXPECT_NE(refused.error().message.find(target_->config().name), std::string::npos);
}

TEST(StepCosts, ChooseTheNumberOfGuessesThatPaysBest) {
  StepCosts costs;
  costs.tell(1, 0.010);
  for (int rows = 2; rows <= 8; ++rows) costs.tell(rows, 0.010 + 0.0002 * rows);
  EXPECT_EQ(costs.best(1, 1, 7, 0.95, 0.0005), 7);
  EXPECT_EQ(costs.best(1, 1, 7, 0.02, 0.0005), 0);
  const int some = costs.best(1, 1, 7, 0.6, 0.001);
  EXPECT_GT(some, 0);
  EXPECT_LT(some, 5);
  EXPECT_DOUBLE_EQ(StepCosts::expected(3, 0.5), 0.875);
  EXPECT_EQ(costs.best(1, 1, 7, 0.9, 0.02), 0);  // a draft as slow as two steps
}

}  // namespace
}  // namespace ajar::engine
