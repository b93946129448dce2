#pragma once
// Keys and values as 8-bit integers, 32 dimensions of one token with a scale (Q8_0), and the attention that reads them. About
// 0.53 of the bytes of halves. Compiled once per instruction set like kernels.h; pure functions on the caller's memory.

#include <cstddef>
#include <cstdint>

#include "engine/kernels.h"

namespace ajar::engine {

// One head's 16 tokens in a page, tokens beside each other as in pages of halves, so that a load is one dimension of all 16:
//   keys [head_dim][16] codes, [blocks][16] scales; values [16][padded head_dim] codes, [blocks][16] scales. Scales are halves.
struct Q8Layout {
  int head_dim;

  constexpr int padded() const { return (head_dim + 15) / 16 * 16; }
  constexpr int blocks() const { return (head_dim + 31) / 32; }  // the last may be shorter
  constexpr int64_t key_scales() const { return int64_t{head_dim} * 16; }
  constexpr int64_t values() const { return key_scales() + blocks() * 32; }
  constexpr int64_t value_scales() const { return values() + padded() * 16; }
  constexpr int64_t bytes() const { return value_scales() + blocks() * 32; }
};

struct Q8Kernels {
  // Token `slot` of a head in its page. Depends on this token alone, so on no batch.
  void (*store)(const float* key, const float* value, int head_dim, int slot, std::byte* head);
  // Kernels::attend over such pages: of token 0 onwards, those before the window may be anything. a.k_pages and a.v_pages are not
  // read; a.soften must be set.
  void (*attend)(const Attention& a, const std::byte* const* pages);
  // A head's page as halves in the layout of Attention, for attend_tiles.
  void (*to_halves)(const std::byte* head, int head_dim, uint16_t* keys, uint16_t* values);
};

// With the vectors that `kernels` has.
const Q8Kernels& q8_kernels(const Kernels& kernels);

}  // namespace ajar::engine
