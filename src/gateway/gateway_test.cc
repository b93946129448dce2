// The main line: targets, retries, fallback, hedging, budgets, disconnects.
#include "gateway/testing.h"

namespace ajar {
namespace {

TEST_F(GatewayTest, TheFirstTargetAnswers) {
  a_->scripts = {says("from a")};
  const auto heard = ask();
  EXPECT_EQ(heard.text, "from a");
  EXPECT_EQ(heard.end, StreamEnd::kComplete);
  EXPECT_EQ(heard.row.target, "a/m");
  EXPECT_EQ(heard.row.model, "served-model");
  EXPECT_EQ(heard.row.usage.total(), 15);
  EXPECT_EQ(b_->calls, 0);
}

TEST_F(GatewayTest, FallsBackOnEachKindOfFailure) {
  for (const auto& failure :
       {fails(Code::kUnavailable), fails(Code::kTimeout), fails(Code::kRateLimit, 429), fails(Code::kUpstream, 500),
        fails(Code::kUpstream, 401), fails(Code::kCut), fails(Code::kUpstream, 200), fails(Code::kNotFound, 404),
        fails(Code::kUnsupported), fails(Code::kUpstream, 200, -1, {start()})}) {
    gateway_.reset();
    route_.breaker_failures = 0;
    a_->scripts = {failure};
    b_->scripts = {says("from b")};
    const auto heard = ask();
    EXPECT_EQ(heard.text, "from b") << code_name(failure.status.error().code);
    EXPECT_EQ(heard.row.attempts.size(), 2u);
  }
}

TEST_F(GatewayTest, ARequestThatIsWrongIsNotRepeatedElsewhere) {
  a_->scripts = {fails(Code::kInvalid, 400)};
  const auto heard = ask();
  EXPECT_EQ(heard.error->code, Code::kInvalid);
  EXPECT_EQ(b_->calls, 0);
}

TEST_F(GatewayTest, FallbackOnIsObeyed) {
  route_.fallback_on = {"timeout"};
  a_->scripts = {fails(Code::kUpstream, 500)};
  EXPECT_EQ(ask().error->upstream_status, 500);
  EXPECT_EQ(b_->calls, 0);
}

TEST_F(GatewayTest, RetriesTheSameTargetFirst) {
  route_.retries = 2;
  a_->scripts = {fails(Code::kUpstream, 500), fails(Code::kUnavailable), says("third time")};
  const auto heard = ask();
  EXPECT_EQ(heard.text, "third time");
  EXPECT_EQ(a_->calls, 3);
  EXPECT_EQ(b_->calls, 0);
}

// litellm#34399, #7669: Retry-After ignored, instant retry.
TEST_F(GatewayTest, WaitsAsLongAsRetryAfterSays) {
  route_.targets.resize(1);
  route_.retries = 1;
  a_->scripts = {fails(Code::kRateLimit, 429, 60), says("later")};
  const TimePoint from = now();
  EXPECT_EQ(ask().text, "later");
  EXPECT_GE(now() - from, Millis(60));
}

// Found by the fault wall: the second request of a limited target was told 503 "is failing".
TEST_F(GatewayTest, ATargetThatCoolsDownIsStillARateLimit) {
  route_.retries = 0;
  a_->scripts = {fails(Code::kRateLimit, 429, 2'000)};
  route_.fallback_on = {"rate_limit"};
  b_->scripts = {says("from b"), says("from b again")};
  EXPECT_EQ(ask().text, "from b");
  EXPECT_EQ(ask().text, "from b again");  // what falls back on a limit falls back while it lasts
  EXPECT_EQ(a_->calls, 1);
  gateway_.reset();
  route_.targets.resize(1);
  a_->scripts = {fails(Code::kRateLimit, 429, 2'000)};
  ask();
  const auto heard = ask();
  EXPECT_EQ(heard.error->code, Code::kRateLimit);
  EXPECT_GT(heard.error->retry_after_ms, 0);
}

TEST_F(GatewayTest, ALongRetryAfterGoesToTheClient) {
  route_.targets.resize(1);
  route_.retries = 3;
  a_->scripts = {fails(Code::kRateLimit, 429, 600'000)};
  const auto heard = ask();
  EXPECT_EQ(heard.error->code, Code::kRateLimit);
  EXPECT_EQ(heard.error->retry_after_ms, 600'000);
  EXPECT_EQ(a_->calls, 1);
}

TEST_F(GatewayTest, NothingIsRepeatedOnceSomethingWasSaid) {
  a_->scripts = {fails(Code::kCut, 0, -1, {start(), event(Kind::kText, "half")})};
  const auto heard = ask();
  EXPECT_EQ(heard.text, "half");
  EXPECT_EQ(heard.end, StreamEnd::kCut);
  EXPECT_EQ(b_->calls, 0);
  EXPECT_FALSE(heard.row.usage.reported);
  EXPECT_GT(heard.row.usage.output, 0);  // what was used is counted
}

TEST_F(GatewayTest, AnAnswerWithoutWordsIsStillAnAnswer) {
  a_->scripts = {{.events = {start(), used(3, 0)}}};
  const auto heard = ask();
  EXPECT_EQ(heard.end, StreamEnd::kComplete);
  EXPECT_EQ(heard.row.usage.input, 3);
}

TEST_F(GatewayTest, TheBreakerOpensOnCutStreamsToo) {  // cc-switch#6672
  route_.breaker_failures = 2;
  a_->scripts = {fails(Code::kCut, 0, -1, {start(), event(Kind::kText, "half")})};
  ask();
  ask();
  b_->scripts = {says("b")};
  EXPECT_EQ(ask().text, "b");
  EXPECT_EQ(a_->calls, 2);
}

TEST_F(GatewayTest, WhenNobodyCanAnswerTheRealErrorIsTold) {
  route_.breaker_failures = 1;
  a_->scripts = {fails(Code::kUpstream, 500)};
  b_->scripts = {fails(Code::kTimeout)};
  EXPECT_EQ(ask().error->code, Code::kTimeout);
  const auto heard = ask();  // both breakers are open now
  EXPECT_EQ(heard.error->code, Code::kUnavailable);
  EXPECT_GT(heard.error->retry_after_ms, 0);
}

TEST_F(GatewayTest, ALeavingClientCancelsAndPaysForWhatWasUsed) {
  a_->scripts = {{.events = {start(), event(Kind::kText, "0123456789"), event(Kind::kText, "more"), stop()}}};
  const auto heard = ask(Request{.model = "r"}, key_with({}), 10);
  EXPECT_EQ(heard.end, StreamEnd::kCancelled);
  EXPECT_EQ(b_->calls, 0);
  EXPECT_GT(heard.row.usage.output, 0);
  EXPECT_GT(heard.row.usage.input, 0);
}

TEST_F(GatewayTest, HedgingTakesTheFirstToSpeakAndCancelsTheOther) {
  route_.hedge_after = Millis(20);
  a_->scripts = {{.events = says("slow").events, .before = Millis(5'000)}};
  b_->scripts = {says("quick")};
  const TimePoint from = now();
  const auto heard = ask();
  EXPECT_EQ(heard.text, "quick");
  EXPECT_LT(now() - from, Millis(4'000));
  EXPECT_EQ(a_->cancelled, 1);
  EXPECT_EQ(heard.end, StreamEnd::kComplete);
}

TEST_F(GatewayTest, HedgingIsNotNeededForAQuickAnswer) {
  route_.hedge_after = Millis(2'000);
  a_->scripts = {says("quick")};
  EXPECT_EQ(ask().text, "quick");
  EXPECT_EQ(b_->calls, 0);
}

TEST_F(GatewayTest, HedgedFailuresFallBackOnce) {
  route_.hedge_after = Millis(1);
  a_->scripts = {{.status = fails(Code::kUpstream, 500).status, .before = Millis(50)}};
  b_->scripts = {fails(Code::kUpstream, 503), says("b at last")};
  EXPECT_EQ(ask().text, "b at last");
}

TEST_F(GatewayTest, UnknownRoutesAndForbiddenOnesLookTheSame) {
  const auto made = tenants_->create_key({.name = "narrow", .routes = {"other*"}});
  const auto key = *tenants_->authenticate(made->secret);
  const auto forbidden = ask(Request{.model = "r"}, key);
  const auto unknown = ask(Request{.model = "nope"}, key);
  EXPECT_EQ(forbidden.error->code, Code::kNotFound);
  EXPECT_EQ(unknown.error->code, Code::kNotFound);
  EXPECT_EQ(a_->calls, 0);
}

TEST_F(GatewayTest, AModelWithoutAPriceIsClosedToDollarBudgets) {
  config_.providers[0].free = false;
  config_.providers[1].free = false;
  const auto heard = ask(Request{.model = "r"}, key_with({.usd_day = 1'000'000'000}));
  EXPECT_EQ(heard.error->code, Code::kForbidden);
  EXPECT_NE(heard.error->message.find("price"), std::string::npos);
  EXPECT_EQ(ask().end, StreamEnd::kComplete);  // without a budget it answers
}

TEST_F(GatewayTest, ABudgetStopsAStreamThatOutgrowsIt) {
  config_.limits.reserve_output_tokens = 100;
  Script endless;
  endless.events.push_back(start());
  for (int i = 0; i < 1000; ++i) endless.events.push_back(event(Kind::kText, std::string(400, 'x')));  // 100 tokens
  endless.events.push_back(stop());
  a_->scripts = {endless};
  const auto key = key_with({.tokens_day = 5'000});
  const auto heard = ask(Request{.model = "r"}, key);
  EXPECT_EQ(heard.end, StreamEnd::kFiltered);
  EXPECT_EQ(heard.error->code, Code::kBudget);
  EXPECT_TRUE(a_->streamed);  // the client did not ask for a stream; the budget did
  const auto spent = key->account->snapshot(unix_millis());
  EXPECT_LE(spent.tokens_day, 5'000);
  EXPECT_GT(spent.tokens_day, 3'000);
  EXPECT_EQ(spent.tokens_reserved, 0);
  EXPECT_EQ(spent.active, 0);
  const auto next = ask(Request{.model = "r", .max_tokens = 4000}, key);
  EXPECT_EQ(next.error->code, Code::kBudget);
}

TEST_F(GatewayTest, SpendIsWrittenAndSurvives) {
  config_.providers[0].prices["m"] = Price{.base = {.input = 10, .output = 20}};
  const auto key = key_with({.usd_day = 1'000'000'000});
  a_->scripts = {says("x", 1000, 100)};
  const auto heard = ask(Request{.model = "r", .max_tokens = 100}, key);
  EXPECT_EQ(heard.row.cost, (1000 * 10 + 100 * 20) * 1000);
  store_->flush();
  const auto again = std::move(*Tenants::load(*store_));
  const auto reloaded = again->find(key->row.id);
  ASSERT_TRUE(reloaded);
  EXPECT_EQ((*reloaded)->account->snapshot(unix_millis()).usd_day, heard.row.cost);
}

TEST_F(GatewayTest, TeamsShareABudget) {
  ASSERT_TRUE(tenants_->put_team("red", {.tokens_day = 20}));
  const auto one = tenants_->create_key({.name = "one", .team = "red"});
  const auto two = tenants_->create_key({.name = "two", .team = "red"});
  a_->scripts = {says("x", 8, 4)};
  EXPECT_EQ(ask(Request{.model = "r", .max_tokens = 4}, *tenants_->authenticate(one->secret)).end, StreamEnd::kComplete);
  const auto heard = ask(Request{.model = "r", .max_tokens = 4}, *tenants_->authenticate(two->secret));
  EXPECT_EQ(heard.error->code, Code::kBudget);
  EXPECT_NE(heard.error->message.find("team 'red'"), std::string::npos);
}

TEST_F(GatewayTest, ARevokedKeyIsDeadAtOnce) {
  const auto made = tenants_->create_key({.name = "gone"});
  ASSERT_TRUE(tenants_->authenticate(made->secret));
  const auto rotated = tenants_->rotate_key("gone");
  EXPECT_FALSE(tenants_->authenticate(made->secret));
  ASSERT_TRUE(tenants_->authenticate(rotated->secret));
  ASSERT_TRUE(tenants_->revoke_key("gone"));
  EXPECT_EQ(tenants_->authenticate(rotated->secret).error().code, Code::kUnauthenticated);
  EXPECT_EQ(tenants_->authenticate("").error().code, Code::kUnauthenticated);
}

TEST_F(GatewayTest, WeightsAreKept) {
  route_.strategy = Strategy::kWeighted;
  route_.targets[0].weight = 9;
  for (int i = 0; i < 1000; ++i) ask();
  EXPECT_NEAR(a_->calls, 900, 60);
  EXPECT_EQ(a_->calls + b_->calls, 1000);
}

TEST_F(GatewayTest, TheCheapestIsAskedFirst) {
  route_.strategy = Strategy::kCheapest;
  config_.providers[0].prices["m"] = Price{.base = {.input = 10, .output = 10}};
  config_.providers[1].prices["m"] = Price{.base = {.input = 1, .output = 1}};
  ask();
  EXPECT_EQ(a_->calls, 0);
}

TEST_F(GatewayTest, TheQuickestIsAskedMost) {
  route_.strategy = Strategy::kLeastLatency;
  a_->scripts = {{.events = says("a").events, .before = Millis(30)}};
  b_->scripts = {says("b")};
  for (int i = 0; i < 20; ++i) ask();
  EXPECT_LE(a_->calls, 3);
}

TEST_F(GatewayTest, EmbeddingsGoTheSameWay) {
  build();
  a_->scripts = {fails(Code::kUpstream, 500)};
  Heard heard;
  std::promise<Result<EmbeddingReply>> done;
  EmbeddingRequest request{.model = "r", .texts = {"hello"}};
  const auto key = key_with({.tokens_day = 1000});
  const auto run = [&]() -> Task<> {
    CancelToken token;
    Context context{.id = "req", .cancel = &token};
    ListeningSink sink(heard);
    done.set_value(co_await gateway_->embed(request, key, context, sink));
  };
  loops_[0].spawn(run());
  const auto reply = done.get_future().get();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->rows(), 1u);
  EXPECT_EQ(heard.row.target, "b/m");
  EXPECT_EQ(heard.row.usage.input, 7);
  EXPECT_EQ(key->account->snapshot(unix_millis()).tokens_day, 7);
}

TEST(CheckConfig, EveryFaultIsFound) {
  Config config;
  config.providers.push_back({.name = "p", .preset = "nonsense"});
  config.routes.push_back({.name = "a*b", .targets = {{.provider = "q"}}, .fallback_on = {"bad luck"}});
  config.routes.push_back({.name = "empty"});
  config.server.auth = "perhaps";
  EXPECT_EQ(check_config(config).size(), 6u);
}

}  // namespace
}  // namespace ajar
