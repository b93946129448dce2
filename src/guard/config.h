#pragma once
// What an operator says about guardrails, as plain values and the task models that they name. Whoever reads the configuration file
// fills them.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ajar::guard {

enum class Stage : uint8_t { kInput, kOutput };

enum class Mode : uint8_t {
  kObserve,  // nothing is held or changed; reasons are recorded
  kWindow,   // text is held only while it may still be part of a match
  kBlock,    // the whole answer is held until it is judged
};

// In order of strength: of several the strongest holds.
enum class Action : uint8_t {
  kAllow,    // record only
  kRewrite,  // replace what was found
  kClimb,    // this rung may not answer (or see) it: try the next
  kRefuse,
};

std::string_view mode_name(Mode mode);
std::string_view action_name(Action action);

// What a task model says of a text.
struct LabelAnswer {
  std::string label;           // one of the model's, or "unknown" where it is sure of none
  std::vector<double> shares;  // the probability of each of its labels, in their order
};

// A task model. Any thread.
struct LabelModel {
  std::vector<std::string> labels;
  // May take a tenth of a millisecond: called on the caller's thread, once a text for all checks in a row that have the model.
  std::function<Result<LabelAnswer>(std::string_view text)> tell;
};

struct CheckConfig {
  enum class Kind : uint8_t {
    kPii,         // entities, minimum_score
    kSecrets,     // minimum_score
    kWords,       // patterns: phrases (phrases.h)
    kRegex,       // patterns: RE2, each line by itself
    kTopics,      // model; allow, deny: labels of it, or "unknown"
    kSchema,      // schema: the answer must be JSON of it; output, observe or block
    kInjection,   // threshold (0: calibrated)
    kHidden,      // characters that nobody sees
    kLength,      // limit: bytes of one text
    kRepetition,  // limit: how often a run of words may come again
    kModeration,  // categories (empty: all), threshold (0: 0.5)
    kToxicity,    // model; deny: labels of it (empty: "toxic"), threshold (0: 0.5) of their probabilities' sum
  };
  Kind kind = Kind::kPii;
  std::vector<std::string> entities;  // empty: EntitySet::identifying() without secrets
  float minimum_score = 0.5f;
  std::vector<std::string> patterns;
  std::vector<std::string> allow, deny;
  std::shared_ptr<const LabelModel> model;
  std::string schema;
  size_t limit = 0;
  float threshold = 0;
  std::vector<std::string> categories;
  std::string
      replacement;  // kWords, kRegex, when rewritten; empty: "[removed]". Others name what stood there: "[PERSON]"
};
std::string_view check_name(CheckConfig::Kind kind);  // "pii", "secrets", …

struct PolicyConfig {
  std::string name;
  Stage stage = Stage::kInput;
  Mode mode = Mode::kBlock;  // on input kWindow is kBlock
  Action action = Action::kRefuse;
  std::vector<CheckConfig> checks;
};

}  // namespace ajar::guard
