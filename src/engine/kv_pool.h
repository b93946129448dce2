#pragma once
// Memory for keys and values in pages of 16 tokens, which sequences share where their beginnings are equal. One budget for all
// sequences of a model; nothing grows beyond it. Confined to the engine's thread.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/huge_buffer.h"
#include "engine/model_config.h"

namespace ajar::engine {

constexpr int kPageTokens = 16;

enum class KvType : uint8_t { kF16, kQ8_0 };  // halves; 8-bit integers in blocks of 32 (kv_q8.h)
std::string_view kv_type_name(KvType type);   // "f16", "q8_0"
std::optional<KvType> find_kv_type(std::string_view name);

class KvPool {
 public:
  static Result<KvPool> make(const ModelConfig& config, int64_t bytes, KvType type = KvType::kF16);  // at least one page; kTooLarge
  static int64_t page_bytes(const ModelConfig& config, KvType type = KvType::kF16);

  KvType type() const { return type_; }
  int pages() const { return static_cast<int>(owners_.size()); }
  int free_pages() const { return static_cast<int>(free_.size()); }
  int64_t bytes() const { return static_cast<int64_t>(buffer_.size()); }

  int take();            // a page with one owner, or -1: none is free
  void share(int page);  // one more owner
  void release(int page);
  int owners(int page) const { return owners_[static_cast<size_t>(page)]; }

  // Keys [head_dim][16 tokens] and values [16 tokens][padded head_dim] of one head, as halves. Only of kF16.
  uint16_t* keys(int page, int layer, int head) const { return reinterpret_cast<uint16_t*>(at(page, layer, head)); }
  uint16_t* values(int page, int layer, int head) const { return keys(page, layer, head) + head_dim_ * kPageTokens; }
  std::span<std::byte> page(int page) const { return {buffer_.data() + page * page_bytes_, static_cast<size_t>(page_bytes_)}; }
  // One head of whatever type; of kQ8_0 see Q8Layout.
  std::byte* at(int page, int layer, int head) const {
    return buffer_.data() + page * page_bytes_ + (static_cast<int64_t>(layer) * heads_ + head) * head_bytes_;
  }

 private:
  HugeBuffer buffer_;
  std::vector<int> owners_, free_;
  int64_t page_bytes_ = 0, head_bytes_ = 0;
  KvType type_ = KvType::kF16;
  int heads_ = 0, head_dim_ = 0;
};

// The pages of one sequence of tokens. Its owner gives them back to the pool.
struct KvSequence {
  std::vector<int> pages;
  int32_t length = 0;  // tokens whose keys and values are there
};

}  // namespace ajar::engine
