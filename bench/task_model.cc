// Task models on real data: accuracy, calibration, out-of-scope recall, the time of an answer, and whether the guarantee of the
// threshold holds over many random calibration sets.
//   task_model_bench DATA [--embedder MODEL] [--cache FILE] [--out MODEL] [--licence L] [--alpha A] [--delta D] [--folds]
//                    [--epochs N] [--rate R] [--l2 X] [--bits N] [--random N] [--gamma G] [--embedding-scale S] [--random-scale S]
//                    [--pieces-to N] [--words N] [--layers N|all] [--linear] [--always-embed] [--no-vectors] [--kernel-width N] [--sharpness S] [--by-words W] [--ridge R]
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <numeric>
#include <random>

#include "bench/embeddings.h"
#include "learn/metrics.h"
#include "tune/task_trainer.h"

namespace ajar {
namespace {

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

struct Broken {
  int rest = 0, whole = 0, found = 0;
  double share = 0;
};

// 200 times: half of the judged answers calibrates. Broken, where the error of what is accepted exceeds alpha among the other half;
// and, with as many drawn with replacement, among all, which then are the distribution itself.
Broken count_broken(std::span<const learn::Judged> judged, const learn::ThresholdOptions& options, int splits) {
  Broken out;
  std::mt19937_64 random(1);
  std::vector<learn::Judged> shuffled(judged.begin(), judged.end());
  const size_t half = judged.size() / 2;
  for (int i = 0; i < splits; ++i) {
    std::ranges::shuffle(shuffled, random);
    const auto chosen = learn::choose_threshold(std::span(shuffled).first(half), options);
    if (chosen && chosen->found) {
      ++out.found, out.share += chosen->found->share();
      out.rest += learn::apply_threshold(std::span(shuffled).subspan(half), chosen->found->threshold, options.delta).loss > options.alpha;
    }
    std::vector<learn::Judged> drawn;
    for (size_t n = 0; n < half; ++n) drawn.push_back(judged[random() % judged.size()]);
    const auto again = learn::choose_threshold(drawn, options);
    if (again && again->found)
      out.whole += learn::apply_threshold(judged, again->found->threshold, options.delta).loss > options.alpha;
  }
  return out;
}

void report_guarantee(std::span<const learn::Judged> judged) {
  std::printf("guarantee over 200 random calibration sets of %zu answers:\n", judged.size() / 2);
  std::printf("  promise   alpha  delta  thresholds  share accepted  broken on the other half  broken on the distribution\n");
  for (const auto promise : {learn::Promise::kRealised, learn::Promise::kRate})
    for (const auto& [alpha, delta] : {std::pair(0.05, 0.05), {0.03, 0.05}, {0.02, 0.1}, {0.05, 0.1}, {0.1, 0.1}}) {
      const Broken b = count_broken(judged, {.alpha = alpha, .delta = delta, .promise = promise}, 200);
      std::printf("  %s  %.2f   %.2f   %3d         %5.1f %%         %5.1f %%                    %5.1f %%\n",
                  promise == learn::Promise::kRate ? "rate    " : "realised", alpha, delta, b.found, b.found ? 100 * b.share / b.found : 0, b.rest / 2.0, b.whole / 2.0);
    }
}

void report_speed(const learn::TaskModel& model, const tune::TaskOptions& options, std::span<const float> embedding) {
  const size_t n = std::min<size_t>(2000, options.rows.size());
  double sum = 0;
  const double from = cpu_seconds();
  for (size_t i = 0; i < n; ++i) sum += model.predict(options.rows[i].text, embedding)->confidence;
  std::printf("answer            %.1f us of CPU beside the embedding (mean confidence %.3f)\n", (cpu_seconds() - from) / static_cast<double>(n) * 1e6,
              sum / static_cast<double>(n));
}

// Of the process, all threads: what a text costs that comes to each of the stages, and what one costs on average.
Status report_served(const learn::TaskModel& model, const tune::TaskReport& report, const tune::TaskOptions& options, bench::CachedEmbedder& embedder) {
  const size_t n = std::min<size_t>(500, options.rows.size());
  double before = 0, average = 0;
  std::printf("as served         ");
  for (const learn::TaskModel::Stage& stage : model.stages()) {
    const double from = cpu_seconds();
    for (size_t i = 0; i < n; ++i) {
      const std::string& text = options.rows[i * (options.rows.size() / n)].text;
      std::vector<float> embedding;
      if (stage.model->width() > 0) {
        AJAR_ASSIGN(embedding, embedder.embed_anew(text, stage.model->recipe().layers));
      }
      AJAR_TRY(stage.ask(text, embedding, 1));
    }
    before += 1e3 * (cpu_seconds() - from) / static_cast<double>(n);
    const bool words = stage.model->width() == 0, last = stage.model == &model;
    average += before * (last ? 1 - report.by_words - report.by_word_vectors : words ? report.by_words : report.by_word_vectors);
    std::printf("%.3f ms of CPU %s, ", before, last ? "to the end" : words ? "by words" : "by word vectors");
  }
  std::printf("%.3f ms for a text of the test rows\n", average);
  return {};
}

// Neighbours in a file may be paraphrases of each other, so the folds are drawn.
int fold_of(uint64_t row) {
  row = (row + 1) * 0x9e3779b97f4a7c15;
  row = (row ^ (row >> 30)) * 0xbf58476d1ce4e5b9;
  return static_cast<int>((row ^ (row >> 31)) % 5);
}

// Held-out answers of all rows: each fifth is judged by a model of the others. Only for data without splits of their own.
Result<std::vector<learn::Judged>> judge_all(const tune::TaskOptions& options, const tune::Embedder& embedder) {
  std::vector<learn::Judged> out;
  for (int fold = 0; fold < 5; ++fold) {
    tune::TaskOptions o = options;
    for (size_t i = 0; i < o.rows.size(); ++i) o.rows[i].split = fold_of(i) == fold ? "test" : "train";
    AJAR_ASSIGN(const auto trained, tune::train_task(o, embedder));
    out.insert(out.end(), trained.report.judged.begin(), trained.report.judged.end());
    std::printf("fold %d            accuracy %.2f %%\n", fold, 100 * trained.report.accuracy);
  }
  return out;
}

Status run(int argc, char** argv) {
  if (argc < 2) return invalid("", "usage: task_model_bench DATA [--embedder MODEL] ...");
  std::map<std::string, std::string> given;
  for (int i = 2; i < argc; ++i) given[argv[i]] = i + 1 < argc && std::strncmp(argv[i + 1], "--", 2) != 0 ? argv[i + 1] : "";
  const auto number = [&](const char* name, auto& into) {
    if (const auto it = given.find(name); it != given.end()) into = static_cast<std::remove_reference_t<decltype(into)>>(std::atof(it->second.c_str()));
  };
  AJAR_ASSIGN(auto file, learn::read_labelled(argv[1]));
  tune::TaskOptions options{.rows = std::move(file.rows), .dataset = std::filesystem::path(argv[1]).filename(), .dataset_sha256 = file.sha256,
                            .licence = given["--licence"], .embedder = std::filesystem::path(given["--embedder"]).filename()};
  auto& r = options.recipe;
  number("--epochs", r.training.epochs), number("--rate", r.training.rate), number("--l2", r.training.l2);
  number("--bits", r.hashed.bits), number("--words", r.hashed.words), number("--pieces-to", r.hashed.pieces_to);
  number("--random", r.random), number("--gamma", r.gamma);
  if (given.try_emplace("--layers", "all").first->second != "all") number("--layers", r.layers);
  number("--kernel-width", r.kernel.width), number("--sharpness", r.kernel.sharpness);
  number("--by-words", r.kernel.words), number("--ridge", r.kernel.ridge);
  if (given.contains("--linear")) r.kernel.width = 0;
  options.words_first = !given.contains("--always-embed");
  number("--embedding-scale", r.embedding_scale), number("--random-scale", r.random_scale);
  number("--alpha", options.guarantee.alpha), number("--delta", options.guarantee.delta);

  std::unique_ptr<bench::CachedEmbedder> cached;
  tune::Embedder embedder;
  if (!given["--embedder"].empty()) {
    AJAR_ASSIGN(cached, bench::CachedEmbedder::make(given["--embedder"], given["--cache"], 1, r.layers));
    embedder = {.width = cached->width(), .embed = [&](std::span<const std::string> texts) { return cached->embed(texts); }, .word_vectors = {}};
    if (r.layers != 0 && r.kernel.width > 0 && !given.contains("--no-vectors"))
      embedder.word_vectors = [&](std::span<const std::string> texts) { return cached->word_vectors(texts); };
  }
  double trained_from = 0, trained_to = 0;
  const auto progress = [&](std::string_view stage, double done) {
    if (stage == "embedding" && done >= 1) trained_from = cpu_seconds();
    if (stage == "training" && done >= 1) trained_to = cpu_seconds();
  };
  AJAR_ASSIGN(const auto trained, tune::train_task(options, embedder, progress));
  std::printf("%s, %s\n%s", argv[1], embedder.embed ? options.embedder.c_str() : "n-grams alone", describe(trained.report, options).c_str());
  std::printf("training          %.1f s of CPU beside the embeddings\n", trained_to - trained_from);
  const std::vector<float> embedding(trained.model.width(), 0.05F);
  report_speed(trained.model, options, embedding);
  if (cached) AJAR_TRY(report_served(trained.model, trained.report, options, *cached));
  if (given.contains("--out")) AJAR_TRY(trained.model.save(given["--out"]));
  if (given.contains("--folds")) {
    AJAR_ASSIGN(const auto judged, judge_all(options, embedder));
    report_guarantee(judged);
  } else {
    report_guarantee(trained.report.judged);
  }
  return {};
}

}  // namespace
}  // namespace ajar

int main(int argc, char** argv) {
  const auto status = ajar::run(argc, argv);
  if (!status) std::fprintf(stderr, "%s\n", status.error().message.c_str());
  return status ? 0 : 1;
}
