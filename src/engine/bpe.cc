#include "engine/bpe.h"

#include <algorithm>
#include <queue>

#include "engine/unicode.h"

namespace ajar::engine {
namespace {

constexpr int32_t kNever = INT32_MAX;
constexpr size_t kKeep = 4096;  // symbols that a thread keeps memory for
constexpr size_t kShort = 48;  // symbols; below this looking through all pairs is faster than a heap

class Bpe final : public TokenModel {
 public:
  explicit Bpe(BpeParts parts) : TokenModel(std::move(parts.vocabulary)), parts_(std::move(parts)) {
    for (int byte = 0; byte < 256; ++byte) {
      const char c = char(byte);
      of_byte_[byte] = vocabulary_.find({&c, 1});
    }
  }

  void encode(std::string_view piece, std::vector<int32_t>& ids) const override {
    if (parts_.merges.empty() || parts_.whole_piece_first) {
      if (const int32_t id = vocabulary_.find(piece); id >= 0) {
        ids.push_back(id);
        return;
      }
    }
    thread_local Scratch scratch;
    auto& symbols = scratch.symbols;
    symbols.clear();
    if (parts_.by_character) {
      cut_characters(piece, symbols);
    } else {
      for (uint32_t i = 0; i < piece.size(); ++i) add_symbol(symbols, i, i + 1, of_byte_[uint8_t(piece[i])]);
    }
    if (symbols.empty()) return;
    symbols.back().next = -1;
    if (symbols.size() <= kShort) {
      merge_short(piece, scratch);
    } else {
      merge_long(piece, symbols);
    }
    bool unknown = false;  // the one before
    for (int32_t i = 0; i >= 0; i = symbols[size_t(i)].next) {
      const int32_t id = symbols[size_t(i)].id;
      if (id >= 0) {
        ids.push_back(id);
      } else if (parts_.unknown >= 0 && !(unknown && parts_.fuse_unknown)) {
        ids.push_back(parts_.unknown);
      }
      unknown = id < 0;
    }
    if (symbols.capacity() > kKeep) scratch = {};
  }

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
      const int32_t id = vocabulary_.find(piece.substr(a.begin, b.end - a.begin));
      return {id < 0 ? kNever : id, id};
    }
    if (a.id < 0 || b.id < 0) return {kNever, -1};
    const auto found = parts_.merges.find(uint64_t(uint32_t(a.id)) << 32 | uint32_t(b.id));
    return found == parts_.merges.end() ? BpeParts::Merge{kNever, -1} : found->second;
  }

  static void add_symbol(std::vector<Symbol>& symbols, uint32_t begin, uint32_t end, int32_t id) {
    symbols.push_back({begin, end, int32_t(symbols.size()) - 1, int32_t(symbols.size()) + 1, id});
  }

  void cut_characters(std::string_view piece, std::vector<Symbol>& symbols) const {
    for (size_t at = 0; at < piece.size();) {
      const size_t begin = at;
      unicode::next(piece, at);
      const std::string_view character = piece.substr(begin, at - begin);
      const int32_t id = vocabulary_.find(character);
      const bool bytes = id < 0 && !parts_.byte_ids.empty() &&
                         std::ranges::all_of(character, [&](char c) { return parts_.byte_ids[uint8_t(c)] >= 0; });
      if (!bytes) {
        add_symbol(symbols, uint32_t(begin), uint32_t(at), id);
        continue;
      }
      for (size_t i = begin; i < at; ++i) {
        add_symbol(symbols, uint32_t(i), uint32_t(i) + 1, parts_.byte_ids[uint8_t(piece[i])]);
      }
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

  const BpeParts parts_;  // without its vocabulary
  int32_t of_byte_[256];
};

}  // namespace

void add_merge(BpeParts& parts, int32_t rank, std::string_view left, std::string_view right) {
  const int32_t a = parts.vocabulary.find(left), b = parts.vocabulary.find(right),
                both = parts.vocabulary.find(std::string(left).append(right));
  if (a < 0 || b < 0 || both < 0) return;
  parts.merges.try_emplace(uint64_t(uint32_t(a)) << 32 | uint32_t(b), BpeParts::Merge{rank, both});
}

std::unique_ptr<const TokenModel> make_bpe(BpeParts parts) { return std::make_unique<Bpe>(std::move(parts)); }

}  // namespace ajar::engine
