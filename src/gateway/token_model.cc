#include "gateway/token_model.h"

#include <algorithm>
#include <cmath>

namespace ajar {
namespace {

// Fitted to o200k on prose, code, JSON and templates in English and Spanish (mean error 5 %); scripts that were not at
// hand by what the tokenizer's tables say.
constexpr std::array<float, TextFeatures::kCount> kPrior = {
    /*words*/ 0.79f, /*long letters*/ 0.134f, /*upper*/ 0.56f, /*digit runs*/ 1.2f, /*digits*/ 0.25f,
    /*mark runs*/ 0.59f, /*marks*/ 0.13f, /*blank runs*/ 0.66f, /*double spaces*/ 0.12f, /*latin*/ 0.85f,
    /*other 2*/ 0.42f, /*indic*/ 0.6f, /*cjk*/ 0.95f, /*hangul*/ 0.7f, /*four*/ 2.1f,
    /*messages*/ 4.0f, /*tools*/ 8.0f, /*request*/ 3.0f};

// How much less is known of a weight after every step, as a share of what was not known at the beginning: an upstream that
// changes its tokenizer is followed within some hundred calls. Added rather than divided by (a forgetting factor), because
// what a client always asks the same way says nothing of most weights, and their covariance would grow without end.
constexpr double kDrift = 2e-4;
constexpr double kNoise = 0.03 * 0.03;  // of one report, relative
constexpr double kRecent = 0.02;
// Once a model is known, one report in eight is enough to follow it, and a step costs as much as reading a request.
constexpr int64_t kKnown = 256, kOneIn = 8;

// How far a weight may be from its prior: as far as the weight is large; framing varies most.
double spread(size_t i) { return i >= TextFeatures::kMessages ? 20.0 : 0.1 + 0.5 * double(kPrior[i]); }

}  // namespace

TokenModel::TokenModel() : weights_(kPrior), covariance_{} {
  for (size_t i = 0; i < kN; ++i) {
    covariance_[i][i] = spread(i) * spread(i);
  }
}

double TokenModel::predict(const TextFeatures& features) const {
  double sum = 0;
  for (size_t i = 0; i < kN; ++i) sum += double(weights_[i]) * double(features.values[i]);
  return std::max(sum, 1.0);
}

int64_t TokenModel::estimate(const TextFeatures& features) const {
  const std::lock_guard lock(mutex_);
  return int64_t(std::ceil(predict(features))) + features.media_tokens;
}

void TokenModel::learn(const TextFeatures& features, int64_t actual) {
  if (features.media_tokens != 0 || actual <= 0) return;
  const std::lock_guard lock(mutex_);
  if (quality_.samples >= kKnown && ++skipped_ % kOneIn != 0) return;
  const double guess = predict(features);
  if (double(actual) > 8 * guess + 64 || double(actual) * 8 + 64 < guess) return;
  const double error = std::abs(guess - double(actual)) / double(actual);
  // An average over all until there are enough of them for a window.
  const double share = std::max(kRecent, 1.0 / double(quality_.samples + 1));
  quality_.error += share * (error - quality_.error);
  ++quality_.samples;

  // One step in units of this request's size, so that a long text does not outweigh many short ones.
  std::array<double, kN> x, px;
  for (size_t i = 0; i < kN; ++i) x[i] = double(features.values[i]) / guess;
  double gain = kNoise;
  for (size_t i = 0; i < kN; ++i) {
    px[i] = 0;
    for (size_t k = 0; k < kN; ++k) px[i] += covariance_[i][k] * x[k];
    gain += x[i] * px[i];
  }
  const double residual = (double(actual) - guess) / guess;
  for (size_t i = 0; i < kN; ++i) weights_[i] += float(px[i] / gain * residual);
  for (size_t i = 0; i < kN; ++i) {
    for (size_t k = 0; k < kN; ++k) covariance_[i][k] -= px[i] * px[k] / gain;
    const double unknown = spread(i) * spread(i);
    covariance_[i][i] = std::min(covariance_[i][i] + kDrift * unknown, unknown);
  }
}

TokenModel::Quality TokenModel::quality() const {
  const std::lock_guard lock(mutex_);
  return quality_;
}

std::shared_ptr<TokenModel> TokenModels::of(const std::string& model) {
  const std::lock_guard lock(mutex_);
  const auto found = models_.find(model);
  if (found != models_.end()) return found->second;
  if (models_.size() >= kMax) return models_.begin()->second;
  return models_.emplace(model, std::make_shared<TokenModel>()).first->second;
}

std::map<std::string, TokenModel::Quality> TokenModels::qualities() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, TokenModel::Quality> out;
  for (const auto& [name, model] : models_) out.emplace(name, model->quality());
  return out;
}

}  // namespace ajar
