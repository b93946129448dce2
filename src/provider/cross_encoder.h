#pragma once
// (query, document) pairs read together by a model with one output: how well each document answers the query.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "provider/model_host.h"

namespace ajar {

struct PairScores {
  std::vector<double> scores;  // of each document, 0 to 1
  int64_t tokens = 0;          // that the model read
};

// Blocks and computes, in pieces between which others get their turn at the model. Documents are cut to what the model takes, or to
// `max_tokens_per_doc`. kUnsupported: it is no cross-encoder; kInvalid: the query alone is too long; kTimeout: not done by `until`.
Result<PairScores> score_pairs(LoadedModel& model, const std::string& query, std::span<const std::string> documents,
                               std::optional<int64_t> max_tokens_per_doc = {}, TimePoint until = kNever);

}  // namespace ajar
