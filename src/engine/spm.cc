#include "engine/spm.h"

#include <queue>

#include "engine/unicode.h"

namespace ajar::engine {
namespace {

class Spm final : public TokenModel {
 public:
  explicit Spm(SpmParts parts) : TokenModel(std::move(parts.vocabulary)), parts_(std::move(parts)) {}

  void encode(std::string_view text, std::vector<int32_t>& ids) const override {
    std::vector<Symbol> s;
    for (size_t at = 0; at < text.size();) {
      const size_t begin = at;
      unicode::next(text, at);
      s.push_back({uint32_t(begin), uint32_t(at), int32_t(s.size()) - 1, int32_t(s.size()) + 1});
    }
    if (s.empty()) return;
    s.back().next = -1;
    merge(text, s);
    for (int32_t i = 0; i >= 0; i = s[size_t(i)].next) {
      emit(text.substr(s[size_t(i)].begin, s[size_t(i)].end - s[size_t(i)].begin), ids);
    }
  }

 private:
  struct Symbol {
    uint32_t begin, end;
    int32_t prev, next;
  };
  struct Candidate {
    float score;
    int32_t left, right;
    uint32_t size;  // bytes of both when it was found: tells stale ones
    bool operator<(const Candidate& other) const {
      return score != other.score ? score < other.score : left > other.left;
    }
  };

  void merge(std::string_view text, std::vector<Symbol>& s) const {
    std::priority_queue<Candidate> queue;
    const auto offer = [&](int32_t left) {
      const int32_t right = left < 0 ? -1 : s[size_t(left)].next;
      if (right < 0) return;
      const uint32_t begin = s[size_t(left)].begin, end = s[size_t(right)].end;
      const int32_t id = vocabulary_.find(text.substr(begin, end - begin));
      if (id >= 0 && size_t(id) < parts_.scores.size()) queue.push({parts_.scores[size_t(id)], left, right, end - begin});
    };
    for (size_t i = 0; i + 1 < s.size(); ++i) offer(int32_t(i));
    while (!queue.empty()) {
      const Candidate next = queue.top();
      queue.pop();
      Symbol& left = s[size_t(next.left)];
      Symbol& right = s[size_t(next.right)];
      if (left.begin == left.end || right.begin == right.end || right.end - left.begin != next.size ||
          left.next != next.right) {
        continue;
      }
      left.end = right.end;
      left.next = right.next;
      right.begin = right.end;
      if (left.next >= 0) s[size_t(left.next)].prev = next.left;
      offer(left.prev);
      offer(next.left);
    }
  }

  void emit(std::string_view piece, std::vector<int32_t>& ids) const {
    if (const int32_t id = vocabulary_.find(piece); id >= 0) {
      ids.push_back(id);
      return;
    }
    for (const char c : piece) {
      const int32_t id = parts_.byte_ids.empty() ? -1 : parts_.byte_ids[uint8_t(c)];
      if (id < 0) {
        ids.push_back(parts_.unknown);
        return;
      }
      ids.push_back(id);
    }
  }

  const SpmParts parts_;  // without its vocabulary
};

}  // namespace

std::unique_ptr<const TokenModel> make_spm(SpmParts parts) { return std::make_unique<Spm>(std::move(parts)); }

}  // namespace ajar::engine
