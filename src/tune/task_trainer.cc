#include "tune/task_trainer.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <deque>

#include "learn/kernel_ridge.h"
#include "learn/metrics.h"
#include "tune/task_split.h"

namespace ajar::tune {
namespace {

using learn::Claim;
using learn::TaskModel;

// A text, its embedding and its label.
struct Seen {
  const SplitRow* row;
  std::span<const float> embedding, word_vectors;  // either may be empty
};

// Embeds all rows, a few at a time, and keeps the numbers.
class Embedded {
 public:
  // `early`: by word vectors too.
  Embedded(const Embedder& embedder, bool early, const Progress& progress, size_t total) : embedder_(embedder), early_(early), progress_(progress), total_(total) {}

  Result<std::vector<Seen>> add(const std::vector<SplitRow>& rows) {
    auto& numbers = kept_.emplace_back(), &early = kept_.emplace_back();
    constexpr size_t kAtOnce = 64;
    for (size_t at = 0; embedder_.embed && at < rows.size(); at += kAtOnce) {
      std::vector<std::string> texts;
      for (size_t i = at; i < std::min(rows.size(), at + kAtOnce); ++i) texts.push_back(rows[i].text);
      AJAR_TRY(append(embedder_.embed, texts, numbers));
      if (early_) AJAR_TRY(append(embedder_.word_vectors, texts, early));
      done_ += texts.size();
      if (progress_) progress_("embedding", static_cast<double>(done_) / static_cast<double>(total_));
    }
    const auto row = [&](const std::vector<float>& all, size_t i) { return all.empty() ? std::span<const float>() : std::span(all).subspan(i * embedder_.width, embedder_.width); };
    std::vector<Seen> out;
    for (size_t i = 0; i < rows.size(); ++i) out.push_back({&rows[i], row(numbers, i), row(early, i)});
    return out;
  }

 private:
  Status append(const decltype(Embedder::embed)& embed, std::span<const std::string> texts, std::vector<float>& to) {
    AJAR_ASSIGN(const auto some, embed(texts));
    if (some.size() != texts.size() * embedder_.width)
      return fail(Code::kInternal, "the embedder gave " + std::to_string(some.size()) + " numbers for " + std::to_string(texts.size()) + " texts");
    to.insert(to.end(), some.begin(), some.end());
    return {};
  }

  const Embedder& embedder_;
  const bool early_;
  const Progress& progress_;
  size_t total_, done_ = 0;
  std::deque<std::vector<float>> kept_;  // stay where they are
};

// What a model sees of a row's embedding: nothing, where it is one of words alone.
std::span<const float> embedding_for(uint32_t width, int32_t layers, const Seen& seen) {
  if (width == 0) return {};
  return layers == 0 && !seen.word_vectors.empty() ? seen.word_vectors : seen.embedding;
}
std::span<const float> embedding_for(const TaskModel& model, const Seen& seen) { return embedding_for(model.width(), model.recipe().layers, seen); }

std::vector<float> centroids(std::span<const Seen> rows, size_t labels, uint32_t width, int32_t layers) {
  std::vector<float> out(labels * width);
  for (const Seen& seen : rows)
    for (size_t i = 0; i < width; ++i) out[seen.row->label * width + i] += embedding_for(width, layers, seen)[i];
  for (size_t label = 0; label < labels && width > 0; ++label) {
    double square = 0;
    const std::span<float> row(out.data() + label * width, width);
    for (const float x : row) square += static_cast<double>(x) * x;
    for (float& x : row) x = static_cast<float>(square > 0 ? x / std::sqrt(square) : 0);
  }
  return out;
}

// By the kernel, or, without one, by logistic regression on `examples` alone.
Result<learn::KernelFit> learn_from(std::span<const Seen> rows, std::span<const learn::Example> examples, uint32_t labels, uint32_t columns,
                                    const learn::TaskRecipe& recipe, const std::function<void(double)>& progress) {
  if (recipe.kernel.width > 0) {
    std::vector<learn::KernelExample> all;
    for (size_t i = 0; i < rows.size(); ++i)
      all.push_back({&examples[i].sparse, embedding_for(rows[i].embedding.size(), recipe.layers, rows[i]), rows[i].row->label});
    return learn::train_kernel(all, labels, columns, recipe.kernel, recipe.training.threads, progress);
  }
  AJAR_ASSIGN(auto linear, learn::train_linear(examples, labels, columns, recipe.training, [&](int epoch, double) {
                progress((epoch + 1.0) / recipe.training.epochs);
              }));
  return learn::KernelFit{.words = std::move(linear), .rows = {}};
}

struct Learnt {
  TaskModel model;
  learn::LinearModel linear;  // as it was before its weights were bytes
};

Result<Learnt> learn_model(const std::vector<std::string>& labels, std::span<const Seen> rows, std::span<const learn::Example> examples,
                           const learn::TaskRecipe& recipe, uint32_t width, const std::function<void(double)>& progress) {
  const auto count = static_cast<uint32_t>(labels.size());
  AJAR_ASSIGN(auto fit, learn_from(rows, examples, count, learn::TaskFeatures(recipe, 0).columns(), recipe, progress));
  TaskModel model({.labels = labels, .recipe = recipe, .width = width, .linear = fit.words, .centroids = centroids(rows, count, width, recipe.layers),
                   .kernel = std::move(fit.rows)});
  return Learnt{std::move(model), std::move(fit.words)};
}

struct Logits {
  std::vector<float> values;
  uint32_t label;
};

std::vector<Logits> logits_of(const TaskModel& model, std::span<const Seen> rows) {
  std::vector<Logits> out;
  for (const Seen& seen : rows) out.push_back({model.logits(seen.row->text, embedding_for(model, seen)), seen.row->label});
  return out;
}

// Mean loss in nats.
double loss_at(std::span<const Logits> rows, double temperature) {
  double sum = 0;
  for (Logits row : rows) {
    const double own = row.values[row.label] / temperature;
    sum += learn::softmax(row.values, temperature) - own;
  }
  return sum / static_cast<double>(rows.size());
}

// Golden-section search: the loss has one minimum in the log of the temperature.
double fit_temperature(std::span<const Logits> rows) {
  constexpr double kRatio = 0.6180339887498949;
  double low = std::log(0.1), high = std::log(10);
  for (int i = 0; i < 30; ++i) {
    const double a = high - kRatio * (high - low), b = low + kRatio * (high - low);
    (loss_at(rows, std::exp(a)) < loss_at(rows, std::exp(b)) ? high : low) = loss_at(rows, std::exp(a)) < loss_at(rows, std::exp(b)) ? b : a;
  }
  return std::exp((low + high) / 2);
}

std::vector<Claim> claims_of(std::span<const Logits> rows, double temperature) {
  std::vector<Claim> out;
  for (Logits row : rows) {
    learn::softmax(row.values, temperature);
    const auto top = std::ranges::max_element(row.values);
    out.push_back({*top, static_cast<uint32_t>(top - row.values.begin()) == row.label});
  }
  return out;
}

constexpr size_t kLeastAsked = 50;  // rows to calibrate on

struct Said {
  const TaskModel* by;
  learn::Prediction what;
};

// What the first of these stages says that says something; perhaps none.
Result<std::optional<Said>> ask(std::span<const TaskModel::Stage> stages, const Seen& seen) {
  for (const TaskModel::Stage& stage : stages) {
    AJAR_ASSIGN(auto said, stage.ask(seen.row->text, embedding_for(*stage.model, seen), 1));
    if (said) return Said{stage.model, *std::move(said)};
  }
  return std::nullopt;
}

// As a server answers.
Result<Said> answer_of(const TaskModel& model, const Seen& seen) {
  AJAR_ASSIGN(auto said, ask(model.stages(), seen));
  return *std::move(said);  // the last stage says something in any case
}

// The rows that come to it: none before it was sure of them.
Result<std::vector<Seen>> left_to(const TaskModel& model, std::span<const Seen> rows) {
  auto before = model.stages();
  before.pop_back();
  std::vector<Seen> out;
  for (const Seen& seen : rows) {
    AJAR_ASSIGN(const auto said, ask(before, seen));
    if (!said) out.push_back(seen);
  }
  return out;
}

// On the rows that come to it, where these are enough; the scope check then lets `coverage` of all rows pass.
Result<TaskModel::Calibrated> calibrate(const TaskModel& model, std::span<const Seen> rows, double coverage) {
  AJAR_ASSIGN(std::vector<Seen> asked, left_to(model, rows));
  if (asked.size() < kLeastAsked) asked.assign(rows.begin(), rows.end());
  const auto logits = logits_of(model, asked);
  TaskModel::Calibrated out{.temperature = fit_temperature(logits)};
  std::vector<double> scores, outcomes, scopes;
  for (const Claim& claim : claims_of(logits, out.temperature)) scores.push_back(claim.probability), outcomes.push_back(claim.right);
  AJAR_ASSIGN(out.confidence, learn::Isotonic::fit(scores, outcomes));
  for (size_t i = 0; i < asked.size(); ++i) {
    auto p = logits[i].values;
    learn::softmax(p, out.temperature);
    scopes.push_back(model.scope_of(p, embedding_for(model, asked[i])));
  }
  std::ranges::sort(scopes);
  const auto stopped = static_cast<size_t>((1 - coverage) * static_cast<double>(rows.size()));
  out.scope_floor = scopes[std::min(stopped, scopes.size() - 1)];
  return out;
}

// From where on a cheaper model answers before the whole: as far down as it makes no more mistakes than the whole on the same
// calibration rows, of those that come to it, and of these at most `most_wrong`. None where that is nowhere.
Result<TaskModel::First> as_first(TaskModel cheap, const TaskModel& whole, std::span<const Seen> calibration, double coverage, double most_wrong) {
  AJAR_ASSIGN(auto calibrated, calibrate(cheap, calibration, coverage));
  cheap.set_calibrated(std::move(calibrated));
  struct Answer {
    double probability;
    bool right, whole_right;
  };
  std::vector<Answer> answers;
  AJAR_ASSIGN(const auto asked, left_to(cheap, calibration));
  const auto claims = claims_of(logits_of(whole, asked), 1);
  for (size_t i = 0; i < asked.size(); ++i) {
    AJAR_ASSIGN(const auto said, cheap.predict(asked[i].row->text, embedding_for(cheap, asked[i]), 1));
    if (said.in_scope || cheap.width() == 0) answers.push_back({said.ranked.front().probability, said.ranked.front().label == asked[i].row->label, claims[i].right});
  }
  std::ranges::sort(answers, std::greater(), &Answer::probability);
  double floor = 2;
  int64_t wrong = 0, whole_wrong = 0;
  for (size_t n = 1; n <= answers.size(); ++n) {
    wrong += !answers[n - 1].right, whole_wrong += !answers[n - 1].whole_right;
    const bool ends = n == answers.size() || answers[n].probability < answers[n - 1].probability;
    if (ends && wrong <= whole_wrong && static_cast<double>(wrong) <= most_wrong * static_cast<double>(n)) floor = answers[n - 1].probability;
  }
  if (floor > 1) return cheap.first();  // whoever stands before it
  return TaskModel::First{.model = std::make_shared<const TaskModel>(std::move(cheap)), .floor = floor};
}

// Of what they answer, among the calibration rows. More would answer more, no less rightly, but the wrong among them would not be told
// from the right as well as the whole tells them (docs/task-models.md).
constexpr double kMostWrongByWords = 0.005, kMostWrongByVectors = 0.02;

int64_t count_right(std::span<const Claim> claims) { return std::ranges::count_if(claims, &Claim::right); }

// Of both parts of the held-out rows, once as the file has the weights and once as they were trained.
void measure_accuracy(const TaskModel& model, const learn::LinearModel& linear, const learn::TaskFeatures& features,
                      std::initializer_list<std::span<const Seen>> parts, TaskReport& report) {
  int64_t rows = 0, right = 0, right_before = 0;
  for (const auto part : parts) {
    rows += static_cast<int64_t>(part.size());
    right += count_right(claims_of(logits_of(model, part), 1));
    for (const Seen& seen : part) {
      const auto example = features(seen.row->text, seen.embedding);
      std::vector<float> logits(linear.labels);
      linear.logits(example.sparse, example.dense, logits);
      model.kernel().add_to(logits, seen.embedding, model.recipe().kernel.sharpness);
      right_before += static_cast<uint32_t>(std::ranges::max_element(logits) - logits.begin()) == seen.row->label;
    }
  }
  report.accuracy = static_cast<double>(right) / static_cast<double>(rows);
  report.accuracy_unquantized = static_cast<double>(right_before) / static_cast<double>(rows);
  report.accuracy_range = learn::wilson(right, rows, 0.95);
}

Status measure(const TaskModel& model, std::span<const Seen> test, std::span<const Seen> strangers, const TaskOptions& options, TaskReport& report) {
  const auto before = claims_of(logits_of(model, test), 1);
  std::vector<Claim> after;
  int64_t covered = 0;
  for (const Seen& seen : test) {
    AJAR_ASSIGN(const Said said, answer_of(model, seen));
    const learn::Prediction& p = said.what;
    report.by_words += said.by->width() == 0 && model.width() > 0;
    report.by_word_vectors += said.by->width() > 0 && said.by != &model;
    after.push_back({p.confidence, p.ranked.front().label == seen.row->label});
    report.judged.push_back({p.confidence, after.back().right ? 0.0 : 1.0});
    covered += p.in_scope;
  }
  const auto n = static_cast<int64_t>(test.size());
  report.by_words /= static_cast<double>(n), report.by_word_vectors /= static_cast<double>(n);
  report.right_tested = count_right(after), report.right_embedded = count_right(before);
  report.ece_before = learn::expected_calibration_error(before);
  report.ece_after = learn::expected_calibration_error(after);
  report.brier = learn::brier_score(after);
  report.auroc = learn::auroc(after);
  report.coverage = static_cast<double>(covered) / static_cast<double>(n);
  int64_t stopped = 0;
  for (const Seen& seen : strangers) {
    AJAR_ASSIGN(const Said said, answer_of(model, seen));
    stopped += !said.what.in_scope;
  }
  report.out_of_scope_rows = static_cast<int64_t>(strangers.size());
  if (!strangers.empty()) report.out_of_scope_recall = static_cast<double>(stopped) / static_cast<double>(strangers.size());
  // All right or all wrong on the test rows proves nothing: then there is no threshold, and the report says why.
  auto threshold = learn::choose_threshold(report.judged, options.guarantee);
  if (threshold) report.threshold = std::move(*threshold);
  else report.threshold.refusal.reason = threshold.error().message;
  return {};
}

learn::Lineage lineage_of(const TaskOptions& o, const TaskSplit& split, const TaskReport& r, bool embedded) {
  learn::Lineage out{.dataset = o.dataset,
                     .dataset_sha256 = o.dataset_sha256,
                     .licence = o.licence,
                     .trained_at = o.trained_at,
                     .split = split.how,
                     .embedder = embedded ? o.embedder : "",
                     .train_rows = r.train_rows,
                     .calibration_rows = r.calibration_rows,
                     .test_rows = r.test_rows,
                     .accuracy = r.accuracy,
                     .ece_before = r.ece_before,
                     .ece_after = r.ece_after,
                     .alpha = o.guarantee.alpha,
                     .delta = o.guarantee.delta};
  if (const auto& found = r.threshold.found) {
    out.threshold = found->threshold, out.bound = found->bound, out.share = found->share();
    out.guaranteed = true;
  }
  return out;
}

}  // namespace

Result<TrainedTask> train_task(const TaskOptions& options, const Embedder& embedder, const Progress& progress) {
  AJAR_ASSIGN(TaskSplit split, split_rows(options.rows, options.out_of_scope, options.held_out));
  const uint32_t width = embedder.embed ? embedder.width : 0;
  const bool early = embedder.word_vectors && options.words_first;
  Embedded embedded(embedder, early, progress, split.train.size() + split.calibration.size() + split.test.size() + split.out_of_scope.size());
  AJAR_ASSIGN(const auto train, embedded.add(split.train));
  AJAR_ASSIGN(const auto calibration, embedded.add(split.calibration));
  AJAR_ASSIGN(const auto test, embedded.add(split.test));
  AJAR_ASSIGN(const auto strangers, embedded.add(split.out_of_scope));

  learn::TaskRecipe recipe = options.recipe;
  if (width == 0) recipe.kernel.width = 0;
  const learn::TaskFeatures features(recipe, width);
  std::vector<learn::Example> examples;
  for (const Seen& seen : train) {
    examples.push_back(features(seen.row->text, seen.embedding));
    examples.back().label = seen.row->label;
  }
  const auto part_done = [&](double from, double share) {
    return [&progress, from, share](double done) {
      if (progress) progress("training", from + share * done);
    };
  };
  AJAR_ASSIGN(auto learnt, learn_model(split.labels, train, examples, recipe, width, part_done(0, early ? 0.5 : 1)));
  TaskModel& model = learnt.model;

  TaskReport report{.labels = static_cast<int64_t>(split.labels.size()),
                    .train_rows = static_cast<int64_t>(train.size()),
                    .calibration_rows = static_cast<int64_t>(calibration.size()),
                    .test_rows = static_cast<int64_t>(test.size()),
                    .duplicates = split.duplicates};
  measure_accuracy(model, learnt.linear, features, {calibration, test}, report);
  if (width > 0 && options.words_first) {
    TaskModel::First first;
    std::optional<TaskModel> vectors;
    if (early) {
      learn::TaskRecipe of_vectors = recipe;
      of_vectors.layers = 0;
      AJAR_ASSIGN(auto fit, learn_model(split.labels, train, examples, of_vectors, width, part_done(0.5, 0.5)));
      vectors = std::move(fit.model);
    }
    for (learn::Example& example : examples) example.dense.clear();
    learn::TaskRecipe of_words = recipe;
    of_words.kernel.width = 0;
    AJAR_ASSIGN(auto words, learn_model(split.labels, train, examples, of_words, 0, [](double) {}));
    AJAR_ASSIGN(first, as_first(std::move(words.model), model, calibration, options.coverage, kMostWrongByWords));
    if (vectors) {
      vectors->set_first(std::move(first));
      AJAR_ASSIGN(first, as_first(*std::move(vectors), model, calibration, options.coverage, kMostWrongByVectors));
    }
    model.set_first(std::move(first));
  }
  AJAR_ASSIGN(auto calibrated, calibrate(model, calibration, options.coverage));
  model.set_calibrated(std::move(calibrated));
  AJAR_TRY(measure(model, test, strangers, options, report));
  model.set_lineage(lineage_of(options, split, report, width > 0));
  report.bytes = model.serialize().size();
  if (progress) progress("measuring", 1);
  return TrainedTask{std::move(learnt.model), std::move(report)};
}

std::string describe(const TaskReport& r, const TaskOptions& o) {
  char line[256];
  std::string out;
  const auto say = [&](const char* form, auto... values) {
    std::snprintf(line, sizeof line, form, values...);
    out += line;
  };
  say("%lld labels; %lld rows learnt, %lld calibrated, %lld tested, %lld duplicates left out\n", static_cast<long long>(r.labels),
      static_cast<long long>(r.train_rows), static_cast<long long>(r.calibration_rows), static_cast<long long>(r.test_rows),
      static_cast<long long>(r.duplicates));
  say("accuracy          %.2f %% (95 %%: %.2f to %.2f); before quantisation %.2f %%\n", 100 * r.accuracy, 100 * r.accuracy_range.low,
      100 * r.accuracy_range.high, 100 * r.accuracy_unquantized);
  if (r.by_words + r.by_word_vectors > 0)
    say("words first       %.1f %% of the test rows are answered by words, %.1f %% by word vectors; right %lld of %lld, by the whole alone %lld\n",
        100 * r.by_words, 100 * r.by_word_vectors, static_cast<long long>(r.right_tested), static_cast<long long>(r.test_rows), static_cast<long long>(r.right_embedded));
  say("calibration       ECE %.2f %% before, %.2f %% after; Brier %.4f; right above wrong %.3f\n", 100 * r.ece_before, 100 * r.ece_after,
      r.brier, r.auroc.value_or(0));
  if (r.out_of_scope_recall)
    say("out of scope      %.1f %% of %lld rows stopped while %.1f %% of what belongs passes\n", 100 * *r.out_of_scope_recall,
        static_cast<long long>(r.out_of_scope_rows), 100 * r.coverage);
  if (const auto& t = r.threshold.found)
    say("threshold         %.4f: %.1f %% accepted, %.2f %% of them wrong, at most %.2f %% with probability %.0f %%\n", t->threshold,
        100 * t->share(), 100 * t->loss, 100 * t->bound, 100 * (1 - o.guarantee.delta));
  else
    out += "threshold         none: " + r.threshold.refusal.reason + "\n";
  say("file              %.2f MB\n", static_cast<double>(r.bytes) / 1e6);
  return out;
}

}  // namespace ajar::tune
