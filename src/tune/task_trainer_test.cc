#include "tune/task_trainer.h"

#include <gtest/gtest.h>

#include "tune/task_split.h"

namespace ajar::tune {
namespace {

// Requests of three kinds, made of parts; some have a wrong label, as people's data do.
std::vector<learn::Labelled> rows(int per_label, bool mistakes = true) {
  const std::vector<std::vector<std::string>> parts = {
      {"where is", "track", "find", "locate", "any news of"}, {"cancel", "stop", "undo", "drop", "call off"}, {"pay for", "buy", "purchase", "settle", "charge me for"}};
  const std::vector<std::string> things = {"order", "parcel", "trip", "ticket", "booking", "plan"}, ends = {"please", "now", "today", "at once", "for me", ""};
  std::vector<learn::Labelled> out;
  for (int i = 0; i < per_label; ++i)
    for (size_t label = 0; label < 3; ++label) {
      const auto n = static_cast<size_t>(i);
      const size_t said = mistakes && i % 12 == 11 ? (label + 1) % 3 : label;
      out.push_back({.text = parts[label][n % 5] + " my " + things[n / 5 % 6] + " " + std::to_string(n) + " " + ends[n % 6],
                     .label = std::string(1, static_cast<char>('a' + said))});
    }
  for (const char* stranger : {"tell me a joke", "what is the weather", "who won the match", "sing a song"}) out.push_back({.text = stranger, .label = "oos"});
  return out;
}

Embedder letters() {
  return {.width = 26, .embed = [](std::span<const std::string> texts) -> Result<std::vector<float>> {
            std::vector<float> out;
            for (const std::string& text : texts) {
              std::vector<float> row(26);
              for (const char c : text)
                if (c >= 'a' && c <= 'z') row[static_cast<size_t>(c - 'a')] += 1;
              out.insert(out.end(), row.begin(), row.end());
            }
            return out;
          }};
}

TaskOptions options(int per_label) {
  TaskOptions o{.rows = rows(per_label), .dataset = "made", .licence = "CC0-1.0", .embedder = "letters", .trained_at = "2026-11-26T00:00:00Z"};
  o.recipe.random = 32;
  o.recipe.hashed.bits = 12;
  o.guarantee = {.alpha = 0.2, .delta = 0.1};
  return o;
}

TEST(TaskTrainer, LearnsMeasuresAndPromises) {
  for (const auto& [embedder, linear] : {std::pair(letters(), false), {letters(), true}, {Embedder{}, true}}) {
    auto o = options(200);
    if (linear) o.recipe.kernel.width = 0;
    const auto trained = train_task(o, embedder);
    ASSERT_TRUE(trained) << trained.error().message;
    const auto& r = trained->report;
    EXPECT_EQ(r.labels, 3);
    EXPECT_EQ(r.train_rows + r.calibration_rows + r.test_rows, 600);
    EXPECT_GT(r.accuracy, 0.8);  // a twelfth of the labels is wrong
    EXPECT_NEAR(r.accuracy, r.accuracy_unquantized, 0.05);
    ASSERT_TRUE(r.threshold.found) << r.threshold.refusal.reason;
    EXPECT_LE(r.threshold.found->bound, 0.2);
    EXPECT_EQ(r.out_of_scope_rows, 4);
    EXPECT_GT(r.bytes, 1000);
    EXPECT_TRUE(trained->model.lineage().guaranteed);
    EXPECT_EQ(trained->model.lineage().embedder, embedder.embed ? "letters" : "");
    EXPECT_NE(describe(r, o).find("threshold"), std::string::npos);

    const auto again = train_task(o, embedder);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->model.serialize(), trained->model.serialize()) << "repeatable to the byte";
  }
}

TEST(TaskTrainer, WordsAnswerFirstWhereTheyAreAsRight) {
  auto o = options(600);
  o.rows = rows(600, false);
  const auto trained = train_task(o, letters());
  ASSERT_TRUE(trained) << trained.error().message;
  ASSERT_EQ(trained->model.stages().size(), 2);
  EXPECT_GT(trained->report.by_words, 0.2);
  EXPECT_GE(trained->report.right_tested, trained->report.right_embedded - 1);
  EXPECT_NE(describe(trained->report, o).find("words first"), std::string::npos);
  EXPECT_FALSE(*trained->model.stages().front().ask("zzz", {}));
  o.words_first = false;
  const auto always = train_task(o, letters());
  ASSERT_TRUE(always);
  EXPECT_EQ(always->model.stages().size(), 1);
  EXPECT_EQ(always->report.by_words, 0);
  EXPECT_EQ(train_task(options(600), letters())->model.stages().size(), 1) << "a twelfth of the labels is wrong, so words are wrong too often";
}

TEST(TaskTrainer, WordVectorsAnswerBeforeTheWholeWhereTheyAreAsRight) {
  auto o = options(200);
  Embedder embedder = letters();
  embedder.word_vectors = embedder.embed;  // as right as the whole wherever they are in scope
  const auto trained = train_task(o, embedder);
  ASSERT_TRUE(trained) << trained.error().message;
  const auto stages = trained->model.stages();
  ASSERT_GE(stages.size(), 2);
  const learn::TaskModel& vectors = *stages[stages.size() - 2].model;
  EXPECT_EQ(vectors.recipe().layers, 0);
  EXPECT_EQ(vectors.width(), trained->model.width());
  EXPECT_EQ(trained->model.recipe().layers, learn::kAllLayers);
  EXPECT_GT(trained->report.by_word_vectors, 0.5);
  EXPECT_NEAR(static_cast<double>(trained->report.right_tested), static_cast<double>(trained->report.right_embedded), 2);
  EXPECT_NE(describe(trained->report, o).find("by word vectors"), std::string::npos);
  const auto again = train_task(o, embedder);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->model.serialize(), trained->model.serialize()) << "repeatable to the byte";
  o.words_first = false;
  EXPECT_EQ(train_task(o, embedder)->model.stages().size(), 1);
}

TEST(TaskTrainer, LearnsByAKernelUnlessToldNotTo) {
  auto o = options(200);
  o.recipe.layers = 2;
  const auto with = train_task(o, letters());
  o.recipe.kernel.width = 0;
  const auto without = train_task(o, letters());
  ASSERT_TRUE(with && without);
  EXPECT_EQ(with->model.kernel().size(), static_cast<size_t>(with->report.train_rows));
  EXPECT_TRUE(without->model.kernel().empty());
  EXPECT_LT(without->report.bytes, with->report.bytes);
  EXPECT_EQ(with->model.recipe().layers, 2);
  EXPECT_GT(with->report.accuracy, 0.85) << without->report.accuracy;
  const auto words = train_task(options(200), {});
  ASSERT_TRUE(words);
  EXPECT_TRUE(words->model.kernel().empty()) << "there are no embeddings to compare";
  EXPECT_EQ(words->model.recipe().kernel.width, 0);
}

TEST(TaskTrainer, TooFewRowsPromiseNothing) {
  auto o = options(40);
  o.guarantee = {.alpha = 0.01, .delta = 0.05};
  const auto trained = train_task(o, {});
  ASSERT_TRUE(trained) << trained.error().message;
  EXPECT_FALSE(trained->report.threshold.found);
  EXPECT_FALSE(trained->report.threshold.refusal.reason.empty());
  EXPECT_FALSE(trained->model.lineage().guaranteed);
  EXPECT_FALSE(train_task(options(5), {})) << "nothing to hold out";
}

TEST(TaskSplit, TakesTheDatasOwnAndDropsDuplicates) {
  std::vector<learn::Labelled> data;
  for (int i = 0; i < 60; ++i)
    data.push_back({.text = "text " + std::to_string(i), .label = i % 2 ? "x" : "y", .split = i < 30 ? "train" : "val"});
  data.push_back({.text = " TEXT  3 ", .label = "x", .split = "val"});
  const auto split = split_rows(data, "oos", 0.2);
  ASSERT_TRUE(split) << split.error().message;
  EXPECT_EQ(split->train.size(), 30);
  EXPECT_EQ(split->calibration.size() + split->test.size(), 30);
  EXPECT_EQ(split->duplicates, 1);
  data.push_back({.text = "new", .label = "z", .split = "val"});
  const auto untaught = split_rows(data, "oos", 0.2);
  ASSERT_FALSE(untaught);
  EXPECT_EQ(untaught.error().message, "the label 'z' has no rows to learn from");
}

}  // namespace
}  // namespace ajar::tune
