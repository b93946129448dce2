#include "store/store.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/clock.h"
#include "store/schema.h"

namespace ajar::store {
namespace {

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/ajar-store-XXXXXX";
    folder_ = mkdtemp(pattern);
    path_ = folder_ + "/ajar.db";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static CallRow call(const std::string& key, int64_t cost, int64_t tokens) {
    CallRow row;
    row.id = "req-1";
    row.time_ms = unix_millis();
    row.key_id = key;
    row.key_name = key + "-name";
    row.team = "red";
    row.endpoint = "chat";
    row.route = "r";
    row.model = "m";
    row.cost = cost;
    row.usage = {.input = tokens, .output = 1, .reported = true};
    row.attempts = {{.target = "p/m", .outcome = "complete", .status = 200, .seconds = 0.1}};
    return row;
  }

  std::string folder_, path_;
};

TEST_F(StoreTest, KeysAndTeamsSurviveReopening) {
  KeyRow key{.id = "key_1", .name = "app", .hash = "h", .hint = "abcd", .team = "red",
             .routes = {"a", "b"}, .limits = {.rpm = 5, .usd_month = 7}, .created_ms = 3};
  {
    auto store = Store::open(path_);
    ASSERT_TRUE(store) << store.error().message;
    ASSERT_TRUE((*store)->put_key(key));
    ASSERT_TRUE((*store)->put_team({.name = "red", .limits = {.tpm = 9}, .created_ms = 1}));
    KeyRow twin = key;
    twin.id = "key_2";
    twin.hash = "other";
    const auto status = (*store)->put_key(twin);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, Code::kConflict);
  }
  auto store = Store::open(path_);
  ASSERT_TRUE(store);
  const auto keys = (*store)->keys();
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 1u);
  EXPECT_EQ(keys->front().routes, key.routes);
  EXPECT_EQ(keys->front().limits, key.limits);
  EXPECT_EQ((*store)->teams()->front().limits.tpm, 9);
}

TEST_F(StoreTest, AKeysNewSecretAndItsClassSurviveReopening) {
  KeyRow key{.id = "key_1", .name = "app", .hash = "old", .hint = "abcd", .data_class = "confidential"};
  {
    auto store = std::move(*Store::open(path_));
    ASSERT_TRUE(store->put_key(key));
    key.hash = "new", key.hint = "efgh", key.data_class = "restricted";
    ASSERT_TRUE(store->put_key(key));
  }
  const auto keys = std::move(*Store::open(path_))->keys();
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 1u);
  EXPECT_EQ((*keys)[0].hash, "new");
  EXPECT_EQ((*keys)[0].hint, "efgh");
  EXPECT_EQ((*keys)[0].data_class, "restricted");
}

TEST_F(StoreTest, TrialsSurviveReopening) {
  {
    auto store = std::move(*Store::open(path_));
    ASSERT_TRUE(store->put_trial({.kind = "canary", .route = "r", .target = "p/m", .state = "{}", .time_ms = 1}));
    ASSERT_TRUE(store->put_trial({.kind = "canary", .route = "r", .target = "p/m", .state = "{\"a\":1}", .time_ms = 2}));
    ASSERT_TRUE(store->put_trial({.kind = "shadow", .route = "r", .target = "p/m", .state = "{}", .time_ms = 3}));
  }
  const auto rows = std::move(*Store::open(path_))->trials("canary");
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 1u) << "the same candidate of the same route has one";
  EXPECT_EQ((*rows)[0].state, "{\"a\":1}");
  EXPECT_EQ((*rows)[0].time_ms, 2);
}

TEST_F(StoreTest, UsageGroupsAndSpendSums) {
  auto store = std::move(*Store::open(path_));
  for (int i = 0; i < 1000; ++i) store->record(call(i % 2 ? "k1" : "k2", 10, 5));
  UsageFilter filter;
  filter.group_by = {"key", "day"};
  const auto rows = store->usage(filter);
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ(rows->front().requests, 500);
  EXPECT_EQ(rows->front().cost, 5000);
  EXPECT_EQ(rows->front().input, 2500);
  const auto spend = store->spend(utc_day(unix_millis()));
  ASSERT_TRUE(spend);
  ASSERT_EQ(spend->size(), 3u);  // two keys and their team
  for (const auto& row : *spend) EXPECT_EQ(row.usd, row.team ? 10'000 : 5'000);
  filter.group_by = {"shoe size"};
  EXPECT_EQ(store->usage(filter).error().field, "group_by");
  filter.group_by = {};
  filter.key = "k1-name";
  EXPECT_EQ(store->usage(filter)->front().requests, 500);
  const auto newest = store->calls(filter, 10);
  ASSERT_EQ(newest->size(), 10u);
  ASSERT_EQ(newest->at(0).attempts.size(), 1u);
  EXPECT_EQ(newest->at(0).attempts[0].target, "p/m");
  EXPECT_EQ(newest->at(0).attempts[0].status, 200);
  EXPECT_EQ(*store->delete_calls_before(INT64_MAX), 1000);
  EXPECT_EQ(store->spend(0)->size(), 3u);  // spend outlives the rows
}

TEST_F(StoreTest, AKilledProcessLosesNothingOlderThan50Ms) {
  const pid_t child = fork();
  if (child == 0) {
    auto store = Store::open(path_);
    for (int i = 0; i < 100; ++i) (*store)->record(call("k", 1, 1));
    usleep(50'000 + 100'000);  // the promise is 50 ms; the rest is for slow machines under a sanitizer
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  auto store = std::move(*Store::open(path_));
  const auto spend = store->spend(0);
  ASSERT_TRUE(spend);
  ASSERT_EQ(spend->size(), 2u);
  EXPECT_EQ(spend->front().usd, 100);
}

TEST_F(StoreTest, ANewerFileIsRefusedAndNamed) {
  { auto store = Store::open(path_); }
  { auto db = Database::open(path_); ASSERT_TRUE(db->exec("PRAGMA user_version=999")); }
  const auto store = Store::open(path_);
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().message.find("newer ajar"), std::string::npos);
  EXPECT_FALSE(Store::open(folder_ + "/missing/x.db"));
}

TEST_F(StoreTest, CallsComeBackAsTheyWere) {
  auto store = std::move(*Store::open(path_));
  CallRow usual = call("k", 7, 11);
  usual.target = "p/m";
  usual.first_token_seconds = 0.012345;
  usual.total_seconds = 1.5;
  CallRow odd = call("k", 8, 12);
  odd.id = "req-2";
  odd.end = StreamEnd::kCut;
  odd.error = "cut";
  odd.status = 502;
  odd.attempts = {{.target = "p/m", .outcome = "timeout", .status = 0, .seconds = 0.25},
                  {.target = "q/m", .outcome = "cut", .status = 200, .seconds = 0.5}};
  store->record(usual);
  store->record(odd);
  const auto calls = store->calls({}, 10);
  ASSERT_TRUE(calls);
  ASSERT_EQ(calls->size(), 2u);
  EXPECT_EQ((*calls)[0].id, "req-2");
  EXPECT_EQ((*calls)[0].end, StreamEnd::kCut);
  EXPECT_EQ((*calls)[0].status, 502);
  ASSERT_EQ((*calls)[0].attempts.size(), 2u);
  EXPECT_EQ((*calls)[0].attempts[0].outcome, "timeout");
  const CallRow& back = (*calls)[1];
  EXPECT_EQ(back.key_name, "k-name");
  EXPECT_EQ(back.team, "red");
  EXPECT_EQ(back.route, "r");
  EXPECT_EQ(back.model, "m");
  EXPECT_TRUE(back.usage.reported);
  EXPECT_DOUBLE_EQ(back.first_token_seconds, 0.012345);
  EXPECT_DOUBLE_EQ(back.total_seconds, 1.5);
  ASSERT_EQ(back.attempts.size(), 1u);
  EXPECT_EQ(back.attempts[0].target, "p/m");
  EXPECT_EQ(back.attempts[0].outcome, "complete");
  EXPECT_EQ(back.attempts[0].status, 200);
  EXPECT_DOUBLE_EQ(back.attempts[0].seconds, 0.1);
}

TEST_F(StoreTest, AnOldFileKeepsItsCalls) {
  {
    auto db = std::move(*Database::open(path_));
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(db.exec(kMigrations[i]));
    ASSERT_TRUE(db.exec("PRAGMA user_version=4"));
    for (const char* values : {"1048577, 'req-1', 1, 'k', 'app', 'red', 'chat', 'r', 'p/m', 'm', 1, 'complete', '', 200, "
                               "'[{\"target\":\"p/m\",\"outcome\":\"complete\",\"status\":200,\"seconds\":0.5}]', "
                               "0, 0.25, 0.75, 0.001, 10, 20, 3, 4, 5, 1, 77, 'stop'",
                               "2097153, 'req-2', 2, '', '', '', 'chat', 'r', '', '', 0, 'upstream_error', 'timeout', 504, '[]', "
                               "0, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, ''"}) {
      ASSERT_TRUE(db.exec((std::string("INSERT INTO calls VALUES(") + values + ")").c_str()));
    }
  }
  auto store = std::move(*Store::open(path_));
  const auto calls = store->calls({}, 10);
  ASSERT_TRUE(calls) << calls.error().message;
  ASSERT_EQ(calls->size(), 2u);
  const CallRow& old = (*calls)[1];
  EXPECT_EQ(old.id, "req-1");
  EXPECT_EQ(old.key_name, "app");
  EXPECT_TRUE(old.stream);
  EXPECT_DOUBLE_EQ(old.first_token_seconds, 0.25);
  EXPECT_DOUBLE_EQ(old.overhead_seconds, 0.001);
  EXPECT_EQ(old.usage.reasoning, 5);
  EXPECT_EQ(old.cost, 77);
  EXPECT_EQ(old.finish, "stop");
  ASSERT_EQ(old.attempts.size(), 1u);
  EXPECT_DOUBLE_EQ(old.attempts[0].seconds, 0.5);
  EXPECT_EQ((*calls)[0].error, "timeout");
  EXPECT_EQ((*calls)[0].status, 504);
  const auto usage = store->usage({.group_by = {"end"}});
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->size(), 2u);
}

TEST_F(StoreTest, KindsOfCallsGoWithTheLastOfThem) {
  auto store = std::move(*Store::open(path_));
  for (size_t i = 0; i <= Store::kMaxKinds; ++i) {
    CallRow row = call("k", 1, 1);
    row.model = "m" + std::to_string(i);
    store->record(row);
  }
  store->flush();
  ASSERT_TRUE(store->delete_calls_before(unix_millis() + 1000));
  {
    auto db = std::move(*Database::open(path_));
    auto count = std::move(*db.prepare("SELECT count(*) FROM call_kinds"));
    ASSERT_TRUE(count.step());
    EXPECT_EQ(count.integer(0), 0);
  }
  store->record(call("k", 1, 1));
  EXPECT_EQ(store->calls({}, 10)->size(), 1u);
}

}  // namespace
}  // namespace ajar::store
