#include "guard/masks.h"

#include <array>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace ajar::guard {
namespace {

struct Block {
  uint64_t digit = 0, upper = 0, word = 0, high = 0, at = 0, slash = 0, dash = 0, w = 0;
};

#ifdef __SSE2__

Block classify(const char* p) {
  Block block;
  const auto in_range = [](__m128i x, char low, char span) {
    const __m128i shifted = _mm_sub_epi8(x, _mm_set1_epi8(low));
    return _mm_cmpeq_epi8(_mm_min_epu8(shifted, _mm_set1_epi8(span)), shifted);
  };
  for (unsigned i = 0; i < 64; i += 16) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i));
    const auto bits = [i](__m128i m) {
      return static_cast<uint64_t>(static_cast<uint32_t>(_mm_movemask_epi8(m))) << i;
    };
    const auto equal = [&](char c) { return bits(_mm_cmpeq_epi8(x, _mm_set1_epi8(c))); };
    const __m128i digit = in_range(x, '0', 9);
    const __m128i letter = in_range(_mm_or_si128(x, _mm_set1_epi8(0x20)), 'a', 25);
    const __m128i under = _mm_cmpeq_epi8(x, _mm_set1_epi8('_'));
    block.digit |= bits(digit);
    block.upper |= bits(in_range(x, 'A', 25));
    block.high |= bits(x);
    block.word |= bits(_mm_or_si128(_mm_or_si128(digit, letter), _mm_or_si128(under, x)));
    block.at |= equal('@');
    block.slash |= equal('/');
    block.dash |= equal('-');
    block.w |= equal('w');
  }
  return block;
}

#else

Block classify(const char* p) {
  Block block;
  for (unsigned i = 0; i < 64; ++i) {
    const char c = p[i];
    const uint64_t bit = uint64_t{1} << i;
    if (is_digit(c)) block.digit |= bit;
    if (is_upper(c)) block.upper |= bit;
    if (is_word(c)) block.word |= bit;
    if (is_high(c)) block.high |= bit;
    if (c == '@') block.at |= bit;
    if (c == '/') block.slash |= bit;
    if (c == '-') block.dash |= bit;
    if (c == 'w') block.w |= bit;
  }
  return block;
}

#endif

// Bits at which a run of at least n ends or goes on; `before` is the block before.
uint64_t runs(uint64_t bits, uint64_t before, int n) {
  using Wide = unsigned __int128;
  Wide x = Wide{bits} << 64 | before;
  int have = 1;
  while (have < n) {
    const int step = have < n - have ? have : n - have;
    x &= x << step;
    have += step;
  }
  return static_cast<uint64_t>(x >> 64);
}

}  // namespace

void Masks::build(std::string_view text) {
  const size_t blocks = (text.size() + 63) / 64;
  anchor_.resize(blocks);
  name_.resize(blocks);
  Block last;
  for (size_t b = 0; b < blocks; ++b) {
    Block block;
    if (b * 64 + 64 <= text.size()) {
      block = classify(text.data() + b * 64);
    } else {
      char tail[64] = {};
      std::memcpy(tail, text.data() + b * 64, text.size() - b * 64);
      block = classify(tail);
    }
    uint64_t anchor = block.digit | block.at | (block.slash & (block.slash << 1 | last.slash >> 63));
    const uint64_t token = (block.word & ~block.high) | block.dash, token_before = (last.word & ~last.high) | last.dash;
    anchor |= runs(token, token_before, 20);
    if (block.w != 0) anchor |= runs(block.w, last.w, 3);
    if (block.dash != 0) anchor |= runs(block.dash, last.dash, 5);
    anchor_[b] = anchor;
    name_[b] = (block.upper | block.high) & ~(block.word << 1 | last.word >> 63);
    last = block;
  }
}

}  // namespace ajar::guard
