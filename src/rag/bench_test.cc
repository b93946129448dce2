#include "rag/bench.h"

#include <gtest/gtest.h>

#include <cmath>

#include "rag/fake_embedder.h"
#include "rag/rag_test_helper.h"

namespace ajar::rag {
namespace {

TEST(Measure, AsTrecEvalDoes) {
  JudgedSet set;
  set.judgements = {{"q1", {{"a", 2}, {"b", 1}}}, {"q2", {{"c", 1}}}};
  const Quality quality = measure(set, {{"q1", {"x", "a", "b"}}, {"q2", {"y", "z"}}});
  const double ideal = 2 + 1 / std::log2(3.0), gain = 2 / std::log2(3.0) + 1 / std::log2(4.0);
  EXPECT_NEAR(quality.ndcg10, gain / ideal / 2, 1e-9);
  EXPECT_NEAR(quality.mrr10, 0.25, 1e-9);
  EXPECT_NEAR(quality.recall10, 0.5, 1e-9);
  EXPECT_EQ(quality.queries, 2u);
}

TEST(Beir, AFolderIsRead) {
  TestFolder folder;
  folder.write("s/corpus.jsonl", R"({"_id":"1","title":"T","text":"body"})" "\n" R"({"_id":"2","title":"","text":"other"})" "\n");
  folder.write("s/queries.jsonl", R"({"_id":"q","text":"body?"})" "\n" R"({"_id":"unjudged","text":"x"})" "\n");
  folder.write("s/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq\t1\t1\nq\t2\t0\n");
  const auto set = read_beir(folder.path() + "/s");
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(set->documents[0].second, "T\nbody");
  EXPECT_EQ(set->queries.size(), 1u);
  EXPECT_EQ(set->judgements.at("q").size(), 1u);
  EXPECT_FALSE(read_beir(folder.path() + "/none"));
  folder.write("s/corpus.jsonl", "{\"_id\":\"1\",\n");
  EXPECT_FALSE(read_beir(folder.path() + "/s"));
}

// XQuAD by words alone, and that tuning never gives up the better leg.
TEST(Xquad, WordsFindTheParagraphAndTuningKeepsTheBetterLeg) {
  const std::string data = shared_data();
  if (data.empty()) GTEST_SKIP() << "no shared data";
  auto set = read_xquad(data + "/eval/xquad/xquad.en.json");
  ASSERT_TRUE(set);
  EXPECT_EQ(set->documents.size(), 240u);
  EXPECT_EQ(set->queries.size(), 1190u);
  for (size_t i = 120; i < set->queries.size(); ++i) set->judgements.erase(set->queries[i].first);
  set->queries.resize(120);
  TestFolder folder;
  CollectionOptions options;
  options.embedder = fake_embedder(64);
  options.chunks.tokens = 2000;
  auto collection = Collection::open(folder.path() + "/c", std::move(options));
  ASSERT_TRUE(collection);
  std::vector<DocumentInput> inputs;
  for (const auto& [id, text] : set->documents) inputs.push_back({.id = id, .bytes = text});
  ASSERT_TRUE((*collection)->add_all(std::move(inputs)));
  const auto tuned = tune(**collection, *set, fake_embedder(64).embed);
  ASSERT_TRUE(tuned) << tuned.error().message;
  EXPECT_GT(tuned->words.ndcg10, 0.93);
  EXPECT_GE(tuned->tuned_both.ndcg10, std::max(tuned->tuned_words.ndcg10, tuned->tuned_meaning.ndcg10));
  EXPECT_GT(tuned->both.ndcg10, tuned->words.ndcg10 - 0.02);
}

}  // namespace
}  // namespace ajar::rag
