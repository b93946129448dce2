#include "learn/task_model.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "learn/dense_math.h"

namespace ajar::learn {
namespace {

// Weight of nearness beside certainty in the score of scope; measured on CLINC150 (docs/task-models.md).
constexpr double kNearness = 8;

// The file says how the model was made, so that what has no part in it is not in the recipe.
TaskRecipe effective(TaskRecipe recipe, const TaskParts& parts) {
  if (parts.kernel.empty()) recipe.kernel.width = 0;
  else recipe.random = 0;
  if (parts.width == 0) recipe.layers = kAllLayers;
  return recipe;
}

}  // namespace

void TaskModel::Rows::add(std::span<const float> row) { scales.push_back(append_bytes(row, values)); }

void TaskModel::Rows::add_to(size_t row, float by, std::span<float> out) const {
  const float scale = scales[row] * by;
  const int8_t* in = values.data() + row * out.size();
  for (size_t i = 0; i < out.size(); ++i) out[i] += scale * static_cast<float>(in[i]);
}

TaskModel::TaskModel(TaskParts parts) : TaskModel(std::move(parts.labels), effective(parts.recipe, parts), parts.width) {
  const LinearModel& linear = parts.linear;
  assert(linear.labels == labels_.size() && linear.columns == features_.columns() && linear.width == features_.dense());
  assert(parts.centroids.size() == labels_.size() * parts.width);
  row_of_.assign(linear.columns, -1);
  for (uint32_t column = 0; column < linear.columns; ++column) {
    const auto row = linear.row(column);
    if (std::ranges::all_of(row, [](float w) { return w == 0; })) continue;
    row_of_[column] = static_cast<int32_t>(hashed_.scales.size());
    hashed_.add(row);
  }
  for (uint32_t i = 0; i < linear.width; ++i) dense_.add(linear.row(linear.columns + i));
  for (size_t i = 0; i < parts.centroids.size(); i += parts.width) centroids_.add(std::span(parts.centroids).subspan(i, parts.width));
  const auto bias = linear.row(linear.rows() - 1);
  bias_.assign(bias.begin(), bias.end());
  kernel_ = std::move(parts.kernel);
}

std::vector<float> TaskModel::logits(std::string_view text, std::span<const float> embedding) const {
  const Example seen = features_(text, embedding);
  std::vector<float> out = bias_;
  for (size_t i = 0; i < seen.sparse.columns.size(); ++i) {
    const int32_t row = row_of_[seen.sparse.columns[i]];
    if (row >= 0) hashed_.add_to(static_cast<size_t>(row), seen.sparse.values[i], out);
  }
  for (size_t i = 0; i < seen.dense.size(); ++i) dense_.add_to(i, seen.dense[i], out);
  kernel_.add_to(out, embedding, recipe_.kernel.sharpness);
  return out;
}

// How certain the model is of any label (the negative entropy), and how near the text is to the middle of the likeliest one.
double TaskModel::scope_of(std::span<const float> probabilities, std::span<const float> embedding) const {
  double certainty = 0;
  for (const float p : probabilities)
    if (p > 0) certainty += p * std::log(p);
  if (width() == 0) return certainty;
  const auto top = static_cast<size_t>(std::ranges::max_element(probabilities) - probabilities.begin());
  double near = 0, square = 0;
  for (size_t i = 0; i < embedding.size(); ++i) {
    near += static_cast<double>(embedding[i]) * centroids_.values[top * embedding.size() + i];
    square += static_cast<double>(embedding[i]) * embedding[i];
  }
  near *= square > 0 ? centroids_.scales[top] / std::sqrt(square) : 0;
  return certainty + kNearness * near;
}

std::vector<TaskModel::Stage> TaskModel::stages() const {
  std::vector<Stage> out;
  if (first_.model != nullptr) {
    out = first_.model->stages();
    out.back().floor = first_.floor;
  }
  out.push_back({this, 0});
  return out;
}

Result<std::optional<Prediction>> TaskModel::Stage::ask(std::string_view text, std::span<const float> embedding, size_t top) const {
  AJAR_ASSIGN(Prediction said, model->predict(text, embedding, top));
  if (floor == 0) return said;
  if (said.ranked.front().probability < floor || (model->width() > 0 && !said.in_scope)) return std::nullopt;
  said.in_scope = true;
  return said;
}

Result<Prediction> TaskModel::predict(std::string_view text, std::span<const float> embedding, size_t top) const {
  if (embedding.size() != width())
    return invalid("embedding", "the task model wants embeddings of " + std::to_string(width()) + " numbers" +
                                    (lineage_.embedder.empty() ? "" : " by " + lineage_.embedder) + ", not of " +
                                    std::to_string(embedding.size()));
  std::vector<float> p = logits(text, embedding);
  softmax(p, calibrated_.temperature);
  Prediction out;
  for (uint32_t label = 0; label < p.size(); ++label) out.ranked.push_back({label, p[label]});
  top = std::min(std::max<size_t>(top, 1), p.size());
  std::ranges::partial_sort(out.ranked, out.ranked.begin() + static_cast<std::ptrdiff_t>(top), [](const auto& a, const auto& b) {
    return a.probability != b.probability ? a.probability > b.probability : a.label < b.label;
  });
  out.ranked.resize(top);
  out.confidence = calibrated_.confidence(out.ranked.front().probability);
  out.scope = scope_of(p, embedding);
  out.in_scope = out.scope >= calibrated_.scope_floor;
  return out;
}

}  // namespace ajar::learn
