#include "engine/whole_tokens.h"

#include <algorithm>

#include "engine/unicode.h"

namespace ajar::engine {
namespace {

bool word_character(char32_t c) {
  if (c < 0x80) return (c | 0x20) - 'a' < 26 || c - '0' < 10 || c == '_';
  return !unicode::is_space(c) && !unicode::is_punctuation(c) && !unicode::is_other(c);
}

bool ascii_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

bool within_word(std::string_view text, size_t begin, size_t end) {
  size_t before = begin;
  while (before > 0 && (uint8_t(text[before - 1]) & 0xc0) == 0x80) --before;
  if (before > 0 && word_character(unicode::next(text, --before))) return true;
  return end < text.size() && word_character(unicode::next(text, end));
}

}  // namespace

WholeTokens::WholeTokens(std::vector<WholeToken> tokens) : tokens_(std::move(tokens)) {
  std::erase_if(tokens_, [](const WholeToken& token) { return token.text.empty(); });
  std::ranges::sort(tokens_, [](const WholeToken& a, const WholeToken& b) {
    const auto x = uint8_t(a.text[0]), y = uint8_t(b.text[0]);
    if (x != y) return x < y;
    return a.text.size() != b.text.size() ? a.text.size() > b.text.size() : a.id < b.id;
  });
  for (uint32_t i = 0; i < tokens_.size(); ++i) {
    auto& range = of_byte_[uint8_t(tokens_[i].text[0])];
    if (range.second == 0) {
      range.first = i;
      first_bytes_ += tokens_[i].text[0];
    }
    range.second = i + 1;
  }
  if (first_bytes_.size() > 3) first_bytes_.clear();
}

void WholeTokens::split(std::string_view text, std::vector<Cut>& cuts) const {
  size_t begin = 0;  // of what lies between
  if (!tokens_.empty()) {
    for (size_t at = 0; at < text.size();) {
      if (!first_bytes_.empty()) {
        at = std::min(text.find_first_of(first_bytes_, at), text.size());
        if (at == text.size()) break;
      }
      const auto [from, to] = of_byte_[uint8_t(text[at])];
      const WholeToken* found = nullptr;
      for (uint32_t i = from; i < to && found == nullptr; ++i) {
        if (text.substr(at).starts_with(tokens_[i].text)) found = &tokens_[i];
      }
      if (found != nullptr && found->single_word && within_word(text, at, at + found->text.size())) found = nullptr;
      if (found == nullptr) {
        ++at;
        continue;
      }
      size_t left = at, right = at + found->text.size();
      while (found->takes_left && left > begin && ascii_space(text[left - 1])) --left;
      while (found->takes_right && right < text.size() && ascii_space(text[right])) ++right;
      if (left > begin) cuts.push_back({text.substr(begin, left - begin), -1});
      cuts.push_back({{}, found->id});
      begin = at = right;
    }
  }
  if (begin < text.size()) cuts.push_back({text.substr(begin), -1});
}

}  // namespace ajar::engine
