#pragma once
// Prompt injection. Patterns are the cheap first layer: they find the known families and miss what is merely phrased
// differently (README.md has the shares). What holds is structure: text of tools and documents is marked as data
// (spotlight), hidden characters are taken out, and a call whose arguments come from such text is told from one that
// the user asked for (TaintIndex).

#include <array>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "core/request.h"
#include "guard/phrases.h"
#include "guard/texts.h"

namespace ajar::guard {

struct InjectionScore {
  float score = 0;             // sum over the families that were found; from kSuspicious on it is reported
  std::string_view strongest;  // the family that weighed most: "override", "persona", ...
  size_t begin = 0, end = 0;   // where that stands
};

class InjectionDetector {
 public:
  static constexpr float kSuspicious = 0.65f;  // calibrated on NotInject for at most 2 % false alarms

  InjectionDetector();
  // `tainted`: the text comes from a tool or a document, where words to the model have no business.
  InjectionScore score(std::string_view text, bool tainted) const;

  // For those that search by themselves: a tally takes matches, by their place from first_id on.
  static void add_phrases(Phrases& into, uint32_t first_id);
  struct Tally {
    std::array<float, 9> best{};  // by family
    float score() const { return std::accumulate(best.begin(), best.end(), 0.0f); }
  };
  // The family that the match belongs to.
  static std::string_view add(Tally& tally, uint32_t match_id, bool tainted);

 private:
  Phrases phrases_;
};

// Puts every tainted text between marks that nobody can guess, and tells the model in the system prompt what the marks
// mean (spotlighting by delimiting, arXiv 2403.14720). Hidden characters inside are removed. `mark`: letters and
// digits, new for every request. True: there was such text.
bool spotlight(Request& request, std::string_view mark);
std::string new_mark();

// Which arguments of a call repeat what only tainted text said.
class TaintIndex {
 public:
  explicit TaintIndex(Request& request);  // reads only
  // Names of members of `arguments` (JSON) whose value, of kMinBytes or more, stands in tainted text and in nothing
  // that the user, the system or the declarations said.
  std::vector<std::string> tainted_members(const std::string& arguments) const;
  static constexpr size_t kMinBytes = 6;

 private:
  std::string tainted_, trusted_;  // lower case
};

}  // namespace ajar::guard
