#include <gtest/gtest.h>

#include <filesystem>

#include "store/blobs.h"
#include "store/store.h"

namespace ajar::store {
namespace {

class FilesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("ajar-files-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const char* name) const { return (folder_ / name).string(); }

  std::filesystem::path folder_;
};

StoredFile file(const std::string& id, const std::string& owner, int64_t created) {
  return {.id = id, .owner = owner, .name = id + ".jsonl", .purpose = "batch", .bytes = 10, .created_ms = created};
}

TEST_F(FilesTest, RowsAreTheirOwners) {
  const auto store = *Store::open(path("a.db"));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(store->put_file(file("file-" + std::to_string(i), "me", 100 + i / 2)));
  ASSERT_TRUE(store->put_file(file("file-x", "you", 1)));
  EXPECT_EQ(store->find_file("me", "file-3")->name, "file-3.jsonl");
  EXPECT_EQ(store->find_file("you", "file-3").error().code, Code::kNotFound);
  EXPECT_EQ(store->find_file("", "file-3").error().code, Code::kNotFound);
  EXPECT_EQ(*store->file_bytes(), 60);

  // Pages join without gap or repetition, also where files are of the same moment.
  for (const bool oldest_first : {false, true}) {
    std::vector<std::string> ids;
    for (std::string after;;) {
      const auto page = *store->list_files("me", "batch", after, 2, oldest_first);
      if (page.empty()) break;
      for (const StoredFile& one : page) ids.push_back(one.id);
      after = ids.back();
    }
    std::vector<std::string> expected = {"file-4", "file-3", "file-2", "file-1", "file-0"};
    if (oldest_first) std::ranges::reverse(expected);
    EXPECT_EQ(ids, expected);
  }
  EXPECT_TRUE(store->list_files("me", "other", "", 10, false)->empty());
  EXPECT_FALSE(*store->delete_file("you", "file-3"));
  EXPECT_TRUE(*store->delete_file("me", "file-3"));
  EXPECT_EQ(store->find_file("me", "file-3").error().code, Code::kNotFound);
}

TEST_F(FilesTest, BatchesAreCancelledOnce) {
  Batch batch{.id = "batch_1", .owner = "me", .endpoint = "/v1/embeddings", .input_file = "file-0", .window = "24h",
              .metadata = R"({"a":"b"})", .total = 3, .completed = 1, .created_ms = 5};
  {
    const auto store = *Store::open(path("b.db"));
    ASSERT_TRUE(store->put_batch(batch));
    EXPECT_EQ(store->cancel_batch("you", "batch_1", 7).error().code, Code::kNotFound);
    ASSERT_EQ(store->open_batches()->size(), 1u);
  }
  const auto store = *Store::open(path("b.db"));  // as after a restart
  const auto open = *store->open_batches();
  ASSERT_EQ(open.size(), 1u);
  EXPECT_EQ(open[0].metadata, batch.metadata);
  EXPECT_EQ(open[0].completed, 1);
  EXPECT_EQ(store->cancel_batch("me", "batch_1", 7)->status, BatchStatus::kCancelling);
  EXPECT_EQ(store->cancel_batch("me", "batch_1", 9)->cancelling_ms, 7);
  batch.status = BatchStatus::kCompleted;
  ASSERT_TRUE(store->put_batch(batch));
  EXPECT_EQ(store->cancel_batch("me", "batch_1", 9)->status, BatchStatus::kCompleted);
  EXPECT_TRUE(store->open_batches()->empty());
  EXPECT_EQ(store->list_batches("me", "", 5)->size(), 1u);
  EXPECT_TRUE(store->list_batches("you", "", 5)->empty());
}

TEST_F(FilesTest, BlobsAreWholeOrNotThere) {
  const auto blobs = *Blobs::open(path("files"));
  EXPECT_EQ(blobs.read("none").error().code, Code::kNotFound);
  ASSERT_TRUE(blobs.put("one", "0123456789"));
  EXPECT_EQ(*blobs.read("one"), "0123456789");
  EXPECT_EQ(*blobs.read("one", 4, 3), "456");
  EXPECT_EQ(*blobs.read("one", 10, 3), "");
  ASSERT_TRUE(blobs.append("lines", "{\"a\":1}\n"));
  ASSERT_TRUE(blobs.append("lines", "{\"b\":2}\n{\"cut"));
  ASSERT_TRUE(blobs.trim_to_lines("lines"));
  EXPECT_EQ(*blobs.read("lines"), "{\"a\":1}\n{\"b\":2}\n");
  ASSERT_TRUE(blobs.put("torn", "no line end"));
  ASSERT_TRUE(blobs.trim_to_lines("torn"));
  EXPECT_EQ(*blobs.size("torn"), 0);
  ASSERT_TRUE(blobs.remove("one"));
  EXPECT_TRUE(blobs.remove("one"));
  EXPECT_EQ(blobs.read("one").error().code, Code::kNotFound);
  for (const auto& left : std::filesystem::directory_iterator(path("files"))) {
    EXPECT_NE(left.path().extension(), ".part");
  }
}

}  // namespace
}  // namespace ajar::store
