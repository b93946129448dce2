// Pages on disk: what was written comes back, and what anybody did to the files never does.
#include "engine/prefix_disk.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>

#include "engine/engine.h"
#include "engine/random_model.h"
#include "engine/test_adapters.h"
#include "engine/test_decoder.h"
#include "engine/testing.h"

namespace ajar::engine {
namespace {

namespace fs = std::filesystem;
constexpr int64_t kPage = 3000;

PageKey key_of(uint64_t n) {
  PageKey key{.chain = n * 0x9e3779b97f4a7c15, .parent = (n - 1) * 0x9e3779b97f4a7c15};
  for (int i = 0; i < kPageTokens; ++i) key.tokens[i] = static_cast<int32_t>(n * 16) + i;
  return key;
}

std::vector<std::byte> page_of(uint64_t n) {
  std::vector<std::byte> page(kPage);
  for (size_t i = 0; i < page.size(); ++i) page[i] = static_cast<std::byte>(n * 31 + i * 7 + (i >> 8));
  return page;
}

PrefixDiskOptions options_in(const std::string& folder) { return {.folder = folder, .bytes = 1 << 20, .identity = "a model", .page_bytes = kPage}; }

// Whether page n is there and what it should be. Another content than the right one is never given as good.
bool reads(PrefixDisk& disk, uint64_t n) {
  std::vector<std::byte> to(kPage);
  disk.read(key_of(n), to, static_cast<int>(n));
  disk.settle();
  for (const auto& read : disk.finished()) {
    EXPECT_EQ(read.ticket, static_cast<int>(n));
    if (read.ok) EXPECT_EQ(to, page_of(n));
    return read.ok;
  }
  ADD_FAILURE() << "no answer";
  return false;
}

void fill(const std::string& folder, uint64_t pages) {
  PrefixDisk disk(options_in(folder), {});
  disk.settle();
  for (uint64_t n = 1; n <= pages; ++n) ASSERT_TRUE(disk.write(key_of(n), page_of(n)));
}

std::vector<fs::path> files_in(const std::string& folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".kv") out.push_back(entry.path());
  return out;
}

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(PrefixDisk, WhatIsWrittenIsThereAfterARestart) {
  TemporaryFolder folder;
  fill(folder.path("d"), 5);
  PrefixDisk disk(options_in(folder.path("d")), {});
  disk.settle();
  EXPECT_EQ(disk.metrics().pages, 5);
  const PageKey keys[] = {key_of(1), key_of(2), key_of(9), key_of(3)};
  EXPECT_EQ(disk.known(keys), 2u);
  for (uint64_t n = 1; n <= 5; ++n) EXPECT_TRUE(reads(disk, n));
  EXPECT_FALSE(reads(disk, 6));
  EXPECT_FALSE(disk.write(key_of(3), page_of(3)));  // it is there
  EXPECT_EQ(disk.metrics().read, 5);
  EXPECT_EQ(disk.metrics().removed_damaged + disk.metrics().removed_foreign, 0);
}

// Every byte of the header and some of the page, and every kind of length.
TEST(PrefixDisk, DamageIsNeverTrustedAndIsRemoved) {
  TemporaryFolder folder;
  const std::string at = folder.path("d");
  fill(at, 1);
  const fs::path file = files_in(at).at(0);
  const std::string whole = text_of(file);
  std::vector<std::string> damaged;
  for (size_t i = 0; i < whole.size(); i += i < whole.size() - kPage ? 3 : 611) {
    damaged.push_back(whole);
    damaged.back()[i] = static_cast<char>(damaged.back()[i] ^ 1 << i % 8);
  }
  for (size_t size : {size_t{0}, size_t{1}, size_t{15}, size_t{100}, whole.size() - kPage, whole.size() - 1}) damaged.push_back(whole.substr(0, size));
  damaged.push_back(whole + "x");
  damaged.push_back(std::string(whole.size(), '\0'));
  for (size_t i = 0; i < damaged.size(); ++i) {
    // While it is open, and before.
    for (bool before : {false, true}) {
      std::ofstream(file, std::ios::binary) << whole;
      if (before) std::ofstream(file, std::ios::binary) << damaged[i];
      PrefixDisk disk(options_in(at), {});
      disk.settle();
      if (!before) std::ofstream(file, std::ios::binary) << damaged[i];
      EXPECT_FALSE(reads(disk, 1)) << "damage " << i;
      EXPECT_FALSE(fs::exists(file)) << "damage " << i;
      EXPECT_EQ(disk.metrics().removed_damaged + disk.metrics().removed_foreign, 1) << "damage " << i;
      EXPECT_EQ(disk.metrics().pages, 0);
      EXPECT_EQ(disk.metrics().bytes, 0);
    }
  }
}

TEST(PrefixDisk, AnotherModelsFilesGoAndOthersFilesStay) {
  TemporaryFolder folder;
  const std::string at = folder.path("d");
  fill(at, 3);
  std::ofstream(at + "/notes.txt") << "mine";
  std::ofstream(at + "/0123456789abcdef.kv.tmp") << "half";
  // A page under the name of another: its header does not say what its name does.
  fs::copy_file(files_in(at).at(0), at + "/00000000000000aa.kv");
  {
    PrefixDisk disk(options_in(at), {});
    disk.settle();
    EXPECT_FALSE(fs::exists(at + "/0123456789abcdef.kv.tmp"));
    std::vector<std::byte> to(kPage);
    PageKey key = key_of(1);
    key.chain = 0xaa;
    disk.read(key, to, 1);
    disk.settle();
    EXPECT_FALSE(disk.finished().at(0).ok);
    // The same chain by chance, other tokens.
    key = key_of(1), key.tokens[3] = -7;
    disk.read(key, to, 2);
    disk.settle();
    EXPECT_FALSE(disk.finished().at(0).ok);
  }
  fill(at, 1);
  auto other = options_in(at);
  other.identity = "b model";
  PrefixDisk disk(other, {});
  disk.settle();
  EXPECT_EQ(disk.metrics().pages, 0);
  EXPECT_EQ(disk.metrics().removed_foreign, 3);
  EXPECT_TRUE(files_in(at).empty());
  EXPECT_TRUE(fs::exists(at + "/notes.txt"));
}

TEST(PrefixDisk, KeepsItsBudgetAndTheQueueHasAnEnd) {
  TemporaryFolder folder;
  auto options = options_in(folder.path("d"));
  options.bytes = 10 * 3500;
  {
    PrefixDisk disk(options, {});
    disk.settle();
    for (uint64_t n = 1; n <= 30; ++n) {
      EXPECT_TRUE(disk.write_patiently(key_of(n), page_of(n), std::chrono::steady_clock::now() + std::chrono::seconds(60)));
      disk.settle();
      const PageKey first[] = {key_of(1)};
      if (n >= 10) EXPECT_EQ(disk.known(first), 1u);  // always the latest used
    }
    disk.settle();
    EXPECT_LE(disk.metrics().bytes, options.bytes);
    EXPECT_GE(disk.metrics().pages, 8);
    EXPECT_GT(disk.metrics().removed_old, 15);
    EXPECT_TRUE(reads(disk, 30));
    EXPECT_TRUE(reads(disk, 1));
  }
  int64_t there = 0;
  for (const auto& file : files_in(options.folder)) there += static_cast<int64_t>(fs::file_size(file));
  EXPECT_LE(there, options.bytes);
  options.bytes = 4 * 3500;  // less than there is
  options.queue_bytes = kPage * 2 - 1;
  PrefixDisk disk(options, {});
  disk.settle();
  EXPECT_LE(disk.metrics().bytes, options.bytes);
  int taken = 0;
  for (uint64_t n = 100; n < 1100; ++n) taken += disk.write(key_of(n), page_of(n));
  EXPECT_EQ(disk.metrics().dropped, 1000 - taken);
  EXPECT_LT(taken, 1000);
}

TEST(PrefixDisk, KilledWhileItWritesItLosesNothingThatWasWhole) {
  TemporaryFolder folder;
  const std::string at = folder.path("d");
  for (int round = 0; round < 8; ++round) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      PrefixDisk disk(options_in(at), {});
      disk.settle();
      for (uint64_t n = 1;; ++n) disk.write_patiently(key_of(n % 200 + 1), page_of(n % 200 + 1), std::chrono::steady_clock::now() + std::chrono::seconds(60));
    }
    while (!fs::exists(at) || files_in(at).size() < static_cast<size_t>(5 + round * 10)) usleep(200);
    usleep(static_cast<useconds_t>(round * 137));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    PrefixDisk disk(options_in(at), {});
    disk.settle();
    EXPECT_GE(disk.metrics().pages, 5 + round * 10);
    const auto files = files_in(at);
    for (uint64_t n = 1; n <= 200; ++n) {
      const PageKey key[] = {key_of(n)};
      if (disk.known(key) == 1) EXPECT_TRUE(reads(disk, n)) << n;
    }
    EXPECT_LE(disk.metrics().removed_damaged, 1);  // the one under way
    for (const auto& entry : fs::directory_iterator(at)) EXPECT_NE(entry.path().extension(), ".tmp");
  }
}

// Whole engines, one after the other, over one folder.
class EngineDisk : public testing::Test {
 protected:
  void SetUp() override { write_model(1); }

  void write_model(uint64_t seed) {
    auto shape = random_shape("tiny-llama");
    shape->dtype = Dtype::kF32, shape->seed = seed;
    ASSERT_TRUE(write_random_model(*shape, folder_.path("m.gguf"), true));
    ComputePool pool(1);
    model_ = *Model::load(*Checkpoint::open(folder_.path("m.gguf")), pool);
  }

  std::unique_ptr<Engine> start(bool disk = true, KvType kv = KvType::kF16, int pages = 24) {
    EngineOptions options{.cache_bytes = KvPool::page_bytes(model_->config(), kv) * pages, .context = 256, .kv = kv,
                          .prefix_disk = disk ? folder_.path("disk") : "", .multiplier = {.deterministic = true}};
    auto engine = Engine::start(model_, std::make_shared<NoTokenizer>(), std::make_shared<ComputePool>(2), options);
    EXPECT_TRUE(engine) << engine.error().message;
    if (disk) (*engine)->settle_disk();
    return std::move(*engine);
  }

  struct Answer {
    std::vector<int32_t> tokens;
    int32_t cached = 0;
  };
  Answer ask(Engine& engine, int seed, std::shared_ptr<const Adapter> adapter = nullptr) {
    Generation g;
    for (int i = 0; i < 130; ++i) g.prompt.push_back((i * 37 + seed * 11 + 5) % model_->config().vocab);
    g.sampling = {.temperature = 1, .seed = static_cast<uint64_t>(seed)};
    g.max_tokens = 12;
    g.adapter = std::move(adapter);
    Answer answer;
    std::promise<void> done;
    g.on_token = [&](const Sampled& s) { answer.tokens.push_back(s.token); };
    g.on_done = [&](FinishReason, const GenerationStats& stats, Error) { answer.cached = stats.cached_tokens, done.set_value(); };
    EXPECT_TRUE(engine.submit(std::move(g)));
    done.get_future().wait();
    return answer;
  }

  TemporaryFolder folder_;
  std::shared_ptr<const Model> model_;
};

TEST_F(EngineDisk, BeginningsComeBackFromDiskWithTheSameAnswers) {
  std::vector<std::vector<int32_t>> expected;
  for (int i = 0; i < 6; ++i) expected.push_back(ask(*start(false), i).tokens);
  for (KvType kv : {KvType::kF16, KvType::kQ8_0}) {
    if (kv == KvType::kQ8_0)
      for (int i = 0; i < 6; ++i) expected[static_cast<size_t>(i)] = ask(*start(false, kv), i).tokens;
    {
      auto engine = start(true, kv);
      // Memory holds two of the six, the disk all.
      for (int round = 0; round < 3; ++round)
        for (int i = 0; i < 6; ++i) {
          Answer answer = ask(*engine, i);
          EXPECT_EQ(answer.tokens, expected[static_cast<size_t>(i)]) << i;
          EXPECT_EQ(answer.cached, round == 0 ? 0 : 128) << round << ", " << i;
          engine->settle_disk();
        }
      EXPECT_GT(engine->metrics().disk.read, 6 * 8);
    }
    auto engine = start(true, kv);  // another process, as it were; what memory still had was written at the end
    for (int i = 0; i < 6; ++i) {
      Answer answer = ask(*engine, i);
      EXPECT_EQ(answer.tokens, expected[static_cast<size_t>(i)]) << i;
      EXPECT_EQ(answer.cached, 128) << i;
    }
  }
}

TEST_F(EngineDisk, AnotherFileUnderTheNameFindsNothing) {
  const auto before = ask(*start(), 1);
  EXPECT_EQ(ask(*start(), 1).cached, 128);
  write_model(2);
  {
    auto engine = start();
    EXPECT_GT(engine->metrics().disk.removed_foreign, 0);
    const auto after = ask(*engine, 1);
    EXPECT_EQ(after.cached, 0);
    EXPECT_NE(after.tokens, before.tokens);
  }
  // Another type of keys and values is another folder's worth too.
  EXPECT_EQ(ask(*start(true, KvType::kQ8_0), 1).cached, 0);
}

TEST_F(EngineDisk, WhatAnAdapterComputedStaysInMemory) {
  Folder folder;
  write_gguf_adapter(folder.at("a.gguf"), "llama", 32, random_pairs(model_->checkpoint(), 4, 1));
  auto adapter = *Adapter::load(folder.at("a.gguf"), *model_);
  const auto plain = ask(*start(false), 1).tokens;
  const auto adapted = ask(*start(), 1, adapter).tokens;
  auto engine = start();
  EXPECT_EQ(engine->metrics().disk.pages, 0);
  const Answer answer = ask(*engine, 1);
  EXPECT_EQ(answer.cached, 0);
  EXPECT_EQ(answer.tokens, plain);
  EXPECT_EQ(ask(*engine, 1, adapter).tokens, adapted);
}

TEST_F(EngineDisk, DamagedFilesCostTimeOnly) {
  const auto expected = ask(*start(), 1).tokens;
  int n = 0;
  for (const auto& entry : fs::directory_iterator(folder_.path("disk"))) {
    if (entry.path().extension() != ".kv" || n++ % 3 != 1) continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(fs::file_size(entry.path())) / 2);
    file.put('!');
  }
  auto engine = start();
  Answer answer = ask(*engine, 1);
  EXPECT_LT(answer.cached, 128);
  EXPECT_EQ(answer.tokens, expected);
  engine->settle_disk();
  EXPECT_EQ(ask(*engine, 1).tokens, expected);
  EXPECT_GT(engine->metrics().disk.removed_damaged, 0);
}

}  // namespace
}  // namespace ajar::engine
