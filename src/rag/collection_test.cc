#include "rag/collection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <atomic>
#include <cstdlib>
#include <random>
#include <sstream>
#include <thread>

#include "base/random.h"
#include "rag/collection_test_ingest.h"
#include "rag/fake_embedder.h"
#include "rag/ingest.h"
#include "rag/rag_test_helper.h"

namespace ajar::rag {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

const Reader kAll{.everything = true};

std::unique_ptr<Collection> make(const TestFolder& folder, std::optional<Embedder> embedder = fake_embedder()) {
  CollectionOptions options;
  options.convert = test_helper();
  options.embedder = std::move(embedder);
  auto made = Collection::open(folder.path() + "/c", std::move(options));
  EXPECT_TRUE(made) << made.error().message;
  return std::move(*made);
}

DocumentInput text(std::string id, std::string words, Metadata metadata = {}, std::optional<std::vector<std::string>> allow = {}) {
  return {.id = id, .name = id + ".txt", .bytes = std::move(words), .metadata = std::move(metadata), .allow = std::move(allow)};
}

std::vector<std::string> found(Collection& collection, const std::string& question, Reader reader = kAll, Filter filter = {}) {
  SearchRequest request{.text = question, .filter = std::move(filter), .reader = std::move(reader)};
  request.least_meaning = 0.3f;
  if (const auto vector = fake_embedder().embed(std::vector<std::string>{question}); vector && collection.embedded_with() == "fake") request.embedding = *vector;
  const auto hits = collection.search(request);
  EXPECT_TRUE(hits) << hits.error().message;
  std::vector<std::string> out;
  if (hits) for (const Hit& hit : *hits) out.push_back(hit.document);
  return out;
}

TEST(Collection, AHitIsAQuoteOfItsDocument) {
  TestFolder folder;
  auto collection = make(folder);
  const std::string body = "# Guide\n\n## Install\n\nUnpack the archive first.\n\n## Remove\n\nDelete the crimson folder. Nothing else is left.\n";
  ASSERT_TRUE(collection->add({.id = "g", .name = "guide.md", .bytes = body}));
  SearchRequest request{.text = "crimson folder", .reader = kAll, .limit = 1, .parents = true};
  const auto hits = collection->search(request);
  ASSERT_TRUE(hits);
  ASSERT_EQ(hits->size(), 1u);
  const Hit& hit = hits->front();
  EXPECT_EQ(hit.name, "guide.md");
  EXPECT_EQ(hit.headings, "Guide");
  EXPECT_EQ(hit.text, "Remove\n\nDelete the crimson folder. Nothing else is left.");
  EXPECT_TRUE(hit.words);
  EXPECT_FALSE(hit.meaning);
  const auto whole = collection->text("g", kAll);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->substr(hit.begin, hit.end - hit.begin), hit.text);
  EXPECT_THAT(hit.parent, HasSubstr("crimson"));
}

// infiniflow/ragflow#1017: the exact keyword is present but vectors do not find it.
TEST(Collection, AnExactKeywordIsFound) {
  TestFolder folder;
  auto collection = make(folder);
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(collection->add(text("d" + std::to_string(i), "The device reports error E-" + std::to_string(4000 + i) + " when it is cold.")));
  EXPECT_EQ(found(*collection, "E-4017")[0], "d17");
}

// ragflow#13708: changed files stay stale, deleted files stay searchable.
TEST(Collection, ChangedAndRemovedDocumentsAreGoneFromTheNextRead) {
  TestFolder folder;
  auto collection = make(folder);
  EXPECT_EQ(collection->add(text("a", "The meeting is on Monday."))->outcome, Outcome::kAdded);
  EXPECT_EQ(collection->add(text("a", "The meeting is on Monday."))->outcome, Outcome::kUnchanged);
  EXPECT_EQ(collection->add(text("a", "The meeting is on Friday."))->outcome, Outcome::kReplaced);
  EXPECT_EQ(*collection->text("a", kAll), "The meeting is on Friday.");
  const auto hits = collection->search({.text = "monday meeting", .reader = kAll});
  for (const Hit& hit : *hits) EXPECT_THAT(hit.text, HasSubstr("Friday"));
  EXPECT_EQ(*collection->remove(std::vector<std::string>{"a", "never"}), 1u);
  EXPECT_TRUE(found(*collection, "meeting").empty());
  EXPECT_FALSE(collection->document("a", kAll));
}

// A changed file that cannot be read any more: its old text is not what it says.
TEST(Collection, AFileThatFailsIsListedWithItsReasonAndSaysNothing) {
  TestFolder folder;
  auto collection = make(folder);
  ASSERT_TRUE(collection->add(text("a", "Alpha text.")));
  const auto failed = collection->add({.id = "a", .name = "a.png", .bytes = "\x89PNG\r\n\x1a\n\0\0\0"});
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->outcome, Outcome::kFailed);
  EXPECT_THAT(failed->reason, HasSubstr("PNG"));
  EXPECT_TRUE(found(*collection, "alpha").empty());
  const auto info = collection->document("a", kAll);
  EXPECT_EQ(info->status, "failed");
  EXPECT_EQ(info->reason, failed->reason);
}

// langflow-ai/openrag#1336: allow-lists are stored and never used.
TEST(Collection, OnlyWhoIsOnTheListSeesADocumentOnEitherLegAndInLists) {
  TestFolder folder;
  auto collection = make(folder);
  ASSERT_TRUE(collection->add(text("open", "Salary rules for all.")));
  ASSERT_TRUE(collection->add(text("legal", "Salary of the board.", {}, {{"group:legal"}})));
  ASSERT_TRUE(collection->add(text("ada", "Salary of Ada.", {}, {{"user:ada", "group:legal"}})));
  ASSERT_TRUE(collection->add(text("nobody", "Salary secret.", {}, std::vector<std::string>{})));
  const Reader stranger, ada{.principals = {"user:ada"}}, legal{.principals = {"group:legal", "user:bob"}};
  EXPECT_THAT(found(*collection, "salary", stranger), ElementsAre("open"));
  EXPECT_THAT(found(*collection, "salary", ada), UnorderedElementsAre("open", "ada"));
  EXPECT_THAT(found(*collection, "salary", legal), UnorderedElementsAre("open", "legal", "ada"));
  EXPECT_EQ(found(*collection, "salary").size(), 4u);
  SearchRequest meaning{.embedding = *fake_embedder().embed(std::vector<std::string>{"salary secret"}), .reader = stranger};
  for (const Hit& hit : *collection->search(meaning)) EXPECT_EQ(hit.document, "open");
  EXPECT_FALSE(collection->document("ada", stranger));
  EXPECT_FALSE(collection->text("ada", stranger));
  EXPECT_EQ(collection->list("", 10, stranger)->size(), 1u);
  // A list that changes holds from the next read on.
  ASSERT_TRUE(collection->describe("ada", {}, {{"user:eve"}}));
  EXPECT_THAT(found(*collection, "salary", ada), ElementsAre("open"));
}

// llama_index#14959: the dense leg filters, the BM25 leg cannot.
TEST(Collection, OneFilterForBothLegs) {
  TestFolder folder;
  auto collection = make(folder);
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(collection->add(text("d" + std::to_string(i), "A report about steel.", {{"year", 2000.0 + i}, {"draft", i % 2 == 0}, {"team", std::string(i < 20 ? "red" : "blue")}})));
  const auto filter = [&](const char* json) { return found(*collection, "steel report", kAll, *read_filter(json)); };
  EXPECT_THAT(filter(R"({"type":"eq","key":"year","value":2007})"), ElementsAre("d7"));
  EXPECT_EQ(filter(R"({"type":"in","key":"year","value":[2001,2002,9]})").size(), 2u);
  EXPECT_EQ(filter(R"({"type":"and","filters":[{"type":"gte","key":"year","value":2036},{"type":"eq","key":"draft","value":true}]})").size(), 2u);
  EXPECT_EQ(filter(R"({"type":"or","filters":[{"type":"lt","key":"year","value":2002},{"type":"gt","key":"year","value":2038}]})").size(), 3u);
  EXPECT_EQ(filter(R"({"type":"nin","key":"team","value":["red","blue"]})").size(), 0u);
  EXPECT_EQ(filter(R"({"type":"ne","key":"team","value":"red"})").size(), 10u);
  const auto missing = collection->search({.text = "steel", .filter = *read_filter(R"({"type":"eq","key":"yaer","value":1})"), .reader = kAll});
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("'yaer'"));
  EXPECT_THAT(missing.error().message, HasSubstr("year"));
}

TEST(Filter, SaysWhereItIsWrong) {
  for (const auto& [json, where] : std::map<std::string, std::string>{
           {R"({"type":"like","key":"a","value":1})", "filter.type"}, {R"({"type":"eq","value":1})", "filter.key"}, {R"({"type":"eq","key":"a"})", "filter.value"},
           {R"({"type":"and","filters":[{"type":"eq"}]})", "filter.filters[0].key"}, {R"({"type":"gt","key":"a","value":true})", "filter.value"}}) {
    const auto filter = read_filter(json);
    ASSERT_FALSE(filter) << json;
    EXPECT_EQ(filter.error().field, where);
  }
  std::string deep = R"({"type":"eq","key":"a","value":1})";
  for (int i = 0; i < 20; ++i) deep = R"({"type":"and","filters":[)" + deep + "]}";
  EXPECT_FALSE(read_filter(deep));
}

// open-webui#26953: search embeds stored chunks again. And llama_index#13361: the two legs index different texts.
TEST(Collection, StoredChunksAreEmbeddedOnceAndFromTheSameTextAsWords) {
  TestFolder folder;
  auto seen = std::make_shared<size_t>(0);
  std::vector<std::string> embedded;
  Embedder embedder = fake_embedder(64, "fake", seen);
  embedder.embed = [&embedded, inner = embedder.embed](std::span<const std::string> texts) { return embedded.insert(embedded.end(), texts.begin(), texts.end()), inner(texts); };
  auto collection = make(folder, embedder);
  ASSERT_TRUE(collection->add({.id = "a", .name = "a.md", .bytes = "# Zebra handbook\n\nBody of it.\n"}));
  const size_t after_add = *seen;
  for (int i = 0; i < 5; ++i) (void)found(*collection, "zebra");
  EXPECT_EQ(*seen, after_add);
  EXPECT_THAT(embedded.front(), HasSubstr("Zebra handbook"));
  EXPECT_EQ(found(*collection, "handbook"), std::vector<std::string>{"a"});
}

// llama_index PR #22133: only the last chunk of a document is kept. And dify#35707: equal passages of two documents are one.
TEST(Collection, EveryChunkOfEveryDocumentIsThere) {
  TestFolder folder;
  auto collection = make(folder);
  std::string body;
  for (int i = 0; i < 60; ++i) body += "# Part " + std::to_string(i) + "\n\nThe word of this part is keyword" + std::to_string(i) + ". It says no more than that.\n\n";
  for (const char* id : {"one", "two"}) ASSERT_TRUE(collection->add({.id = id, .name = std::string(id) + ".md", .bytes = body}));
  for (int i = 0; i < 60; i += 7) {
    const auto hits = collection->search({.text = "keyword" + std::to_string(i), .reader = kAll});
    ASSERT_TRUE(hits);
    ASSERT_EQ(hits->size(), 2u);
    EXPECT_NE((*hits)[0].document, (*hits)[1].document);
  }
}

TEST(Collection, OpensAsItWasAndADamagedIndexCostsNothing) {
  TestFolder folder;
  std::vector<std::string> before;
  {
    auto collection = make(folder);
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(collection->add(text("d" + std::to_string(i), "Subject number" + std::to_string(i) + " of the list.", {{"n", double(i)}})));
    (void)collection->remove(std::vector<std::string>{"d3"});
    before = found(*collection, "number7 list");
    ASSERT_TRUE(collection->set_weights({0.3f, 0.7f, index::Fusion::kRanks}));
    before = found(*collection, "number7 list");
  }
  {
    auto collection = make(folder);
    EXPECT_EQ(found(*collection, "number7 list"), before);
    EXPECT_EQ(collection->stats().documents, 49u);
    EXPECT_EQ(collection->stats().rebuilt, 0u);
    EXPECT_FLOAT_EQ(collection->weights().meaning, 0.7f);
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() + "/c"))
    if (entry.path().filename().string().find('-') != std::string::npos && entry.path().extension() != ".manifest" && !entry.path().filename().string().starts_with("collection"))
      std::filesystem::resize_file(entry.path(), 100);
  auto collection = make(folder);
  EXPECT_EQ(collection->stats().rebuilt, 2u);
  EXPECT_EQ(found(*collection, "number7 list"), before);
}

// The table of documents is made from the log of truth: whatever became of it, and whoever changed the log, access is what the log says.
TEST(Collection, AccessIsWhatTheLogSays) {
  TestFolder folder;
  const Reader ada{.principals = {"user:ada"}};
  const auto open = [&] {
    CollectionOptions options;
    options.table_changes = 8;
    auto made = Collection::open(folder.path() + "/c", std::move(options));
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  };
  const auto table = [&] {
    std::string path;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() + "/c"))
      if (entry.path().filename().string().starts_with("documents-")) path += entry.path().string();  // two would be none
    return path;
  };
  {
    auto collection = open();
    for (int i = 0; i < 40; ++i)
      ASSERT_TRUE(collection->add(text("d" + std::to_string(i), "A pelican number" + std::to_string(i) + ".", {{"n", double(i)}}, i % 2 == 0 ? std::nullopt : std::optional(std::vector<std::string>{"user:ada"}))));
  }
  ASSERT_FALSE(table().empty());
  {
    auto collection = open();
    EXPECT_EQ(collection->stats().rebuilt, 0u);
    EXPECT_EQ(collection->stats().documents, 40u);
    EXPECT_THAT(found(*collection, "number7", ada), ElementsAre("d7"));
    EXPECT_THAT(found(*collection, "number7", Reader()), ElementsAre());
    ASSERT_TRUE(collection->describe("d7", {}, std::vector<std::string>{"user:bob"}));
    EXPECT_THAT(found(*collection, "number7", ada), ElementsAre());
    EXPECT_EQ(*collection->remove(std::vector<std::string>{"d9"}), 1u);
  }
  EXPECT_THAT(found(*open(), "number7", ada), ElementsAre());
  EXPECT_THAT(found(*open(), "number9", ada), ElementsAre());
  {  // changed by another program
    auto database = store::Database::open(folder.path() + "/c/collection.db");
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->exec("UPDATE documents SET allow = '[]' WHERE id = 'd2'; DELETE FROM documents WHERE id = 'd4'"));
  }
  EXPECT_THAT(found(*open(), "number2", ada), ElementsAre());
  EXPECT_THAT(found(*open(), "number4", ada), ElementsAre());
  EXPECT_THAT(found(*open(), "number6", ada), ElementsAre("d6"));
  const std::string good = slurp(table());
  for (const size_t cut : {size_t{0}, good.size() / 2, good.size() - 1}) {
    std::filesystem::resize_file(table(), cut);
    auto collection = open();
    EXPECT_EQ(collection->stats().rebuilt, 1u);
    EXPECT_THAT(found(*collection, "number7", ada), ElementsAre());
    EXPECT_THAT(found(*collection, "number6", ada), ElementsAre("d6"));
    ASSERT_TRUE(collection->add(text("more" + std::to_string(cut), "More.")));
    collection.reset();
    std::ofstream(table(), std::ios::binary) << good;  // for the next round: of this size again, and of another time
  }
  (void)open();
  auto collection = open();
  EXPECT_EQ(collection->stats().rebuilt, 0u);  // made good when it was closed
  EXPECT_THAT(found(*collection, "number7", ada), ElementsAre());
  EXPECT_EQ(collection->stats().documents, 41u);
}

TEST(Collection, ANewEmbedderOfAnotherWidth) {
  TestFolder folder;
  {
    auto collection = make(folder);
    for (int i = 0; i < 150; ++i) ASSERT_TRUE(collection->add(text("d" + std::to_string(i), "Topic" + std::to_string(i) + " is described here.")));
  }
  auto collection = make(folder, fake_embedder(128, "wider"));
  EXPECT_TRUE(collection->needs_reembedding());
  const auto refused = collection->add(text("new", "x"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kConflict);
  // The old vectors serve, and a vector of the new width is told what it is.
  EXPECT_EQ(found(*collection, "topic9")[0], "d9");
  const auto wrong = collection->search({.embedding = std::vector<float>(128, 1), .reader = kAll});
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("64"));
  size_t last = 0;
  bool once = false;
  ASSERT_TRUE(collection->reembed([&](size_t done, size_t all) {
    EXPECT_EQ(all, 150u);
    if (!once && done < all) EXPECT_EQ(collection->embedded_with(), "fake");
    once = true, last = done;
  }));
  EXPECT_EQ(last, 150u);
  EXPECT_FALSE(collection->needs_reembedding());
  const auto vector = fake_embedder(128).embed(std::vector<std::string>{"topic77 described"});
  EXPECT_EQ((*collection->search({.embedding = *vector, .reader = kAll}))[0].document, "d77");
  collection.reset();
  collection = make(folder, fake_embedder(128, "wider"));
  EXPECT_EQ((*collection->search({.embedding = *vector, .reader = kAll}))[0].document, "d77");
}

TEST(Collection, AnEmbedderThatFailsChangesNothing) {
  TestFolder folder;
  bool broken = false;
  Embedder embedder = fake_embedder();
  embedder.embed = [&, inner = embedder.embed](std::span<const std::string> texts) -> Result<std::vector<float>> {
    if (broken) return fail(Code::kUpstream, "no embedder today");
    return inner(texts);
  };
  auto collection = make(folder, embedder);
  ASSERT_TRUE(collection->add(text("a", "First version.")));
  broken = true;
  EXPECT_FALSE(collection->add(text("a", "Second version.")));
  EXPECT_EQ(*collection->text("a", kAll), "First version.");
  EXPECT_THAT(found(*collection, "first"), ElementsAre("a"));
}

TEST(Collection, WorksWithoutAnEmbedder) {
  TestFolder folder;
  auto collection = make(folder, std::nullopt);
  ASSERT_TRUE(collection->add(text("a", "Words alone are enough.")));
  EXPECT_EQ(found(*collection, "words enough"), std::vector<std::string>{"a"});
  EXPECT_FALSE(collection->search({.embedding = {1, 2}, .reader = kAll}));
  EXPECT_TRUE(found(*collection, "").empty());
  EXPECT_TRUE(found(*collection, "ὕδωρ 水").empty());  // a query in another script
}

TEST(Collection, DiversityAndRerank) {
  TestFolder folder;
  auto collection = make(folder);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(collection->add(text("same" + std::to_string(i), "The pump makes noise when it is old.")));
  ASSERT_TRUE(collection->add(text("other", "Noise of the pump can come from loose screws in the housing of the motor.")));
  SearchRequest request{.text = "pump noise", .reader = kAll, .limit = 2, .diversity = 0.3f};
  std::vector<std::string> ids;
  for (const Hit& hit : *collection->search(request)) ids.push_back(hit.document);
  EXPECT_THAT(ids, ::testing::Contains("other"));
  request.diversity = 1;
  request.rerank = [](const std::string&, std::span<const std::string> passages) -> Result<std::vector<float>> {
    std::vector<float> scores;
    for (const std::string& passage : passages) scores.push_back(passage.find("screws") != std::string::npos ? 1.0f : 0.0f);
    return scores;
  };
  const auto hits = collection->search(request);
  EXPECT_EQ((*hits)[0].document, "other");
  EXPECT_EQ((*hits)[0].rerank, 1.0f);
}

TEST(Collection, ReadersWhileItIsWritten) {
  TestFolder folder;
  auto collection = make(folder);
  std::atomic<bool> stop = false;
  std::atomic<size_t> reads = 0, torn = 0;
  std::vector<std::thread> readers;
  for (int t = 0; t < 2; ++t)
    readers.emplace_back([&] {
      while (!stop) {
        const auto hits = collection->search({.text = "pair member", .embedding = *fake_embedder().embed(std::vector<std::string>{"pair member"}), .reader = kAll, .limit = 50});
        if (!hits) ++torn;
        ++reads;
      }
    });
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(collection->add(text("x" + std::to_string(i % 7), "pair member version" + std::to_string(i))));
    if (i % 5 == 4) (void)collection->remove(std::vector<std::string>{"x" + std::to_string(i % 7)});
  }
  while (reads == 0) std::this_thread::yield();
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(torn, 0u);
}

TEST(Sync, AFolderAndACollectionAreTheSame) {
  TestFolder folder;
  auto collection = make(folder);
  folder.write("in/a.md", "# Alpha\n\nFirst.");
  folder.write("in/sub/b.txt", "Second thing.");
  folder.write("in/empty.txt", "");
  folder.write("in/.git/config", "hidden words");
  const auto first = sync_folder(*collection, folder.path() + "/in", {});
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->added, 2u);
  EXPECT_EQ(first->failed, 1u);
  EXPECT_TRUE(found(*collection, "hidden").empty());
  folder.write("in/a.md", "# Beta\n\nChanged.");
  std::filesystem::remove(folder.path() + "/in/sub/b.txt");
  const auto second = sync_folder(*collection, folder.path() + "/in", {});
  EXPECT_EQ(second->replaced, 1u);
  EXPECT_EQ(second->removed, 1u);
  EXPECT_TRUE(found(*collection, "second thing").empty());
  EXPECT_EQ(found(*collection, "beta"), std::vector<std::string>{"a.md"});
  EXPECT_FALSE(sync_folder(*collection, folder.path() + "/nowhere", {}));
}

// kill -9 at any moment: what was acknowledged is there, whole, and what was removed is not.
TEST(Collection, ACrashLosesNothingThatWasAcknowledged) {
  const char* more = std::getenv("AJAR_RAG_KILLS");
  const int kills = more != nullptr ? std::atoi(more) : 8;
  TestFolder folder;
  std::mt19937 random(5);
  std::map<std::string, int> known;  // acknowledged documents and versions; -1: removed
  for (int round = 0; round < kills; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const std::string self = std::filesystem::read_symlink("/proc/self/exe").string(), out = std::to_string(ends[1]), start = std::to_string(round * 100'000);
    const pid_t child = fork();
    if (child == 0) {
      ::close(ends[0]);
      execl(self.c_str(), self.c_str(), ("ingest-until-killed:" + out + ":" + start).c_str(), folder.path().c_str(), nullptr);
      _exit(127);
    }
    ::close(ends[1]);
    // Killed after a few acknowledgements and a moment more; or, now and then, while it is being opened.
    std::string log;
    char block[4096];
    const size_t wanted = random() % 6 == 0 ? 0 : 40 + random() % 1500;
    while (log.size() < wanted) {
      const ssize_t n = ::read(ends[0], block, sizeof block);
      if (n <= 0) break;
      log.append(block, static_cast<size_t>(n));
    }
    usleep(random() % 6000);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
    for (ssize_t n; (n = ::read(ends[0], block, sizeof block)) > 0;) log.append(block, static_cast<size_t>(n));
    ::close(ends[0]);
    // The child says what it is about to do, and what is done.
    std::map<std::string, int> pending;
    std::istringstream lines(log);
    for (std::string what, id, version; lines >> what >> id >> version;) {
      const int n = std::stoi(version);
      if (what == "begin") pending[id] = n;
      else pending.erase(id), known[id] = n;
    }
    auto opened = Collection::open(folder.path() + "/c", ingest_options());
    ASSERT_TRUE(opened) << opened.error().message;
    for (const auto& [id, version] : known) {
      const auto whole = (*opened)->text(id, kAll);
      const auto maybe = pending.find(id);
      const bool as_known = version < 0 ? !whole : whole && *whole == ingest_text(id, version);
      const bool as_pending = maybe != pending.end() && (maybe->second < 0 ? !whole : whole && *whole == ingest_text(id, maybe->second));
      ASSERT_TRUE(as_known || as_pending) << "round " << round << ": " << id << " version " << version;
      if (as_pending && !as_known) known[id] = maybe->second;
    }
    for (const auto& [id, version] : pending)
      if (!known.contains(id) && (*opened)->text(id, kAll)) known[id] = version;
    if (!known.empty()) {
      auto some = known.begin();
      std::advance(some, static_cast<long>(random() % known.size()));
      const auto hits = (*opened)->search({.text = "unique" + some->first, .embedding = *fake_embedder(16).embed(std::vector<std::string>{some->first}), .reader = kAll, .limit = 50});
      ASSERT_TRUE(hits);
      const bool there = std::any_of(hits->begin(), hits->end(), [&](const Hit& hit) { return hit.document == some->first && hit.words; });
      EXPECT_EQ(there, some->second >= 0) << some->first;
    }
  }
}

}  // namespace
}  // namespace ajar::rag
