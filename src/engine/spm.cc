#include "engine/spm.h"

#include <queue>
#include <unordered_map>

namespace ajar::engine {
namespace {

constexpr std::string_view kSpace = "\xe2\x96\x81";  // U+2581, what SentencePiece writes for a space

class Spm final : public Tokenizer {
 public:
  explicit Spm(SpmParts parts) : parts_(std::move(parts)), whole_(parts_.whole) {
    for (int byte = 0; byte < 256; ++byte) {
      if (parts_.byte_ids[size_t(byte)] >= 0) byte_of_[parts_.byte_ids[size_t(byte)]] = char(byte);
    }
  }

  void encode(std::string_view text, std::vector<int32_t>& ids) const override {
    bool first = true;  // a space is put before the text, and before what follows a token that was cut out
    whole_.split(text, [&](std::string_view between) {
      std::string escaped;
      if (parts_.add_space_prefix && first) escaped = kSpace;
      for (const char c : between) {
        if (c == ' ') escaped += kSpace; else escaped += c;
      }
      encode_escaped(escaped, ids);
      first = false;
    }, [&](int32_t id) {
      ids.push_back(id);
      first = true;
    });
  }

  void append_bytes(int32_t id, std::string& out) const override {
    if (id < 0 || (size_t(id) < parts_.control.size() && parts_.control[size_t(id)])) return;
    if (const auto byte = byte_of_.find(id); byte != byte_of_.end()) {
      out.push_back(byte->second);
      return;
    }
    std::string_view bytes = parts_.vocabulary.bytes(id);
    for (size_t at = 0; at < bytes.size();) {
      if (bytes.substr(at).starts_with(kSpace)) {
        out.push_back(' ');
        at += kSpace.size();
      } else {
        out.push_back(bytes[at++]);
      }
    }
  }

  size_t size() const override { return parts_.vocabulary.size(); }

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

  static size_t character_length(char lead) {
    const auto c = uint8_t(lead);
    return c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
  }

  void encode_escaped(std::string_view text, std::vector<int32_t>& ids) const {
    std::vector<Symbol> s;
    for (size_t at = 0; at < text.size();) {
      const size_t length = std::min(character_length(text[at]), text.size() - at);
      s.push_back({uint32_t(at), uint32_t(at + length), int32_t(s.size()) - 1, int32_t(s.size()) + 1});
      at += length;
    }
    if (s.empty()) return;
    s.back().next = -1;

    std::priority_queue<Candidate> queue;
    const auto offer = [&](int32_t left) {
      const int32_t right = left < 0 ? -1 : s[size_t(left)].next;
      if (right < 0) return;
      const uint32_t begin = s[size_t(left)].begin, end = s[size_t(right)].end;
      const int32_t id = parts_.vocabulary.find(text.substr(begin, end - begin));
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
    for (int32_t i = 0; i >= 0; i = s[size_t(i)].next) {
      emit(text.substr(s[size_t(i)].begin, s[size_t(i)].end - s[size_t(i)].begin), ids);
    }
  }

  void emit(std::string_view piece, std::vector<int32_t>& ids) const {
    if (const int32_t id = parts_.vocabulary.find(piece); id >= 0) {
      ids.push_back(id);
      return;
    }
    for (const char c : piece) {
      const int32_t id = parts_.byte_ids[uint8_t(c)];
      if (id < 0) {
        ids.push_back(parts_.unknown);
        return;
      }
      ids.push_back(id);
    }
  }

  const SpmParts parts_;
  const WholeTokens whole_;
  std::unordered_map<int32_t, char> byte_of_;
};

}  // namespace

std::shared_ptr<const Tokenizer> make_spm(SpmParts parts) { return std::make_shared<Spm>(std::move(parts)); }

}  // namespace ajar::engine
