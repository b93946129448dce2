#include "guard/detection.h"

#include <algorithm>

#include "guard/gazetteer.h"
#include "guard/hidden.h"
#include "guard/masks.h"

namespace ajar::guard {
namespace {

bool is_blank(char c) { return static_cast<unsigned char>(c) <= 0x20; }
bool leads_wide(char c) { return static_cast<unsigned char>(c) >= 0xE3; }  // scripts without spaces, emoji

// Where the character that ends at `end` begins.
size_t character_before(std::string_view text, size_t end) {
  size_t at = end - 1;
  while (at > 0 && end - at < 4 && (text[at] & 0xC0) == 0x80) --at;
  return at;
}

enum class Interest : uint8_t { kNone, kCapital, kStrong };
// Whether a token may be (part of) something that what follows decides.
Interest interest(std::string_view token, bool names) {
  Interest found = Interest::kNone;
  for (size_t i = 0; i < token.size(); ++i) {
    const char c = token[i];
    if (is_digit(c) || c == '@' || c == '%') return Interest::kStrong;
    if (c == '/' && token.substr(i).starts_with("//")) return Interest::kStrong;
    if (names && (is_upper(c) || (is_high(c) && !leads_wide(c))) && (i == 0 || !is_word(token[i - 1])))
      found = Interest::kCapital;
  }
  if (token.size() >= 20) return Interest::kStrong;
  if (found == Interest::kCapital) {
    size_t begin = 0;
    while (begin < token.size() && !is_word(token[begin])) ++begin;
    size_t end = begin;
    while (end < token.size() && is_word(token[end])) ++end;
    // "The": decided by itself.
    if (end - begin == token.size() && gazetteer().of(token) == kCommon) return Interest::kNone;
  }
  return found;
}

size_t count_words(std::string_view token) {
  size_t n = 0;
  for (size_t i = 0; i < token.size(); ++i) n += is_word(token[i]) && (i == 0 || !is_word(token[i - 1]));
  return n;
}

}  // namespace

TextJudge::TextJudge(const Detectors& detectors, Origin origin)
    : detectors_(detectors), origin_(origin), spent_(detectors.checks.size()) {
  for (const CompiledCheck& check : detectors.checks) {
    if (check.kind == CheckConfig::Kind::kRepetition) repetition_.emplace_back(check.limit);
  }
}

// The first byte from which the end of the text is undecided for the scanner: its last token, and what stands so near
// to the end that words still to come may say what it is.
size_t TextJudge::open_tail() const {
  static constexpr size_t kWordsAhead = 6, kNameWords = 2;
  const std::string_view text = buffer_;
  const auto& wanted = detectors_.scanner->options().entities;
  const bool names = wanted.has(Entity::kPerson) || wanted.has(Entity::kLocation) || wanted.has(Entity::kNrp) ||
                     wanted.has(Entity::kDateTime);
  size_t at = text.size(), open = text.size(), words = 0;
  bool adjacent = true;  // to what is open already
  while (at > done_) {
    size_t gap = at;
    while (gap > done_ && is_blank(text[gap - 1])) --gap;
    if (gap == done_) break;
    adjacent &= at - gap <= 2;
    const size_t end = gap;
    size_t begin = end;
    if (leads_wide(text[character_before(text, end)])) {
      begin = character_before(text, end);
    } else {
      while (begin > done_ && !is_blank(text[begin - 1])) {
        const size_t before = character_before(text, begin);
        if (leads_wide(text[before])) break;
        begin = std::max(before, done_);
      }
    }
    const auto token = text.substr(begin, end - begin);
    const bool near = words <= kWordsAhead && text.size() - end <= Scanner::kReach;
    const bool joined = adjacent && open < text.size() && open - begin <= 256;
    if (!near && !joined) break;
    const Interest kind = interest(token, names);
    const bool last = end == text.size() && !leads_wide(token[0]);
    if (last || (kind == Interest::kStrong && (near || joined)) ||
        (kind == Interest::kCapital && (words < kNameWords || joined))) {
      open = begin;
      adjacent = true;
    } else {
      adjacent = false;
    }
    words += count_words(token);
    at = begin;
  }
  // A key runs over many lines.
  if (wanted.has(Entity::kSecret)) {
    const size_t key = text.find("-----BEGIN ", done_);
    if (key < open && text.find("-----END", key) == text.npos) open = key;
  }
  return open;
}

void TextJudge::decide(bool ends, std::vector<Hit>& hits) {
  const Detectors& d = detectors_;
  const std::string_view text = buffer_, fresh = text.substr(done_);
  size_t open = text.size();
  const auto narrow = [&](size_t at) { open = std::min(open, std::max(at, done_)); };
  phrases_.clear(), lines_.clear();
  size_t until = fresh.size();
  if (!d.phrases.empty()) d.phrases.find(fresh, phrases_, &until), narrow(done_ + until);
  if (!d.regexes.empty()) d.regexes.find(fresh, lines_), narrow(done_ + LineRegexes::open(fresh));
  if (d.scanner) {
    d.scanner->scan(text, findings_);
    narrow(open_tail());
  }
  if (d.hidden) {
    size_t at = text.size();
    while (at > done_ && is_high(text[at - 1]) && text.size() - at < 32) --at;
    narrow(at);
  }
  if (!repetition_.empty()) {  // a circle is cut at a word
    size_t at = text.size();
    while (at > done_ && is_word(text[at - 1]) && text.size() - at <= Repetition::kSameByte) --at;
    narrow(at);
  }
  if (ends) open = text.size();
  // Nothing is cut in two: what reaches into the undecided part waits as a whole.
  for (bool moved = !ends; moved;) {
    moved = false;
    const auto wait = [&](size_t begin, size_t end) {
      if (begin >= done_ && begin < open && end > open) open = begin, moved = true;
    };
    if (d.scanner) {
      for (const Finding& f : findings_) wait(f.begin, f.end);
    }
    for (const auto* list : {&phrases_, &lines_}) {
      for (const auto& m : *list) wait(done_ + m.begin, done_ + m.end);
    }
  }
  // A character is not cut either.
  while (!ends && open > done_ && open < text.size() && (text[open] & 0xC0) == 0x80) --open;

  const size_t first = hits.size();
  const auto add = [&](size_t begin, size_t end, size_t check, std::string rule, std::string replacement) {
    hits.push_back({base_ + begin, base_ + end, static_cast<uint16_t>(check), std::move(rule), std::move(replacement)});
  };
  if (d.scanner) {
    for (const Finding& f : findings_) {
      if (f.begin < done_ || f.begin >= open) continue;
      for (size_t c = 0; c < d.checks.size(); ++c) {
        const CompiledCheck& check = d.checks[c];
        if ((check.kind != CheckConfig::Kind::kPii && check.kind != CheckConfig::Kind::kSecrets) ||
            !check.entities.has(f.entity) || f.score < check.minimum)
          continue;
        const std::string name(entity_name(f.entity));
        add(f.begin, f.end, c, f.entity == Entity::kSecret ? "secrets:" + std::string(f.rule) : "pii:" + name,
            "[" + name + "]");
      }
    }
  }
  for (const auto& m : lines_) {
    if (done_ + m.begin < open) add(done_ + m.begin, done_ + m.end, m.id, "regex", d.checks[m.id].replacement);
  }
  std::sort(phrases_.begin(), phrases_.end(), [](const Phrases::Match& a, const Phrases::Match& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end != b.end ? a.end < b.end : a.id < b.id;
  });
  for (const auto& m : phrases_) {
    const size_t begin = done_ + m.begin, end = done_ + m.end;
    if (begin >= open) break;
    if (m.id >= Detectors::kModerationIds) {
      Moderator::add(moderation_, m.id - Detectors::kModerationIds);
      const ModerationResult result = Moderator::settle(moderation_);
      for (size_t c = 0; c < d.checks.size(); ++c) {
        if (d.checks[c].kind != CheckConfig::Kind::kModeration || spent_[c]) continue;
        for (size_t k = 0; k < kCategories && !spent_[c]; ++k) {
          if (!d.checks[c].categories[k] || result.scores[k] < d.checks[c].threshold) continue;
          spent_[c] = true;
          add(begin, end, c, "moderation:" + std::string(category_name(static_cast<Category>(k))), {});
        }
      }
    } else if (m.id >= Detectors::kInjectionIds) {
      const auto family = InjectionDetector::add(injection_, m.id - Detectors::kInjectionIds, tainted(origin_));
      for (size_t c = 0; c < d.checks.size(); ++c) {
        if (d.checks[c].kind != CheckConfig::Kind::kInjection || spent_[c] ||
            injection_.score() < d.checks[c].threshold)
          continue;
        spent_[c] = true;
        add(begin, end, c, "injection:" + std::string(family), {});
      }
    } else {
      add(begin, end, m.id, "words", d.checks[m.id].replacement);
    }
  }
  if (d.hidden) {
    for (const auto& [begin, end] : hidden_ranges(text)) {
      if (begin < done_ || begin >= open) continue;
      for (size_t c = 0; c < d.checks.size(); ++c) {
        if (d.checks[c].kind == CheckConfig::Kind::kHidden) add(begin, end, c, "hidden", {});
      }
    }
  }
  if (d.shape) {
    size_t r = 0;
    for (size_t c = 0; c < d.checks.size(); ++c) {
      const CompiledCheck& check = d.checks[c];
      if (check.kind == CheckConfig::Kind::kRepetition) {
        Repetition& repetition = repetition_[r++];
        const size_t at = repetition.add(text.substr(done_, open - done_));
        if (at == Repetition::kNone || spent_[c]) continue;
        spent_[c] = true;
        add(std::max(at, base_ + done_) - base_, open, c, "repetition", {});
      } else if (check.kind == CheckConfig::Kind::kLength && !spent_[c] && base_ + open > check.limit) {
        spent_[c] = true;
        size_t at = std::max(check.limit, base_ + done_) - base_;
        while (at > done_ && (text[at] & 0xC0) == 0x80) --at;
        add(at, open, c, "length", {});
      }
    }
  }
  std::sort(hits.begin() + static_cast<ptrdiff_t>(first), hits.end(), [](const Hit& a, const Hit& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end != b.end ? a.end > b.end : a.check < b.check;
  });
  done_ = open;
  if (done_ > 2 * kContext) {
    const size_t drop = done_ - kContext;
    buffer_.erase(0, drop);
    base_ += drop;
    done_ -= drop;
  }
}

void TextJudge::feed(std::string_view piece, bool ends, std::vector<Hit>& hits) {
  while (!piece.empty()) {
    const size_t held = buffer_.size() - done_;
    const size_t take = std::min(piece.size(), kMaxHeld - std::min(held, kMaxHeld - 1));
    const auto part = piece.substr(0, take);
    piece.remove_prefix(take);
    buffer_ += part;
    if (ends && piece.empty()) break;
    // Within a word nothing can be decided.
    const bool boundary = std::any_of(part.begin(), part.end(), [](char c) { return is_blank(c) || leads_wide(c); });
    const auto full = [&] { return buffer_.size() - done_ >= kMaxHeld; };
    if (boundary || full()) decide(false, hits);
    if (full()) decide(true, hits);
  }
  if (ends) decide(true, hits);
}

void judge_text(const Detectors& detectors, Origin origin, std::string_view text, std::vector<Hit>& hits) {
  TextJudge judge(detectors, origin);
  judge.feed(text, true, hits);
}

size_t apply_hits(const Detectors& detectors, const std::vector<Hit>& hits, std::string_view where, size_t from,
                  std::string_view text, std::string& out, Verdict& verdict) {
  size_t copied = 0;
  for (const Hit& hit : hits) {
    const CompiledCheck& check = detectors.checks[hit.check];
    const CompiledPolicy& policy = detectors.policies[check.policy];
    verdict.note({policy.name, hit.rule, std::string(where), policy.mode, policy.action, hit.begin});
    if (policy.mode == Mode::kObserve || policy.action == Action::kAllow) continue;
    verdict.action = std::max(verdict.action, policy.action);
    const size_t begin = std::max(hit.begin - from, copied);
    if (policy.action != Action::kRewrite) {
      if (hit.begin - from > copied) out.append(text, copied, hit.begin - from - copied);
      return hit.begin - from;
    }
    if (hit.end - from <= copied || hit.begin - from < copied) continue;  // inside what was replaced
    out.append(text, copied, begin - copied).append(hit.replacement);
    copied = hit.end - from;
  }
  out.append(text, copied);
  return text.size();
}

}  // namespace ajar::guard
