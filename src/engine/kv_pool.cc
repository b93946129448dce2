#include "engine/kv_pool.h"

#include <cassert>
#include <string>

#include "engine/kv_q8.h"

namespace ajar::engine {
namespace {

int64_t head_bytes(const ModelConfig& c, KvType type) {
  const Q8Layout layout{c.head_dim};
  return type == KvType::kQ8_0 ? layout.bytes() : int64_t{c.head_dim + layout.padded()} * kPageTokens * 2;
}

}  // namespace

std::string_view kv_type_name(KvType type) { return type == KvType::kQ8_0 ? "q8_0" : "f16"; }

std::optional<KvType> find_kv_type(std::string_view name) {
  for (KvType type : {KvType::kF16, KvType::kQ8_0})
    if (kv_type_name(type) == name) return type;
  return std::nullopt;
}

int64_t KvPool::page_bytes(const ModelConfig& c, KvType type) { return head_bytes(c, type) * c.layers * c.kv_heads; }

Result<KvPool> KvPool::make(const ModelConfig& config, int64_t bytes, KvType type) {
  KvPool pool;
  pool.type_ = type;
  pool.page_bytes_ = page_bytes(config, type);
  pool.head_bytes_ = head_bytes(config, type);
  pool.heads_ = config.kv_heads, pool.head_dim_ = config.head_dim;
  int64_t pages = bytes / pool.page_bytes_;
  if (pages < 1)
    return fail(Code::kTooLarge, "a cache of " + std::to_string(bytes) + " bytes holds not one page of " + std::to_string(pool.page_bytes_));
  if (pages > 1 << 24) pages = 1 << 24;
  AJAR_ASSIGN(pool.buffer_, HugeBuffer::make(static_cast<size_t>(pages * pool.page_bytes_)));
  pool.owners_.assign(static_cast<size_t>(pages), 0);
  // The lowest first, so that memory is touched only as far as it is needed.
  for (int page = static_cast<int>(pages) - 1; page >= 0; --page) pool.free_.push_back(page);
  return pool;
}

int KvPool::take() {
  if (free_.empty()) return -1;
  int page = free_.back();
  free_.pop_back();
  owners_[static_cast<size_t>(page)] = 1;
  return page;
}

void KvPool::share(int page) {
  assert(owners_[static_cast<size_t>(page)] > 0);
  ++owners_[static_cast<size_t>(page)];
}

void KvPool::release(int page) {
  assert(owners_[static_cast<size_t>(page)] > 0);
  if (--owners_[static_cast<size_t>(page)] == 0) free_.push_back(page);
}

}  // namespace ajar::engine
