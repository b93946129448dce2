#include "learn/task_model.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <random>

#include "base/random.h"
#include "learn/file.h"
#include "learn/kernel_ridge.h"

namespace ajar::learn {
namespace {

constexpr uint32_t kWidth = 4;

std::vector<float> embed(std::string_view text, uint32_t width) {
  std::vector<float> out(width);
  for (size_t i = 0; i < text.size() && width > 0; ++i) out[i % width] += static_cast<float>(text[i] % 7) - 3;
  return out;
}

const std::vector<std::pair<std::string, uint32_t>> kRows = {
    {"where is my card", 0},   {"my card has not come", 0}, {"card still missing", 0},
    {"change my pin", 1},      {"how do I set a new pin", 1}, {"pin forgotten", 1},
    {"transfer some money", 2}, {"send money abroad", 2},     {"money transfer failed", 2}};

TaskModel small_model(uint32_t width, bool by_kernel = false) {
  TaskRecipe recipe{.hashed = {.bits = 10}, .random = 8, .kernel = {.width = by_kernel ? 3U : 0}};
  recipe.training.epochs = 30;
  const TaskFeatures features(recipe, width);
  std::vector<Example> examples;
  std::vector<std::vector<float>> embeddings;
  for (const auto& [text, label] : kRows) {
    embeddings.push_back(embed(text, width));
    examples.push_back(features(text, embeddings.back()));
    examples.back().label = label;
  }
  TaskParts parts{.labels = {"card", "pin", "{\"intent\":\"transfer\"}"}, .recipe = recipe, .width = width};
  if (by_kernel) {
    std::vector<KernelExample> rows;
    for (size_t i = 0; i < kRows.size(); ++i) rows.push_back({&examples[i].sparse, embeddings[i], kRows[i].second});
    auto fit = train_kernel(rows, 3, features.columns(), recipe.kernel, 1);
    parts.linear = std::move(fit->words), parts.kernel = std::move(fit->rows), parts.recipe.layers = 2;
  } else {
    parts.linear = *train_linear(examples, 3, features.columns(), recipe.training);
  }
  parts.centroids.assign(size_t{3} * width, 0.5F);
  TaskModel model(std::move(parts));
  model.set_calibrated({.temperature = 0.5, .confidence = *Isotonic::of({{0.2F, 0.1F}, {0.9F, 0.95F}}), .scope_floor = -0.5});
  model.set_lineage({.dataset = "rows", .dataset_sha256 = "ab", .licence = "CC-BY-4.0", .embedder = "letters", .train_rows = 9, .accuracy = 0.5});
  return model;
}

TEST(TaskModel, AnswersWithAndWithoutAnEmbedding) {
  for (const uint32_t width : {0U, kWidth}) {
    const TaskModel model = small_model(width);
    for (const auto& [text, label] : kRows) {
      const auto p = model.predict(text, embed(text, width));
      ASSERT_TRUE(p);
      EXPECT_EQ(p->ranked.front().label, label) << text << " " << width;
      ASSERT_EQ(p->ranked.size(), 3);
      double sum = 0;
      for (const auto& r : p->ranked) sum += r.probability;
      EXPECT_NEAR(sum, 1, 1e-5);
      EXPECT_GT(p->confidence, 0.1);
    }
    EXPECT_EQ(model.predict("card", embed("card", width), 1)->ranked.size(), 1);
    EXPECT_LT(model.predict("zebra", embed("zebra", width))->scope, model.predict("where is my card", embed("where is my card", width))->scope);
  }
  const auto wrong = small_model(kWidth).predict("card", std::vector<float>(7));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "the task model wants embeddings of 4 numbers by letters, not of 7");
}

TEST(TaskModel, SurvivesItsFile) {
  const TaskModel model = small_model(kWidth);
  const std::string path = (std::filesystem::temp_directory_path() / ("ajar-task-" + std::to_string(getpid()))).string();
  ASSERT_TRUE(model.save(path));
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
  const auto again = TaskModel::load(path);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->labels(), model.labels());
  EXPECT_EQ(again->lineage().licence, "CC-BY-4.0");
  EXPECT_EQ(again->serialize(), model.serialize());
  for (const auto& [text, label] : kRows) {
    EXPECT_EQ(again->logits(text, embed(text, kWidth)), model.logits(text, embed(text, kWidth)));
    EXPECT_EQ(again->predict(text, embed(text, kWidth))->confidence, model.predict(text, embed(text, kWidth))->confidence);
  }
  std::filesystem::remove(path);
  EXPECT_FALSE(TaskModel::load(path));
}

// What the first of the stages says, if it is sure.
std::optional<Prediction> first_said(const TaskModel& model, std::string_view text, std::span<const float> embedding = {}) {
  return *model.stages().front().ask(text, embedding);
}

TEST(TaskModel, WordsAnswerWhereTheyAreSure) {
  TaskModel model = small_model(kWidth);
  ASSERT_EQ(model.stages().size(), 1);
  EXPECT_EQ(model.stages().front().floor, 0);
  const auto words = std::make_shared<const TaskModel>(small_model(0));
  const double sure = words->predict("where is my card", {}, 1)->ranked.front().probability;
  model.set_first({.model = words, .floor = sure});
  ASSERT_EQ(model.stages().size(), 2);
  const auto said = first_said(model, "where is my card");
  ASSERT_TRUE(said);
  EXPECT_EQ(said->ranked.front().label, 0);
  EXPECT_TRUE(said->in_scope);
  EXPECT_FALSE(first_said(model, "zebra"));
  EXPECT_TRUE(*model.stages().back().ask("zebra", embed("zebra", kWidth))) << "the last says something in any case";

  const std::string bytes = model.serialize();
  const auto again = TaskModel::parse(bytes);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->serialize(), bytes);
  EXPECT_EQ(again->first().floor, sure);
  EXPECT_EQ(first_said(*again, "where is my card")->confidence, said->confidence);
  for (size_t cut = 0; cut < bytes.size(); cut += 1 + bytes.size() / 97) EXPECT_FALSE(TaskModel::parse(bytes.substr(0, cut))) << cut;

  model.set_first({.model = std::make_shared<const TaskModel>(model), .floor = sure});
  EXPECT_EQ(TaskModel::parse(model.serialize()).error().message, "what the task model asks first has too much before it");
  model.set_first({.model = std::make_shared<const TaskModel>(small_model(kWidth)), .floor = sure});
  EXPECT_EQ(TaskModel::parse(model.serialize()).error().message, "what the task model asks first is of another task");
}

TEST(TaskModel, WordsThenWordVectorsThenTheWhole) {
  TaskModel whole = small_model(kWidth, true), vectors = small_model(kWidth, true);
  vectors.set_first({.model = std::make_shared<const TaskModel>(small_model(0)), .floor = 0.99});
  TaskModel::Calibrated wide = vectors.calibrated();
  wide.scope_floor = -1e9;
  vectors.set_calibrated(wide);
  whole.set_first({.model = std::make_shared<const TaskModel>(vectors), .floor = 0.001});
  const std::string bytes = whole.serialize(), body = bytes.substr(0, bytes.size() - 64);
  const auto again = TaskModel::parse(bytes);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->serialize(), bytes);
  const auto stages = again->stages();
  ASSERT_EQ(stages.size(), 3);
  EXPECT_EQ(stages[0].model->width(), 0);
  EXPECT_EQ(stages[0].floor, 0.99);
  EXPECT_EQ(stages[1].floor, 0.001);
  EXPECT_TRUE(*stages[1].ask("pin", embed("pin", kWidth)));
  TaskModel narrow = *stages[1].model;
  narrow.set_calibrated({.scope_floor = 1e9});
  EXPECT_FALSE(*TaskModel::Stage(&narrow, 0.001).ask("pin", embed("pin", kWidth))) << "out of its scope, so the whole is asked";
  EXPECT_EQ(stages[1].ask("pin", {}).error().code, Code::kInvalid);
  for (size_t cut = 0; cut < body.size(); cut += 1 + body.size() / 97) {
    const std::string part = body.substr(0, cut);
    EXPECT_FALSE(TaskModel::parse(part + sha256_hex(part))) << cut;
  }

  TaskModel deeper = small_model(kWidth, true);
  deeper.set_first({.model = std::make_shared<const TaskModel>(whole), .floor = 0.5});
  EXPECT_EQ(TaskModel::parse(deeper.serialize()).error().message, "what the task model asks first has too much before it");
  deeper.set_first({.model = std::make_shared<const TaskModel>(vectors), .floor = 0});
  EXPECT_EQ(TaskModel::parse(deeper.serialize()).error().message, "the task model's words_floor is not above 0");
}

TEST(TaskModel, AKernelSurvivesTheFileBesideWordsAndWithout) {
  for (const bool words : {false, true}) {
    TaskModel model = small_model(kWidth, true);
    if (words) model.set_first({.model = std::make_shared<const TaskModel>(small_model(0)), .floor = 0.5});
    for (const auto& [text, label] : kRows) EXPECT_EQ(model.predict(text, embed(text, kWidth))->ranked.front().label, label) << text;
    EXPECT_EQ(model.recipe().random, 0) << "has no part in it";
    const std::string bytes = model.serialize(), body = bytes.substr(0, bytes.size() - 64);
    const auto again = TaskModel::parse(bytes);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->serialize(), bytes);
    EXPECT_EQ(again->first().model != nullptr, words);
    EXPECT_EQ(again->recipe().kernel, model.recipe().kernel);
    EXPECT_EQ(again->recipe().layers, 2);
    EXPECT_EQ(again->logits("pin", embed("pin", kWidth)), model.logits("pin", embed("pin", kWidth)));
    for (size_t cut = 0; cut < body.size(); cut += 1 + body.size() / 97) {
      const std::string part = body.substr(0, cut);
      EXPECT_FALSE(TaskModel::parse(part + sha256_hex(part))) << cut;
    }
    const auto changed = [&](std::string_view from, std::string_view to) {
      std::string text = body;
      text.replace(text.find(from), from.size(), to);
      return TaskModel::parse(text + sha256_hex(text)).error().message;
    };
    EXPECT_EQ(changed("\"kernel_sharpness\":1.6", "\"kernel_sharpness\":-.6").empty(), false);
    EXPECT_EQ(changed("\"kernel_sharpness\":1.6", "\"kernel_sharpness\":0.0"), "the task model's kernel has a number out of range");
    EXPECT_EQ(changed("\"kernel_width\":3", "\"kernel_wid__\":3"), "the task model's recipe and its parts disagree about a kernel");
    // Before the weights of nine rows stand their scale, rows and scales, and before these their number.
    std::string empty = body;
    empty.replace(body.size() - 9 * 3 * 2 - 4 - 9 * 3 - 9 * 4 - 4, 4, std::string(4, '\0'));
    EXPECT_EQ(TaskModel::parse(empty + sha256_hex(empty)).error().message, "the task model's kernel has no rows");
    std::string many = body;
    many[body.size() - 9 * 3 * 2 - 4 - 9 * 3 - 9 * 4 - 1] = 0x7f;
    EXPECT_EQ(TaskModel::parse(many + sha256_hex(many)).error().message, "the task model is cut");
  }
}

TEST(TaskModel, AVersionThatIsNotReadIsNamed) {
  std::string body = small_model(0).serialize();
  body.resize(body.size() - 64);
  body[8] = 3;
  EXPECT_EQ(TaskModel::parse(body + sha256_hex(body)).error().message, "the task model has version 3; this program reads 1, 2, 4 and 5: train it again");
}

TEST(TaskModel, ACutOrAlteredFileIsRefused) {
  const std::string bytes = small_model(0).serialize();
  ASSERT_TRUE(TaskModel::parse(bytes));
  for (size_t cut = 0; cut < bytes.size(); cut += 1 + bytes.size() / 97) EXPECT_FALSE(TaskModel::parse(bytes.substr(0, cut))) << cut;
  for (size_t at = 0; at < bytes.size(); at += 1 + bytes.size() / 97) {
    std::string altered = bytes;
    altered[at] = static_cast<char>(altered[at] ^ 4);
    EXPECT_FALSE(TaskModel::parse(altered)) << at;
  }
  EXPECT_EQ(TaskModel::parse("hello").error().message, "not a task model");
  EXPECT_EQ(TaskModel::parse(bytes + "x").error().message, "the task model is cut or altered: its checksum is wrong");
}

TEST(TaskModel, ARightChecksumDoesNotMakeNonsenseSense) {
  const std::string bytes = small_model(0).serialize(), body = bytes.substr(0, bytes.size() - 64);
  const auto signed_again = [](std::string text) { return text + sha256_hex(text); };
  ASSERT_TRUE(TaskModel::parse(signed_again(body)));
  EXPECT_EQ(TaskModel::parse(signed_again(body + "x")).error().message, "the task model has bytes too many");
  EXPECT_EQ(TaskModel::parse(signed_again(body.substr(0, body.size() - 9))).error().message, "the task model is cut");
  const auto changed = [&](std::string_view from, std::string_view to) {
    std::string text = body;
    text.replace(text.find(from), from.size(), to);
    return TaskModel::parse(signed_again(text));
  };
  EXPECT_FALSE(changed("\"temperature\":0.5", "\"temperature\":0.0"));
  EXPECT_FALSE(changed("\"card\"", "\"pin\" "));
  EXPECT_FALSE(changed("\"bits\":10", "\"bits\":99"));
  EXPECT_FALSE(changed("\"bits\":10", "\"bits\":11")) << "then the weights are too few";
  EXPECT_FALSE(changed("\"lineage\"", "\"linkage\""));
}

// With checksums that are right again, also that of what stands within.
std::string signed_anew(std::string file) {
  file.resize(file.size() - 64);
  const size_t inner = file.find("AJARTASK", 8);
  uint32_t size = 0;
  if (inner != std::string::npos) std::memcpy(&size, file.data() + inner - 4, 4);
  if (size > 72 && inner + size <= file.size()) file.replace(inner, size, signed_anew(file.substr(inner, size)));
  return file + sha256_hex(file);
}

TEST(TaskModel, OddBytesAreRefusedOrAnswer) {
  TaskModel vectors = small_model(kWidth, true), whole = small_model(kWidth, true);
  vectors.set_first({.model = std::make_shared<const TaskModel>(small_model(0)), .floor = 0.5});
  whole.set_first({.model = std::make_shared<const TaskModel>(std::move(vectors)), .floor = 0.5});
  const std::string bytes = whole.serialize();
  ASSERT_TRUE(TaskModel::parse(signed_anew(bytes)));
  std::mt19937 random(1);
  int read = 0;
  for (int round = 0; round < 600; ++round) {
    std::string odd = bytes;
    for (uint32_t n = 1 + random() % 3; n > 0; --n) odd[random() % odd.size()] = static_cast<char>(round % 2 == 0 ? random() : random() % 2 * 0xff);
    const auto model = TaskModel::parse(signed_anew(odd));
    if (!model) continue;
    ++read;
    for (const TaskModel::Stage& stage : model->stages()) ASSERT_TRUE(stage.ask("where is my card", embed("where is my card", stage.model->width())));
    ASSERT_TRUE(TaskModel::parse(model->serialize()));
  }
  EXPECT_GT(read, 60) << "most bytes are weights";
}

}  // namespace
}  // namespace ajar::learn
