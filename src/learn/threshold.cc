#include "learn/threshold.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "learn/bounds.h"

namespace ajar::learn {
namespace {

// 1 - threshold falls from 1 to a millionth by a constant factor: calibrated confidences crowd at 1.
constexpr int kSteps = 120;
double grid(int step) {  // 0 the strictest
  return step == kSteps ? 0 : 1 - std::pow(10.0, -6.0 + 6.0 * step / kSteps);
}

struct Tested {
  double threshold;
  int64_t accepted = 0;
  double losses = 0;
  double mean() const { return accepted == 0 ? 0 : std::min(1.0, losses / static_cast<double>(accepted)); }
  int64_t errors() const { return std::llround(losses); }
};

double bound(const Tested& t, double delta, Losses losses) {
  if (losses == Losses::kGraded) return hoeffding_bentkus_upper(t.mean(), t.accepted, delta);
  return clopper_pearson_upper(t.errors(), t.accepted, delta);
}

Losses kind_of(std::span<const Judged> judged) {
  const bool graded = std::ranges::any_of(judged, [](const Judged& j) { return j.loss != 0 && j.loss != 1; });
  return graded ? Losses::kGraded : Losses::kBinary;
}

// Accepted answers at the first test: enough to bear an error rate of a quarter of alpha, or half of it where there are many
// samples. A start that one early error would end gives thresholds by luck.
int64_t start_of(int64_t samples, const ThresholdOptions& o, Losses losses) {
  const int64_t least = samples_to_prove(o.alpha / 4, o.alpha, o.delta, losses, o.promise);
  const int64_t most = std::max(least, samples_to_prove(o.alpha / 2, o.alpha, o.delta, losses, o.promise));
  return std::min(samples, std::clamp(samples / 10, least, most));
}

Status check(std::span<const Judged> judged, const ThresholdOptions& options) {
  if (!(options.alpha > 0 && options.alpha < 1)) return invalid("alpha", "alpha must lie between 0 and 1");
  if (!(options.delta > 0 && options.delta < 1)) return invalid("delta", "delta must lie between 0 and 1");
  bool right = false, wrong = false;
  for (const Judged& j : judged) {
    if (!(j.confidence >= 0 && j.confidence <= 1)) return invalid("confidence", "a confidence is not between 0 and 1");
    if (!(j.loss >= 0 && j.loss <= 1)) return invalid("loss", "a loss is not between 0 and 1");
    right |= j.loss < 1, wrong |= j.loss > 0;
  }
  if (judged.empty() || (right && wrong)) return {};
  return invalid("labels", "all " + std::to_string(judged.size()) + " answers are judged " + (right ? "right" : "wrong") +
                               ": labels of one kind cannot tell whether the confidence means anything. Check the grader, or "
                               "add answers of the other kind");
}

std::vector<Tested> walk(std::span<const Judged> judged) {
  std::vector<Judged> sorted(judged.begin(), judged.end());
  std::ranges::sort(sorted, [](const Judged& a, const Judged& b) { return a.confidence > b.confidence; });
  std::vector<Tested> out;
  Tested sum{.threshold = 1};
  size_t next = 0;
  for (int step = 0; step <= kSteps; ++step) {
    sum.threshold = grid(step);
    for (; next < sorted.size() && sorted[next].confidence >= sum.threshold; ++next) {
      ++sum.accepted;
      sum.losses += sorted[next].loss;
    }
    out.push_back(sum);
  }
  return out;
}

std::string percent(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f %%", 100 * x);
  return text;
}

// How many more samples would prove some threshold, going by the error rates at hand.
TooFew refuse(const std::vector<Tested>& tested, int64_t samples, const ThresholdOptions& o, Losses losses) {
  constexpr int64_t kTelling = 20;  // the error rate of fewer says little
  const int64_t least = samples_to_prove(0, o.alpha, o.delta, losses, o.promise);
  if (samples < kTelling) {
    return {std::max<int64_t>(1, least - samples), std::to_string(samples) + " judged answers are too few: at least " +
                                                       std::to_string(least) + " are needed even if all are right"};
  }
  int64_t total = -1;
  double lowest = 1;
  for (const Tested& t : tested) {
    if (t.accepted < kTelling) continue;
    lowest = std::min(lowest, t.mean());
    if (hoeffding_bentkus_p(1 - t.mean(), t.accepted, 1 - o.alpha) <= o.delta) continue;  // proven to be above alpha
    // One error more than was seen, or where that is too many, the best that may be hoped for.
    double rate = (t.losses + 1) / static_cast<double>(t.accepted + 1);
    if (rate >= o.alpha) rate = o.alpha / 2;
    const double share = static_cast<double>(t.accepted) / static_cast<double>(samples);
    const auto need = static_cast<int64_t>(std::ceil(static_cast<double>(samples_to_prove(rate, o.alpha, o.delta, losses, o.promise)) / share));
    if (total < 0 || need < total) total = need;
  }
  if (total < 0) {
    return {-1, "even of the surest answers " + percent(lowest) + " are wrong, above alpha = " + percent(o.alpha) +
                    ": this confidence cannot reach it, whatever the number of samples"};
  }
  const int64_t more = std::max(total - samples, samples / 10 + 1);
  return {more, "about " + std::to_string(more) + " more judged answers are needed to prove an error of at most " +
                    percent(o.alpha) + " (" + std::to_string(samples) + " are there)"};
}

}  // namespace

Result<Calibration> choose_threshold(std::span<const Judged> judged, const ThresholdOptions& options) {
  AJAR_TRY(check(judged, options));
  const auto samples = static_cast<int64_t>(judged.size());
  const Losses losses = kind_of(judged);
  const auto tested = walk(judged);
  const int64_t start = start_of(samples, options, losses);
  const Tested* last = nullptr;
  for (const Tested& t : tested) {
    if (t.accepted < start) continue;
    if (p_value(t.losses, t.accepted, options.alpha, losses, options.promise) > options.delta) break;
    last = &t;
  }
  Calibration out;
  if (last == nullptr) {
    out.refusal = refuse(tested, samples, options, losses);
    return out;
  }
  out.found = Threshold{.threshold = last->threshold,
                        .samples = samples,
                        .accepted = last->accepted,
                        .loss = last->mean(),
                        .bound = bound(*last, options.delta, losses)};
  return out;
}

Threshold apply_threshold(std::span<const Judged> judged, double threshold, double delta) {
  Tested sum{.threshold = threshold};
  for (const Judged& j : judged) {
    if (j.confidence < threshold) continue;
    ++sum.accepted;
    sum.losses += j.loss;
  }
  return {.threshold = threshold,
          .samples = static_cast<int64_t>(judged.size()),
          .accepted = sum.accepted,
          .loss = sum.mean(),
          .bound = bound(sum, delta, kind_of(judged))};
}

}  // namespace ajar::learn
