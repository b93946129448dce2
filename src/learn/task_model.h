#pragma once
// A task learnt from labelled texts: text to label, in well under a millisecond beside the embedding. Immutable once made; any
// thread.
//
// The file, little-endian: "AJARTASK", version, length of a JSON header (labels, recipe, calibration, lineage), the header, a bit
// for each hashed column that has weights, then a row for each of them, each embedding and random column and each label's centroid:
// a scale and one byte per label (per embedding column); the bias in floats; from version 2 on the length and the file of the
// model that is asked first, 0 where none is; in versions 4 and 5 the kernel: the mean of embeddings and the directions that are kept of
// them in floats, how many rows there are, for each a scale and a byte a number, and their weights: a scale for all, two bytes per
// row and label; last the SHA-256 of all that. Version 3 was that of a few days and is not read. Nothing in a file is trusted.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "learn/isotonic.h"
#include "learn/kernel_rows.h"
#include "learn/linear.h"
#include "learn/task_features.h"

namespace ajar::learn {

// Where a model came from, for the audit and the licence check. Free text but for the numbers.
struct Lineage {
  std::string dataset, dataset_sha256, licence;
  std::string trained_at;              // RFC 3339
  std::string split;                   // how the held-out part was chosen
  std::string embedder;                // name of the model of embeddings, empty: none
  int64_t train_rows = 0, calibration_rows = 0, test_rows = 0;
  double accuracy = 0;                 // of calibration and test rows together, which taught nothing
  double ece_before = 0, ece_after = 0;
  double alpha = 0, delta = 0;         // of the threshold below; 0: none was asked for
  double threshold = 1, bound = 1, share = 0;
  bool guaranteed = false;             // a threshold was found; otherwise accepts nothing
};

struct Prediction {
  struct Ranked {
    uint32_t label;
    double probability;                // over all labels, by temperature
  };
  std::vector<Ranked> ranked;          // the likeliest first
  double confidence = 0;               // calibrated P(the first is right)
  double scope = 0;                    // the higher, the more the text is like those of training
  bool in_scope = true;                // scope is not among the lowest 5 % of what belonged
};

// The float side, as the trainer leaves it.
struct TaskParts {
  std::vector<std::string> labels;     // distinct, not empty
  TaskRecipe recipe;
  uint32_t width = 0;                  // of the embedding
  LinearModel linear;
  std::vector<float> centroids;        // labels x width, of length 1 each; empty without an embedding
  KernelRows kernel;                   // of these labels and this width, or none
};

class TaskModel {
 public:
  // Quantises. The parts agree in their sizes (ours to assert).
  explicit TaskModel(TaskParts parts);

  const std::vector<std::string>& labels() const { return labels_; }
  const TaskRecipe& recipe() const { return recipe_; }
  uint32_t width() const { return features_.width(); }   // of the embedding that predict() wants; 0: none
  const Lineage& lineage() const { return lineage_; }
  void set_lineage(Lineage lineage) { lineage_ = std::move(lineage); }

  struct Calibrated {
    double temperature = 1;
    Isotonic confidence;               // of the first label's probability
    double scope_floor = -1e30;
  };
  const Calibrated& calibrated() const { return calibrated_; }
  void set_calibrated(Calibrated calibrated) { calibrated_ = std::move(calibrated); }

  // A cheaper model of the same labels that is asked first, and from which of its probabilities, above 0, on it answers: one of words
  // alone, or of fewer layers of the embedder, before which one of words may stand. Null: none.
  struct First {
    std::shared_ptr<const TaskModel> model;
    double floor = 1;
  };
  const First& first() const { return first_; }
  void set_first(First first) { first_ = std::move(first); }

  // Whom to ask one after the other, the cheapest first and this model last, until one says something. As long as this model lives.
  struct Stage {
    const TaskModel* model;
    double floor;                      // 0: it says something in any case
    // As predict(); nothing where it is not sure, or, if it has an embedding to tell by, the text is out of its scope. Words are always in
    // scope: they were chosen to be as right as the whole where they speak.
    Result<std::optional<Prediction>> ask(std::string_view text, std::span<const float> embedding, size_t top = 5) const;
  };
  std::vector<Stage> stages() const;

  // kInvalid: the embedding is not of width(). `top`: how many labels are ranked.
  Result<Prediction> predict(std::string_view text, std::span<const float> embedding, size_t top = 5) const;
  // The texts that were learnt, as embeddings; perhaps none.
  const KernelRows& kernel() const { return kernel_; }
  // Before calibration: logits of all labels, and of what scope is made of.
  std::vector<float> logits(std::string_view text, std::span<const float> embedding) const;
  double scope_of(std::span<const float> probabilities, std::span<const float> embedding) const;

  std::string serialize() const;
  // kInvalid: not a task model, another version, cut, altered, or its numbers make no sense; says which.
  static Result<TaskModel> parse(std::string_view bytes);
  Status save(const std::string& path) const;            // safe against a crash at any moment
  static Result<TaskModel> load(const std::string& path);

 private:
  friend class TaskFile;
  // int8 rows of `labels` weights: weight = scale * value. Absent hashed columns have no row.
  struct Rows {
    std::vector<float> scales;
    std::vector<int8_t> values;
    void add(std::span<const float> row);
    void add_to(size_t row, float by, std::span<float> out) const;
  };
  TaskModel(std::vector<std::string> labels, TaskRecipe recipe, uint32_t width)
      : labels_(std::move(labels)), recipe_(recipe), features_(recipe, width) {}

  std::vector<std::string> labels_;
  TaskRecipe recipe_;
  TaskFeatures features_;
  std::vector<int32_t> row_of_;        // by hashed column, -1: absent
  Rows hashed_, dense_, centroids_;
  std::vector<float> bias_;
  KernelRows kernel_;
  Calibrated calibrated_;
  Lineage lineage_;
  First first_;
};

}  // namespace ajar::learn
