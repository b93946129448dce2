#include "guard/phrases.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/text.h"
#include "guard/masks.h"

namespace ajar::guard {
namespace {

enum class ByteClass : uint8_t { kBetween, kWord, kE2, kWide };
constexpr std::array<ByteClass, 256> kClass = [] {
  std::array<ByteClass, 256> classes{};
  for (size_t i = 0; i < 256; ++i) {
    if (i == 0xE2)
      classes[i] = ByteClass::kE2;
    else if (i >= 0xE3)
      classes[i] = ByteClass::kWide;  // scripts without spaces, emoji: no part of our words
    else if (is_word(static_cast<char>(i)) || i == '\'')
      classes[i] = ByteClass::kWord;
  }
  return classes;
}();

size_t known_at(std::string_view word) {
  const auto a = static_cast<size_t>(word[0]) & 31, b = word.size() > 1 ? static_cast<size_t>(word[1]) & 31 : 0;
  return a << 9 | b << 4 | (word.size() & 15);
}

void add_forms(std::string_view word, std::vector<std::string>& out) {
  const std::string w(word);
  out.push_back(w);
  if (w.size() < 3) return;
  const bool e = w.ends_with('e'), y = w.ends_with('y'),
             sibilant = w.ends_with('s') || w.ends_with("sh") || w.ends_with("ch") || w.ends_with('x');
  const std::string stem = w.substr(0, w.size() - 1);
  out.push_back(y ? stem + "ies" : sibilant ? w + "es" : w + "s");
  out.push_back(e ? w + "d" : y ? stem + "ied" : w + "ed");
  out.push_back(e ? stem + "ing" : w + "ing");
  // Doubled consonants: "forgetting", "stripped".
  if (!e && !y) out.push_back(w + w.back() + "ing"), out.push_back(w + w.back() + "ed");
}

}  // namespace

void Phrases::add_word(std::string_view word, uint32_t element) {
  uint64_t place = words_.of(word);
  if (place == 0) {
    members_.emplace_back();
    place = members_.size();
    words_.add(word, place);
  }
  auto& list = elements_[element].first ? members_[place - 1].first : members_[place - 1].later;
  if (list.empty() || list.front() != element) list.insert(list.begin(), element);  // elements come in rising order
  const size_t known = known_at(word);
  known_[known / 64] |= uint64_t{1} << known % 64;
}

bool Phrases::add(std::string_view phrase, uint32_t id) {
  phrase = trim(phrase);
  if (phrase.starts_with('=')) {
    if (phrase.size() == 1) return false;
    const auto place = std::ranges::upper_bound(literals_, phrase[1], {}, [](const Literal& literal) { return literal.text[0]; });
    literals_.insert(place, {std::string(phrase.substr(1)), id});
    return true;
  }
  struct Step {
    std::vector<std::string> forms;
    uint16_t gap;
  };
  std::vector<Step> steps;
  uint16_t gap = 0;
  for (const std::string_view token : split(phrase, ' ')) {
    if (token.empty()) continue;
    if (token[0] == '~') {
      gap = static_cast<uint16_t>(std::clamp<int64_t>(parse_int(token.substr(1)).value_or(0), 0, 50));
      if (steps.empty()) return false;
      continue;
    }
    Step step{{}, gap};
    gap = 0;
    for (const std::string_view word : split(token, '|')) {
      if (word.ends_with('+'))
        add_forms(word.substr(0, word.size() - 1), step.forms);
      else if (!word.empty())
        step.forms.emplace_back(word);
    }
    if (step.forms.empty()) return false;
    steps.push_back(std::move(step));
  }
  if (steps.empty() || gap != 0) return false;
  for (size_t i = 0; i < steps.size(); ++i) {
    const auto element = static_cast<uint32_t>(elements_.size());
    elements_.push_back({id, steps[i].gap, i == 0, i + 1 == steps.size()});
    for (const std::string& form : steps[i].forms) add_word(form, element);
  }
  return true;
}

void Phrases::find(std::string_view text, std::vector<Match>& out, size_t* open) const {
  // Until which word an element may come, and where its phrase began. Words are counted on over all calls of a thread,
  // so that nothing need be cleared: what an earlier call left lies in the past.
  struct State {
    uint64_t until = 0;
    size_t begin = 0;
  };
  static thread_local std::vector<State> kept_states;
  static thread_local const Phrases* owner = nullptr;
  static thread_local uint64_t words = 1;
  if (owner != this || kept_states.size() != elements_.size()) kept_states.assign(elements_.size(), {}), owner = this;
  const std::span<State> states(kept_states);
  uint64_t word = words + 64;  // beyond every gap
  uint64_t alive = 0;          // the last word that any element waits for

  out.clear();
  size_t at = 0;
  bool wide = false;  // there is a character of a script without spaces
  std::string plain;  // a word whose apostrophe was written as U+2019
  size_t last_begin = text.size(), last_end = SIZE_MAX;
  const auto byte_class = [&](size_t i) { return kClass[static_cast<unsigned char>(text[i])]; };
  while (at < text.size()) {
    if (byte_class(at) == ByteClass::kBetween) {
      ++at;
      continue;
    }
    const size_t begin = at;
    bool curly = false;
    for (; at < text.size(); ++at) {
      const ByteClass c = byte_class(at);
      if (c == ByteClass::kWord) continue;
      if (c != ByteClass::kE2) break;
      // General punctuation parts words, but for U+2019 within one; other characters of that range are letters and
      // signs.
      if (text.substr(at, 2) != "\xE2\x80") continue;
      if (at == begin || text.substr(at, 3) != "\xE2\x80\x99" || at + 3 >= text.size() || !is_letter(text[at + 3]))
        break;
      curly = true;
      at += 2;
    }
    if (at == begin) {  // punctuation, or a character of a script without spaces
      wide = wide || byte_class(at) == ByteClass::kWide;
      at += std::min<size_t>(static_cast<unsigned char>(text[at]) >= 0xF0 ? 4 : 3, text.size() - at);
      continue;
    }
    std::string_view spelled = text.substr(begin, at - begin);
    if (curly) {
      plain.clear();
      for (size_t i = 0; i < spelled.size(); ++i) {
        if (spelled.substr(i, 3) == "\xE2\x80\x99")
          plain += '\'', i += 2;
        else
          plain += spelled[i];
      }
      spelled = plain;
    }
    while (!spelled.empty() && spelled.front() == '\'') spelled.remove_prefix(1);
    while (!spelled.empty() && spelled.back() == '\'') spelled.remove_suffix(1);
    last_begin = begin, last_end = at;
    ++word;
    if (spelled.empty()) continue;
    const size_t known = known_at(spelled);
    if ((known_[known / 64] >> known % 64 & 1) == 0) continue;
    const uint64_t place = words_.of(spelled);
    if (place == 0) continue;
    const auto reach = [&](uint32_t e, size_t start) {
      if (elements_[e].last) return out.push_back({elements_[e].id, start, at});
      states[e + 1] = {word + 1 + elements_[e + 1].gap, start};
      alive = std::max(alive, states[e + 1].until);
    };
    const Members& members = members_[place - 1];
    if (alive >= word) {
      for (const uint32_t e : members.later) {
        if (states[e].until >= word) reach(e, states[e].begin);
      }
    }
    for (const uint32_t e : members.first) reach(e, begin);
  }
  words = word;
  for (size_t i = 0, end = 0; i < literals_.size(); i = end) {  // those that begin alike in one search
    const char first = literals_[i].text[0];
    while (end < literals_.size() && literals_[end].text[0] == first) ++end;
    if (!wide && kClass[static_cast<unsigned char>(first)] == ByteClass::kWide) continue;
    for (size_t p = text.find(first); p != text.npos; p = text.find(first, p + 1)) {
      for (const Literal& literal : std::span(literals_).subspan(i, end - i)) {
        if (text.substr(p).starts_with(literal.text)) out.push_back({literal.id, p, p + literal.text.size()});
      }
    }
  }
  if (!literals_.empty()) {
    std::sort(out.begin(), out.end(),
              [](const Match& a, const Match& b) { return a.end != b.end ? a.end < b.end : a.begin < b.begin; });
  }
  if (open == nullptr) return;
  // The last word may go on; phrases that wait for a word may get it.
  *open = last_end == text.size() ? last_begin : text.size();
  const uint64_t next = *open < text.size() ? word : word + 1;
  for (const State& state : states) {
    if (alive < next) break;
    if (state.until >= next) *open = std::min(*open, state.begin);
  }
  for (const Literal& literal : literals_) {
    for (size_t n = std::min(literal.text.size() - 1, text.size()); n > 0; --n) {
      if (text.ends_with(std::string_view(literal.text).substr(0, n))) {
        *open = std::min(*open, text.size() - n);
        break;
      }
    }
  }
}

}  // namespace ajar::guard
