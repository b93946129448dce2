#pragma once
// How many tokens a model makes of a request: a weighted sum of the text's features, whose weights learn from what the
// provider reports. Recursive least squares on the relative error, as a Kalman filter whose weights drift (Haykin, Adaptive
// Filter Theory, ch. 9 and 10).

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "gateway/text_features.h"

namespace ajar {

class TokenModel {
 public:
  TokenModel();

  // Tokens of the input, media by flat figures; never below 1. Any thread.
  int64_t estimate(const TextFeatures& features) const;
  // The provider reported `actual` tokens for these features. Requests with media teach nothing, nor do counts that
  // no text could have made (a provider that hides or adds a lot).
  void learn(const TextFeatures& features, int64_t actual);

  struct Quality {
    int64_t samples = 0;
    double error = 0;  // mean of |estimate - actual| / actual before each sample was learnt, recent ones more
  };
  Quality quality() const;

 private:
  static constexpr size_t kN = TextFeatures::kCount;
  double predict(const TextFeatures& features) const;  // holds mutex_

  mutable std::mutex mutex_;  // guards all below
  std::array<float, kN> weights_;
  std::array<std::array<double, kN>, kN> covariance_;
  Quality quality_;
  int64_t skipped_ = 0;
};

// One model per upstream model name; made on first use and kept while the server runs. Any thread.
class TokenModels {
 public:
  std::shared_ptr<TokenModel> of(const std::string& model);
  std::map<std::string, TokenModel::Quality> qualities() const;

 private:
  static constexpr size_t kMax = 4'096;  // names come from clients where a route is a pattern
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<TokenModel>> models_;  // guarded by mutex_
};

}  // namespace ajar
