#pragma once
// Trains a task model from labelled rows and measures it on rows that it never saw. Blocking, seconds to minutes, two threads at
// most; the same rows, recipe and embeddings give the same model. What `ajar tune task` runs.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "learn/bounds.h"
#include "learn/labelled.h"
#include "learn/task_model.h"
#include "learn/threshold.h"

namespace ajar::tune {

struct TaskOptions {
  std::vector<learn::Labelled> rows;
  // Rows of this label are not learnt: they measure how well the model knows what it does not know. Empty: none.
  std::string out_of_scope = "oos";
  // For the lineage.
  std::string dataset, dataset_sha256, licence, embedder, trained_at;
  learn::TaskRecipe recipe;
  double held_out = 0.2;         // of each label's rows, where the data name no split; half of them calibrates, half tests
  double coverage = 0.95;        // of what belongs, that the scope check lets pass
  // Beside the embedding, models of words alone and of word vectors answer what they are sure of, before the text passes the embedder.
  bool words_first = true;
  learn::ThresholdOptions guarantee;
};

// One row of `width` floats per text, in order. Empty function: n-grams alone.
struct Embedder {
  uint32_t width = 0;
  std::function<Result<std::vector<float>>(std::span<const std::string> texts)> embed;
  // The same after none of its layers, where a kernel over that shall be asked first; else empty.
  std::function<Result<std::vector<float>>(std::span<const std::string> texts)> word_vectors;
};

// How far it is: "embedding", "training", "measuring", and 0..1 of that. Called on the calling thread.
using Progress = std::function<void(std::string_view stage, double done)>;

struct TaskReport {
  int64_t labels = 0, train_rows = 0, calibration_rows = 0, test_rows = 0, duplicates = 0, out_of_scope_rows = 0;
  double accuracy = 0;                       // of all held-out rows: calibration does not change which label is first
  learn::Interval accuracy_range;            // Wilson, 95 %
  double accuracy_unquantized = 0;           // of the same, with the linear weights as they were trained
  double ece_before = 0, ece_after = 0, brier = 0;
  std::optional<double> auroc;               // of the confidence: right above wrong
  double by_words = 0, by_word_vectors = 0;  // of test rows, the shares that words alone answer and that word vectors do
  int64_t right_tested = 0, right_embedded = 0;  // test rows answered rightly, and with an embedding for each
  learn::Calibration threshold;              // proven on the test rows
  double coverage = 0;                       // of test rows, that the scope check lets pass
  std::optional<double> out_of_scope_recall; // of out-of-scope rows, that it stops
  size_t bytes = 0;                          // of the file
  std::vector<learn::Judged> judged;         // the test rows' confidences and losses
};

struct TrainedTask {
  learn::TaskModel model;
  TaskReport report;
};

// Rows of the split "train" (or "training") learn and those of all others are held out; where no row names a split, the held-out
// ones are chosen per label by the texts' hashes. Of texts that are equal but for case and spaces the first counts.
// kInvalid: fewer than two labels, fewer than 20 held-out rows, a held-out label that nothing taught; the embedder's errors.
Result<TrainedTask> train_task(const TaskOptions& options, const Embedder& embedder, const Progress& progress = {});

// For a terminal: what was learnt, how good it is, what the threshold promises.
std::string describe(const TaskReport& report, const TaskOptions& options);

}  // namespace ajar::tune
