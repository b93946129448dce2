#include "engine/bpe.h"

#include <algorithm>
#include <queue>

namespace ajar::engine {
namespace {

constexpr int32_t kNever = INT32_MAX;
constexpr size_t kShort = 48;  // symbols; below this looking through all pairs is faster than a heap

class Bpe final : public Tokenizer {
 public:
  explicit Bpe(BpeParts parts) : parts_(std::move(parts)), whole_(parts_.whole) {
    for (int byte = 0; byte < 256; ++byte) {
      const char c = char(byte);
      of_byte_[byte] = parts_.vocabulary.find({&c, 1});
    }
  }

  void encode(std::string_view text, std::vector<int32_t>& ids) const override {
    std::vector<std::string_view> pieces;
    Scratch scratch;
    whole_.split(text, [&](std::string_view between) {
      pieces.clear();
      parts_.pretokenizer->split(between, pieces);
      for (const std::string_view piece : pieces) encode_piece(piece, scratch, ids);
    }, [&](int32_t id) { ids.push_back(id); });
  }

  void append_bytes(int32_t id, std::string& out) const override {
    if (id < 0 || (size_t(id) < parts_.control.size() && parts_.control[size_t(id)])) return;
    out.append(parts_.vocabulary.bytes(id));
  }

  size_t size() const override { return parts_.vocabulary.size(); }

 private:
  struct Symbol {
    uint32_t begin, end;   // bytes of the piece
    int32_t prev, next;    // neighbours, -1: none
    int32_t id;            // -1: the byte is no token
  };
  struct Candidate {
    int32_t rank, left, right, id;
    uint32_t end;  // of the right one when it was found: tells stale ones
    bool operator<(const Candidate& other) const {  // the queue gives the largest
      return rank != other.rank ? rank > other.rank : left > other.left;
    }
  };
  struct Scratch {
    std::vector<Symbol> symbols;
    std::vector<BpeParts::Merge> pairs;
  };

  // What the neighbours `a`, `b` become.
  BpeParts::Merge merge_of(std::string_view piece, const Symbol& a, const Symbol& b) const {
    if (parts_.merges.empty()) {
      const int32_t id = parts_.vocabulary.find(piece.substr(a.begin, b.end - a.begin));
      return {id < 0 ? kNever : id, id};
    }
    if (a.id < 0 || b.id < 0) return {kNever, -1};
    const auto found = parts_.merges.find(uint64_t(uint32_t(a.id)) << 32 | uint32_t(b.id));
    return found == parts_.merges.end() ? BpeParts::Merge{kNever, -1} : found->second;
  }

  void encode_piece(std::string_view piece, Scratch& scratch, std::vector<int32_t>& ids) const {
    if (parts_.merges.empty() || parts_.whole_piece_first) {
      if (const int32_t id = parts_.vocabulary.find(piece); id >= 0) {
        ids.push_back(id);
        return;
      }
    }
    auto& symbols = scratch.symbols;
    symbols.clear();
    for (uint32_t i = 0; i < piece.size(); ++i) {
      symbols.push_back({i, i + 1, int32_t(i) - 1, i + 1 < piece.size() ? int32_t(i) + 1 : -1,
                         of_byte_[uint8_t(piece[i])]});
    }
    if (symbols.size() <= kShort) {
      merge_short(piece, scratch);
    } else {
      merge_long(piece, symbols);
    }
    for (int32_t i = 0; i >= 0; i = symbols[size_t(i)].next) {
      if (symbols[size_t(i)].id >= 0) ids.push_back(symbols[size_t(i)].id);
    }
  }

  void merge_short(std::string_view piece, Scratch& scratch) const {
    auto& s = scratch.symbols;
    auto& pairs = scratch.pairs;  // pairs[i]: symbol i with its next
    pairs.assign(s.size(), {kNever, -1});
    for (size_t i = 0; i + 1 < s.size(); ++i) pairs[i] = merge_of(piece, s[i], s[i + 1]);
    while (true) {
      int32_t best = -1;
      for (int32_t i = 0; i >= 0; i = s[size_t(i)].next) {
        if (pairs[size_t(i)].rank < (best < 0 ? kNever : pairs[size_t(best)].rank)) best = i;
      }
      if (best < 0) return;
      join(s, best, pairs[size_t(best)].id);
      Symbol& left = s[size_t(best)];
      pairs[size_t(best)] = left.next < 0 ? BpeParts::Merge{kNever, -1} : merge_of(piece, left, s[size_t(left.next)]);
      if (left.prev >= 0) pairs[size_t(left.prev)] = merge_of(piece, s[size_t(left.prev)], left);
    }
  }

  // O(n log n), for pieces that someone made long on purpose.
  void merge_long(std::string_view piece, std::vector<Symbol>& s) const {
    std::priority_queue<Candidate> queue;
    const auto offer = [&](int32_t left) {
      const int32_t right = s[size_t(left)].next;
      if (right < 0) return;
      const auto merge = merge_of(piece, s[size_t(left)], s[size_t(right)]);
      if (merge.rank != kNever) queue.push({merge.rank, left, right, merge.id, s[size_t(right)].end});
    };
    for (size_t i = 0; i + 1 < s.size(); ++i) offer(int32_t(i));
    while (!queue.empty()) {
      const Candidate next = queue.top();
      queue.pop();
      const Symbol& left = s[size_t(next.left)];
      const Symbol& right = s[size_t(next.right)];
      // Either has been merged with another neighbour since.
      if (left.begin == left.end || left.next != next.right || right.end != next.end ||
          merge_of(piece, left, right).rank != next.rank) {
        continue;
      }
      join(s, next.left, next.id);
      offer(next.left);
      if (s[size_t(next.left)].prev >= 0) offer(s[size_t(next.left)].prev);
    }
  }

  static void join(std::vector<Symbol>& s, int32_t at, int32_t id) {
    Symbol& left = s[size_t(at)];
    Symbol& right = s[size_t(left.next)];
    left.end = right.end;
    left.id = id;
    left.next = right.next;
    right.begin = right.end;
    if (left.next >= 0) s[size_t(left.next)].prev = at;
  }

  const BpeParts parts_;
  const WholeTokens whole_;
  int32_t of_byte_[256];
};

}  // namespace

std::shared_ptr<const Tokenizer> make_bpe(BpeParts parts) { return std::make_shared<Bpe>(std::move(parts)); }

}  // namespace ajar::engine
