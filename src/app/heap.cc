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

// Classes of sizes in bytes: up to kSmall as glibc has them (8 more than a multiple of 16), up to kMost by 512. Above, a
// block is glibc's alone.
constexpr size_t kSmall = 1032, kMost = 16 * 1024;
constexpr size_t kFine = 16, kHead = 8, kCoarse = 512;
constexpr size_t kFineClasses = (kSmall - kHead) / kFine;

constexpr size_t class_size(size_t at) {
  return at <= kFineClasses ? at * kFine + kHead : kSmall + (at - kFineClasses) * kCoarse;
}
constexpr size_t class_for(size_t size) {  // whose blocks hold so many bytes
  if (size > kSmall) return kFineClasses + (size - kSmall + kCoarse - 1) / kCoarse;
  return size <= kFine + kHead ? 1 : (size + kFine - kHead - 1) / kFine;
}
constexpr size_t class_of(size_t usable) {  // that a block of so many bytes can serve
  return usable < kSmall ? (usable - kHead) / kFine : kFineClasses + (usable - kSmall) / kCoarse;
}
constexpr size_t kClasses = class_for(kMost) + 1;
static_assert(class_size(class_for(24)) == 24 && class_for(25) == 2 && class_for(40) == 2 && class_for(kSmall) == kFineClasses);
static_assert(class_of(24) == 1 && class_of(40) == 2 && class_size(class_for(kSmall + 1)) == kSmall + kCoarse);
// What a thread keeps of one class: in all at most 5 MiB.
constexpr size_t most_bytes(size_t at) { return at <= kFineClasses ? 32 * 1024 : 96 * 1024; }

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
    if (void* block = std::malloc(size)) return block;
    const std::new_handler handler = std::get_new_handler();
    if (!handler) throw std::bad_alloc();
    handler();
  }
}

void keep(void* block, size_t at) noexcept {
  if (cache.bytes[at] >= most_bytes(at) || cache.closed) return std::free(block);
  if (!cache.swept_at_exit) {
    cache.swept_at_exit = true;
    sweep_at_exit();
  }
  cache.bytes[at] += class_size(at);
  cache.first[at] = new (block) Block{cache.first[at]};
}

}  // namespace

void* operator new(size_t size) {
  if (size > kMost) return get_slowly(size);
  const size_t at = class_for(size);
  Block* const block = cache.first[at];
  if (!block) return get_slowly(class_size(at));
  cache.first[at] = block->next;
  cache.bytes[at] -= class_size(at);
  return block;
}

void operator delete(void* block) noexcept {
  if (!block) return;
  const size_t at = class_of(malloc_usable_size(block));  // glibc gives 24 bytes at least
  at < kClasses ? keep(block, at) : std::free(block);
}

// Whoever says the size asked for it above, so the block is of its class.
void operator delete(void* block, size_t size) noexcept {
  if (!block) return;
  size <= kMost ? keep(block, class_for(size)) : std::free(block);
}

#endif  // AJAR_SANITIZED
