// Candidates beside a route: the canary that answers a share of the requests, and its rule.
#include "gateway/canary.h"

#include "gateway/decide.h"
#include "gateway/testing.h"

namespace ajar {
namespace {

class CanaryTest : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    config_.providers.push_back({.name = "c", .preset = "custom", .free = true});
    route_.canary = {.target = {.provider = "c", .model = "new"}, .share = 1, .min_samples = 5};
    j_->scripts = {says("from the candidate")};
    a_->scripts = {says("from a")};
  }
  Canary& canary() {
    if (!gateway_) build();
    return *gateway_->snapshot()->find("r")->canary->canary;
  }
  // That the store has what was told to it in the background.
  std::string kept() {
    for (int i = 0; i < 500; ++i) {
      const auto rows = store_->trials("canary");
      if (rows && !rows->empty() && rows->front().state.find("rolled_back") != std::string::npos) return rows->front().state;
      usleep(10'000);
    }
    return "";
  }
};

TEST_F(CanaryTest, AShareOfTheRequestsIsAnsweredByIt) {
  EXPECT_EQ(ask().text, "from the candidate");
  gateway_.reset();
  route_.canary.share = 0.3;
  int candidate = 0;
  for (int i = 0; i < 200; ++i) candidate += ask().text == "from the candidate";
  EXPECT_GT(candidate, 30);
  EXPECT_LT(candidate, 95);
  const auto view = canary().view();
  EXPECT_EQ(view.candidate.errors.count, candidate);
  EXPECT_EQ(view.usual.errors.count, 200 - candidate);
  EXPECT_EQ(view.usual.answered, 200 - candidate);
  EXPECT_GT(view.usual.seconds, 0);
}

TEST_F(CanaryTest, ItsFailureIsNoFailureOfTheClients) {
  for (const Code code : {Code::kUpstream, Code::kTimeout, Code::kInvalid, Code::kRateLimit}) {
    j_->scripts = {fails(code, 500)};
    const auto heard = ask();
    EXPECT_EQ(heard.text, "from a") << code_name(code);
    EXPECT_EQ(heard.end, StreamEnd::kComplete);
    EXPECT_EQ(heard.row.attempts.size(), 2u);
  }
  EXPECT_EQ(canary().view().candidate.errors, (learn::RateCount{4, 4}));
  EXPECT_EQ(canary().view().usual.errors.count, 0) << "requests that it failed say nothing of the usual choice";
}

TEST_F(CanaryTest, WhatIsProvenWorseIsAskedNothingMoreUntilAPersonSaysSo) {
  route_.canary.share = 0.5;
  j_->scripts = {fails(Code::kUpstream, 500)};
  route_.breaker_failures = 0;
  for (int i = 0; i < 400 && canary().open(); ++i) EXPECT_EQ(ask().text, "from a");
  EXPECT_FALSE(canary().open());
  const auto view = canary().view();
  EXPECT_EQ(view.state, CanaryState::kRolledBack);
  EXPECT_NE(view.reason.find("failed or did not pass the checks"), std::string::npos) << view.reason;
  EXPECT_GE(view.candidate.errors.count, 5);
  const int asked = j_->calls;
  for (int i = 0; i < 20; ++i) ask();
  EXPECT_EQ(j_->calls, asked);
  EXPECT_EQ(canary().view().usual.errors, view.usual.errors) << "nothing is counted any more";
  const std::string state = kept();
  ASSERT_FALSE(state.empty()) << "the roll-back is written down";

  gateway_.reset();  // a restart
  ASSERT_TRUE(canary().restore(state));
  EXPECT_FALSE(canary().open());
  EXPECT_EQ(canary().view().reason, view.reason);
  EXPECT_EQ(ask().text, "from a");
  EXPECT_EQ(j_->calls, asked);
  canary().restart();
  EXPECT_TRUE(canary().open());
  EXPECT_EQ(canary().view().candidate.errors.count, 0);
}

TEST_F(CanaryTest, AReloadKeepsWhatItHasShown) {
  SnapshotBuilder builder([this](const ProviderConfig&, const TargetConfig&) { return Result<std::shared_ptr<Provider>>(a_); });
  config_.routes = {route_};
  const auto first = *builder.build(config_);
  first->find("r")->canary->canary->roll_back("by a person");
  config_.routes[0].canary.share = 0.2;
  config_.routes[0].targets[0].model = "other";
  EXPECT_FALSE((*builder.build(config_))->find("r")->canary->canary->open()) << "not even when it is compared with another";
  config_.routes[0].canary = {};
  EXPECT_EQ((*builder.build(config_))->find("r")->canary, nullptr);
  config_.routes[0].canary = route_.canary;
  EXPECT_FALSE((*builder.build(config_))->find("r")->canary->canary->open());
}

TEST_F(CanaryTest, ChecksOfItsAnswersCount) {
  route_.canary.checks = {"not_refused"};
  j_->scripts = {says("I'm sorry, but I cannot help with that.")};
  EXPECT_EQ(ask().text, "I'm sorry, but I cannot help with that.") << "nothing is held back for a check";
  EXPECT_EQ(canary().view().candidate.errors, (learn::RateCount{1, 1}));
  j_->scripts = {says("Gladly.")};
  ask();
  EXPECT_EQ(canary().view().candidate.errors, (learn::RateCount{2, 1}));
}

TEST_F(CanaryTest, ARungThatIsUnsureIsNoErrorAndOneThatBreaksItsChecksIs) {
  route_.strategy = Strategy::kLadder;
  route_.targets[0].rung = {.checks = {"not_empty"}};
  route_.canary.target.rung = {.confidence = ConfidenceSource::kMargin, .accept = 0.6, .checks = {"not_refused"}};
  route_.doubt_stays = true;
  j_->scripts = {says("Gladly.")};
  ask();
  EXPECT_EQ(canary().view().candidate.errors, (learn::RateCount{1, 0}));
  Script unsure = says("Perhaps.");
  Event logprobs = event(Kind::kLogprobs);
  logprobs.raw = R"({"token":"a","logprob":-0.7,"top_logprobs":[{"token":"a","logprob":-0.7},{"token":"b","logprob":-0.8}]})";
  unsure.events.insert(unsure.events.begin() + 2, logprobs);
  j_->scripts = {unsure};
  EXPECT_EQ(ask().text, "from a");
  EXPECT_EQ(canary().view().candidate.errors, (learn::RateCount{2, 0}));
  EXPECT_EQ(canary().view().candidate.unsure, 1);
  j_->scripts = {says("I'm sorry, but I cannot help with that.")};
  EXPECT_EQ(ask().text, "from a");
  EXPECT_EQ(canary().view().candidate.errors, (learn::RateCount{3, 1}));
  EXPECT_EQ(canary().view().candidate.unsure, 1);
}

TEST_F(CanaryTest, DataThatItMayNotSeeDoNotGoThere) {
  for (auto& provider : config_.providers) provider.site = provider.name == "c" ? "outside" : "own";
  context_.data_class = "confidential";
  EXPECT_EQ(ask().text, "from a");
  EXPECT_EQ(j_->calls, 0);
  EXPECT_EQ(canary().view().usual.errors.count, 0) << "only calls that both may answer are compared";
  const auto decision = decide(*gateway_->snapshot(), *memory_, Request{.model = "r"}, {}, "confidential", "", privacy_);
  ASSERT_TRUE(decision && decision->canary);
  EXPECT_FALSE(decision->canary->allowed);
  EXPECT_EQ(decision->canary_share, 0);
  route_.licences = {"open"};
  route_.targets[0].licence = route_.targets[1].licence = "open";
  context_.data_class.clear();
  gateway_.reset();
  EXPECT_EQ(ask().text, "from a") << "its licence is not allowed";
}

TEST_F(CanaryTest, MaskedDataComeBackFromIt) {
  for (auto& provider : config_.providers) provider.site = provider.name == "c" ? "outside" : "own";
  config_.data_classes.push_back({.name = "customer", .rank = 15, .site = Site::kOwn, .masked = Site::kOutside});
  context_.data_class = "customer";
  j_->echo = true;
  Request request{.model = "r"};
  request.messages.push_back({.parts = {Part{.text = "write to ann.smith@example.com"}}});
  const auto heard = ask(request);
  EXPECT_EQ(heard.row.target, "c/new");
  EXPECT_EQ(heard.masked, 1u);
  EXPECT_NE(heard.text.find("ann.smith@example.com"), std::string::npos);
  EXPECT_EQ(j_->heard.find("ann.smith"), std::string::npos);
}

TEST_F(CanaryTest, WhatItSaidIsNotKeptForOthers) {
  route_.cache = CacheMode::kExact;
  EXPECT_EQ(ask().text, "from the candidate");
  canary().roll_back("by a person");
  EXPECT_EQ(ask().text, "from a");
}

TEST_F(CanaryTest, AKeyWithoutMoneyForItGoesTheUsualWay) {
  config_.providers.back().free = false;
  const auto key = key_with({.usd_month = store::kNanoPerDollar});
  EXPECT_EQ(ask(Request{.model = "r"}, key).text, "from a") << "no price is known for the candidate";
  EXPECT_EQ(j_->calls, 0);
  EXPECT_EQ(canary().view().candidate.errors.count, 0) << "a budget says nothing of it";
}

TEST_F(CanaryTest, AuditsOfALadderCompareItWithTheTopRung) {
  route_.strategy = Strategy::kLadder;
  route_.targets[0].rung = {.checks = {"not_empty"}};
  route_.audit = 1;
  route_.canary.alpha = 0.2;
  j_->scripts = {says("something else")};
  b_->scripts = {says("what is right")};
  a_->scripts = {says("what is right")};
  for (int i = 0; i < 12; ++i) ask();
  for (int i = 0; i < 500 && canary().view().candidate.audits.count < 12; ++i) usleep(10'000);
  EXPECT_EQ(canary().view().candidate.audits.errors, canary().view().candidate.audits.count);
  EXPECT_EQ(canary().view().candidate.audits.count, 12);
  EXPECT_EQ(canary().view().candidate.errors.errors, 0) << "saying something else is no failure";
}

TEST(CanaryRule, NotWorseIsSaidAndNothingElseHappens) {
  Canary canary("a/m");
  const CanaryConfig rule{.margin = 0.05, .min_samples = 20};
  std::optional<CanaryState> change;
  for (int i = 0; i < 2000 && !change; ++i) change = canary.add(i % 2 == 0, {.error = i % 40 < 2}, rule);
  EXPECT_EQ(change, CanaryState::kPromotable);
  EXPECT_TRUE(canary.open());
  EXPECT_EQ(canary.view().state, CanaryState::kPromotable);
  for (int i = 0; i < 2000 && canary.open(); ++i) change = canary.add(i % 2 == 0, {.error = i % 2 == 0}, rule);
  EXPECT_EQ(change, CanaryState::kRolledBack) << "when it becomes worse afterwards it goes all the same";
}

TEST(CanaryRule, WhatIsKeptIsReadAgain) {
  char pattern[] = "/tmp/ajar-canary-XXXXXX";
  const std::string folder = mkdtemp(pattern);
  auto store = std::move(*store::Store::open(folder + "/db"));
  Canary canary("a/m");
  canary.add(true, {.first_seconds = 0.5, .seconds = 1, .cost = 7}, {});
  canary.add(false, {.error = true}, {});
  canary.add_audit(true, true, {});
  ASSERT_TRUE(canary.keep(*store, "r", "c/new"));
  const auto rows = store->trials("canary");
  ASSERT_TRUE(rows && rows->size() == 1);
  Canary same("a/m"), other("b/m");
  ASSERT_TRUE(same.restore(rows->front().state));
  EXPECT_EQ(same.view().candidate.errors, (learn::RateCount{1, 0}));
  EXPECT_EQ(same.view().candidate.audits, (learn::RateCount{1, 1}));
  EXPECT_EQ(same.view().usual.errors, (learn::RateCount{1, 1}));
  EXPECT_EQ(same.view().candidate.cost, 7);
  EXPECT_EQ(same.view().candidate.seconds, 1);
  ASSERT_TRUE(other.restore(rows->front().state));
  EXPECT_EQ(other.view().candidate.errors.count, 0) << "what it was compared with is another now";
  for (const char* wrong : {"", "{}", "[]", "{\"usual\":{\"errors\":[1,2],\"audits\":[0,0]},\"candidate\":{\"errors\":[0,0],\"audits\":[0,0]}}"}) {
    Canary fresh("a/m");
    EXPECT_FALSE(fresh.restore(wrong)) << wrong;
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace ajar
