#pragma once
// Local scores for OpenAI's 13 moderation categories, from lists of phrases. Modest and honest: it knows words, not
// meaning; README.md has the measured shares. A better judge is a model on a rung.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "guard/phrases.h"

namespace ajar::guard {

enum class Category : uint8_t {
  kHarassment,
  kHarassmentThreatening,
  kHate,
  kHateThreatening,
  kIllicit,
  kIllicitViolent,
  kSelfHarm,
  kSelfHarmIntent,
  kSelfHarmInstructions,
  kSexual,
  kSexualMinors,
  kViolence,
  kViolenceGraphic,
};
inline constexpr size_t kCategories = 13;
std::string_view category_name(Category category);  // "harassment/threatening"

struct ModerationResult {
  std::array<float, kCategories> scores{};  // 0 … 1
  static constexpr float kFlagged = 0.5f;
  bool flagged(Category c) const { return scores[static_cast<size_t>(c)] >= kFlagged; }
  bool flagged() const;
};

class Moderator {
 public:
  Moderator();
  ModerationResult judge(std::string_view text) const;

  // For those that search by themselves: a tally takes matches in their order, by their place from first_id on.
  static void add_phrases(Phrases& into, uint32_t first_id);
  struct Tally {
    std::array<float, kCategories> sums{};
    bool elsewhere = false;  // a film, a game, history: what is told of is not wished for
  };
  static void add(Tally& tally, uint32_t match_id);
  static ModerationResult settle(const Tally& tally);

 private:
  Phrases phrases_;
};

// The body of OpenAI's POST /v1/moderations answer: {"id","model","results":[…]}, a result for each text.
std::string moderation_json(const std::vector<ModerationResult>& results, std::string_view id, std::string_view model);

}  // namespace ajar::guard
