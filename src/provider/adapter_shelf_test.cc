#include "provider/adapter_shelf.h"

#include <gtest/gtest.h>

#include "engine/random_model.h"
#include "engine/test_adapters.h"

namespace ajar {
namespace {

TEST(AdapterShelf, AddsDropsAndReadsAnew) {
  engine::Folder folder;
  ASSERT_TRUE(engine::write_random_model(*engine::random_shape("tiny-llama"), folder.at("m.gguf")));
  engine::ComputePool pool(1);
  auto checkpoint = *engine::Checkpoint::open(folder.at("m.gguf"));
  auto model = *engine::Model::load(checkpoint, pool);
  engine::write_gguf_adapter(folder.at("a.gguf"), "llama", 8, engine::random_pairs(*checkpoint, 4, 1));

  AdapterShelf shelf;
  auto none = shelf.get("a", *model);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kNotFound);
  EXPECT_NE(none.error().message.find("none"), std::string::npos);

  shelf.configure({{"a", folder.at("a.gguf")}, {"b", folder.at("gone.gguf")}});
  EXPECT_EQ(shelf.ready("a"), nullptr);
  auto a = shelf.get("a", *model);
  ASSERT_TRUE(a) << a.error().message;
  EXPECT_EQ(shelf.ready("a"), *a);
  EXPECT_EQ(*shelf.get("a", *model), *a);
  EXPECT_GT(shelf.bytes(), 0);
  EXPECT_FALSE(shelf.get("b", *model));
  auto unknown = shelf.get("c", *model);
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("a, b"), std::string::npos) << unknown.error().message;

  // The same again changes nothing; another file under the name does; who uses a dropped one keeps it.
  shelf.configure({{"a", folder.at("a.gguf")}});
  EXPECT_EQ(shelf.ready("a"), *a);
  engine::write_gguf_adapter(folder.at("a.gguf"), "llama", 8, engine::random_pairs(*checkpoint, 4, 2));
  std::filesystem::last_write_time(folder.at("a.gguf"), std::filesystem::file_time_type::clock::now() + std::chrono::seconds(5));
  shelf.configure({{"a", folder.at("a.gguf")}});
  EXPECT_EQ(shelf.ready("a"), nullptr);
  EXPECT_NE((*shelf.get("a", *model))->identity(), (*a)->identity());
  shelf.configure({});
  EXPECT_EQ(shelf.ready("a"), nullptr);
  EXPECT_EQ(shelf.bytes(), 0);
  EXPECT_EQ((*a)->rank(), 4);
}

}  // namespace
}  // namespace ajar
