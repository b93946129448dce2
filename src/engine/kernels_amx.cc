// Many rows of input, bfloat16: AMX. Weights are turned into bfloat16 tiles a strip of rows and 2048 columns at a time, which
// stays in the second-level cache while all rows of input pass over it.
#if defined(__x86_64__) && !defined(AJAR_PORTABLE_KERNELS)

#include <immintrin.h>

#include "engine/kernels_x86.h"

namespace ajar::engine {
namespace {

constexpr int kStrip = 8;           // panels
constexpr int64_t kDepth = 2048;    // columns unpacked at once
constexpr int64_t kInner = 128;     // columns at once: two tiles of input, and the sums, of two threads of a core lie in its first-level cache

constexpr TileConfig kWholeTiles = {.columns = {64, 64, 64, 64, 64, 64, 64, 64}, .rows = {16, 16, 16, 16, 16, 16, 16, 16}};

inline __m512i round_to_bfloat(__m512 v) {  // in the upper halves; to nearest, ties away from zero
  return _mm512_add_epi32(_mm512_castps_si512(v), _mm512_set1_epi32(0x8000));
}

inline void store_pair(uint8_t* to, __m512 even, __m512 odd) {
  _mm512_store_si512(to, _mm512_mask_blend_epi16(0xAAAAAAAA, _mm512_srli_epi32(round_to_bfloat(even), 16), round_to_bfloat(odd)));
}

// Tiles of `steps` blocks of one panel from block `block` on: [step][pair of columns 0..15][row][2].
template <Dtype T>
void unpack(const uint8_t* panel, const PanelLayout& layout, int64_t block, int64_t steps, uint8_t* to) {
  constexpr PanelForm form = panel_form(T);
  for (int64_t b = block; b < block + steps; ++b, to += 1024) {
    const uint8_t* codes = panel + b * form.code_bytes();
    __m512 scale[2], minimum[2];
    load_scales<T>(panel + layout.scales + b * form.scale_bytes(), panel + layout.supers + b / 8 * form.super_bytes(), scale,
                   minimum);
    const __m512i byte = _mm512_set1_epi32(0xff), low = _mm512_set1_epi8(15);
    for (int g = 0; g < 8; ++g) {
      __m512i v;
      if constexpr (form.bits == 8) {
        v = _mm512_loadu_si512(codes + g * 64);
      } else {
        v = _mm512_loadu_si512(codes + g % 4 * 64);
        v = _mm512_and_si512(g < 4 ? v : _mm512_srli_epi16(v, 4), low);
      }
      if constexpr (form.bits == 5) {
        uint64_t bits;
        __builtin_memcpy(&bits, codes + 256 + g * 8, 8);
        v = _mm512_mask_add_epi8(v, bits, v, _mm512_set1_epi8(16));
      }
      if constexpr (form.bits == 6) {
        __m512i high = _mm512_srlv_epi32(_mm512_loadu_si512(codes + 256 + g / 4 * 64), _mm512_set1_epi32(2 * (g % 4)));
        v = _mm512_or_si512(v, _mm512_slli_epi32(_mm512_and_si512(high, _mm512_set1_epi8(3)), 4));
      }
      if constexpr (form.table != CodeTable::kNone) {
        const uint8_t* bytes = form.table == CodeTable::kIq4Nl ? kIq4NlTable : kMxfp4Table;
        v = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes))), v);
      }
      __m512 k[4];
      for (int i = 0; i < 4; ++i) {
        __m512 code = _mm512_cvtepi32_ps(_mm512_and_si512(_mm512_srli_epi32(v, 8 * i), byte));
        k[i] = _mm512_fmsub_ps(code, scale[g / 4], minimum[g / 4]);
      }
      store_pair(to + g * 128, k[0], k[1]);
      store_pair(to + g * 128 + 64, k[2], k[3]);
    }
  }
}

// Two tiles of input (or one) times two panels (or one) over `steps` steps, added to four tiles of sums, one after the other.
template <int A, int B>
inline void multiply_tiles(const uint16_t* a0, const uint16_t* a1, const uint8_t* b0, const uint8_t* b1, int64_t steps,
                           bool first, float* sums) {
  if (first) {
    _tile_zero(0);
    if constexpr (B > 1) _tile_zero(1);
    if constexpr (A > 1) _tile_zero(2);
    if constexpr (A > 1 && B > 1) _tile_zero(3);
  } else {
    _tile_loadd(0, sums, 64);
    if constexpr (B > 1) _tile_loadd(1, sums + 256, 64);
    if constexpr (A > 1) _tile_loadd(2, sums + 512, 64);
    if constexpr (A > 1 && B > 1) _tile_loadd(3, sums + 768, 64);
  }
  for (int64_t s = 0; s < steps; ++s) {
    _tile_loadd(6, b0 + s * 1024, 64);
    _tile_loadd(4, a0 + s * 512, 64);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (B > 1) {
      _tile_loadd(7, b1 + s * 1024, 64);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (A > 1) {
      _tile_loadd(5, a1 + s * 512, 64);
      _tile_dpbf16ps(2, 5, 6);
      if constexpr (B > 1) _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, sums, 64);
  if constexpr (B > 1) _tile_stored(1, sums + 256, 64);
  if constexpr (A > 1) _tile_stored(2, sums + 512, 64);
  if constexpr (A > 1 && B > 1) _tile_stored(3, sums + 768, 64);
}

// The sums of `panels` panels and `tiles` tiles of input, from the strip's own tiles into the rows of y.
inline void store_sums(const float* sums, int panels, int tiles, bool first, float* y, int64_t ldy) {
  for (int t = 0; t < tiles; ++t) {
    for (int r = 0; r < 16; ++r) {
      float* to = y + (t * 16 + r) * ldy;
      for (int i = 0; i < panels; ++i) {
        __m512 v = _mm512_load_ps(sums + i / 2 * 1024 + t * 512 + i % 2 * 256 + r * 16);
        _mm512_storeu_ps(to + i * 16, first ? v : _mm512_add_ps(_mm512_loadu_ps(to + i * 16), v));
      }
    }
  }
}

template <Dtype T>
void multiply(const Product& p, const uint16_t* tiles, uint8_t* scratch) {
  PanelLayout layout = panel_layout(T, p.columns);
  // Sums lie close together until they are whole: in y their rows are far apart, often by a power of two, and push each other out
  // of the first-level cache.
  auto* sums = reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(scratch) + 63) & ~uintptr_t{63});
  auto* strip = reinterpret_cast<uint8_t*>(sums + kStrip * 512);
  const int64_t steps = p.columns / 32;
  const int row_tiles = (p.rows + 15) / 16;
  for (int n = p.first; n < p.last; n += kStrip) {
    int panels = p.last - n < kStrip ? p.last - n : kStrip;
    for (int64_t from = 0; from < steps; from += kDepth / 32) {
      int64_t depth = steps - from < kDepth / 32 ? steps - from : kDepth / 32;
      for (int i = 0; i < panels; ++i)
        if constexpr (T != Dtype::kBF16)
          unpack<T>(reinterpret_cast<const uint8_t*>(p.panels) + (n + i) * layout.stride, layout, from, depth,
                    strip + i * depth * 1024);
      auto weights = [&](int i, int64_t step) -> const uint8_t* {
        if constexpr (T == Dtype::kBF16)
          return reinterpret_cast<const uint8_t*>(p.panels) + (n + i) * layout.stride + (from + step) * 1024;
        else
          return strip + (i * depth + step) * 1024;
      };
      for (int m = 0; m < row_tiles; m += 2) {
        const uint16_t* a0 = tiles + (m * steps + from) * 512;
        const uint16_t* a1 = a0 + steps * 512;
        bool two = m + 1 < row_tiles;
        for (int64_t in = 0, inner; in < depth; in += inner) {
          inner = depth - in < kInner / 32 * 3 / 2 ? depth - in : kInner / 32;
          for (int i = 0; i < panels; i += 2) {
            float* to = sums + i * 512;
            const uint16_t *x0 = a0 + in * 512, *x1 = a1 + in * 512;
            const uint8_t* b0 = weights(i, in);
            if (i + 1 < panels) {
              const uint8_t* b1 = weights(i + 1, in);
              if (two) multiply_tiles<2, 2>(x0, x1, b0, b1, inner, in == 0, to);
              else multiply_tiles<1, 2>(x0, x0, b0, b1, inner, in == 0, to);
            } else {
              if (two) multiply_tiles<2, 1>(x0, x1, b0, b0, inner, in == 0, to);
              else multiply_tiles<1, 1>(x0, x0, b0, b0, inner, in == 0, to);
            }
          }
        }
        store_sums(sums, panels, two ? 2 : 1, from == 0, p.y + m * 16 * p.ldy + n * kPanelRows, p.ldy);
      }
    }
  }
}

}  // namespace

void multiply_amx(const Product& p, const uint16_t* tiles, std::byte* scratch_bytes) {
  _tile_loadconfig(&kWholeTiles);
  auto* scratch = reinterpret_cast<uint8_t*>(scratch_bytes);
  if (p.dtype == Dtype::kBF16) multiply<Dtype::kBF16>(p, tiles, scratch);
  for_quantised(p.dtype, [&]<Dtype T>() { multiply<T>(p, tiles, scratch); });
  _tile_release();
}

// Rows of queries in tiles of 16, two pages of tokens at a time: scores = Q * K^T, then outputs = P * V.
void attend_amx(const Attention& a) {
  const int dim = a.head_dim, steps = dim / 32, row_tiles = (a.rows + 15) / 16;
  int32_t from = 1 << 30, to = 0;
  for (int r = 0; r < a.rows; ++r) {
    int32_t end = a.end > 0 ? a.end : a.positions[r] + 1;
    from = a.begins[r] < from ? a.begins[r] : from;
    to = end > to ? end : to;
  }
  const int32_t pages = (to + 15) / 16;
  from = from / 32 * 32;
  const int64_t ld = (to + 31) / 32 * 32;

  float* scores = a.scores;
  auto* aligned = reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(scores + row_tiles * 16 * ld) + 63) & ~uintptr_t{63});
  auto* queries = reinterpret_cast<uint16_t*>(aligned);                   // [row tile][step][16][32]
  auto* weights = queries + int64_t{row_tiles} * 16 * dim;                // [row tile][pair of pages][16][32]
  auto* pair = reinterpret_cast<uint8_t*>(weights + row_tiles * 16 * ld);  // two pages of keys or values as tiles
  auto* sums = reinterpret_cast<float*>(pair + int64_t{dim} * 64);         // [row tile][16][dim]

  for (int r = 0; r < row_tiles * 16; ++r) {
    for (int s = 0; s < steps; ++s) {
      uint16_t* q = queries + ((r / 16 * steps + s) * 16 + r % 16) * 32;
      __m512 low = _mm512_setzero_ps(), high = low;
      if (r < a.rows) low = _mm512_loadu_ps(a.queries[r] + s * 32), high = _mm512_loadu_ps(a.queries[r] + s * 32 + 16);
      _mm512_storeu_si512(q, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low)));
    }
  }
  _tile_loadconfig(&kWholeTiles);
  for (int32_t page = from / 16; page * 16 < ld; ++page) {
    if (page >= pages) {  // the second of the last pair: nothing is there
      for (int r = 0; r < row_tiles * 16; ++r) _mm512_storeu_ps(scores + r * ld + page * 16, _mm512_setzero_ps());
      continue;
    }
    const auto* keys = reinterpret_cast<const uint8_t*>(a.k_pages[page]);
    for (int d = 0; d < dim; d += 2) store_pair(pair + d * 32, load_half(keys + d * 32), load_half(keys + (d + 1) * 32));
    for (int m = 0; m < row_tiles; ++m) {
      _tile_zero(0);
      for (int s = 0; s < steps; ++s) {
        _tile_loadd(4, queries + (m * steps + s) * 512, 64);
        _tile_loadd(6, pair + s * 1024, 64);
        _tile_dpbf16ps(0, 4, 6);
      }
      _tile_stored(0, scores + m * 16 * ld + page * 16, ld * 4);
    }
  }
  for (int r = 0; r < row_tiles * 16; ++r) {
    float* s = scores + r * ld;
    int32_t begin = 0, end = 0;
    if (r < a.rows) {
      begin = a.begins[r], end = a.end > 0 ? a.end : a.positions[r] + 1;
      a.soften(s, begin, end, a.scale, a.softcap);
    }
    // What it sees, as bfloat16; nothing elsewhere.
    int32_t first = begin / 16 * 16, last = (end + 15) / 16 * 16;
    for (int32_t t = from; t < ld; t += 32) {
      __m512 low = t >= first && t < last ? _mm512_loadu_ps(s + t) : _mm512_setzero_ps();
      __m512 high = t + 16 >= first && t + 16 < last ? _mm512_loadu_ps(s + t + 16) : _mm512_setzero_ps();
      _mm512_storeu_si512(weights + ((r / 16 * (ld / 32) + t / 32) * 16 + r % 16) * 32, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low)));
    }
  }
  for (int32_t t = from; t < ld; t += 32) {
    // [16 dims][pair of tokens][16 dims][2]
    for (int i = 0; i < 32; i += 2) {
      int32_t page = (t + i) / 16;
      const auto* values = reinterpret_cast<const uint8_t*>(a.v_pages[page < pages ? page : pages - 1] + (t + i) % 16 * a.padded_head_dim);
      for (int d = 0; d < dim; d += 16)
        store_pair(pair + d * 64 + i * 32, load_half(values + d * 2), load_half(values + (a.padded_head_dim + d) * 2));
    }
    for (int m = 0; m < row_tiles; ++m) {
      _tile_loadd(4, weights + (m * (ld / 32) + t / 32) * 512, 64);
      for (int d = 0; d < dim; d += 16) {
        float* sum = sums + m * 16 * dim + d;
        if (t == from) _tile_zero(0);
        else _tile_loadd(0, sum, dim * 4);
        _tile_loadd(6, pair + d * 64, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_stored(0, sum, dim * 4);
      }
    }
  }
  _tile_release();
  for (int r = 0; r < a.rows; ++r)
    for (int d = 0; d < dim; d += 16) _mm512_storeu_ps(a.outputs[r] + d, _mm512_loadu_ps(sums + r * dim + d));
}

double peak_amx(int64_t rounds) {
  _tile_loadconfig(&kWholeTiles);
  _tile_zero(0), _tile_zero(1), _tile_zero(2), _tile_zero(3), _tile_zero(4), _tile_zero(5), _tile_zero(6), _tile_zero(7);
  for (int64_t i = 0; i < rounds; ++i) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
  return static_cast<double>(rounds) * 4 * 16 * 16 * 32 * 2;
}

}  // namespace ajar::engine

#endif
