#include "engine/unigram.h"

#include <algorithm>
#include <limits>

#include "engine/unicode.h"

namespace ajar::engine {
namespace {

constexpr double kUnknownPenalty = 10;  // below the least likely token, as SentencePiece has it

class Unigram final : public TokenModel {
 public:
  explicit Unigram(UnigramParts parts)
      : TokenModel(std::move(parts.vocabulary)), scores_(std::move(parts.scores)),
        not_in_text_(std::move(parts.not_in_text)), byte_ids_(std::move(parts.byte_ids)), unknown_(parts.unknown) {
    double least = 0;
    for (size_t id = 0; id < vocabulary_.size(); ++id) {
      const std::string_view text = vocabulary_.bytes(int32_t(id));
      if (text.empty()) continue;
      if (!hidden(int32_t(id))) least = std::min(least, score(int32_t(id)));
      uint32_t& mask = lengths_[uint8_t(text[0])];
      mask = std::max(mask, uint32_t(text.size()));
    }
    unknown_score_ = least - kUnknownPenalty;
  }

  void encode(std::string_view text, std::vector<int32_t>& ids) const override {
    struct Node {
      double score = -std::numeric_limits<double>::infinity();
      uint32_t from = 0;
      int32_t id = -1;
    };
    std::vector<Node> best(text.size() + 1);
    best[0].score = 0;
    std::vector<bool> starts(text.size() + 1);  // a token ends where a character does
    for (size_t at = 0; at < text.size(); unicode::next(text, at)) starts[at] = true;
    starts[text.size()] = true;
    for (size_t at = 0; at < text.size();) {
      size_t after = at;
      unicode::next(text, after);
      const size_t character = after - at;
      bool single = false;
      const size_t limit = std::min<size_t>(lengths_[uint8_t(text[at])], text.size() - at);
      for (size_t length = 1; length <= limit; ++length) {
        if (!starts[at + length]) continue;
        const int32_t id = vocabulary_.find(text.substr(at, length));
        if (id < 0 || hidden(id)) continue;
        single = single || length == character;
        offer(best[at + length], best[at].score + score(id), at, id);
      }
      if (!single) offer(best[after], best[at].score + unknown_score_, at, unknown_);
      at = after;
    }
    const size_t begin = ids.size();
    std::vector<int32_t> reversed;
    for (size_t at = text.size(); at > 0;) {
      const Node& node = best[at];
      size_t from = node.from;
      if (node.id != unknown_) {
        reversed.push_back(node.id);
      } else {
        while (from > 0 && best[from].id == unknown_) from = best[from].from;  // one of them all
        spell(text.substr(from, at - from), reversed);
      }
      at = from;
    }
    ids.insert(ids.begin() + long(begin), reversed.rbegin(), reversed.rend());
  }

 private:
  template <class Node>
  static void offer(Node& node, double score, size_t from, int32_t id) {
    if (node.id < 0 || score > node.score) node = {score, uint32_t(from), id};
  }

  // What no token holds, last byte first.
  void spell(std::string_view text, std::vector<int32_t>& reversed) const {
    const bool whole = !byte_ids_.empty() && std::ranges::all_of(text, [&](char c) { return byte_ids_[uint8_t(c)] >= 0; });
    if (!whole) return reversed.push_back(unknown_);
    for (size_t i = text.size(); i-- > 0;) reversed.push_back(byte_ids_[uint8_t(text[i])]);
  }

  bool hidden(int32_t id) const { return size_t(id) < not_in_text_.size() && not_in_text_[size_t(id)]; }
  double score(int32_t id) const { return size_t(id) < scores_.size() ? scores_[size_t(id)] : 0; }

  std::vector<double> scores_;
  std::vector<bool> not_in_text_;
  ByteIds byte_ids_;
  int32_t unknown_;
  double unknown_score_ = 0;
  uint32_t lengths_[256] = {};  // of the longest token that starts with the byte
};

}  // namespace

std::unique_ptr<const TokenModel> make_unigram(UnigramParts parts) {
  return std::make_unique<Unigram>(std::move(parts));
}

}  // namespace ajar::engine
