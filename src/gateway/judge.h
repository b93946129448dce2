#pragma once
// How sure one rung is of its answer. Reads the answer's events as they come and says what they are worth.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/event.h"
#include "core/reply.h"
#include "core/request.h"

namespace ajar {

// What a rung's confidence comes from.
enum class ConfidenceSource : uint8_t {
  kNone,     // nothing: the rung is a reference, what it says is accepted
  kOwn,      // the model says it itself (task models)
  kMargin,   // mean over the answer's tokens of p(best) - p(second best), from its log probabilities
  kLogprob,  // geometric mean of its tokens' probabilities
  kAgree,    // the share of `samples` answers that say the same
  kLearned,  // what a model of right and wrong answers says of this one (learn/answer_score.h)
};

// Facts of an answer's tokens, from OpenAI's logprobs.content items.
struct TokenFacts {
  int64_t tokens = 0;
  double sum_logprob = 0, least_logprob = 0;
  double sum_margin = 0, least_margin = 1;
  int64_t with_margin = 0;
  static constexpr size_t kMostKept = 8192;  // of a longer answer the first so many are looked at one by one
  std::vector<float> logprobs, margins;      // of each token; of each token that came with its rivals

  void add(std::string_view items);  // comma-separated items; what is none is skipped
  std::optional<double> margin() const;   // 0 to 1
  std::optional<double> logprob() const;  // 0 to 1
};

// What must hold of an answer beside its confidence. Each is a name in the configuration.
struct Checks {
  bool json = false;        // the text is one JSON value
  bool schema = false;      // … that fits the request's response_format
  bool not_empty = false;   // says something or calls a tool
  bool not_refused = false; // does not decline
  bool whole = false;       // did not end for lack of room
  bool arithmetic = false;  // the calculations that it states are right
  bool citations = false;   // what it cites by number is among the given documents and says what it is cited for
  std::vector<std::string> names;
};

struct Verdict {
  bool accepted = false;
  bool judged = true;                // false: there was nothing to judge by
  std::optional<double> confidence;  // calibrated; 0 to 1
  double raw = -1;                   // before calibration; below 0: none
  double accept = 0;                 // what it was compared with
  std::string why;                   // short, for the header and the log: "unsure", "schema: $.x: type", "no logprobs"
};

// Empty, or what the answer breaks.
std::string failed_check(const Checks& checks, const Request& request, const Reply& reply);

// What a reply may cite, in the order in which it stands in the request: plain-text documents and results of tools, [1] being the first.
std::vector<std::string> cited_sources(const Request& request);

// What the client asked last: the text of the last user turn.
std::string question_of(const Request& request);

// The text by which two answers are compared: the last number where the text ends in one that follows "answer", "=" or "####",
// otherwise the text without case, outer space and final marks.
std::string comparable(const Reply& reply);

}  // namespace ajar
