// Masking a whole request: look at everything first, then replace everywhere, then make sure.
#include "base/text.h"
#include "guard/json_text.h"
#include "guard/masks.h"
#include "guard/placeholder.h"
#include "guard/pseudonym.h"

namespace ajar::guard {

class MaskVisitor : public TextVisitor {
 public:
  enum class Step : uint8_t { kForeign, kLearn, kReplace, kVerify };
  MaskVisitor(Pseudonyms& map, Step step) : map_(map), step_(step) {}
  Status status;

  bool visit(std::string& text, const TextPlace& place) override {
    switch (place.form) {
      case TextForm::kPlain:
        apply(text, place, {});
        break;
      case TextForm::kJson: {
        const auto each = [&](std::string& inner, std::string_view member, bool) {
          return apply(inner, place, member);
        };
        rewrite_json(text, each);
        break;
      }
      case TextForm::kBase64:
        if (auto decoded = base64_decode(text)) {
          if (apply(*decoded, place, {})) text = base64_encode(*decoded);
        } else {
          status = fail(Code::kInvalid, "not base64", place.where());
        }
        break;
      case TextForm::kOpaque:
        if (!map_.options_.allow_media) {
          status = fail(Code::kUnsupported, "personal data in media cannot be masked, so this may not be sent",
                        place.where());
        }
        break;
    }
    return status.has_value();
  }

 private:
  // True: `text` was changed. `member` names it in JSON: {"phone": "…"} says what the value is.
  bool apply(std::string& text, const TextPlace& place, std::string_view member) {
    if (!status) return false;
    switch (step_) {
      case Step::kForeign:
        note_foreign(text);
        return false;
      case Step::kLearn:
        learn(text, member);
        return false;
      case Step::kReplace: {
        std::string masked = map_.replace_known(text);
        if (masked == text) return false;
        text = std::move(masked);
        return true;
      }
      case Step::kVerify:
        if (map_.leaks(text))
          status = fail(Code::kInternal, "a personal value is still there after masking", place.where());
        return false;
    }
    return false;
  }

  void note_foreign(std::string_view text) {
    for (size_t at = find_placeholder_start(text, 0, ' '); at != text.npos;
         at = find_placeholder_start(text, at + 1, ' ')) {
      // Only our own form could be taken for ours.
      if (at + 1 >= text.size() || !is_upper(text[at]) || !is_upper(text[at + 1])) continue;
      const auto match = match_placeholder(std::string(text.substr(at, kMaxPlaceholder)) + ' ');
      if (match.state == PlaceholderMatch::State::kYes && map_.original(match.canonical).empty())
        map_.foreign_.push_back(match.canonical);
    }
  }

  void learn(std::string_view text, std::string_view member) {
    if (member.empty()) {
      status = map_.learn(text, map_.scanner_.scan(text));
      return;
    }
    // The name of the member is the word before the value; '_' parts words there.
    std::string named(member.substr(0, 64));
    for (char& c : named) {
      if (c == '_' || c == '-') c = ' ';
    }
    named += ": ";
    const size_t skip = named.size();
    named += text;
    Findings findings;
    for (Finding f : map_.scanner_.scan(named)) {
      if (f.end <= skip) continue;
      f.begin = f.begin > skip ? f.begin - skip : 0;
      f.end -= skip;
      findings.push_back(f);
    }
    status = map_.learn(text, findings);
  }

  Pseudonyms& map_;
  Step step_;
};

Status Pseudonyms::mask(Request& request) {
  if (key_.size() < kMinKeyBytes) return fail(Code::kInternal, "the key for pseudonyms is too short");
  foreign_.clear();
  for (const auto step : {MaskVisitor::Step::kForeign, MaskVisitor::Step::kLearn, MaskVisitor::Step::kReplace,
                          MaskVisitor::Step::kVerify}) {
    MaskVisitor visitor(*this, step);
    visit_texts(request, visitor);
    if (!visitor.status) return visitor.status;
  }
  return {};
}

}  // namespace ajar::guard
