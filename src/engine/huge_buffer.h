#pragma once
// Zeroed memory on 2 MiB pages where the kernel grants them: weights and KV pages are read end to end on every step, and
// small pages cost up to half of the bandwidth. Movable; the owner frees it.

#include <cstddef>
#include <utility>

#include "base/error.h"

namespace ajar::engine {

class HugeBuffer {
 public:
  HugeBuffer() = default;
  static Result<HugeBuffer> make(size_t bytes);  // kTooLarge: the system does not give that much
  ~HugeBuffer();
  HugeBuffer(HugeBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  HugeBuffer& operator=(HugeBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  std::byte* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  std::byte* data_ = nullptr;  // aligned to 2 MiB
  size_t size_ = 0;
};

}  // namespace ajar::engine
