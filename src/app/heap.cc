// The program's operator new and delete: glibc's, with a cache per thread for the blocks that glibc's own does not keep.
// That one holds seven blocks of a size and none above 1,032 bytes. A loop with some tens of requests under way has more
// of each, and its coroutine frames, batches of events, heads and bodies are larger: each cost some 600 instructions to
// get and to give back, a tenth of a request.
//
// A block is always malloc's: whoever got one elsewhere may give it here, and the other way round.

#ifndef AJAR_SANITIZED  // sanitizers bring their own
#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

// Classes of sizes in bytes: up to kSmall by 64, up to kMost by 512. Below and above, a block is glibc's alone.
constexpr size_t kLeast = 64, kSmall = 1024, kMost = 16 * 1024;
constexpr size_t kFine = 64, kCoarse = 512;
constexpr size_t kFineClasses = kSmall / kFine, kClasses = kFineClasses + (kMost - kSmall) / kCoarse + 1;

constexpr size_t class_size(size_t at) {
  return at <= kFineClasses ? at * kFine : kSmall + (at - kFineClasses) * kCoarse;
}
constexpr size_t class_for(size_t size) {  // whose blocks hold so many bytes
  return size <= kSmall ? (size + kFine - 1) / kFine : kFineClasses + (size - kSmall + kCoarse - 1) / kCoarse;
}
constexpr size_t class_of(size_t usable) {  // that a block of so many bytes can serve
  return usable < kSmall ? usable / kFine : kFineClasses + (usable - kSmall) / kCoarse;
}
// What a thread keeps of one class: in all at most 4 MiB.
constexpr size_t most_bytes(size_t at) { return at <= kFineClasses ? 48 * 1024 : 96 * 1024; }

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
  const size_t at = class_of(usable);
  if (at == 0 || at >= kClasses || cache.bytes[at] >= most_bytes(at) || cache.closed) return std::free(block);
  if (!cache.swept_at_exit) {
    cache.swept_at_exit = true;
    sweep_at_exit();
  }
  cache.bytes[at] += class_size(at);
  cache.first[at] = new (block) Block{cache.first[at]};
}

}  // namespace

void* operator new(size_t size) {
  if (size < kLeast || size > kMost) return get_slowly(size);
  const size_t at = class_for(size);
  Block* const block = cache.first[at];
  if (!block) return get_slowly(class_size(at));
  cache.first[at] = block->next;
  cache.bytes[at] -= class_size(at);
  return block;
}

void operator delete(void* block) noexcept {
  if (block) give(block);
}

void operator delete(void* block, size_t size) noexcept {
  if (size < kLeast) return std::free(block);  // not even a look at its head
  if (block) give(block);
}

#endif  // AJAR_SANITIZED
