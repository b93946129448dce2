#pragma once
// All checks of one stage, compiled, and the judge of one text, which takes it in pieces. What it finds does not depend
// on the pieces. Internal to this folder.

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guard/config.h"
#include "guard/injection.h"
#include "guard/moderation.h"
#include "guard/policy.h"
#include "guard/scanner.h"
#include "guard/shape.h"
#include "guard/texts.h"
#include "guard/words.h"

namespace ajar::guard {

// A check of one policy. `index` of checks is what hits refer to.
struct CompiledCheck {
  CheckConfig::Kind kind;
  uint16_t policy = 0;
  EntitySet entities;
  float minimum = 0.5f;
  float threshold = 0;
  size_t limit = 0;
  std::array<bool, kCategories> categories{};
  std::string replacement;
  std::string schema;
  std::vector<std::string> allow, deny;
  std::shared_ptr<const LabelModel> model;
};

struct CompiledPolicy {
  std::string name;
  Mode mode;
  Action action;
};

struct Detectors {
  std::vector<CompiledPolicy> policies;
  std::vector<CompiledCheck> checks;
  Mode strictest = Mode::kObserve;  // how the text must be held
  std::optional<Scanner> scanner;   // everything that any check looks for
  // Every phrase of every check, for one pass. Ids: places in checks, then from kInjectionIds and kModerationIds on.
  Phrases phrases;
  static constexpr uint32_t kInjectionIds = 1 << 20, kModerationIds = 2 << 20;
  LineRegexes regexes;
  bool injection = false, moderation = false, hidden = false, shape = false, modelled = false, schema = false;

  bool done_to(const CompiledCheck& check) const { return policies[check.policy].mode != Mode::kObserve; }
};

struct Hit {
  size_t begin, end;  // bytes of the whole text
  uint16_t check;
  std::string rule;  // "pii:PERSON"
  std::string replacement;
};

class TextJudge {
 public:
  static constexpr size_t kContext = 320;       // bytes before what is undecided that are looked at again
  static constexpr size_t kMaxHeld = 32 << 10;  // more than this undecided is decided as it stands

  TextJudge(const Detectors& detectors, Origin origin);

  // Takes the next piece; adds to `hits` what is decided now, sorted by begin. Everything before decided() is final.
  // `ends`: nothing follows.
  void feed(std::string_view piece, bool ends, std::vector<Hit>& hits);
  size_t decided() const { return base_ + done_; }
  size_t seen() const { return base_ + buffer_.size(); }

 private:
  void decide(bool ends, std::vector<Hit>& hits);
  size_t open_tail() const;

  const Detectors& detectors_;
  Origin origin_;
  std::string buffer_;  // what is undecided, and kContext before it
  size_t base_ = 0;     // of the buffer's first byte in the whole text
  size_t done_ = 0;     // in the buffer
  InjectionDetector::Tally injection_;
  Moderator::Tally moderation_;
  std::vector<bool> spent_;  // checks that say something once a text
  std::vector<Repetition> repetition_;
  Findings findings_;  // these are kept for their memory
  std::vector<Phrases::Match> phrases_, lines_;
};

// The whole of a text at once.
void judge_text(const Detectors& detectors, Origin origin, std::string_view text, std::vector<Hit>& hits);

// Notes the hits of one text in `verdict` and rewrites it where policies ask for it. Returns where the text must be cut
// (the begin of the first hit whose policy refuses or climbs), or its size. `from`: the offset of `text` in the whole.
size_t apply_hits(const Detectors& detectors, const std::vector<Hit>& hits, std::string_view where, size_t from,
                  std::string_view text, std::string& out, Verdict& verdict);

// What task models say of a whole text, where a check asks one. A model that fails counts as a denial: it fails closed.
void judge_by_models(const Detectors& detectors, std::string_view text, std::string_view where, Verdict& verdict);
// Whether a whole answer fits the schemas.
void judge_schemas(const Detectors& detectors, std::string_view text, std::string_view where, Verdict& verdict);

}  // namespace ajar::guard
