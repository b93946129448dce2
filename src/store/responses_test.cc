#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "base/clock.h"
#include "store/store.h"

namespace ajar::store {
namespace {

class ResponseStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/ajar-store-XXXXXX";
    folder_ = mkdtemp(pattern);
    path_ = folder_ + "/ajar.db";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static ResponseRow row(const std::string& id, int64_t created_ms = 1000) {
    return {.id = id, .key_id = "key_1", .team = "red", .created_ms = created_ms, .input = "[{\"id\":\"msg_in\"}]",
            .response = "{\"id\":\"" + id + "\"}", .items = {"msg_in", "msg_of_" + id}};
  }

  std::string folder_, path_;
};

TEST_F(ResponseStoreTest, ReadableAtOnceAndAfterReopening) {
  {
    auto store = Store::open(path_);
    ASSERT_TRUE(store) << store.error().message;
    for (int i = 0; i < 200; ++i) {
      const std::string id = "resp_" + std::to_string(i);
      (*store)->keep(row(id));
      const auto found = (*store)->response(id);  // still waiting, being written, or written
      ASSERT_TRUE(found && *found) << id;
      EXPECT_EQ((*found)->response, "{\"id\":\"" + id + "\"}");
      const auto by_item = (*store)->response_of_item("msg_of_" + id);
      ASSERT_TRUE(by_item && *by_item) << id;
      EXPECT_EQ((*by_item)->id, id);
    }
    EXPECT_FALSE((*store)->response("resp_none")->has_value());
  }
  auto store = Store::open(path_);
  ASSERT_TRUE(store);
  const auto found = (*store)->response("resp_7");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->team, "red");
  EXPECT_EQ((*found)->input, "[{\"id\":\"msg_in\"}]");
}

TEST_F(ResponseStoreTest, BelongsToItsKeyAndTeam) {
  const ResponseRow made = row("resp_1");
  EXPECT_TRUE(made.belongs_to("key_1", ""));
  EXPECT_TRUE(made.belongs_to("key_2", "red"));
  EXPECT_FALSE(made.belongs_to("key_2", "blue"));
  EXPECT_FALSE(made.belongs_to("", ""));
  ResponseRow open = made;
  open.key_id.clear(), open.team.clear();
  EXPECT_TRUE(open.belongs_to("", ""));
  EXPECT_FALSE(open.belongs_to("key_1", "red"));
}

TEST_F(ResponseStoreTest, DeletedAtOnceAndByAge) {
  auto store = Store::open(path_);
  ASSERT_TRUE(store);
  (*store)->keep(row("resp_1"));
  EXPECT_TRUE((*store)->delete_response("resp_1").value());  // though it may have been waiting
  EXPECT_FALSE((*store)->delete_response("resp_1").value());
  EXPECT_FALSE((*store)->response("resp_1")->has_value());
  EXPECT_FALSE((*store)->response_of_item("msg_of_resp_1")->has_value());
  for (int i = 0; i < 450; ++i) (*store)->keep(row("resp_old_" + std::to_string(i), 1000 + i));
  (*store)->keep(row("resp_new", 5000));
  (*store)->flush();
  EXPECT_EQ((*store)->delete_responses_before(5000).value(), 450);
  EXPECT_FALSE((*store)->response("resp_old_3")->has_value());
  EXPECT_TRUE((*store)->response("resp_new")->has_value());
  EXPECT_TRUE((*store)->response_of_item("msg_of_resp_new")->has_value());
}

}  // namespace
}  // namespace ajar::store
