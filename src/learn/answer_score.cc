#include "learn/answer_score.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "base/text.h"
#include "json/read.h"
#include "json/write.h"
#include "learn/answer_check.h"
#include "learn/file.h"
#include "learn/linear.h"

namespace ajar::learn {
namespace {

constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();
constexpr float kMost = 3;   // standard deviations, beyond which a number tells nothing more

float mean(std::span<const float> x) {
  double sum = 0;
  for (const float v : x) sum += v;
  return x.empty() ? kUnknown : static_cast<float>(sum / static_cast<double>(x.size()));
}
float least(std::span<const float> x) { return x.empty() ? kUnknown : std::ranges::min(x); }
float most(std::span<const float> x) { return x.empty() ? kUnknown : std::ranges::max(x); }
float log_size(double x) { return static_cast<float>(std::log1p(std::max(0.0, x))); }

// Lines that came before: a model that goes in circles.
int repeated_lines(std::string_view text) {
  std::set<std::string_view> seen;
  int out = 0;
  for (const std::string_view line : split(text, '\n'))
    if (trim(line).size() > 8) out += !seen.insert(trim(line)).second;
  return out;
}

int count_steps(std::string_view text) {
  int out = 0;
  for (const std::string_view line : split(text, '\n')) out += !trim(line).empty();
  return out;
}

class Numbers {
 public:
  Numbers() { values_.fill(kUnknown); }
  void set(std::string_view name, double value) {
    values_[static_cast<size_t>(std::ranges::find(kAnswerFeatures, name) - kAnswerFeatures.begin())] = static_cast<float>(value);
  }
  const auto& values() const { return values_; }

 private:
  std::array<float, kAnswerFeatures.size()> values_;
};

void add_tokens(const AnswerEvidence& e, Numbers& out) {
  out.set("logprob_mean", mean(e.logprobs)), out.set("logprob_least", least(e.logprobs));
  out.set("margin_mean", mean(e.margins)), out.set("margin_least", least(e.margins));
  out.set("entropy_mean", mean(e.entropies)), out.set("entropy_most", most(e.entropies));
  if (!e.margins.empty()) {
    const auto low = std::ranges::count_if(e.margins, [](float m) { return m < 0.2F; });
    out.set("margin_low_share", static_cast<double>(low) / static_cast<double>(e.margins.size()));
  }
}

void add_samples(const AnswerEvidence& e, Numbers& out) {
  if (e.samples.empty()) return;
  std::vector<std::string> all(e.samples.begin(), e.samples.end());
  all.emplace_back(e.answer);
  const Agreement a = agreement(all);
  out.set("samples_agree", a.share), out.set("samples_entropy", a.entropy);
  out.set("samples_same", normalised_answer(e.answer) == a.answer);
}

void add_sums(const AnswerEvidence& e, Numbers& out) {
  const Arithmetic sums = check_arithmetic(e.answer);
  out.set("sums", log_size(sums.checks));
  out.set("sums_wrong", sums.checks == 0 ? 0 : static_cast<double>(sums.wrong) / sums.checks);
  out.set("sums_any_wrong", sums.wrong > 0), out.set("sums_rounded", sums.rounded > 0);
  const auto final = final_number(e.answer);
  const auto value = final ? parse_double(*final) : std::nullopt;
  out.set("has_final", value.has_value());
  const NumberUse use = number_use(e.prompt, e.answer);
  out.set("prompt_numbers", log_size(use.in_prompt));
  out.set("numbers_used", use.in_prompt == 0 ? 1 : static_cast<double>(use.used) / use.in_prompt);
  out.set("numbers_unused", use.in_prompt - use.used);
  out.set("numbers_unexplained", log_size(use.unexplained));
  if (!value) return;
  out.set("final_is_last_result", sums.checks > 0 && std::abs(*value - sums.last_result) < 1e-6 * std::max(1.0, std::abs(*value)));
  out.set("final_whole", *value == std::floor(*value)), out.set("final_size", log_size(std::abs(*value)));
  out.set("final_in_prompt", number_use(e.prompt, *final).used > 0);
}

}  // namespace

std::array<float, kAnswerFeatures.size()> answer_features(const AnswerEvidence& e) {
  Numbers out;
  add_tokens(e, out);
  add_samples(e, out);
  if (e.failed_checks) out.set("failed_checks", *e.failed_checks);
  add_sums(e, out);
  const double steps = count_steps(e.answer);
  out.set("prompt_length", log_size(static_cast<double>(e.prompt.size())));
  out.set("answer_length", log_size(static_cast<double>(e.answer.size())));
  out.set("steps", log_size(steps));
  out.set("steps_per_number", steps / (1 + std::expm1(out.values()[static_cast<size_t>(std::ranges::find(kAnswerFeatures, "prompt_numbers") - kAnswerFeatures.begin())])));
  out.set("hedges", log_size(count_hedges(e.answer))), out.set("refuses", refuses(e.answer));
  out.set("cut", is_cut(e.answer)), out.set("repeats", log_size(repeated_lines(e.answer)));
  return out.values();
}

AnswerScore::Numbers AnswerScore::standard(const AnswerEvidence& evidence) const {
  Numbers x = answer_features(evidence);
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::isfinite(x[i]) ? std::clamp((x[i] - mean_[i]) * scale_[i], -kMost, kMost) : 0;
  return x;
}

double AnswerScore::score(const AnswerEvidence& evidence) const {
  const Numbers x = standard(evidence);
  double sum = bias_;
  for (size_t i = 0; i < x.size(); ++i) sum += static_cast<double>(x[i]) * weights_[i];
  if (prompt_scale_ == 0) return sum;
  const SparseVector words = hashed_features(evidence.prompt, prompt_);
  for (size_t i = 0; i < words.columns.size(); ++i) sum += static_cast<double>(words.values[i]) * prompt_scale_ * prompt_weights_[words.columns[i]];
  return sum;
}

Result<AnswerScore> AnswerScore::learn(std::span<const Row> rows, const AnswerScoreOptions& options) {
  AnswerScore out;
  out.prompt_ = options.prompt;
  out.prompt_scale_ = static_cast<float>(options.prompt_scale);
  std::vector<Numbers> seen;
  for (const Row& row : rows) seen.push_back(answer_features(row.evidence));
  for (size_t i = 0; i < kAnswerFeatures.size(); ++i) {
    double n = 0, sum = 0, squares = 0;
    for (const Numbers& x : seen)
      if (std::isfinite(x[i])) ++n, sum += x[i], squares += static_cast<double>(x[i]) * x[i];
    if (n == 0) continue;
    const double variance = squares / n - sum / n * (sum / n);
    out.mean_[i] = static_cast<float>(sum / n);
    out.scale_[i] = variance > 1e-9 ? static_cast<float>(1 / std::sqrt(variance)) : 0;
  }
  std::vector<Example> examples;
  for (const Row& row : rows) {
    Example& e = examples.emplace_back();
    if (options.prompt_scale > 0) e.sparse = hashed_features(row.evidence.prompt, options.prompt);
    for (float& v : e.sparse.values) v *= out.prompt_scale_;
    const Numbers x = out.standard(row.evidence);
    e.dense.assign(x.begin(), x.end());
    e.label = row.right;
  }
  const uint32_t columns = options.prompt.columns();
  AJAR_ASSIGN(const LinearModel linear,
              train_linear(examples, 2, columns, {.epochs = options.epochs, .batch = 8, .rate = 0.05, .l2 = options.l2, .threads = 1, .seed = options.seed}));
  const auto weight = [&](size_t row) { return linear.row(row)[1] - linear.row(row)[0]; };
  for (uint32_t i = 0; i < columns; ++i) out.prompt_weights_.push_back(weight(i));
  for (size_t i = 0; i < out.weights_.size(); ++i) out.weights_[i] = weight(columns + i);
  out.bias_ = weight(linear.rows() - 1);
  return out;
}

Result<AnswerScore> AnswerScore::fit(std::span<const Row> rows, const AnswerScoreOptions& options) {
  const auto right = std::ranges::count_if(rows, &Row::right);
  if (rows.size() < 20) return invalid("rows", std::to_string(rows.size()) + " judged answers; at least 20 are needed");
  if (right == 0 || right == static_cast<std::ptrdiff_t>(rows.size()))
    return invalid("labels", "all " + std::to_string(rows.size()) + " answers are judged " + (right == 0 ? "wrong" : "right") + ": nothing can be learnt from labels of one kind");
  // Scores for the calibration come from models that did not see the row.
  constexpr size_t kFolds = 5;
  std::vector<double> scores, outcomes;
  for (size_t fold = 0; fold < kFolds; ++fold) {
    std::vector<Row> taught;
    for (size_t i = 0; i < rows.size(); ++i)
      if (i % kFolds != fold) taught.push_back(rows[i]);
    AJAR_ASSIGN(const AnswerScore part, learn(taught, options));
    for (size_t i = fold; i < rows.size(); i += kFolds) scores.push_back(part.score(rows[i].evidence)), outcomes.push_back(rows[i].right);
  }
  AJAR_ASSIGN(AnswerScore out, learn(rows, options));
  AJAR_ASSIGN(out.calibration_, Isotonic::fit(scores, outcomes));
  return out;
}

std::string AnswerScore::json() const {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("version", 1);
  w.field("bits", int64_t{prompt_.bits});
  w.field("words", int64_t{prompt_.words});
  w.field("prompt_scale", double{prompt_scale_});
  w.field("bias", double{bias_});
  w.key("features");
  w.begin_array();
  for (size_t i = 0; i < kAnswerFeatures.size(); ++i) {
    w.begin_array();
    w.string(kAnswerFeatures[i]), w.number(mean_[i]), w.number(scale_[i]), w.number(weights_[i]);
    w.end_array();
  }
  w.end_array();
  w.key("prompt");
  w.begin_array();
  for (const float x : prompt_weights_) w.number(x);
  w.end_array();
  w.raw_field("calibration", calibration_.json());
  w.end_object();
  return out;
}

Result<AnswerScore> AnswerScore::parse(std::string_view text) {
  const auto wrong = [](std::string_view what) { return invalid("score", "not a score of answers: " + std::string(what)); };
  json::Document document;
  AJAR_ASSIGN(const json::Object object, document.parse_object(text));
  if (json::int_or(object, "version") != 1) return wrong("its version is not 1");
  AnswerScore out;
  const int64_t bits = json::int_or(object, "bits", -1), words = json::int_or(object, "words", -1);
  if (bits < 0 || bits > 20 || words < 0 || words > 8) return wrong("'bits' or 'words' is out of range");
  out.prompt_ = {.bits = static_cast<uint8_t>(bits), .words = static_cast<uint8_t>(words), .pieces_from = 1, .pieces_to = 0};
  const auto number = [](const std::optional<json::Value>& value) -> std::optional<float> {
    const auto real = value ? json::as_double(*value) : std::nullopt;
    if (!real || !std::isfinite(static_cast<float>(*real))) return std::nullopt;
    return static_cast<float>(*real);
  };
  const auto scale = number(json::find(object, "prompt_scale")), bias = number(json::find(object, "bias"));
  if (!scale || !bias) return wrong("'prompt_scale' or 'bias' is no number");
  out.prompt_scale_ = *scale, out.bias_ = *bias;

  const auto features_value = json::find(object, "features"), prompt_value = json::find(object, "prompt"), knots = json::find(object, "calibration");
  const auto features = features_value ? json::as_array(*features_value) : std::nullopt, prompt = prompt_value ? json::as_array(*prompt_value) : std::nullopt;
  if (!features || !prompt || !knots) return wrong("'features', 'prompt' or 'calibration' is missing");
  // By name: a file of an older program has fewer, and those it lacks weigh nothing.
  for (const json::Value value : *features) {
    const auto row = json::as_array(value);
    if (!row || row->size() != 4) return wrong("a feature is not [name, mean, scale, weight]");
    const auto name = json::as_string(row->at(0).value_unsafe());
    const auto at = name ? std::ranges::find(kAnswerFeatures, *name) : kAnswerFeatures.end();
    if (at == kAnswerFeatures.end()) return wrong("a feature that this program does not know");
    const auto i = static_cast<size_t>(at - kAnswerFeatures.begin());
    const auto m = number(row->at(1).value_unsafe()), s = number(row->at(2).value_unsafe()), w = number(row->at(3).value_unsafe());
    if (!m || !s || !w) return wrong("a feature is not [name, mean, scale, weight]");
    out.mean_[i] = *m, out.scale_[i] = *s, out.weights_[i] = *w;
  }
  for (const json::Value value : *prompt) {
    const auto weight = number(value);
    if (!weight) return wrong("a weight is no number");
    out.prompt_weights_.push_back(*weight);
  }
  if (out.prompt_weights_.size() != out.prompt_.columns()) return wrong("its weights are too few or too many");
  AJAR_ASSIGN(out.calibration_, Isotonic::parse(json::raw(*knots)));
  return out;
}

Result<AnswerScore> AnswerScore::read(const std::string& file) {
  AJAR_ASSIGN(const std::string text, read_file(file, 16 << 20));
  auto parsed = parse(text);
  if (!parsed) return std::unexpected(std::move(parsed).error().in(file));
  return parsed;
}

bool AnswerScore::uses_logprobs() const {
  for (size_t i = 0; i < kAnswerFeatures.size(); ++i) {
    const std::string_view name = kAnswerFeatures[i];
    if ((name.starts_with("logprob") || name.starts_with("margin")) && weights_[i] != 0 && scale_[i] != 0) return true;
  }
  return false;
}

}  // namespace ajar::learn
