#include "rag/library.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <atomic>
#include <thread>

#include "rag/ask.h"
#include "rag/fake_embedder.h"
#include "rag/rag_test_helper.h"
#include "rag/write.h"

namespace ajar::rag {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Reader kWhole{.everything = true};

struct Models {
  std::atomic<bool> there = true;
  std::atomic<int> asked = 0;
};

LibraryOptions options(const TestFolder& folder, Models* models = nullptr) {
  LibraryOptions out;
  out.folder = folder.path() + "/rag";
  out.collection.convert = test_helper();
  if (models == nullptr) return out;
  out.choose = [models]() -> Result<std::string> { return std::string(models->there ? "fake" : ""); };
  out.embedder = [models](const std::string& name) -> Result<Embedder> {
    ++models->asked;
    if (!models->there) return fail(Code::kNotFound, "no model '" + name + "'");
    return fake_embedder(64, name);
  };
  return out;
}

std::unique_ptr<Library> open(LibraryOptions from) {
  auto made = Library::open(std::move(from));
  EXPECT_TRUE(made) << made.error().message;
  return std::move(*made);
}

void add(Library& library, const std::string& owner, const std::string& id, const std::string& document, const std::string& text) {
  auto collection = library.get(owner, id);
  ASSERT_TRUE(collection) << collection.error().message;
  const auto added = (*collection)->add({.id = document, .name = document + ".txt", .bytes = text});
  ASSERT_TRUE(added) << added.error().message;
  ASSERT_EQ(added->outcome, Outcome::kAdded) << added->reason;
}

std::vector<std::string> found(Library& library, const std::string& owner, const std::string& id, const std::string& question) {
  auto collection = library.get(owner, id);
  EXPECT_TRUE(collection) << collection.error().message;
  const auto hits = find_passages(**collection, {.text = question, .reader = kWhole});
  EXPECT_TRUE(hits) << hits.error().message;
  std::vector<std::string> out;
  for (const Hit& hit : hits->hits) out.push_back(hit.document);
  return out;
}

TEST(Library, OwnersSeeTheirOwnCollectionsOnly) {
  TestFolder folder;
  auto library = open(options(folder));
  for (const char* owner : {"", "team:a/b", "key:1"}) {
    ASSERT_TRUE(library->create(owner, {.id = "docs", .name = "Docs"})) << owner;
    add(*library, owner, "docs", "d", "This belongs to owner" + std::string(owner == std::string("key:1") ? "one" : "other") + " alone.");
  }
  EXPECT_THAT(found(*library, "key:1", "docs", "ownerone"), ElementsAre("d"));
  EXPECT_THAT(found(*library, "", "docs", "ownerone"), ElementsAre());
  ASSERT_TRUE(library->remove("key:1", "docs"));
  EXPECT_EQ(library->get("key:1", "docs").error().code, Code::kNotFound);
  EXPECT_THAT(found(*library, "team:a/b", "docs", "belongs"), ElementsAre("d"));
  EXPECT_EQ(library->list("key:1")->size(), 0u);
  EXPECT_EQ(library->list("")->size(), 1u);
}

TEST(Library, WhatIsNoNameIsRefused) {
  TestFolder folder;
  auto library = open(options(folder));
  for (const char* id : {"", ".", "..", "../x", "a/b", "+team", ".gone-x", "a b"}) {
    EXPECT_EQ(library->create("", {.id = id}).error().code, Code::kInvalid) << id;
    EXPECT_EQ(library->get("", id).error().code, Code::kNotFound) << id;
    EXPECT_EQ(library->remove("", id).error().code, Code::kNotFound) << id;
  }
  ASSERT_TRUE(library->create("", {.id = "docs"}));
  EXPECT_EQ(library->create("", {.id = "docs"}).error().code, Code::kConflict);
}

TEST(Library, WhatIsSaidOfACollectionStays) {
  TestFolder folder;
  {
    auto library = open(options(folder));
    ASSERT_TRUE(library->create("", {.id = "one", .name = "Named", .description = "what it is", .metadata = R"({"a":1})"}));
    ASSERT_TRUE(library->create("", {.id = "two", .name = "Named"}));
    add(*library, "", "one", "d", "Some words.");
  }
  auto library = open(options(folder));
  auto about = library->about("", "one");
  ASSERT_TRUE(about);
  EXPECT_EQ(about->name, "Named");
  EXPECT_EQ(about->description, "what it is");
  EXPECT_EQ(about->metadata, R"({"a":1})");
  EXPECT_GT(about->created_ms, 0);
  const auto usage = library->usage("", "one");
  ASSERT_TRUE(usage) << usage.error().message;
  EXPECT_EQ(usage->ready, 1);
  EXPECT_EQ(usage->bytes, 11);
  EXPECT_EQ(library->find("", "Named").error().code, Code::kConflict);
  about->name = "Other";
  ASSERT_TRUE(library->describe("", *about));
  EXPECT_EQ(library->find("", "Other")->id, "one");
  EXPECT_EQ(library->find("", "two")->id, "two");
  EXPECT_EQ(library->find("", "none").error().code, Code::kNotFound);
}

TEST(Library, TheLongestUnusedIsClosedButNoneInUse) {
  TestFolder folder;
  LibraryOptions limited = options(folder);
  limited.max_open = 1;
  auto library = open(std::move(limited));
  for (const char* id : {"a", "b", "c"}) {
    ASSERT_TRUE(library->create("", {.id = id}));
    add(*library, "", id, "d", "Words of it.");
  }
  EXPECT_EQ(library->open_collections(), 1u);
  {
    const auto a = library->get("", "a");
    ASSERT_TRUE(a);
    std::thread([&] {
      EXPECT_THAT(found(*library, "", "b", "words"), ElementsAre("d"));
      EXPECT_THAT(found(*library, "", "c", "words"), ElementsAre("d"));
    }).join();
    EXPECT_EQ(library->open_collections(), 2u);  // the one in use, and the last
    EXPECT_EQ((*a)->stats().documents, 1u);
  }
  EXPECT_THAT(found(*library, "", "b", "words"), ElementsAre("d"));
  EXPECT_EQ(library->open_collections(), 1u);
}

TEST(Library, AnOwnerHasABound) {
  TestFolder folder;
  LibraryOptions limited = options(folder);
  limited.max_collections = 2;
  auto library = open(std::move(limited));
  ASSERT_TRUE(library->create("x", {.id = "a"}));
  ASSERT_TRUE(library->create("x", {.id = "b"}));
  EXPECT_EQ(library->create("x", {.id = "c"}).error().code, Code::kTooLarge);
  EXPECT_TRUE(library->create("y", {.id = "c"}));
}

TEST(Library, AnotherProcessKeepsItsCollection) {
  TestFolder folder;
  auto library = open(options(folder));
  ASSERT_TRUE(library->create("", {.id = "a"}));
  const int other = ::open((folder.path() + "/rag/a/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(::flock(other, LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(library->get("", "a").error().code, Code::kConflict);
  EXPECT_EQ(library->remove("", "a").error().code, Code::kConflict);
  EXPECT_EQ(library->open_collections(), 0u);
  ::close(other);
  EXPECT_TRUE(library->get("", "a"));
}

TEST(Library, ADamagedCollectionCanBeRemoved) {
  TestFolder folder;
  auto library = open(options(folder));
  ASSERT_TRUE(library->create("", {.id = "a"}));
  std::filesystem::remove(folder.path() + "/rag/a/collection.db-wal");
  folder.write("rag/a/collection.db", "this is no database, but it is long enough to be looked at");
  EXPECT_FALSE(library->get("", "a"));
  EXPECT_EQ(library->open_collections(), 0u);
  ASSERT_TRUE(library->remove("", "a"));
  EXPECT_TRUE(library->list("")->empty());
}

TEST(Library, ACollectionKeepsItsEmbedder) {
  TestFolder folder;
  Models models;
  auto library = open(options(folder, &models));
  ASSERT_TRUE(library->create("", {.id = "meaning"}));
  ASSERT_TRUE(library->create("", {.id = "words"}, "none"));
  EXPECT_EQ(library->usage("", "meaning")->embedder, "fake");
  EXPECT_EQ(library->usage("", "words")->embedder, "");
  add(*library, "", "meaning", "d", "The crimson folder.");
  add(*library, "", "words", "d", "The crimson folder.");
  library.reset();

  // Opening asks for no model; what needs it says what is missing.
  models.asked = 0, models.there = false;
  library = open(options(folder, &models));
  auto collection = library->get("", "meaning");
  ASSERT_TRUE(collection) << collection.error().message;
  EXPECT_EQ(models.asked, 0);
  const auto hits = find_passages(**collection, {.text = "crimson", .reader = kWhole});
  ASSERT_FALSE(hits);
  EXPECT_EQ(hits.error().code, Code::kUnavailable);
  EXPECT_THAT(hits.error().message, HasSubstr("embedded with 'fake'"));
  EXPECT_THAT(found(*library, "", "words", "crimson"), ElementsAre("d"));
}

TEST(Library, ReembeddingChangesTheEmbedder) {
  TestFolder folder;
  Models models;
  auto library = open(options(folder, &models));
  ASSERT_TRUE(library->create("", {.id = "a"}, "none"));
  add(*library, "", "a", "d", "The crimson folder.");
  size_t seen = 0;
  ASSERT_TRUE(library->reembed("", "a", "fake", [&](size_t done, size_t) { seen = done; }));
  EXPECT_EQ(seen, 1u);
  EXPECT_EQ(library->open_collections(), 0u);
  EXPECT_EQ(library->usage("", "a")->embedder, "fake");
  auto collection = library->get("", "a");
  const auto hits = find_passages(**collection, {.text = "crimson", .reader = kWhole});
  ASSERT_TRUE(hits && hits->hits.size() == 1);
  EXPECT_TRUE(hits->hits[0].meaning);
}

// Getting, searching, closing and removing from several threads: every answer is one that could be.
TEST(Library, ThreadsMayDoAllOfItAtOnce) {
  TestFolder folder;
  LibraryOptions limited = options(folder);
  limited.max_open = 1;
  auto library = open(std::move(limited));
  for (const char* id : {"a", "b", "c"}) {
    ASSERT_TRUE(library->create("", {.id = id}));
    add(*library, "", id, "d", "Words of it.");
  }
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 15; ++i) {
        const std::string id(1, char('a' + (t + i) % 3));
        auto collection = library->get("", id);
        if (!collection) {
          wrong += id != "c" || collection.error().code != Code::kNotFound;
          continue;
        }
        const auto hits = find_passages(**collection, {.text = "words", .reader = kWhole});
        wrong += !hits || hits->hits.size() != 1;
      }
    });
  }
  threads.emplace_back([&] { wrong += !library->remove("", "c"); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(library->get("", "c").error().code, Code::kNotFound);
}

TEST(Ask, AnswersAreQuotesWithTheirPlace) {
  TestFolder folder;
  auto library = open(options(folder));
  ASSERT_TRUE(library->create("", {.id = "a"}));
  const std::string text = "The warranty of the crimson pump lasts seven years. It is void when the seal is broken.";
  add(*library, "", "a", "pump", text);
  add(*library, "", "a", "other", "Nothing here speaks of machines.");
  auto collection = library->get("", "a");
  const auto answer = ask(**collection, {.text = "How long does the warranty of the crimson pump last?", .reader = kWhole});
  ASSERT_TRUE(answer) << answer.error().message;
  ASSERT_TRUE(answer->found);
  const Evidence& first = answer->sentences.at(0).evidence.at(0);
  EXPECT_EQ(first.document, "pump");
  EXPECT_EQ(text.substr(first.begin, first.end - first.begin), first.quote);
  std::string out;
  json::Writer w(out);
  w.begin_object();
  write_answer(w, *answer);
  w.end_object();
  EXPECT_THAT(out, HasSubstr(R"("document":"pump","name":"pump.txt")"));
  const auto none = ask(**collection, {.text = "Who was the emperor of Byzantium?", .reader = kWhole});
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->found);
  EXPECT_EQ(ask(**collection, {.text = " ", .reader = kWhole}).error().field, "query");
}

// A stand-in for a cross-encoder: the later a passage came the better.
struct Reranked {
  TestFolder folder;
  std::vector<std::string> routes, payers;
  std::vector<size_t> asked;
  std::optional<Error> broken;
  std::unique_ptr<Library> library;

  explicit Reranked(const std::string& route, size_t candidates = 3) {
    LibraryOptions with = options(folder);
    with.collection.rerank = {.route = route, .candidates = candidates, .timeout = Millis(60'000), .score = [this](const RerankQuestion& question) -> Result<std::vector<float>> {
                                routes.push_back(question.route), payers.push_back(question.payer), asked.push_back(question.passages.size());
                                EXPECT_NE(question.until, kNever);
                                if (broken) return std::unexpected(*broken);
                                std::vector<float> scores;
                                for (size_t i = 0; i < question.passages.size(); ++i) scores.push_back(float(i));
                                return scores;
                              }};
    library = open(std::move(with));
    EXPECT_TRUE(library->create("", {.id = "a"}));
    for (int i = 0; i < 6; ++i) add(*library, "", "a", "d" + std::to_string(i), "A valve that leaks" + std::string(size_t(i) * 40, '.') + " is " + std::to_string(i) + " years old.");
  }
  Result<Passages> find(Question question) {
    question.text = "leaks valve", question.reader = kWhole;
    auto collection = library->get("", "a");
    return find_passages(**collection, question);
  }
};

std::vector<std::string> documents(const Passages& found) {
  std::vector<std::string> out;
  for (const Hit& hit : found.hits) out.push_back(hit.document);
  return out;
}

TEST(Rerank, ABoundedNumberIsScoredAndOrdersTheAnswer) {
  Reranked reranked("order");
  const auto before = reranked.find({.limit = 3, .rerank = "none"});
  ASSERT_TRUE(before) << before.error().message;
  EXPECT_TRUE(reranked.routes.empty());
  const auto after = reranked.find({.limit = 2, .payer = "key:k"});
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(reranked.asked, std::vector<size_t>{3});
  EXPECT_EQ(reranked.routes, std::vector<std::string>{"order"});
  EXPECT_EQ(reranked.payers, std::vector<std::string>{"key:k"});
  EXPECT_EQ(documents(*after), (std::vector<std::string>{documents(*before)[2], documents(*before)[1]}));
  EXPECT_EQ(after->hits[0].rerank, 2.0f);
  EXPECT_EQ(after->hits[0].score, 2.0f);
  EXPECT_EQ(after->hits[0].fused, before->hits[2].score);
  EXPECT_EQ(after->degraded, "");
  std::string out;
  json::Writer w(out);
  write_hit(w, after->hits[0]);
  EXPECT_THAT(out, HasSubstr("\"rerank\":2"));
  // As many as are asked for, where that is more.
  ASSERT_TRUE(reranked.find({.limit = 5}));
  EXPECT_EQ(reranked.asked.back(), 5u);
}

TEST(Rerank, WithoutScoresTheSearchsOrderStandsAndSaysWhy) {
  Reranked reranked("order");
  const auto before = reranked.find({.limit = 3, .rerank = "none"});
  for (const Code code : {Code::kTimeout, Code::kUpstream, Code::kForbidden, Code::kNotFound}) {
    reranked.broken = Error{.code = code, .message = "it is late"};
    const auto found = reranked.find({.limit = 3});
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(documents(*found), documents(*before));
    EXPECT_FALSE(found->hits[0].rerank);
    EXPECT_EQ(found->degraded, "not re-ranked: it is late");
  }
  // A route that the question itself names is the caller's to get right; that it is late is not.
  reranked.broken = Error{.code = Code::kNotFound, .message = "no such route"};
  EXPECT_EQ(reranked.find({.rerank = "nosuch", .rerank_asked = true}).error().code, Code::kNotFound);
  reranked.broken = Error{.code = Code::kTimeout, .message = "it is late"};
  EXPECT_TRUE(reranked.find({.rerank = "other", .rerank_asked = true}));
  EXPECT_EQ(reranked.routes.back(), "other");
  // No time left: nobody is asked.
  const size_t asked = reranked.asked.size();
  const auto late = reranked.find({.limit = 3, .rerank_until = now()});
  ASSERT_TRUE(late);
  EXPECT_EQ(documents(*late), documents(*before));
  EXPECT_NE(late->degraded, "");
  EXPECT_EQ(reranked.asked.size(), asked);
}

TEST(Rerank, ACollectionKeepsItsOwnRoute) {
  Reranked reranked("");
  ASSERT_TRUE(reranked.find({}));
  EXPECT_TRUE(reranked.routes.empty());
  auto about = *reranked.library->about("", "a");
  EXPECT_EQ(about.rerank, "");
  about.rerank = "mine";
  ASSERT_TRUE(reranked.library->describe("", about));
  EXPECT_EQ(reranked.library->about("", "a")->rerank, "mine");
  ASSERT_TRUE(reranked.find({.rerank = about.rerank}));
  EXPECT_EQ(reranked.routes, std::vector<std::string>{"mine"});
}

}  // namespace
}  // namespace ajar::rag
