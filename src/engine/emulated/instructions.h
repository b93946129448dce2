#pragma once
// The instructions of AVX-512, VNNI, AVX-VNNI and AMX that the engine's kernels use, written out in C++ under the names of their
// intrinsics, so that kernels for processors that this machine is not are tested all the same. Include it before a kernel's source.
// Bit for bit, but for tdpbf16ps, which rounds in another order and keeps subnormal numbers (Intel's Intrinsics Guide).

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

namespace emulated {

typedef uint8_t Bytes __attribute__((vector_size(64)));
typedef uint16_t Words __attribute__((vector_size(64)));
typedef int32_t Ints __attribute__((vector_size(64)));
typedef uint32_t Unsigned __attribute__((vector_size(64)));
typedef int32_t Ints8 __attribute__((vector_size(32)));
typedef uint32_t Unsigned8 __attribute__((vector_size(32)));
typedef int8_t Small __attribute__((vector_size(16)));
typedef uint16_t Words16 __attribute__((vector_size(32)));
typedef _Float16 Halves __attribute__((vector_size(32)));

#define EMULATED static inline __attribute__((always_inline, unused))

template <class To, class From>
EMULATED To as(From v) {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_bit_cast(To, v);
}
EMULATED __m512i whole(auto v) { return as<__m512i>(v); }

// vpdpbusd: four bytes without a sign times four with one, added to each sum.
template <class I, class U, class V>
EMULATED V dot(V sum, V codes, V inputs) {
  I total = as<I>(sum);
  for (int k = 0; k < 4; ++k) total += as<I>(as<U>(codes) >> 8 * k & 255) * (as<I>(as<U>(inputs) << (24 - 8 * k)) >> 24);
  return as<V>(total);
}
EMULATED __m512i dpbusd(__m512i sum, __m512i codes, __m512i inputs) { return dot<Ints, Unsigned>(sum, codes, inputs); }
EMULATED __m256i dpbusd8(__m256i sum, __m256i codes, __m256i inputs) { return dot<Ints8, Unsigned8>(sum, codes, inputs); }

EMULATED __m512 splat(float v) { return v - __m512{}; }
EMULATED __m512i splat_int(int32_t v) { return whole(v - Ints{}); }
EMULATED __m512i splat_byte(char v) { return whole(static_cast<uint8_t>(v) - Bytes{}); }
EMULATED __m512 fma(__m512 a, __m512 b, __m512 c) { return __builtin_elementwise_fma(a, b, c); }
EMULATED __m512 floats(__m512i v) { return __builtin_convertvector(as<Ints>(v), __m512); }
EMULATED __m512 halves(__m256i v) { return __builtin_convertvector(as<Halves>(v), __m512); }
EMULATED __m512i small(__m128i v) { return whole(__builtin_convertvector(as<Small>(v), Ints)); }
EMULATED __m512i words(__m256i v) { return whole(__builtin_convertvector(as<Words16>(v), Unsigned)); }
template <class V>
EMULATED V load(const void* p) {
  V v;
  memcpy(&v, p, sizeof v);
  return v;
}
EMULATED void store(void* p, auto v) { memcpy(p, &v, sizeof v); }
EMULATED __m512i four_times(__m128i v) {
  __m512i all;
  for (int i = 0; i < 4; ++i) memcpy(reinterpret_cast<char*>(&all) + 16 * i, &v, 16);
  return all;
}
EMULATED __m512i shuffle(__m512i table, __m512i at) {
  Bytes t = as<Bytes>(table), from = as<Bytes>(at), out = {};
  for (int i = 0; i < 64; ++i) out[i] = (from[i] & 128) != 0 ? uint8_t{0} : t[(i & 48) | (from[i] & 15)];
  return whole(out);
}
EMULATED __m512i add_bytes_where(__m512i otherwise, uint64_t mask, __m512i a, __m512i b) {
  Bytes sum = as<Bytes>(a) + as<Bytes>(b), out = as<Bytes>(otherwise);
  for (int i = 0; i < 64; ++i) out[i] = (mask >> i & 1) != 0 ? sum[i] : out[i];
  return whole(out);
}
EMULATED __m512i blend_words(uint32_t mask, __m512i a, __m512i b) {
  Words out = as<Words>(a), second = as<Words>(b);
  for (int i = 0; i < 32; ++i) out[i] = (mask >> i & 1) != 0 ? second[i] : out[i];
  return whole(out);
}
// To nearest, ties to even. The lower half is the second operand's.
EMULATED __m512i bfloats(__m512 high, __m512 low) {
  Words out = {};
  for (int i = 0; i < 32; ++i) {
    const uint32_t bits = __builtin_bit_cast(uint32_t, i < 16 ? low[i] : high[i - 16]);
    out[i] = static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  }
  return whole(out);
}

struct Tile {
  uint8_t rows[16][64];
};
struct Tiles {
  Tile tile[8];
  uint16_t columns[16];
  uint8_t rows[16];
};
static thread_local Tiles tiles;

EMULATED void configure(const void* config) {
  memcpy(tiles.columns, static_cast<const char*>(config) + 16, sizeof tiles.columns);
  memcpy(tiles.rows, static_cast<const char*>(config) + 48, sizeof tiles.rows);
  memset(tiles.tile, 0, sizeof tiles.tile);
}
EMULATED void load_tile(int t, const void* from, int64_t stride) {
  tiles.tile[t] = {};
  for (int r = 0; r < tiles.rows[t]; ++r) memcpy(tiles.tile[t].rows[r], static_cast<const char*>(from) + r * stride, tiles.columns[t]);
}
EMULATED void store_tile(int t, void* to, int64_t stride) {
  for (int r = 0; r < tiles.rows[t]; ++r) memcpy(static_cast<char*>(to) + r * stride, tiles.tile[t].rows[r], tiles.columns[t]);
}
template <class F>
EMULATED void multiply_tiles(int to, int a, int b, F add) {
  for (int m = 0; m < tiles.rows[to]; ++m) {
    auto sum = load<__m512i>(tiles.tile[to].rows[m]);
    for (int k = 0; k < tiles.columns[a] / 4; ++k) {
      int32_t four;
      memcpy(&four, tiles.tile[a].rows[m] + 4 * k, 4);
      sum = add(sum, splat_int(four), load<__m512i>(tiles.tile[b].rows[k]));
    }
    store(tiles.tile[to].rows[m], sum);
  }
}
EMULATED void multiply_ints(int to, int a, int b) {
  multiply_tiles(to, a, b, [](__m512i sum, __m512i x, __m512i w) { return dpbusd(sum, w, x); });
}
EMULATED void multiply_bfloats(int to, int a, int b) {
  multiply_tiles(to, a, b, [](__m512i sum, __m512i x, __m512i w) {
    auto even = [](__m512i v) { return as<__m512>(as<Unsigned>(v) << 16); };
    auto odd = [](__m512i v) { return as<__m512>(as<Unsigned>(v) & 0xffff0000u); };
    return whole(fma(odd(x), odd(w), fma(even(x), even(w), as<__m512>(sum))));
  });
}

}  // namespace emulated

#define _mm512_add_epi32(a, b) emulated::whole(emulated::as<emulated::Ints>(a) + emulated::as<emulated::Ints>(b))
#define _mm512_add_ps(a, b) ((a) + (b))
#define _mm512_and_si512(a, b) ((a) & (b))
#define _mm512_broadcast_i32x4(v) emulated::four_times(v)
#define _mm512_castps_si512(v) emulated::whole(v)
#define _mm512_castsi512_ps(v) emulated::as<__m512>(v)
#define _mm512_cvtepi32_ps(v) emulated::floats(v)
#define _mm512_cvtepi8_epi32(v) emulated::small(v)
#define _mm512_cvtepu16_epi32(v) emulated::words(v)
#undef _mm512_cvtph_ps
#define _mm512_cvtph_ps(v) emulated::halves(v)
#define _mm512_cvtne2ps_pbh(high, low) emulated::bfloats(high, low)
#define _mm512_dpbusd_epi32(sum, codes, inputs) emulated::dpbusd(sum, codes, inputs)
#define _mm512_fmadd_ps(a, b, c) emulated::fma(a, b, c)
#define _mm512_fmsub_ps(a, b, c) emulated::fma(a, b, -(c))
#define _mm512_fnmadd_ps(a, b, c) emulated::fma(-(a), b, c)
#define _mm512_load_ps(p) emulated::load<__m512>(p)
#define _mm512_loadu_ps(p) emulated::load<__m512>(p)
#define _mm512_load_si512(p) emulated::load<__m512i>(p)
#define _mm512_loadu_si512(p) emulated::load<__m512i>(p)
#define _mm512_mask_add_epi8(otherwise, mask, a, b) emulated::add_bytes_where(otherwise, mask, a, b)
#define _mm512_mask_blend_epi16(mask, a, b) emulated::blend_words(mask, a, b)
#define _mm512_mul_ps(a, b) ((a) * (b))
#define _mm512_or_si512(a, b) ((a) | (b))
#define _mm512_set1_epi32(v) emulated::splat_int(v)
#define _mm512_set1_epi8(v) emulated::splat_byte(v)
#define _mm512_set1_ps(v) emulated::splat(v)
#define _mm512_setzero_ps() __m512{}
#define _mm512_setzero_si512() __m512i{}
#define _mm512_shuffle_epi8(table, at) emulated::shuffle(table, at)
#define _mm512_slli_epi16(v, n) emulated::whole(emulated::as<emulated::Words>(v) << static_cast<uint16_t>(n))
#define _mm512_slli_epi32(v, n) emulated::whole(emulated::as<emulated::Unsigned>(v) << (n))
#define _mm512_srli_epi16(v, n) emulated::whole(emulated::as<emulated::Words>(v) >> static_cast<uint16_t>(n))
#define _mm512_srli_epi32(v, n) emulated::whole(emulated::as<emulated::Unsigned>(v) >> (n))
#define _mm512_srlv_epi32(v, n) emulated::whole(emulated::as<emulated::Unsigned>(v) >> emulated::as<emulated::Unsigned>(n))
#define _mm512_store_si512(p, v) emulated::store(p, v)
#define _mm512_storeu_si512(p, v) emulated::store(p, v)
#define _mm512_storeu_ps(p, v) emulated::store(p, v)
#define _mm512_sub_epi32(a, b) emulated::whole(emulated::as<emulated::Ints>(a) - emulated::as<emulated::Ints>(b))
#define _mm256_dpbusd_avx_epi32(sum, codes, inputs) emulated::dpbusd8(sum, codes, inputs)
#undef _tile_loadd
#undef _tile_stored
#undef _tile_zero
#undef _tile_dpbsud
#undef _tile_dpbf16ps
#define _tile_loadconfig(config) emulated::configure(config)
#define _tile_release() static_cast<void>(0)
#define _tile_zero(t) static_cast<void>(emulated::tiles.tile[t] = {})
#define _tile_loadd(t, from, stride) emulated::load_tile(t, from, stride)
#define _tile_stored(t, to, stride) emulated::store_tile(t, to, stride)
#define _tile_dpbsud(to, a, b) emulated::multiply_ints(to, a, b)
#define _tile_dpbf16ps(to, a, b) emulated::multiply_bfloats(to, a, b)
