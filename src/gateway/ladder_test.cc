// The ladder: which rung answers, and what the client and the log are told about it.
#include "gateway/testing.h"

#include <cmath>
#include <fstream>
#include <thread>

#include "gateway/decide.h"

namespace ajar {
namespace {

// An answer whose tokens all have this probability, the rest of it going to one rival.
Script sure(const std::string& text, double p, int64_t input = 10, int64_t output = 5) {
  Script script = says(text, input, output);
  Event logprobs = event(Kind::kLogprobs);
  const auto number = [](double x) { return std::to_string(std::log(x)); };
  logprobs.raw = "{\"token\":\"a\",\"logprob\":" + number(p) + ",\"top_logprobs\":[{\"token\":\"a\",\"logprob\":" + number(p) +
                 "},{\"token\":\"b\",\"logprob\":" + number(1 - p) + "}]}";
  script.events.insert(script.events.begin() + 2, logprobs);
  return script;
}

class LadderTest : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    route_.strategy = Strategy::kLadder;
    route_.targets[0].rung = {.confidence = ConfidenceSource::kMargin, .accept = 0.6};
  }
  RungConfig& rung() { return route_.targets[0].rung; }
};

TEST_F(LadderTest, ASureAnswerOfTheCheapRungIsGiven) {
  a_->scripts = {sure("from a", 0.9)};
  const auto heard = ask();
  EXPECT_EQ(heard.text, "from a");
  EXPECT_EQ(heard.target, "a/m");
  EXPECT_EQ(heard.ladder, "a/m complete 0.800 >= 0.600");
  EXPECT_EQ(b_->calls, 0);
  ASSERT_EQ(heard.row.attempts.size(), 1u);
  EXPECT_NEAR(heard.row.attempts[0].confidence, 0.8, 1e-3);
  EXPECT_EQ(heard.row.attempts[0].accept, 0.6);
}

TEST_F(LadderTest, AnUnsureAnswerClimbsAndIsNeverSeen) {
  a_->scripts = {sure("wrong", 0.7)};
  b_->scripts = {says("right", 10, 7)};
  const auto heard = ask();
  EXPECT_EQ(heard.text, "right");
  EXPECT_EQ(heard.row.target, "b/m");
  EXPECT_EQ(heard.ladder, "a/m unsure 0.400 < 0.600; b/m complete");
  EXPECT_EQ(heard.row.attempts[0].outcome, "unsure");
  EXPECT_EQ(heard.row.usage.total(), 15 + 17) << "what was used below is paid for";
}

TEST_F(LadderTest, LogprobsThatTheClientDidNotAskForAreTakenOut) {
  a_->scripts = {sure("a", 0.9)};
  ask();
  EXPECT_TRUE(a_->logprobs);
  EXPECT_FALSE(last_heard_logprobs_);
  Request request{.model = "r"};
  request.logprobs = true;
  ask(request);
  EXPECT_TRUE(last_heard_logprobs_);
}

TEST_F(LadderTest, WithNothingToJudgeByItClimbsUnlessTheRouteSaysStay) {
  a_->scripts = {says("unjudged")};
  b_->scripts = {says("judged")};
  EXPECT_EQ(ask().text, "judged");
  gateway_.reset();
  route_.doubt_stays = true;
  const auto heard = ask();
  EXPECT_EQ(heard.text, "unjudged");
  EXPECT_EQ(heard.ladder, "a/m complete (no log probabilities came)");
}

TEST_F(LadderTest, WhenTheTopIsDownTheRouteDecides) {
  a_->scripts = {sure("weak", 0.7)};
  b_->scripts = {fails(Code::kUpstream, 500)};
  auto heard = ask();
  ASSERT_TRUE(heard.error);
  EXPECT_EQ(heard.error->code, Code::kUpstream) << "the failure is told, not a weaker answer";
  EXPECT_EQ(heard.text, "");
  gateway_.reset();
  route_.stay = true;
  heard = ask();
  EXPECT_EQ(heard.text, "weak");
  EXPECT_FALSE(heard.sure);
  EXPECT_EQ(heard.ladder, "a/m unsure 0.400 < 0.600; b/m upstream; a/m stayed 0.400 < 0.600");
  EXPECT_EQ(heard.row.usage.total(), 15) << "its tokens are counted once";
}

TEST_F(LadderTest, ARungThatFailsClimbs) {
  a_->scripts = {fails(Code::kTimeout)};
  b_->scripts = {says("from b")};
  EXPECT_EQ(ask().text, "from b");
}

TEST_F(LadderTest, ChecksCanRefuseASureAnswer) {
  rung().checks = {"schema", "not_empty", "not_refused", "whole"};
  b_->scripts = {says("from b")};
  Request request{.model = "r"};
  request.response_format = {.kind = ResponseFormat::Kind::kJsonSchema,
                             .schema = R"({"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]})"};
  a_->scripts = {sure(R"({"n":1})", 0.9)};
  EXPECT_EQ(ask(request).text, R"({"n":1})");
  a_->scripts = {sure(R"({"n":"one"})", 0.9)};
  const auto heard = ask(request);
  EXPECT_EQ(heard.text, "from b");
  EXPECT_EQ(heard.row.attempts[0].why, "schema: $.n: type");
  for (const char* text : {"", "  ", "I'm sorry, but I cannot do that."}) {
    a_->scripts = {sure(text, 0.9)};
    EXPECT_EQ(ask().text, "from b") << text;
  }
  rung().checks.push_back("arithmetic");
  gateway_.reset();
  a_->scripts = {sure("3 + 4 = 7, so 7 * 2 = 15", 0.9)};
  EXPECT_EQ(ask().row.attempts[0].why.substr(0, 11), "arithmetic:");
  Script cut = sure("half an ans", 0.9);
  cut.events[3].finish = Finish::kLength;
  a_->scripts = {cut};
  EXPECT_EQ(ask().text, "from b");
}

TEST_F(LadderTest, ALearnedScoreTellsRightAnswersFromWrongOnes) {
  // Taught by sums, of which the wrong ones are told by their arithmetic.
  std::vector<std::string> texts;
  std::vector<learn::AnswerScore::Row> rows;
  for (int i = 0; i < 300; ++i) texts.push_back(std::to_string(i) + " + 4 = " + std::to_string(i + 4 + (i % 3 == 0 ? 1 : 0)));
  for (int i = 0; i < 300; ++i) rows.push_back({.evidence = {.prompt = "Add 4.", .answer = texts[size_t(i)]}, .right = i % 3 != 0});
  const auto score = learn::AnswerScore::fit(rows);
  ASSERT_TRUE(score) << score.error().message;
  const std::string file = folder_ + "/sums.score";
  std::ofstream(file) << score->json();
  rung() = {.confidence = ConfidenceSource::kLearned, .accept = 0.7, .score = file};
  b_->scripts = {says("from b")};
  a_->scripts = {says("51 + 4 = 55")};
  auto heard = ask();
  EXPECT_EQ(heard.text, "51 + 4 = 55");
  EXPECT_GT(heard.row.attempts[0].confidence, 0.7);
  EXPECT_FALSE(a_->logprobs) << "a score that was taught without log probabilities does not ask for them";
  a_->scripts = {says("51 + 4 = 56")};
  heard = ask();
  EXPECT_EQ(heard.text, "from b");
  EXPECT_EQ(heard.row.attempts[0].outcome, "unsure");
  a_->scripts = {says("")};
  EXPECT_EQ(ask().ladder, "a/m unsure (it says nothing); b/m complete");
}

TEST_F(LadderTest, CitationsMustBeOfWhatWasGiven) {
  rung().checks = {"citations"};
  b_->scripts = {says("from b")};
  Request request{.model = "r"};
  request.messages.push_back({.parts = {Part{.kind = Part::Kind::kFile, .text = "The warranty lasts two years."}, Part{.text = "How long is the warranty?"}}});
  request.messages.push_back({.role = Role::kAssistant, .parts = {Part{.kind = Part::Kind::kToolCall, .id = "1", .name = "look", .arguments = "{}"}}});
  request.messages.push_back({.role = Role::kTool, .parts = {Part{.kind = Part::Kind::kToolResult, .id = "1", .content = {Part{.text = "Batteries are excluded."}}}}});
  EXPECT_EQ(cited_sources(request), (std::vector<std::string>{"The warranty lasts two years.", "Batteries are excluded."}));
  for (const auto& [answer, why] : {std::pair{"The warranty lasts two years [1], without batteries [2].", ""},
                                    {"The warranty lasts two years [3].", "citations: it cites what was not given"},
                                    {"The warranty lasts two years [2].", "citations: a passage does not say what it is cited for"},
                                    {"Two years.", ""}}) {
    a_->scripts = {sure(answer, 0.9)};
    const auto heard = ask(request);
    EXPECT_EQ(heard.text, *why == 0 ? answer : "from b") << answer;
    EXPECT_EQ(heard.row.attempts[0].why, why) << answer;
  }
}

TEST_F(LadderTest, AKeysDataHaveAtLeastItsClass) {
  for (auto& provider : config_.providers) provider.site = provider.name == "a" ? "own" : "outside";
  route_.strategy = Strategy::kPriority;
  route_.targets[0].rung = {};
  build();
  const auto made = tenants_->create_key({.name = "hospital", .data_class = "confidential"});
  ASSERT_TRUE(made);
  const auto key = *tenants_->authenticate(made->secret);
  a_->scripts = {fails(Code::kUpstream, 500)};
  auto heard = ask(Request{.model = "r"}, key);
  EXPECT_EQ(b_->calls, 0) << "not even as a fallback";
  ASSERT_FALSE(heard.row.attempts.empty());
  EXPECT_EQ(heard.row.attempts[0].target, "data class");
  EXPECT_EQ(heard.row.attempts[0].outcome, "confidential");
  EXPECT_EQ(heard.row.attempts[0].why, "of the key");
  context_.data_class = "public";
  heard = ask(Request{.model = "r"}, key);
  EXPECT_EQ(b_->calls, 0) << "a client cannot lower it";
  context_.data_class = "restricted";
  heard = ask(Request{.model = "r"}, key);
  EXPECT_EQ(heard.row.attempts[0].why, "said by the client") << "but raise it";
  const auto decision = decide(*gateway_->snapshot(), *memory_, Request{.model = "r"}, {}, "", "confidential", privacy_);
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->data_class, "confidential");
  EXPECT_EQ(decision->data_class_why, "of the key");
  EXPECT_FALSE(decision->rungs[1].allowed);
  context_.data_class.clear();
  auto spec = KeySpec{.name = "hospital", .data_class = "gone"};
  ASSERT_TRUE(tenants_->update_key("hospital", spec));
  heard = ask(Request{.model = "r"}, *tenants_->authenticate(made->secret));
  ASSERT_TRUE(heard.error);
  EXPECT_EQ(heard.error->code, Code::kForbidden) << "a class that nobody knows any more opens no door";
}

TEST_F(LadderTest, AgreementAsksOnlyAsOftenAsItMatters) {
  rung() = {.confidence = ConfidenceSource::kAgree, .accept = 0.9, .samples = 3};
  a_->scripts = {says("It is 4."), says("it is 4"), says("IT IS  4")};
  const auto heard = ask();
  EXPECT_EQ(heard.text, "It is 4.");
  EXPECT_EQ(a_->calls, 3);
  EXPECT_EQ(heard.row.usage.total(), 45);
  a_->calls = 0;
  a_->scripts = {says("4"), says("5"), says("4")};
  b_->scripts = {says("from b")};
  EXPECT_EQ(ask().text, "from b");
  EXPECT_EQ(a_->calls, 2) << "after one dissent two of three are out of reach";
}

TEST_F(LadderTest, AfterEnoughTokensTheRestFlows) {
  rung().hold_tokens = 2;
  Script script = sure("12345678", 0.9);
  script.events.insert(script.events.begin() + 3, event(Kind::kText, " and on"));
  a_->scripts = {script};
  EXPECT_EQ(ask().text, "12345678 and on");
  Script weak = sure("12345678", 0.6);
  weak.events.insert(weak.events.begin() + 3, event(Kind::kText, " and on"));
  a_->scripts = {weak};
  b_->scripts = {says("from b")};
  const auto heard = ask();
  EXPECT_EQ(heard.text, "from b");
}

TEST_F(LadderTest, ARungIsAskedOnlyWithDataThatItMaySee) {
  config_.providers[0].site = "own";
  config_.providers[1].site = "outside";
  a_->scripts = {sure("weak", 0.7)};
  context_.data_class = "confidential";
  const auto heard = ask();
  ASSERT_TRUE(heard.error);
  EXPECT_EQ(b_->calls, 0) << "fail private";
  EXPECT_NE(heard.error->message.find("was sure enough"), std::string::npos) << heard.error->message;
  context_.data_class = "restricted";
  const auto refused = ask();
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(refused.error->code, Code::kForbidden);
  EXPECT_EQ(a_->calls, 1);
  context_.data_class = "no such class";
  EXPECT_EQ(ask().error->field, "x-ajar-data-class");
}

TEST_F(LadderTest, AClientCanRaiseTheClassAndNotLowerIt) {
  config_.providers[0].site = config_.providers[1].site = "own";
  route_.data_class = "restricted";
  context_.data_class = "public";
  EXPECT_EQ(ask().error->code, Code::kForbidden);
}

TEST_F(LadderTest, DataClassesHoldOutsideLaddersToo) {
  route_.strategy = Strategy::kPriority;
  rung() = {};
  config_.data_classes.push_back({.name = "eu", .rank = 15, .jurisdictions = {"eu"}});
  config_.providers[0].site = config_.providers[1].site = "outside";
  config_.providers[1].jurisdiction = "eu";
  b_->scripts = {says("from b")};
  context_.data_class = "eu";
  const auto heard = ask();
  EXPECT_EQ(heard.text, "from b");
  EXPECT_EQ(a_->calls, 0);
  EXPECT_EQ(heard.row.attempts[1].why, "eu data may not go to an unnamed jurisdiction");
}

TEST_F(LadderTest, OnlyAllowedLicencesAnswer) {
  route_.licences = {"open"};
  route_.targets[1].licence = "open";
  a_->scripts = {sure("from a", 0.9)};
  b_->scripts = {says("from b")};
  EXPECT_EQ(ask().text, "from b");
}

TEST_F(LadderTest, ABusyRungIsPassedOver) {
  rung().max_wait = Millis(100);
  a_->scripts = {sure("from a", 0.9)};
  b_->scripts = {says("from b")};
  a_->wait = Millis(500);
  const auto heard = ask();
  EXPECT_EQ(heard.text, "from b");
  EXPECT_EQ(heard.row.attempts[0].why, "it is busy for 500 ms");
  a_->wait = Millis(50);
  EXPECT_EQ(ask().text, "from a");
}

TEST_F(LadderTest, ContradictionsAreRefusedWithTheirPlace) {
  const auto faults = [&] {
    std::string out;
    Config config = config_;
    config.routes = {route_};
    for (const Error& error : check_config(config)) out += error.message + "\n";
    return out;
  };
  EXPECT_EQ(faults(), "");
  rung().accept = 0;
  EXPECT_NE(faults().find("routes.r.targets[0].accept"), std::string::npos);
  rung() = {};
  EXPECT_NE(faults().find("would never be asked"), std::string::npos);
  rung() = {.confidence = ConfidenceSource::kMargin, .accept = 0.5};
  route_.targets[1].rung = rung();
  EXPECT_NE(faults().find("top of the ladder"), std::string::npos);
  route_.stay = true;
  EXPECT_EQ(faults(), "");
  route_.strategy = Strategy::kPriority;
  EXPECT_NE(faults().find("only routes with strategy"), std::string::npos);
  rung() = {};
  rung().checks = {"nonsense"};
  EXPECT_NE(faults().find("unknown check 'nonsense'"), std::string::npos);
}

TEST_F(LadderTest, DecideExplainsWithoutAsking) {
  config_.providers[0].site = "own";
  config_.providers[1].site = "outside";
  route_.cache = CacheMode::kExact;
  build();
  const auto decision = decide(*gateway_->snapshot(), *memory_, Request{.model = "r"}, {}, "confidential", "", privacy_);
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->cache, "miss");
  ASSERT_EQ(decision->rungs.size(), 2u);
  EXPECT_TRUE(decision->rungs[0].allowed);
  EXPECT_EQ(decision->rungs[0].confidence, "margin");
  EXPECT_EQ(decision->rungs[1].why, "confidential data may not leave own machines");
  EXPECT_EQ(a_->calls + b_->calls, 0);
  EXPECT_FALSE(decide(*gateway_->snapshot(), *memory_, Request{.model = "x"}, {}, "", "", privacy_));
}

// ---- Audits

class AuditTest : public LadderTest {
 protected:
  void SetUp() override {
    LadderTest::SetUp();
    route_.audit = 1;
  }
  std::vector<store::EvidenceRow> evidence(size_t wanted) {
    for (int i = 0; i < 500; ++i) {
      auto rows = *store_->evidence("r", "a/m", "", 10'000);
      if (rows.size() >= wanted) return rows;
      std::this_thread::sleep_for(Millis(10));
    }
    return {};
  }
};

TEST_F(AuditTest, AnAcceptedAnswerIsComparedWithTheTopRungs) {
  a_->scripts = {sure("Four.", 0.9)};
  b_->scripts = {says("four"), says("five")};
  ask();
  auto rows = evidence(1);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].source, "audit");
  EXPECT_EQ(rows[0].loss, 0);
  EXPECT_TRUE(rows[0].accepted);
  EXPECT_NEAR(rows[0].raw, 0.8, 1e-3);
  ask();
}

TEST_F(AuditTest, AnUnsureAnswerIsComparedWithTheOneThatWasGiven) {
  a_->scripts = {sure("five", 0.7)};
  b_->scripts = {says("four")};
  EXPECT_EQ(ask().text, "four");
  const auto rows = evidence(1);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].source, "climb");
  EXPECT_EQ(rows[0].loss, 1);
  EXPECT_FALSE(rows[0].accepted);
  EXPECT_EQ(b_->calls, 1) << "the top rung has spoken already";
}

TEST_F(AuditTest, ARungThatIsProvenWrongTooOftenLosesItsAcceptance) {
  a_->scripts = {sure("wrong", 0.9)};
  b_->scripts = {says("right")};
  int accepted = 0;
  for (int i = 0; i < 60; ++i) {
    const auto heard = ask();
    accepted += heard.text == "wrong";
    evidence(size_t(accepted));
  }
  EXPECT_GT(accepted, 2);
  EXPECT_LT(accepted, 40) << "by then the watch has acted";
  EXPECT_EQ(ask().text, "right");
  const auto view = gateway_->snapshot()->routes()[0]->targets[0].watch->view();
  EXPECT_TRUE(view.alarmed || view.accept > 0.8);
}

TEST_F(AuditTest, AJudgeSettlesWhatTextsCannotAndItsNonsenseIsNoVerdict) {
  config_.providers.push_back({.name = "j", .preset = "custom", .free = true});
  more_routes_ = {{.name = "judge", .targets = {{.provider = "j", .model = "m"}}, .retries = 0}};
  route_.audit_judge = "judge";
  a_->scripts = {sure("It is four.", 0.9)};
  b_->scripts = {says("The answer would be 4")};
  j_->scripts = {says("Banana"), says("Yes.")};
  ask();
  for (int i = 0; i < 500 && j_->calls < 1; ++i) std::this_thread::sleep_for(Millis(5));
  ask();
  const auto rows = evidence(1);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].loss, 0);
  EXPECT_EQ(j_->calls, 2);
}

TEST_F(AuditTest, TheDataThatIsComparedStaysWhereItMayBe) {
  config_.providers[0].site = "own";
  config_.providers[1].site = "outside";
  a_->scripts = {sure("x", 0.9)};
  context_.data_class = "confidential";
  EXPECT_EQ(ask().text, "x");
  std::this_thread::sleep_for(Millis(50));
  EXPECT_EQ(b_->calls, 0);
}

TEST_F(AuditTest, ACalibrationTurnsConfidenceIntoProbability) {
  const std::string file = folder_ + "/cal.json";
  RungCalibration calibration{.route = "r", .target = "a/m", .accept = 0.9, .alpha = 0.05, .delta = 0.05};
  calibration.probability = *learn::Isotonic::of({{0.2f, 0.1f}, {0.8f, 0.95f}});
  std::ofstream(file) << calibration.json();
  rung().accept = 0;
  rung().calibration = file;
  route_.audit = 0;
  a_->scripts = {sure("x", 0.9)};
  const auto heard = ask();
  EXPECT_EQ(heard.text, "x");
  EXPECT_EQ(heard.ladder, "a/m complete 0.950 >= 0.900");
  std::ofstream(file) << "{\"ajar_calibration\":1,\"accept\":0.9";
  SnapshotBuilder builder([this](const ProviderConfig&, const TargetConfig&) { return Result<std::shared_ptr<Provider>>(a_); });
  const auto refused = builder.build(config_);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find(file), std::string::npos) << refused.error().message;
}

// ---- Personal data

class PrivacyTest : public LadderTest {
 protected:
  void SetUp() override {
    LadderTest::SetUp();
    config_.providers[0].site = "local";
    config_.providers[1].site = "outside";
    config_.data_classes.push_back({.name = "customer", .rank = 15, .site = Site::kLocal, .masked = Site::kOutside});
    route_.pii_class = "customer";
    route_.secret_class = "restricted";
  }
  static Request says_of(const std::string& text) {
    Request request{.model = "r"};
    request.messages.push_back({.parts = {Part{.text = text}}});
    return request;
  }
};

TEST_F(PrivacyTest, OutsideSeesPlaceholdersAndTheClientItsOwnWords) {
  a_->scripts = {sure("weak", 0.7)};
  b_->echo = true;
  const auto heard = ask(says_of("Write to jane.doe@example.org about card 4111 1111 1111 1111"));
  EXPECT_NE(a_->heard.find("jane.doe@example.org"), std::string::npos) << "the rung in this process may see it";
  EXPECT_EQ(b_->heard.find("jane.doe"), std::string::npos) << b_->heard;
  EXPECT_EQ(b_->heard.find("4111"), std::string::npos) << b_->heard;
  EXPECT_NE(heard.text.find("jane.doe@example.org"), std::string::npos) << heard.text;
  EXPECT_NE(heard.text.find("4111 1111 1111 1111"), std::string::npos) << heard.text;
  EXPECT_EQ(heard.masked, 2u);
  EXPECT_EQ(heard.row.attempts[0].target, "data class");
  EXPECT_EQ(heard.row.attempts[0].outcome, "customer");
  EXPECT_EQ(heard.row.attempts[2].why, "2 values masked");
}

TEST_F(PrivacyTest, WithoutPersonalDataNothingIsMasked) {
  a_->scripts = {sure("weak", 0.7)};
  b_->scripts = {says("fine")};
  const auto heard = ask(says_of("What is the capital of France?"));
  EXPECT_EQ(heard.text, "fine");
  EXPECT_EQ(heard.masked, 0u);
  EXPECT_EQ(heard.row.attempts[1].why, "");
}

TEST_F(PrivacyTest, ASecretStaysHere) {
  a_->scripts = {sure("weak", 0.7)};
  const auto heard = ask(says_of("my key is AKIAIOSFODNN7QWERTYU and the secret token is ghp_16C7e42F292c6912E7710c838347Ae178B4a"));
  ASSERT_TRUE(heard.error);
  EXPECT_EQ(b_->calls, 0);
}

TEST_F(PrivacyTest, WhatCannotBeMaskedDoesNotLeave) {
  a_->scripts = {sure("weak", 0.7)};
  Request request = says_of("Is this jane.doe@example.org?");
  request.messages[0].parts.push_back({.kind = Part::Kind::kImage, .media_type = "image/png", .data = "AAAA"});
  const auto heard = ask(request);
  ASSERT_TRUE(heard.error);
  EXPECT_EQ(b_->calls, 0) << "fail private";
}

TEST_F(PrivacyTest, KeptAnswersHoldPlaceholdersAndAreRestoredForEveryCall) {
  route_.cache = CacheMode::kExact;
  cache_file_ = folder_ + "/cache.log";
  a_->scripts = {sure("weak", 0.7)};
  b_->echo = true;
  const Request request = says_of("Write to jane.doe@example.org");
  ask(request);
  const auto again = ask(request);
  EXPECT_EQ(again.cache, "hit");
  EXPECT_NE(again.text.find("jane.doe@example.org"), std::string::npos) << again.text;
  answers_->flush();
  std::ifstream in(cache_file_, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  EXPECT_EQ(bytes.find("jane.doe"), std::string::npos);
  // An answer of a rung that saw the data themselves is not kept.
  a_->scripts = {sure("Dear jane.doe@example.org", 0.9)};
  const Request other = says_of("Write again to jane.doe@example.org");
  ask(other);
  EXPECT_EQ(ask(other).cache, "miss");
}

TEST_F(PrivacyTest, TenantsHaveTheirOwnPlaceholders) {
  a_->scripts = {sure("weak", 0.7)};
  b_->echo = true;
  const auto one = key_with({}), two = key_with({});
  ask(says_of("Write to jane.doe@example.org"), one);
  const std::string first = b_->heard;
  ask(says_of("Write to jane.doe@example.org"), one);
  EXPECT_EQ(b_->heard, first);
  ask(says_of("Write to jane.doe@example.org"), two);
  EXPECT_NE(b_->heard, first);
}

// ---- Guardrails

class PolicyTest : public LadderTest {
 protected:
  void policy(PolicyConfigEntry entry) {
    route_.policies.push_back(entry.name);
    config_.policies.push_back(std::move(entry));
  }
  static Request says_of(const std::string& text) {
    Request request{.model = "r"};
    request.messages.push_back({.parts = {Part{.text = text}}});
    return request;
  }
};

TEST_F(PolicyTest, ARefusedRequestReachesNobody) {
  policy({.name = "no-secrets", .check = "secrets"});
  const auto heard = ask(says_of("my token is ghp_16C7e42F292c6912E7710c838347Ae178B4a"));
  ASSERT_TRUE(heard.error);
  EXPECT_EQ(heard.error->code, Code::kFiltered);
  EXPECT_NE(heard.error->message.find("no-secrets"), std::string::npos);
  EXPECT_EQ(heard.error->message.find("ghp_"), std::string::npos);
  EXPECT_EQ(a_->calls + b_->calls, 0);
  EXPECT_EQ(heard.row.attempts[0].target, "policy no-secrets");
}

TEST_F(PolicyTest, ARequestCanBeRewritten) {
  policy({.name = "clean", .action = "rewrite", .check = "words", .patterns = {"rosebud"}, .replacement = "***"});
  a_->scripts = {sure("fine", 0.9)};
  EXPECT_EQ(ask(says_of("what is rosebud?")).text, "fine");
  EXPECT_EQ(a_->heard, "what is ***?\n");
}

TEST_F(PolicyTest, APolicyCanAskForABetterRung) {
  policy({.name = "legal", .action = "climb", .check = "words", .patterns = {"lawsuit"}});
  b_->scripts = {says("from b")};
  const auto heard = ask(says_of("about my lawsuit"));
  EXPECT_EQ(heard.text, "from b");
  EXPECT_EQ(a_->calls, 0);
}

TEST_F(PolicyTest, AnAnswerEndsWhereAPolicyRefuses) {
  for (const char* mode : {"window", "block"}) {
    gateway_.reset();
    config_.policies.clear(), route_.policies.clear();
    policy({.name = "out", .stage = "output", .mode = mode, .check = "words", .patterns = {"launch codes"}});
    route_.cache = CacheMode::kExact;
    Script script = sure("The launch ", 0.9);
    script.events.insert(script.events.begin() + 3, event(Kind::kText, "codes are 1234"));
    a_->scripts = {script};
    const auto heard = ask(says_of("tell me"));
    EXPECT_EQ(heard.text.find("codes"), std::string::npos) << mode << ": " << heard.text;
    EXPECT_EQ(heard.end, StreamEnd::kComplete);
    EXPECT_EQ(heard.finish, Finish::kContentFilter) << mode;
    EXPECT_EQ(ask(says_of("tell me")).text.find("codes"), std::string::npos) << "a kept answer is judged, too";
  }
}

TEST_F(PolicyTest, AnAnswerOfAJudgedRungCanBeSentUp) {
  policy({.name = "tone", .stage = "output", .action = "climb", .check = "words", .patterns = {"whatever"}});
  a_->scripts = {sure("whatever, mate", 0.9)};
  b_->scripts = {says("Certainly.")};
  const auto heard = ask(says_of("help"));
  EXPECT_EQ(heard.text, "Certainly.");
  EXPECT_EQ(heard.row.attempts[0].why, "policy tone: words");
}

TEST_F(PolicyTest, ObservedIsOnlyWrittenDown) {
  policy({.name = "watch", .mode = "observe", .check = "words", .patterns = {"rosebud"}});
  a_->scripts = {sure("fine", 0.9)};
  const auto heard = ask(says_of("what is rosebud?"));
  EXPECT_EQ(heard.text, "fine");
  EXPECT_EQ(heard.row.attempts[0].outcome, "observed");
}

TEST_F(PolicyTest, FaultsAreNamed) {
  config_.policies = {{.name = "x", .check = "nonsense"}, {.name = "y", .stage = "middle", .check = "pii"}};
  route_.policies = {"z"};
  config_.routes = {route_};
  std::string all;
  for (const Error& error : check_config(config_)) all += error.message + "\n";
  EXPECT_NE(all.find("policies.x.check"), std::string::npos) << all;
  EXPECT_NE(all.find("policies.y.stage"), std::string::npos) << all;
  EXPECT_NE(all.find("there is no policy 'z'"), std::string::npos) << all;
}

// ---- Answers that were given before

class RecallTest : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    route_.cache = CacheMode::kExact;
  }
};

TEST_F(RecallTest, AnEqualRequestIsAnsweredAgain) {
  a_->scripts = {says("first"), says("second")};
  const auto first = ask(), again = ask();
  EXPECT_EQ(first.cache, "miss");
  EXPECT_EQ(again.cache, "hit");
  EXPECT_EQ(again.text, "first");
  EXPECT_EQ(again.row.target, "a/m");
  EXPECT_EQ(again.row.cost, 0);
  EXPECT_EQ(again.row.usage.total(), 15);
  EXPECT_EQ(again.row.finish, "stop");
  EXPECT_EQ(a_->calls, 1);
  Request other{.model = "r"};
  other.sampling.temperature = 0.3;
  EXPECT_EQ(ask(other).cache, "miss");
}

TEST_F(RecallTest, NeverAcrossKeysWithoutATeam) {
  a_->scripts = {says("x")};
  const auto one = key_with({}), two = key_with({});
  EXPECT_EQ(ask({.model = "r"}, one).cache, "miss");
  EXPECT_EQ(ask({.model = "r"}, two).cache, "miss");
  EXPECT_EQ(ask({.model = "r"}, one).cache, "hit");
  gateway_.reset();
  route_.cache_scope = CacheScope::kRoute;
  EXPECT_EQ(ask({.model = "r"}, one).cache, "miss");
  EXPECT_EQ(ask({.model = "r"}, two).cache, "hit");
}

TEST_F(RecallTest, AHitCostsNoBudget) {
  a_->scripts = {says("x", 10, 20)};
  const auto key = key_with({.tokens_day = 100'000});
  ask({.model = "r"}, key);
  const auto before = key->account->snapshot(unix_millis()).tokens_day;
  ask({.model = "r"}, key);
  EXPECT_EQ(key->account->snapshot(unix_millis()).tokens_day, before);
}

TEST_F(RecallTest, AClientCanRefuseToReadOrToWrite) {
  a_->scripts = {says("1"), says("2"), says("3"), says("4")};
  ask();
  context_.cache_read = false;
  EXPECT_EQ(ask().text, "2") << "refresh";
  context_.cache_read = true;
  EXPECT_EQ(ask().text, "2") << "what was refreshed is kept";
  context_.cache_read = context_.cache_write = false;
  EXPECT_EQ(ask().text, "3");
  EXPECT_EQ(ask().cache, "");
}

TEST_F(RecallTest, FailedAndFilteredAnswersAreNotKept) {
  route_.targets.resize(1);
  a_->scripts = {fails(Code::kUpstream, 500)};
  ask();
  a_->scripts = {fails(Code::kCut, 0, -1, {start(), event(Kind::kText, "half")})};
  ask();
  Script filtered = says("x");
  filtered.events[2].finish = Finish::kContentFilter;
  a_->scripts = {filtered};
  ask();
  a_->scripts = {says("whole")};
  EXPECT_EQ(ask().cache, "miss");
  EXPECT_EQ(ask().cache, "hit");
}

TEST_F(RecallTest, RestrictedDataIsNotKept) {
  config_.providers[0].site = "local";
  context_.data_class = "restricted";
  a_->scripts = {says("x")};
  ask();
  EXPECT_EQ(ask().cache, "");
  EXPECT_EQ(a_->calls, 2);
  EXPECT_EQ(answers_->stats().entries, 0);
}

TEST_F(RecallTest, AChangedRouteDoesNotServeOldAnswers) {
  cache_file_ = folder_ + "/cache.log";
  a_->scripts = {says("x")};
  ask();
  gateway_.reset(), memory_.reset(), answers_.reset();
  EXPECT_EQ(ask().cache, "hit") << "it survives a restart";
  gateway_.reset(), memory_.reset(), answers_.reset();
  route_.targets[0].model = "n";
  EXPECT_EQ(ask().cache, "miss");
}

TEST_F(RecallTest, EqualRequestsAtOneTimeAreAskedOnce) {
  a_->scripts = {{.events = {start(), event(Kind::kText, "one "), event(Kind::kText, "two"), stop(), used(10, 5)}, .between = Millis(30)}};
  const auto heard = ask_at_once(8);
  EXPECT_EQ(a_->calls, 1);
  int shared = 0;
  for (const Heard& h : heard) {
    EXPECT_EQ(h.text, "one two");
    EXPECT_EQ(h.end, StreamEnd::kComplete);
    EXPECT_EQ(h.row.usage.total(), 15);
    shared += h.cache == "shared";
  }
  EXPECT_EQ(shared, 7);
}

TEST_F(RecallTest, WhenTheFirstClientLeavesTheOthersStillGetTheAnswer) {
  a_->scripts = {{.events = {start(), event(Kind::kText, "one "), event(Kind::kText, "two"), stop(), used(10, 5)}, .between = Millis(30)}};
  const auto heard = ask_at_once(3, 1);  // the first leaves after one byte
  EXPECT_EQ(a_->calls, 1);
  EXPECT_EQ(heard[0].end, StreamEnd::kCancelled);
  EXPECT_EQ(heard[1].text, "one two");
  EXPECT_EQ(heard[2].text, "one two");
  EXPECT_EQ(a_->cancelled, 0);
}

TEST_F(RecallTest, WhenAllLeaveTheUpstreamIsLeftToo) {
  a_->scripts = {{.events = {start(), event(Kind::kText, "one "), event(Kind::kText, "two"), stop()}, .between = Millis(50)}};
  const auto heard = ask_at_once(1, 1);
  EXPECT_EQ(heard[0].end, StreamEnd::kCancelled);
  EXPECT_EQ(answers_->stats().entries, 0);
  EXPECT_EQ(ask().cache, "miss") << "nobody waits for a flight that has ended";
  EXPECT_EQ(a_->calls, 2);
}

TEST_F(RecallTest, OneFailureIsToldToAllWhoWaited) {
  route_.targets.resize(1);
  Script script = fails(Code::kUpstream, 500);
  script.before = Millis(60);
  a_->scripts = {script};
  const auto heard = ask_at_once(4);
  EXPECT_EQ(a_->calls, 1);
  for (const Heard& h : heard) EXPECT_EQ(h.error->code, Code::kUpstream);
}

// ---- Questions that are only worded otherwise

class SemanticTest : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    config_.providers.push_back({.name = "j", .preset = "custom", .free = true});
    more_routes_ = {{.name = "embed", .targets = {{.provider = "j", .model = "e"}}, .retries = 0}};
    route_.cache = CacheMode::kSemantic;
    route_.cache_embedder = "embed";
    route_.targets.resize(1);
    j_->bag_of_words = true;
  }
  Heard ask_text(const std::string& text, const std::string& system = "Be brief.") {
    Request request{.model = "r"};
    request.messages.push_back({.role = Role::kSystem, .parts = {Part{.text = system}}});
    request.messages.push_back({.parts = {Part{.text = text}}});
    return ask(request);
  }
};

TEST_F(SemanticTest, ServesARewordedQuestionOnceItHasLearntThatItMay) {
  a_->scripts = {says("Paris")};
  const char* wordings[] = {"the capital of france is which", "which is the capital of france", "please tell me the capital of france", "the capital of france please",
                            "name the capital of france"};
  int served = 0, asked = 0;
  for (int round = 0; round < 60; ++round) {
    for (const char* wording : wordings) {
      const auto heard = ask_text(wording + std::string(size_t(round), ' '));  // spaces: never the very same request
      EXPECT_EQ(heard.text, "Paris");
      served += heard.cache == "semantic";
      ++asked;
    }
  }
  EXPECT_GT(served, 20);
  EXPECT_EQ(a_->calls + served, asked);
}

TEST_F(SemanticTest, AnswersThatDifferAreLearntNotToBeShared) {
  int wrong = 0;
  for (int round = 0; round < 40; ++round) {
    a_->scripts = {says(round % 2 ? "one" : "two")};
    const auto heard = ask_text((round % 2 ? "tell me of the red house now" : "tell me of the red house here") + std::string(size_t(round), ' '));
    wrong += heard.cache == "semantic" && heard.text != (round % 2 ? "one" : "two");
  }
  EXPECT_LE(wrong, 2);
}

TEST_F(SemanticTest, NeverWhereANumberANameOrANegationDiffers) {
  a_->scripts = {says("yes")};
  for (int i = 0; i < 30; ++i) ask_text("may I pay 100 euros with my card" + std::string(size_t(i), ' '));
  for (const char* other : {"may I pay 900 euros with my card", "may I not pay 100 euros with my card", "may I pay 100 dollars with my card"}) {
    EXPECT_EQ(ask_text(other).cache, "miss") << other;
  }
}

TEST_F(SemanticTest, NeverForConversationsToolsOrDrawnAnswers) {
  a_->scripts = {says("x")};
  const auto cache_of = [&](auto change) {
    Request request{.model = "r"};
    request.messages.push_back({.parts = {Part{.text = "hello there"}}});
    change(request);
    ask(request);
    return memory_->alike.size();
  };
  EXPECT_EQ(cache_of([](Request& r) { r.sampling.temperature = 0.7; }), 0u);
  EXPECT_EQ(cache_of([](Request& r) { r.tools.push_back({.name = "f", .parameters = "{}"}); }), 0u);
  EXPECT_EQ(cache_of([](Request& r) { r.messages.insert(r.messages.begin(), {.role = Role::kAssistant, .parts = {Part{.text = "?"}}}); }), 0u);
  EXPECT_EQ(cache_of([](Request&) {}), 1u);
}

TEST_F(SemanticTest, AnotherSystemPromptIsAnotherQuestion) {
  a_->scripts = {says("x")};
  for (int i = 0; i < 30; ++i) ask_text("what is the capital of france" + std::string(size_t(i), ' '));
  EXPECT_EQ(ask_text("the capital of france is what", "Answer in French.").cache, "miss");
}

TEST_F(SemanticTest, WithoutAnEmbedderItIsRefusedAtStart) {
  route_.cache_embedder = "nobody";
  config_.routes = {route_};
  EXPECT_NE(check_config(config_)[0].message.find("cache_embedder"), std::string::npos);
}

}  // namespace
}  // namespace ajar
