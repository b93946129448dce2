// A candidate that is asked beside a route.
#include "gateway/shadow.h"

#include "gateway/testing.h"

namespace ajar {
namespace {

class ShadowTest : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    config_.providers.push_back({.name = "c", .preset = "custom", .prices = {{"new", Price{.base = {.input = 1, .output = 1}}}}});
    route_.shadow = {.target = {.provider = "c", .model = "new"}, .share = 1};
    a_->scripts = {says("Forty-two.")};
    j_->scripts = {says("forty-two")};
  }
  ShadowLog& log() {
    if (!gateway_) build();
    return *gateway_->snapshot()->find("r")->shadow->log;
  }
  ShadowLog::View after(int64_t outcomes) {
    ShadowLog::View view;
    for (int i = 0; i < 1000; ++i) {
      view = log().view();
      if (view.answered + view.failed + view.busy + view.withheld >= outcomes) break;
      usleep(5'000);
    }
    return view;
  }
};

TEST_F(ShadowTest, ItIsAskedWhatWasAskedAndComparedWithTheAnswer) {
  const auto heard = ask();
  EXPECT_EQ(heard.text, "Forty-two.");
  EXPECT_EQ(heard.row.target, "a/m");
  EXPECT_EQ(heard.row.cost, 0) << "the client does not pay for it";
  auto view = after(1);
  EXPECT_EQ(view.compared, (learn::RateCount{1, 0}));
  EXPECT_GT(view.cost, 0);
  EXPECT_EQ(j_->heard, "hello\n");
  j_->scripts = {says("forty-three")};
  ask();
  view = after(2);
  EXPECT_EQ(view.compared, (learn::RateCount{2, 1}));
  EXPECT_NE(metrics_.expose().find("ajar_shadow_calls_total{result=\"different\",route=\"r\",target=\"c/new\"} 1"), std::string::npos);
}

TEST_F(ShadowTest, ItsFailureIsNobodysBusiness) {
  j_->scripts = {fails(Code::kUpstream, 500)};
  EXPECT_EQ(ask().text, "Forty-two.");
  EXPECT_EQ(after(1).failed, 1);
}

TEST_F(ShadowTest, WhatFailedIsNotMirrored) {
  a_->scripts = {fails(Code::kUpstream, 500)};
  b_->scripts = {fails(Code::kUpstream, 500)};
  ask();
  EXPECT_EQ(j_->calls, 0);
  EXPECT_EQ(log().view().failed, 0);
}

TEST_F(ShadowTest, DataThatItMayNotSeeOrThatMayNotBeKeptDoNotGoThere) {
  for (auto& provider : config_.providers) provider.site = provider.name == "c" ? "outside" : "local";
  context_.data_class = "confidential";
  ask();
  EXPECT_EQ(after(1).withheld, 1);
  config_.data_classes.push_back({.name = "fleeting", .rank = 15, .cache = false});
  context_.data_class = "fleeting";
  gateway_.reset();
  ask();
  EXPECT_EQ(after(1).withheld, 1);
  EXPECT_EQ(j_->calls, 0);
}

TEST_F(ShadowTest, MaskedDataAreComparedAsTheClientSawThem) {
  for (auto& provider : config_.providers) provider.site = provider.name == "c" ? "outside" : "own";
  config_.data_classes.push_back({.name = "customer", .rank = 15, .site = Site::kOwn, .masked = Site::kOutside});
  context_.data_class = "customer";
  a_->echo = j_->echo = true;
  Request request{.model = "r"};
  request.messages.push_back({.parts = {Part{.text = "write to ann.smith@example.com"}}});
  ask(request);
  EXPECT_EQ(after(1).compared, (learn::RateCount{1, 0}));
  EXPECT_NE(a_->heard.find("ann.smith"), std::string::npos);
  EXPECT_EQ(j_->heard.find("ann.smith"), std::string::npos);
}

TEST_F(ShadowTest, OnlySoManyAtOnce) {
  route_.shadow.max_running = 1;
  j_->scripts = {says("forty-two")};
  j_->scripts.front().before = Millis(300);
  ask();
  ask();
  const auto view = after(2);
  EXPECT_EQ(view.busy, 1);
  EXPECT_EQ(view.answered, 1);
}

TEST_F(ShadowTest, OneThatFailsIsLeftAlone) {
  route_.breaker_failures = 2;
  j_->scripts = {fails(Code::kUpstream, 500)};
  for (int i = 1; i <= 4; ++i) {
    ask();
    after(i);
  }
  EXPECT_EQ(log().view().failed, 2);
  EXPECT_EQ(log().view().busy, 2);
}

TEST_F(ShadowTest, WhatIsKeptIsReadAgain) {
  ask();
  after(1);
  ASSERT_TRUE(log().keep(*store_, "r", "c/new"));
  const auto rows = store_->trials("shadow");
  ASSERT_TRUE(rows && rows->size() == 1);
  ShadowLog same;
  ASSERT_TRUE(same.restore(rows->front().state));
  EXPECT_EQ(same.view().compared, (learn::RateCount{1, 0}));
  EXPECT_EQ(same.view().cost, log().view().cost);
  ShadowLog fresh;
  EXPECT_FALSE(fresh.restore("{"));
  EXPECT_FALSE(fresh.restore("{\"compared\":1,\"differed\":2}"));
}

}  // namespace
}  // namespace ajar
