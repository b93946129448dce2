#include "engine/huge_buffer.h"

#include <sys/mman.h>

#include <cstdint>
#include <string>

namespace ajar::engine {
namespace {

constexpr size_t kPage = size_t{2} << 20;

}  // namespace

Result<HugeBuffer> HugeBuffer::make(size_t bytes) {
  HugeBuffer buffer;
  if (bytes == 0) return buffer;
  if (bytes > SIZE_MAX / 2) return fail(Code::kTooLarge, "no memory for " + std::to_string(bytes) + " bytes");
  size_t size = (bytes + kPage - 1) / kPage * kPage;
  void* raw = mmap(nullptr, size + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (raw == MAP_FAILED) return fail(Code::kTooLarge, "no memory for " + std::to_string(bytes) + " bytes");
  auto begin = reinterpret_cast<uintptr_t>(raw), aligned = (begin + kPage - 1) / kPage * kPage;
  if (aligned > begin) munmap(raw, aligned - begin);
  if (size_t tail = begin + kPage - aligned) munmap(reinterpret_cast<void*>(aligned + size), tail);
  buffer.data_ = reinterpret_cast<std::byte*>(aligned);
  buffer.size_ = size;
  madvise(buffer.data_, size, MADV_HUGEPAGE);  // a wish: without it the same bytes are slower
  return buffer;
}

HugeBuffer::~HugeBuffer() {
  if (data_ != nullptr) munmap(data_, size_);
}

}  // namespace ajar::engine
