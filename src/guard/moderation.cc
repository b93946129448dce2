#include "guard/moderation.h"

#include <algorithm>
#include <iterator>

#include "guard/moderation_phrases.h"
#include "json/write.h"

namespace ajar::guard {
namespace {

constexpr std::array<std::string_view, kCategories> kNames = {"harassment",
                                                              "harassment/threatening",
                                                              "hate",
                                                              "hate/threatening",
                                                              "illicit",
                                                              "illicit/violent",
                                                              "self-harm",
                                                              "self-harm/intent",
                                                              "self-harm/instructions",
                                                              "sexual",
                                                              "sexual/minors",
                                                              "violence",
                                                              "violence/graphic"};

// A finer category implies its coarser one.
constexpr std::pair<Category, Category> kImplies[] = {
    {Category::kHarassmentThreatening, Category::kHarassment}, {Category::kHateThreatening, Category::kHate},
    {Category::kIllicitViolent, Category::kIllicit},           {Category::kSelfHarmIntent, Category::kSelfHarm},
    {Category::kSelfHarmInstructions, Category::kSelfHarm},    {Category::kSexualMinors, Category::kSexual},
    {Category::kViolenceGraphic, Category::kViolence},         {Category::kHarassmentThreatening, Category::kViolence}};

float& at(ModerationResult& result, Category c) { return result.scores[static_cast<size_t>(c)]; }

}  // namespace

std::string_view category_name(Category category) { return kNames[static_cast<size_t>(category)]; }

bool ModerationResult::flagged() const {
  return std::any_of(scores.begin(), scores.end(), [](float s) { return s >= kFlagged; });
}

Moderator::Moderator() { add_phrases(phrases_, 0); }

void Moderator::add_phrases(Phrases& into, uint32_t first_id) {
  for (uint32_t i = 0; i < std::size(kModerationPatterns); ++i) into.add(kModerationPatterns[i].phrase, first_id + i);
}

// Weights of single matches together make 1 - Π(1 - w); a weight of 0 makes the tally `elsewhere`.
void Moderator::add(Tally& tally, uint32_t match_id) {
  const ModerationPattern& rule = kModerationPatterns[match_id];
  if (rule.weight == 0) tally.elsewhere = true;
  float& sum = tally.sums[static_cast<size_t>(rule.category)];
  sum = 1 - (1 - sum) * (1 - rule.weight);
}

ModerationResult Moderator::settle(const Tally& tally) {
  ModerationResult result{tally.sums};
  for (const auto& [fine, coarse] : kImplies) at(result, coarse) = std::max(at(result, coarse), at(result, fine));
  if (!tally.elsewhere) return result;
  for (const Category c :
       {Category::kViolence, Category::kViolenceGraphic, Category::kIllicit, Category::kIllicitViolent})
    at(result, c) *= 0.7f;
  return result;
}

ModerationResult Moderator::judge(std::string_view text) const {
  static thread_local std::vector<Phrases::Match> matches;
  phrases_.find(text, matches);
  Tally tally;
  for (const auto& match : matches) add(tally, match.id);
  return settle(tally);
}

std::string moderation_json(const std::vector<ModerationResult>& results, std::string_view id, std::string_view model) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("id", id);
  w.field("model", model);
  w.key("results");
  w.begin_array();
  for (const ModerationResult& result : results) {
    w.begin_object();
    w.field("flagged", result.flagged());
    const auto each = [&](const char* name, auto write) {
      w.key(name);
      w.begin_object();
      for (size_t c = 0; c < kCategories; ++c) {
        w.key(kNames[c]);
        write(c);
      }
      w.end_object();
    };
    each("categories", [&](size_t c) { w.boolean(result.scores[c] >= ModerationResult::kFlagged); });
    each("category_scores", [&](size_t c) { w.number(result.scores[c]); });
    each("category_applied_input_types", [&](size_t) {
      w.begin_array();
      w.string("text");
      w.end_array();
    });
    w.end_object();
  }
  w.end_array();
  w.end_object();
  return out;
}

}  // namespace ajar::guard
