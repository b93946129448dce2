#pragma once
// The second look at what a search has found: a cross-encoder reads the question and each passage together. Whoever has the
// models scores them; a search bounds how many passages that are and how long it waits, and without scores its own order stands.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace ajar::rag {

struct RerankQuestion {
  const std::string& route;
  const std::string& query;
  std::span<const std::string> passages;
  const std::string& payer;                         // whose call it is: "key:ID", or empty
  TimePoint until;
};

// One score per passage, higher is better. Blocks, at the most until `until`: kTimeout. Any thread.
using Score = std::function<Result<std::vector<float>>(const RerankQuestion&)>;

struct Reranking {
  std::string route;                                // of collections that name none; empty: their order is the search's
  size_t candidates = 50;                           // that are scored, at the most
  Millis timeout{2000};                             // of one search, all its questions together
  Score score;                                      // empty: nobody can
};

inline constexpr std::string_view kNoRerank = "none";

}  // namespace ajar::rag
