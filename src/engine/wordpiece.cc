#include "engine/wordpiece.h"

#include <algorithm>

namespace ajar::engine {
namespace {

bool starts_character(char c) { return (uint8_t(c) & 0xc0) != 0x80; }

class WordPiece final : public TokenModel {
 public:
  explicit WordPiece(WordPieceParts parts)
      : TokenModel(std::move(parts.vocabulary)), first_(std::move(parts.first_prefix)),
        next_(std::move(parts.next_prefix)), unknown_(parts.unknown), max_(parts.max_characters) {
    for (size_t id = 0; id < vocabulary_.size(); ++id) longest_ = std::max(longest_, vocabulary_.bytes(int32_t(id)).size());
  }

  void encode(std::string_view word, std::vector<int32_t>& ids) const override {
    if (word.empty()) return;
    const size_t before = ids.size();
    if (size_t(std::ranges::count_if(word, starts_character)) > max_) return give_up(before, ids);
    std::string text;
    for (size_t at = 0; at < word.size();) {
      text = at == 0 ? first_ : next_;
      const size_t prefix = text.size();
      text.append(word.substr(at, longest_));
      int32_t id = -1;
      for (; text.size() > prefix; text.pop_back()) {
        if (id = vocabulary_.find(text); id >= 0) break;
      }
      if (id < 0) return give_up(before, ids);
      ids.push_back(id);
      at += text.size() - prefix;
    }
  }

 private:
  void give_up(size_t before, std::vector<int32_t>& ids) const {
    ids.resize(before);
    if (unknown_ >= 0) ids.push_back(unknown_);
  }

  std::string first_, next_;
  int32_t unknown_;
  size_t max_;
  size_t longest_ = 0;  // bytes of the longest token
};

}  // namespace

std::unique_ptr<const TokenModel> make_wordpiece(WordPieceParts parts) {
  return std::make_unique<WordPiece>(std::move(parts));
}

}  // namespace ajar::engine
