#pragma once
// The table of a tokenizer: bytes to id and id to bytes. Compact: one blob and one open-addressing hash table.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ajar::engine {

class Vocabulary {
 public:
  // Ids may come in any order and with gaps; of two tokens with the same bytes the first added is found.
  void reserve(size_t tokens, size_t bytes);
  void add(int32_t id, std::string_view bytes);

  int32_t find(std::string_view bytes) const;  // -1: none
  std::string_view bytes(int32_t id) const;    // empty: none
  size_t size() const { return spans_.size(); }

 private:
  struct Span {
    uint32_t offset = 0, length = 0;
  };
  void insert(int32_t id);
  void grow();

  std::string blob_;
  std::vector<Span> spans_;
  std::vector<int32_t> slots_;  // ids, -1 free; a power of two, at most half full
  size_t used_ = 0;
};

}  // namespace ajar::engine
