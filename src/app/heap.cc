// The program's operator new and delete: glibc's, with a cache per thread for the blocks that glibc's own does not keep.
// That one ends at 1,032 bytes; coroutine frames, batches of events, heads and bodies are larger, and each cost some
// 600 instructions to get and to give back, a tenth of a request.
//
// A block is always malloc's: whoever got one elsewhere may give it here, and the other way round.

#ifndef AJAR_SANITIZED  // sanitizers bring their own
#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

constexpr size_t kStep = 512, kLeast = 1024, kMost = 16 * 1024;  // bytes; what glibc keeps itself is left to it
constexpr size_t kClasses = kMost / kStep + 1;
constexpr size_t kBytesPerClass = 96 * 1024;  // so a thread keeps at most 3 MiB

struct Block {
  Block* next;
};

// All zero, without a constructor, so that its first and its last use need no guard.
struct Cache {
  Block* first[kClasses];
  size_t bytes[kClasses];
  bool swept_at_exit, closed;
};
constinit thread_local Cache cache{};

struct Sweeper {
  ~Sweeper() {
    cache.closed = true;
    for (Block*& first : cache.first) {
      while (Block* block = first) {
        first = block->next;
        std::free(block);
      }
    }
  }
};
void sweep_at_exit() {
  static thread_local Sweeper sweeper;
  (void)&sweeper;
}

void* get_slowly(size_t size) {
  for (;;) {
    if (void* block = std::malloc(size == 0 ? 1 : size)) return block;
    const std::new_handler handler = std::get_new_handler();
    if (!handler) throw std::bad_alloc();
    handler();
  }
}

void give(void* block) noexcept {
  // At least so many bytes are in it, and the class below them is right for it.
  const size_t usable = malloc_usable_size(block);
  const size_t at = usable / kStep;
  if (usable < kLeast + kStep || at >= kClasses || cache.bytes[at] >= kBytesPerClass || cache.closed) return std::free(block);
  if (!cache.swept_at_exit) {
    cache.swept_at_exit = true;
    sweep_at_exit();
  }
  cache.bytes[at] += at * kStep;
  cache.first[at] = new (block) Block{cache.first[at]};
}

}  // namespace

void* operator new(size_t size) {
  if (size <= kLeast || size > kMost) return get_slowly(size);
  const size_t at = (size + kStep - 1) / kStep;
  Block* const block = cache.first[at];
  if (!block) return get_slowly(at * kStep);
  cache.first[at] = block->next;
  cache.bytes[at] -= at * kStep;
  return block;
}

void operator delete(void* block) noexcept {
  if (block) give(block);
}

void operator delete(void* block, size_t size) noexcept {
  if (size <= kLeast) return std::free(block);  // not even a look at its head
  if (block) give(block);
}

#endif  // AJAR_SANITIZED
