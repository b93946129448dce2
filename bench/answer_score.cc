// Recorded answers of an open and a closed model replayed as two rungs: cost against quality of routers that see the prompt alone, of
// ours, which sees the open model's answer, and of what bounds them.
//   answer_score_bench gsm8k_responses.csv
#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "learn/answer_score.h"
#include "learn/csv.h"
#include "learn/file.h"
#include "learn/linear.h"
#include "learn/metrics.h"
#include "learn/threshold.h"

namespace ajar {
namespace {

struct Recorded {
  std::string prompt, answer;
  bool weak, strong;               // whether the open and the closed model were right
  double need() const { return (strong ? 1.0 : 0.0) - (weak ? 1.0 : 0.0); }
};

Result<std::vector<Recorded>> read(const std::string& path) {
  AJAR_ASSIGN(const auto bytes, learn::read_file(path, 1 << 28));
  AJAR_ASSIGN(const auto rows, learn::parse_csv(bytes, path));
  std::vector<Recorded> out;
  for (size_t i = 1; i < rows.size(); ++i) {
    const auto& f = rows[i].fields;
    if (f.size() < 5) return invalid("csv", path + ": a row without answers");
    out.push_back({f[0], f[3], f[1] == "True", f[2] == "True"});
  }
  return out;
}

constexpr size_t kFolds = 5;

// Probability of being right of every row, by a score that the other folds taught.
Result<std::vector<double>> cross(const std::vector<Recorded>& rows, const learn::AnswerScoreOptions& options, bool calibrated, uint64_t shift) {
  std::vector<double> out(rows.size());
  const auto fold_of = [&](size_t i) { return (i * 2654435761U + shift * 40503U) / 7 % kFolds; };
  for (size_t fold = 0; fold < kFolds; ++fold) {
    std::vector<learn::AnswerScore::Row> taught;
    for (size_t i = 0; i < rows.size(); ++i)
      if (fold_of(i) != fold) taught.push_back({{.prompt = rows[i].prompt, .answer = rows[i].answer}, rows[i].weak});
    AJAR_ASSIGN(const auto score, learn::AnswerScore::fit(taught, options));
    for (size_t i = 0; i < rows.size(); ++i) {
      if (fold_of(i) != fold) continue;
      const learn::AnswerEvidence evidence{.prompt = rows[i].prompt, .answer = rows[i].answer};
      out[i] = calibrated ? score(evidence) : score.score(evidence);
    }
  }
  return out;
}

// The same from hashed n-grams of the prompt alone.
Result<std::vector<double>> cross_prompt(const std::vector<Recorded>& rows, uint64_t shift) {
  std::vector<double> out(rows.size());
  const auto fold_of = [&](size_t i) { return (i * 2654435761U + shift * 40503U) / 7 % kFolds; };
  const learn::FeatureOptions features{.bits = 14, .words = 2, .pieces_from = 3, .pieces_to = 4};
  for (size_t fold = 0; fold < kFolds; ++fold) {
    std::vector<learn::Example> taught;
    for (size_t i = 0; i < rows.size(); ++i)
      if (fold_of(i) != fold) taught.push_back({.sparse = learn::hashed_features(rows[i].prompt, features), .label = rows[i].weak});
    AJAR_ASSIGN(const auto model, learn::train_linear(taught, 2, features.columns(), {.epochs = 10, .rate = 0.1, .l2 = 1e-4}));
    std::vector<float> logits(2);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (fold_of(i) != fold) continue;
      model.logits(learn::hashed_features(rows[i].prompt, features), {}, logits);
      out[i] = logits[1] - logits[0];
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

Status run(const std::string& path) {
  AJAR_ASSIGN(const auto rows, read(path));
  double weak = 0, strong = 0;
  for (const auto& r : rows) weak += r.weak, strong += r.strong;
  const auto n = static_cast<double>(rows.size());
  std::printf("%zu prompts; always open %.4f, always closed %.4f\n\n", rows.size(), weak / n, strong / n);
  std::printf("| router | APGR | strong calls (%%) for 50 / 80 / 95 %% | 10 %% | 20 %% | 30 %% | 50 %% | 70 %% |\n|---|---|---|---|---|---|---|---|\n");
  print("random mix", summarise(rows, [](size_t) { return 0.0; }));
  print("prompt length", summarise(rows, [&](size_t i) { return static_cast<double>(rows[i].prompt.size()); }));
  struct Variant {
    const char* name;
    double prompt_scale;
  };
  std::vector<Summary> by_prompt;
  for (uint64_t shift = 0; shift < 5; ++shift) {
    AJAR_ASSIGN(const auto p, cross_prompt(rows, shift));
    by_prompt.push_back(summarise(rows, [&](size_t i) { return -p[i]; }));
  }
  print("prompt n-grams, 5-fold", mean(by_prompt));
  print("sums of the answer wrong, or none", summarise(rows, [&](size_t i) {
          const auto f = learn::answer_features({.prompt = rows[i].prompt, .answer = rows[i].answer});
          return static_cast<double>(f[13] + (f[11] == 0));
        }));
  for (const Variant& v : {Variant{"answer score, answer's text, 5-fold", 0}, Variant{"answer score, with the prompt, 5-fold", 0.3}}) {
    std::vector<Summary> all;
    double auroc = 0, ece = 0;
    for (uint64_t shift = 0; shift < 5; ++shift) {
      AJAR_ASSIGN(const auto p, cross(rows, {.prompt_scale = v.prompt_scale}, false, shift));
      AJAR_ASSIGN(const auto calibrated, cross(rows, {.prompt_scale = v.prompt_scale}, true, shift));
      all.push_back(summarise(rows, [&](size_t i) { return -p[i]; }));
      std::vector<learn::Claim> claims, ranks;
      for (size_t i = 0; i < rows.size(); ++i) claims.push_back({calibrated[i], rows[i].weak}), ranks.push_back({p[i], rows[i].weak});
      auroc += learn::auroc(ranks).value_or(0) / 5, ece += learn::expected_calibration_error(claims) / 5;
    }
    print(v.name, mean(all));
    std::fprintf(stderr, "%s: AUROC %.3f, ECE %.3f\n", v.name, auroc, ece);
  }
  print("oracle", summarise(rows, [&](size_t i) { return rows[i].need(); }));
  print("oracle of the open model alone", summarise(rows, [&](size_t i) { return rows[i].weak ? 0.0 : 1.0; }));

  AJAR_ASSIGN(const auto p, cross(rows, {}, true, 0));
  std::vector<learn::Judged> judged;
  for (size_t i = 0; i < rows.size(); ++i) judged.push_back({p[i], rows[i].weak ? 0.0 : 1.0});
  std::printf("\n");
  for (const double alpha : {0.1, 0.2, 0.25, 0.3}) {
    AJAR_ASSIGN(const auto chosen, learn::choose_threshold(judged, {.alpha = alpha, .delta = 0.1}));
    if (chosen.found) std::printf("alpha %.2f: threshold %.3f accepts %.1f %%, %.1f %% of them wrong\n", alpha, chosen.found->threshold, 100 * chosen.found->share(), 100 * chosen.found->loss);
    else std::printf("alpha %.2f: %s\n", alpha, chosen.refusal.reason.c_str());
  }
  AJAR_ASSIGN(const auto whole, [&] {
    std::vector<learn::AnswerScore::Row> all;
    for (const auto& r : rows) all.push_back({{.prompt = r.prompt, .answer = r.answer}, r.weak});
    return learn::AnswerScore::fit(all);
  }());
  std::fprintf(stderr, "%s\n", whole.json().substr(0, 3500).c_str());
  return {};
}

}  // namespace
}  // namespace ajar

int main(int argc, char** argv) {
  const auto status = argc == 2 ? ajar::run(argv[1]) : ajar::invalid("", "usage: answer_score_bench gsm8k_responses.csv");
  if (!status) std::fprintf(stderr, "%s\n", status.error().message.c_str());
  return status ? 0 : 1;
}
