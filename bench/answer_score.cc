// Recorded answers of an open and a closed model replayed as two rungs: cost against quality of routers that see the prompt alone, of
// ours, which sees the open model's answer, and of what bounds them.
//   answer_score_bench gsm8k_responses.csv      answers with their text
//   answer_score_bench mmlu/responses           a folder of one file per subject, outcomes alone
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "learn/answer_check.h"
#include "learn/answer_score.h"
#include "learn/csv.h"
#include "learn/file.h"
#include "learn/linear.h"
#include "learn/metrics.h"
#include "learn/threshold.h"

namespace ajar {
namespace {

struct Recorded {
  std::string prompt, answer, subject;
  bool weak, strong;               // whether the open and the closed model were right
  double need() const { return (strong ? 1.0 : 0.0) - (weak ? 1.0 : 0.0); }
};

Status read(const std::string& path, std::vector<Recorded>& out) {
  AJAR_ASSIGN(const auto bytes, learn::read_file(path, 1 << 28));
  AJAR_ASSIGN(const auto rows, learn::parse_csv(bytes, path));
  for (size_t i = 1; i < rows.size(); ++i) {
    const auto& f = rows[i].fields;
    if (f.size() < 3) return invalid("csv", path + ": a row without outcomes");
    out.push_back({f[0], f.size() > 3 ? f[3] : "", std::filesystem::path(path).stem(), f[1] == "True", f[2] == "True"});
  }
  return {};
}

// A file, or all of a folder.
Result<std::vector<Recorded>> read_all(const std::string& path) {
  std::vector<Recorded> out;
  std::vector<std::string> files;
  if (!std::filesystem::is_directory(path)) files.push_back(path);
  else
    for (const auto& entry : std::filesystem::directory_iterator(path)) files.push_back(entry.path());
  std::ranges::sort(files);
  for (const std::string& file : files) AJAR_TRY(read(file, out));
  return out;
}

constexpr size_t kFolds = 5;
size_t fold(size_t row, uint64_t shift) { return (row * 2654435761U + shift * 40503U) / 7 % kFolds; }

// Probability of being right of every row, by a score that the other folds taught.
Result<std::vector<double>> cross(const std::vector<Recorded>& rows, const learn::AnswerScoreOptions& options, bool calibrated, uint64_t shift) {
  std::vector<double> out(rows.size());
  const auto fold_of = [&](size_t i) { return fold(i, shift); };
  for (size_t held = 0; held < kFolds; ++held) {
    std::vector<learn::AnswerScore::Row> taught;
    for (size_t i = 0; i < rows.size(); ++i)
      if (fold_of(i) != held) taught.push_back({{.prompt = rows[i].prompt, .answer = rows[i].answer}, rows[i].weak});
    AJAR_ASSIGN(const auto score, learn::AnswerScore::fit(taught, options));
    for (size_t i = 0; i < rows.size(); ++i) {
      if (fold_of(i) != held) continue;
      const learn::AnswerEvidence evidence{.prompt = rows[i].prompt, .answer = rows[i].answer};
      out[i] = calibrated ? score(evidence) : score.score(evidence);
    }
  }
  return out;
}

// The same from hashed n-grams of the prompt alone.
Result<std::vector<double>> cross_prompt(const std::vector<Recorded>& rows, uint64_t shift) {
  std::vector<double> out(rows.size());
  const auto fold_of = [&](size_t i) { return fold(i, shift); };
  const learn::FeatureOptions features{.bits = 14, .words = 2, .pieces_from = 3, .pieces_to = 4};
  for (size_t held = 0; held < kFolds; ++held) {
    std::vector<learn::Example> taught;
    for (size_t i = 0; i < rows.size(); ++i)
      if (fold_of(i) != held) taught.push_back({.sparse = learn::hashed_features(rows[i].prompt, features), .label = rows[i].weak});
    AJAR_ASSIGN(const auto model, learn::train_linear(taught, 2, features.columns(), {.epochs = 10, .rate = 0.1, .l2 = 1e-4}));
    std::vector<float> logits(2);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (fold_of(i) != held) continue;
      model.logits(learn::hashed_features(rows[i].prompt, features), {}, logits);
      out[i] = logits[1] - logits[0];
    }
  }
  return out;
}

// Of each row the mean need of its subject in the other folds.
std::vector<double> cross_subject(const std::vector<Recorded>& rows, uint64_t shift) {
  std::vector<double> out(rows.size());
  for (size_t held = 0; held < kFolds; ++held) {
    std::map<std::string, std::pair<double, double>> sums;
    for (size_t i = 0; i < rows.size(); ++i)
      if (fold(i, shift) != held) sums[rows[i].subject].first += rows[i].need(), ++sums[rows[i].subject].second;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (fold(i, shift) != held) continue;
      const auto& [need, n] = sums[rows[i].subject];
      out[i] = need / (n + 1);
    }
  }
  return out;
}

struct Summary {
  double apgr = 0, cpt[3] = {}, quality[5] = {};
};

Summary summarise(const std::vector<Recorded>& rows, const std::function<double(size_t)>& need) {
  std::vector<learn::RoutedOutcome> outcomes;
  for (size_t i = 0; i < rows.size(); ++i) outcomes.push_back({need(i), rows[i].weak ? 1.0 : 0.0, rows[i].strong ? 1.0 : 0.0});
  const learn::RoutingCurve curve(outcomes);
  Summary out{.apgr = curve.apgr().value_or(0)};
  const double recovered[] = {0.5, 0.8, 0.95}, shares[] = {0.1, 0.2, 0.3, 0.5, 0.7};
  for (int i = 0; i < 3; ++i) out.cpt[i] = curve.cpt(recovered[i]).value_or(1);
  for (int i = 0; i < 5; ++i) out.quality[i] = curve.quality(shares[i]);
  return out;
}

Summary mean(const std::vector<Summary>& all) {
  Summary out;
  const auto n = static_cast<double>(all.size());
  for (const Summary& s : all) {
    out.apgr += s.apgr / n;
    for (int i = 0; i < 3; ++i) out.cpt[i] += s.cpt[i] / n;
    for (int i = 0; i < 5; ++i) out.quality[i] += s.quality[i] / n;
  }
  return out;
}

void print(const char* name, const Summary& s) {
  std::printf("| %-38s | %.3f | %4.1f / %4.1f / %4.1f |", name, s.apgr, 100 * s.cpt[0], 100 * s.cpt[1], 100 * s.cpt[2]);
  for (const double q : s.quality) std::printf(" %.3f |", q);
  std::printf("\n");
}

Summary five_times(const std::vector<Recorded>& rows, const std::function<Result<std::vector<double>>(uint64_t)>& scores, double sign) {
  std::vector<Summary> all;
  for (uint64_t shift = 0; shift < 5; ++shift) {
    const auto p = scores(shift);
    if (!p) continue;
    all.push_back(summarise(rows, [&](size_t i) { return sign * (*p)[i]; }));
  }
  return mean(all);
}

// What judging the answers' text is worth: how well it ranks, how well it is calibrated, what a threshold promises.
Status report_answers(const std::vector<Recorded>& rows) {
  AJAR_ASSIGN(const auto ranks, cross(rows, {}, false, 0));
  AJAR_ASSIGN(const auto p, cross(rows, {}, true, 0));
  std::vector<learn::Judged> judged;
  std::vector<learn::Claim> claims, order;
  for (size_t i = 0; i < rows.size(); ++i) {
    judged.push_back({p[i], rows[i].weak ? 0.0 : 1.0});
    claims.push_back({p[i], rows[i].weak}), order.push_back({ranks[i], rows[i].weak});
  }
  std::printf("\nP(right): AUROC %.3f, ECE %.3f, Brier %.3f\n", learn::auroc(order).value_or(0), learn::expected_calibration_error(claims),
              learn::brier_score(claims));
  for (const double alpha : {0.1, 0.2, 0.25, 0.3}) {
    AJAR_ASSIGN(const auto chosen, learn::choose_threshold(judged, {.alpha = alpha, .delta = 0.1}));
    if (const auto& t = chosen.found)
      std::printf("alpha %.2f: threshold %.3f accepts %.1f %%, %.1f %% of them wrong\n", alpha, t->threshold, 100 * t->share(), 100 * t->loss);
    else std::printf("alpha %.2f: %s\n", alpha, chosen.refusal.reason.c_str());
  }
  return {};
}

Status run(const std::string& path) {
  AJAR_ASSIGN(const auto rows, read_all(path));
  if (rows.empty()) return invalid("rows", path + ": no rows");
  double weak = 0, strong = 0;
  for (const auto& r : rows) weak += r.weak, strong += r.strong;
  const auto n = static_cast<double>(rows.size());
  const bool answers = !rows.front().answer.empty(), subjects = rows.front().subject != rows.back().subject;
  std::printf("%zu prompts; always open %.4f, always closed %.4f\n\n", rows.size(), weak / n, strong / n);
  std::printf("| router | APGR | strong calls (%%) for 50 / 80 / 95 %% | 10 %% | 20 %% | 30 %% | 50 %% | 70 %% |\n|---|---|---|---|---|---|---|---|\n");
  print("random mix", summarise(rows, [](size_t) { return 0.0; }));
  print("prompt length", summarise(rows, [&](size_t i) { return static_cast<double>(rows[i].prompt.size()); }));
  print("prompt n-grams, 5-fold", five_times(rows, [&](uint64_t shift) { return cross_prompt(rows, shift); }, -1));
  if (subjects) print("subject, 5-fold", five_times(rows, [&](uint64_t shift) { return cross_subject(rows, shift); }, 1));
  if (answers) {
    print("a wrong sum, or none", summarise(rows, [&](size_t i) {
            const auto sums = learn::check_arithmetic(rows[i].answer);
            return sums.wrong > 0 || sums.checks == 0 ? 1.0 : 0.0;
          }));
    print("answer score without the prompt's words", five_times(rows, [&](uint64_t shift) { return cross(rows, {.prompt_scale = 0}, false, shift); }, -1));
    print("answer score", five_times(rows, [&](uint64_t shift) { return cross(rows, {}, false, shift); }, -1));
  }
  print("oracle", summarise(rows, [&](size_t i) { return rows[i].need(); }));
  return answers ? report_answers(rows) : Status();
}

}  // namespace
}  // namespace ajar

int main(int argc, char** argv) {
  const auto status = argc == 2 ? ajar::run(argv[1]) : ajar::invalid("", "usage: answer_score_bench FILE or FOLDER");
  if (!status) std::fprintf(stderr, "%s\n", status.error().message.c_str());
  return status ? 0 : 1;
}
