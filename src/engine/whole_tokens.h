#pragma once
// Tokens that are cut out of the text before anything else: what a model's authors added to a trained vocabulary.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ajar::engine {

struct WholeToken {
  std::string text;
  int32_t id;  // its own: the same bytes may also be a trained token
};

class WholeTokens {
 public:
  explicit WholeTokens(std::vector<WholeToken> tokens) : tokens_(std::move(tokens)) {
    std::erase_if(tokens_, [](const WholeToken& token) { return token.text.empty(); });
    // The longest first: "<|a|><|b|>" before "<|a|>".
    std::ranges::sort(tokens_, [](const WholeToken& a, const WholeToken& b) {
      return a.text.size() != b.text.size() ? a.text.size() > b.text.size() : a.id < b.id;
    });
  }

  // Calls text(view) for what lies between and token(id) for each found, in order.
  template <class OnText, class OnToken>
  void split(std::string_view text, OnText&& on_text, OnToken&& on_token) const {
    split_from(0, text, on_text, on_token);
  }

 private:
  template <class OnText, class OnToken>
  void split_from(size_t rank, std::string_view text, OnText& on_text, OnToken& on_token) const {
    while (rank < tokens_.size()) {
      const WholeToken& whole = tokens_[rank++];
      size_t at = 0, found = text.find(whole.text);
      if (found == text.npos) continue;
      for (; found != text.npos; found = text.find(whole.text, at)) {
        if (found > at) split_from(rank, text.substr(at, found - at), on_text, on_token);
        on_token(whole.id);
        at = found + whole.text.size();
      }
      text = text.substr(at);
      break;
    }
    if (text.empty()) return;
    if (rank < tokens_.size()) return split_from(rank, text, on_text, on_token);
    on_text(text);
  }

  std::vector<WholeToken> tokens_;
};

}  // namespace ajar::engine
