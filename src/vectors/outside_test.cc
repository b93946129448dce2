// Collections whose vectors are in another store: what they find, who sees it, and what an outage costs.

#include <gmock/gmock.h>

#include <thread>

#include "rag/ask.h"
#include "rag/fake_embedder.h"
#include "rag/library.h"
#include "rag/rag_test_helper.h"
#include "vectors/test_server.h"

namespace ajar::vectors {
namespace {

using rag::AddResult;
using rag::Collection;
using rag::CollectionOptions;
using rag::DocumentInput;
using rag::fake_embedder;
using rag::Filter;
using rag::Metadata;
using rag::Reader;
using rag::SearchRequest;
using rag::TestFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

const Reader kAll{.everything = true};

// An emulated Qdrant of its own for every test, and collections over it.
class Outside : public ::testing::Test {
 protected:
  Outside() : server_(AJAR_SOURCE_DIR, "qdrant", "key") {}
  void SetUp() override {
    if (!server_.there()) GTEST_SKIP() << "python3 is not at hand for the emulation";
  }

  CollectionOptions options(rag::Embedder embedder = fake_embedder()) {
    CollectionOptions out;
    out.embedder = std::move(embedder);
    out.store = "there";
    out.open_store = [this](const std::string& name, const std::string& collection) -> Result<std::unique_ptr<rag::VectorStore>> {
      if (name != "there") return fail(Code::kNotFound, "there is no [vector_stores." + name + "]");
      StoreOptions store = server_.options();
      store.timeout = timeout_;
      return open_store(store, "ajar_" + collection, server_.http());
    };
    out.on_store = [this](const std::string&, std::string_view event) { ++(event == "degraded" ? degraded_ : failed_); };
    return out;
  }
  std::unique_ptr<Collection> open(CollectionOptions from) {
    auto made = Collection::open(folder_.path() + "/c", std::move(from));
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
  std::unique_ptr<Collection> open() { return open(options()); }

  static DocumentInput text(std::string id, std::string words, Metadata metadata = {}, std::optional<std::vector<std::string>> allow = {}) {
    return {.id = id, .name = id + ".txt", .bytes = std::move(words), .metadata = std::move(metadata), .allow = std::move(allow), .read = {}};
  }
  // By meaning alone, so that nothing is hidden by the words.
  struct Found {
    std::vector<std::string> documents;
    std::string degraded;
  };
  static Found ask(Collection& collection, const std::string& question, Reader reader = kAll, Filter filter = {}, size_t limit = 10) {
    Found out;
    SearchRequest request{.text = "", .filter = std::move(filter), .reader = std::move(reader), .limit = limit, .degraded = &out.degraded};
    request.candidates = limit;
    request.embedding = *fake_embedder().embed(std::vector<std::string>{question});
    const auto hits = collection.search(request);
    EXPECT_TRUE(hits) << hits.error().message;
    if (hits)
      for (const rag::Hit& hit : *hits) {
        out.documents.push_back(hit.document);
        EXPECT_TRUE(hit.meaning);
      }
    return out;
  }
  static void add_some(Collection& collection, int count = 6) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(collection.add(text("d" + std::to_string(i), "The device number" + std::to_string(i) + " is painted color" + std::to_string(i) + ".", {{"at", double(i)}})));
  }
  static void wait_until_sent(Collection& collection) {
    for (int i = 0; i < 600 && collection.waiting() > 0; ++i) std::this_thread::sleep_for(Millis(100));
    EXPECT_EQ(collection.waiting(), 0u);
  }

  Emulator server_;
  TestFolder folder_;
  Millis timeout_{120'000};
  std::atomic<int> degraded_ = 0, failed_ = 0;
};

TEST_F(Outside, TheStoreFindsAndTheFilterIsInItsQuery) {
  auto collection = open();
  EXPECT_EQ(collection->store(), "there");
  add_some(*collection);
  ASSERT_TRUE(collection->add(text("closed", "The secret device is painted color2.", {}, std::vector<std::string>{"user:ada"})));
  EXPECT_EQ(collection->waiting(), 0u);
  (void)server_.log();
  const Found ada = ask(*collection, "color2", {.principals = {"user:ada"}}, {}, 2);
  EXPECT_THAT(ada.documents, UnorderedElementsAre("d2", "closed"));
  EXPECT_EQ(ada.degraded, "");
  const std::string log = server_.log();
  EXPECT_THAT(log, HasSubstr("points/query"));
  EXPECT_THAT(log, HasSubstr("@=user:ada"));
  EXPECT_THAT(ask(*collection, "color2", {}, {}, 2).documents, Not(::testing::Contains("closed")));
  EXPECT_THAT(ask(*collection, "color2", kAll, {.kind = Filter::Kind::kGt, .field = "at", .values = {4.0}}).documents, ElementsAre("d5"));
  EXPECT_EQ(degraded_, 0);
  // Its score is the cosine of our own floats: the whole text's with itself is 1.
  std::string degraded;
  SearchRequest request{.text = "", .reader = kAll, .limit = 1, .degraded = &degraded};
  request.embedding = *fake_embedder().embed(std::vector<std::string>{"d3.txt\nThe device number3 is painted color3."});
  EXPECT_GT(collection->search(request).value().front().meaning.value_or(0), 0.8f);
}

TEST_F(Outside, AStoreThatPassesOverItsFilterShowsNobodyAnything) {
  auto collection = open();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(collection->add(text("closed" + std::to_string(i), "A crimson secret number" + std::to_string(i), {}, std::vector<std::string>{"user:ada"})));
  ASSERT_TRUE(collection->add(text("open", "Nothing of that sort.")));
  server_.fault("blind");
  const Found found = ask(*collection, "crimson secret", {.principals = {"user:bob"}}, {}, 3);
  EXPECT_THAT(found.documents, ElementsAre("open"));  // the search goes on until it has what there is
}

TEST_F(Outside, DeletesAreSeenAtOnceThoughTheStoreLags) {
  auto collection = open();
  add_some(*collection, 30);
  server_.fault("lag");
  std::vector<std::string> gone;
  for (int i = 0; i < 20; ++i) gone.push_back("d" + std::to_string(i));
  ASSERT_EQ(collection->remove(gone).value_or(0), 20u);
  const Found found = ask(*collection, "device painted", kAll, {}, 5);
  EXPECT_EQ(found.documents.size(), 5u) << "rows that are gone take nobody's place";
  for (const std::string& id : found.documents) EXPECT_THAT(gone, Not(::testing::Contains(id)));
  ASSERT_TRUE(collection->add(text("d25", "Something else entirely.")));  // replaced: its old row is gone, too
  EXPECT_THAT(ask(*collection, "number25 color25", kAll, {}, 10).documents.front(), Not("d25"));
}

TEST_F(Outside, AnOutageCostsMeaningAndNoDocument) {
  auto collection = open();
  add_some(*collection, 3);
  server_.stop();
  ASSERT_TRUE(collection->add(text("late", "The crimson valve.")));
  EXPECT_EQ(collection->waiting(), 1u);
  const auto passages = rag::find_passages(*collection, {.text = "crimson valve", .reader = kAll});
  ASSERT_TRUE(passages);
  ASSERT_FALSE(passages->hits.empty());
  EXPECT_EQ(passages->hits.front().document, "late");  // by words
  EXPECT_THAT(passages->degraded, HasSubstr("by words alone"));
  EXPECT_THAT(passages->degraded, HasSubstr("test"));  // the store's name
  const auto answer = rag::ask(*collection, {.text = "Which valve is crimson?", .reader = kAll});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_THAT(answer->degraded, HasSubstr("by words alone"));
  EXPECT_GT(degraded_, 0);
  EXPECT_GT(failed_, 0);
  // It comes back with nothing in it: all that it had is sent again, by itself.
  server_.restart();
  wait_until_sent(*collection);
  const Found found = ask(*collection, "crimson valve", kAll, {}, 4);
  EXPECT_EQ(found.documents.size(), 4u);
  EXPECT_EQ(found.documents.front(), "late");
  EXPECT_EQ(found.degraded, "");
}

TEST_F(Outside, WhatWaitsIsSentWhenTheCollectionIsOpenedAgain) {
  {
    auto collection = open();
    add_some(*collection, 2);
    server_.fault("500");
    ASSERT_TRUE(collection->add(text("late", "The crimson valve.")));
    ASSERT_EQ(collection->remove(std::vector<std::string>{"d0"}).value_or(0), 1u);
    EXPECT_EQ(collection->waiting(), 2u);
  }
  server_.fault("");
  auto collection = open();
  wait_until_sent(*collection);
  EXPECT_THAT(ask(*collection, "crimson valve").documents, ElementsAre("late", "d1"));
}

TEST_F(Outside, AHangingStoreIsWaitedForOnce) {
  { auto collection = open(); add_some(*collection, 3); }
  timeout_ = Millis(300);
  auto collection = open();
  server_.fault("hang");
  for (int i = 0; i < 50; ++i) {  // each would wait, were it asked each time
    const Found found = ask(*collection, "color1");
    EXPECT_THAT(found.documents, IsEmpty());
    EXPECT_THAT(found.degraded, HasSubstr("by words alone"));
  }
  EXPECT_LT(failed_, 25);
  server_.fault("");
}

TEST_F(Outside, AccessIsRightWhileTheStoreDoesNotKnowItYet) {
  auto collection = open();
  add_some(*collection, 2);
  ASSERT_TRUE(collection->add(text("file", "The crimson valve.", {}, std::vector<std::string>{"user:ada", "user:bob"})));
  const Reader ada{.principals = {"user:ada"}}, bob{.principals = {"user:bob"}}, eve{.principals = {"user:eve"}};
  server_.fault("500");
  ASSERT_TRUE(collection->describe("file", {}, std::vector<std::string>{"user:ada", "user:eve"}));
  server_.fault("");  // the store still thinks it bob's
  EXPECT_THAT(ask(*collection, "crimson valve", bob).documents, Not(::testing::Contains("file")));
  wait_until_sent(*collection);
  EXPECT_THAT(ask(*collection, "crimson valve", bob).documents, Not(::testing::Contains("file")));
  EXPECT_THAT(ask(*collection, "crimson valve", eve).documents, ::testing::Contains("file"));
  EXPECT_THAT(ask(*collection, "crimson valve", ada).documents, ::testing::Contains("file"));
  // The same through add(), with the same text and other readers.
  ASSERT_TRUE(collection->add(text("file", "The crimson valve.", {}, std::vector<std::string>{"user:bob"})));
  EXPECT_THAT(ask(*collection, "crimson valve", bob).documents, ::testing::Contains("file"));
  EXPECT_THAT(ask(*collection, "crimson valve", eve).documents, Not(::testing::Contains("file")));
}

TEST_F(Outside, LostRowsAreNoticedAndRepaired) {
  auto collection = open();
  add_some(*collection, 10);
  server_.lose(R"({"rows":[2,3,5]})");
  const Found lacking = ask(*collection, "device");
  EXPECT_EQ(lacking.documents.size(), 7u);
  EXPECT_THAT(lacking.degraded, HasSubstr("ajar rag repair"));
  const auto repaired = collection->repair();
  ASSERT_TRUE(repaired) << repaired.error().message;
  EXPECT_EQ(repaired->rows, 10u);
  EXPECT_EQ(repaired->lacked, 3u);
  EXPECT_EQ(repaired->extra, 0u);
  EXPECT_EQ(ask(*collection, "device").documents.size(), 10u);
  EXPECT_EQ(ask(*collection, "device").degraded, "");
  // All of it gone, and rows that nobody should have.
  server_.lose("{}");
  EXPECT_THAT(ask(*collection, "device").degraded, HasSubstr("by words alone"));
  ASSERT_EQ(collection->repair().value().lacked, 10u);
  server_.fault("lag");
  ASSERT_TRUE(collection->remove(std::vector<std::string>{"d0", "d1"}));
  const auto extra = collection->repair();  // while it lags
  ASSERT_TRUE(extra);
  EXPECT_EQ(extra->extra, 2u);
  server_.fault("");
  EXPECT_EQ(collection->repair().value().extra, 0u);
  EXPECT_EQ(collection->repair(true).value().lacked, 8u);  // made anew
  EXPECT_EQ(ask(*collection, "device").documents.size(), 8u);
}

TEST_F(Outside, AnotherEmbedderIsAnotherCollectionThere) {
  { auto collection = open(); add_some(*collection, 4); }
  auto collection = open(options(fake_embedder(32, "other")));
  ASSERT_TRUE(collection->needs_reembedding());
  ASSERT_TRUE(collection->reembed()) << "the old vectors are of another width";
  collection->settle();
  wait_until_sent(*collection);
  SearchRequest request{.text = "", .reader = kAll, .limit = 4};
  std::string degraded;
  request.degraded = &degraded;
  request.embedding = *fake_embedder(32).embed(std::vector<std::string>{"number2 color2"});
  const auto hits = collection->search(request);
  ASSERT_TRUE(hits) << hits.error().message;
  EXPECT_EQ(hits->size(), 4u);
  EXPECT_EQ(degraded, "");
  const auto answer = server_.http()({.method = "GET", .url = server_.url() + "/collections", .headers = {{"api-key", "key"}}});
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->body, HasSubstr("_g1"));
  EXPECT_THAT(answer->body, Not(HasSubstr("_g0")));
}

TEST_F(Outside, AStoreThatIsNotConfiguredHereCostsMeaningOnly) {
  { auto collection = open(); add_some(*collection, 3); }
  CollectionOptions without = options();
  without.open_store = nullptr;
  auto collection = open(std::move(without));
  ASSERT_TRUE(collection->add(text("more", "The crimson valve.")));
  const Found found = ask(*collection, "device");
  EXPECT_THAT(found.documents, IsEmpty());
  EXPECT_THAT(found.degraded, HasSubstr("'there' is not at hand"));
  EXPECT_EQ(collection->repair().error().code, Code::kUnavailable);
}

TEST_F(Outside, WhatNoStoreTakesIsRefusedWhenItIsAdded) {
  auto collection = open();
  std::vector<std::string> everybody;
  for (int i = 0; i < 1500; ++i) everybody.push_back("user:" + std::to_string(i));
  const auto added = collection->add(text("d", "words", {}, everybody));
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, Code::kTooLarge);
  EXPECT_EQ(collection->stats().documents, 0u);
}

TEST_F(Outside, ARemovedCollectionLeavesNothingThere) {
  rag::LibraryOptions options;
  options.folder = folder_.path() + "/rag";
  options.collection = this->options();
  options.collection.embedder.reset();
  options.collection.store.clear();
  options.choose = [] { return Result<std::string>("fake"); };
  options.embedder = [](const std::string& name) -> Result<rag::Embedder> { return fake_embedder(64, name); };
  auto library = rag::Library::open(options);
  ASSERT_TRUE(library);
  const auto collections = [&] {
    const auto answer = server_.http()({.method = "GET", .url = server_.url() + "/collections", .headers = {{"api-key", "key"}}});
    return answer ? answer->body : "";
  };
  EXPECT_EQ((*library)->create("", {.id = "x"}, "", "nowhere").error().code, Code::kNotFound);
  EXPECT_EQ((*library)->create("", {.id = "x"}, "none", "there").error().field, "store");
  for (const char* id : {"a", "b"}) {
    ASSERT_TRUE((*library)->create("", {.id = id}, "", "there"));
    auto collection = (*library)->get("", id);
    ASSERT_TRUE(collection);
    ASSERT_TRUE((*collection)->add(text("d", "The crimson valve.")));
    EXPECT_EQ((*library)->usage("", id).value().store, "there");
    EXPECT_EQ((*library)->usage("", id).value().waiting, 0);
  }
  EXPECT_THAT(collections(), HasSubstr("_g0"));
  ASSERT_TRUE((*library)->remove("", "a"));
  server_.fault("500");
  ASSERT_TRUE((*library)->remove("", "b"));  // gone here, whatever the store says
  EXPECT_EQ((*library)->list("").value().size(), 0u);
  EXPECT_FALSE((*library)->finish_removals());
  server_.fault("");
  EXPECT_THAT(collections(), HasSubstr("_g0"));
  library->reset();
  library = rag::Library::open(options);
  ASSERT_TRUE(library);
  EXPECT_TRUE((*library)->finish_removals());
  EXPECT_THAT(collections(), Not(HasSubstr("_g0")));
  EXPECT_TRUE(std::filesystem::is_empty(options.folder));
}

}  // namespace
}  // namespace ajar::vectors
